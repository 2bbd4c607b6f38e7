"""A peer: a new implementation of the training step that a widely read textbook chapter on ELECTRA teaches.

It keeps the chapter's differences from the paper, because they are what its readers run: two separate embeddings, an
untied vocabulary layer over every position, special tokens masked like any other, and a generator that runs a second
time to sample.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.shapes import LONGEST, MASK, Shape
from benchmarks.steps import AdamStep


class Encoder(nn.Module):
    """PyTorch's own transformer over embeddings as wide as its states."""

    def __init__(self, vocab_size: int, width: int, layers: int, heads: int) -> None:
        """Build it with freshly drawn weights."""
        super().__init__()
        self.token_embeddings = nn.Embedding(vocab_size, width)
        self.position_embeddings = nn.Embedding(LONGEST, width)
        self.norm = nn.LayerNorm(width)
        layer = nn.TransformerEncoderLayer(
            width, heads, dim_feedforward=4 * width, dropout=0.0, activation="gelu", batch_first=True
        )
        # Nested tensors are for padding at inference; asking for them here only earns a warning with one head.
        self.stack = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Turn tokens (B, T) into states (B, T, width)."""
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        states: Tensor = self.stack(self.norm(self.token_embeddings(tokens) + self.position_embeddings(positions)))
        return states


class Generator(nn.Module):
    """The generator: an Encoder and a vocabulary layer of its own."""

    def __init__(self, shape: Shape) -> None:
        """Build it for the generator's sizes of `shape`."""
        super().__init__()
        width = shape.generator_hidden_size
        self.encoder = Encoder(shape.vocab_size, width, shape.num_layers, shape.generator_heads)
        self.dense, self.norm = nn.Linear(width, width), nn.LayerNorm(width)
        self.head = nn.Linear(width, shape.vocab_size)

    def forward(self, tokens: Tensor) -> Tensor:
        """Predict every position: logits (B, T, V) for tokens (B, T)."""
        logits: Tensor = self.head(self.norm(F.gelu(self.dense(self.encoder(tokens)))))
        return logits


class Discriminator(nn.Module):
    """The discriminator: an Encoder and one logit for each token."""

    def __init__(self, shape: Shape) -> None:
        """Build it for the discriminator's sizes of `shape`."""
        super().__init__()
        self.encoder = Encoder(shape.vocab_size, shape.hidden_size, shape.num_layers, shape.num_heads)
        self.head = nn.Linear(shape.hidden_size, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return how much each of tokens (B, T) looks replaced: logits (B, T)."""
        logits: Tensor = self.head(self.encoder(tokens)).squeeze(-1)
        return logits


@torch.no_grad()
def fill(generator: nn.Module, masked_tokens: Tensor, is_masked: Tensor, rng: torch.Generator) -> Tensor:
    """Run the generator again on `masked_tokens` (B, T), and fill in samples where `is_masked` (B, T), row by row."""
    logits, filled = generator(masked_tokens), masked_tokens.clone()  # (B, T, V), (B, T)
    for row, masked in enumerate(is_masked):
        positions = masked.nonzero().squeeze(-1)
        if len(positions):
            probabilities = logits[row, positions].float().softmax(-1)  # (K, V)
            filled[row, positions] = torch.multinomial(probabilities, 1, generator=rng).squeeze(-1)
    return filled


def chapter(shape: Shape, device: torch.device, dtype: torch.dtype) -> AdamStep:
    """Return the chapter's step; `modules` are its generator and its discriminator."""
    config = shape.config()
    generator, discriminator = Generator(shape).to(device), Discriminator(shape).to(device)
    rng = torch.Generator(device).manual_seed(0)

    def loss(tokens: Tensor) -> Tensor:
        is_masked = torch.rand(tokens.shape, generator=rng, device=device) < config.mask_prob  # (B, T)
        masked_tokens = tokens.masked_fill(is_masked, MASK)
        logits = generator(masked_tokens)  # (B, T, V)
        losses = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none")
        weight = is_masked.flatten().float()
        mlm_loss = (losses * weight).sum() / weight.sum()
        filled = fill(generator, masked_tokens, is_masked, rng)
        rtd_loss = F.binary_cross_entropy_with_logits(discriminator(filled), (filled != tokens).float())
        return mlm_loss + config.rtd_weight * rtd_loss

    return AdamStep([generator, discriminator], loss, config, device, dtype)

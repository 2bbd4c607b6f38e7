"""A peer: the training step that a widely read textbook chapter on ELECTRA teaches, written anew.

What it does otherwise than the paper is kept, because that is what its readers run: two separate embeddings, an untied
vocabulary layer over every position, specials masked like any token, and the generator run a second time to sample.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.shapes import LONGEST, MASK, Shape
from benchmarks.steps import AdamStep


class Reader(nn.Module):
    """PyTorch's own transformer over embeddings as wide as its states."""

    def __init__(self, vocab_size: int, width: int, layers: int, heads: int) -> None:
        """Build it with freshly drawn weights."""
        super().__init__()
        self.words, self.places = nn.Embedding(vocab_size, width), nn.Embedding(LONGEST, width)
        self.norm = nn.LayerNorm(width)
        layer = nn.TransformerEncoderLayer(
            width, heads, dim_feedforward=4 * width, dropout=0.0, activation="gelu", batch_first=True
        )
        # Nested tensors are for padding at inference; asking for them here only earns a warning with one head.
        self.stack = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Turn tokens (B, T) into states (B, T, width)."""
        where = torch.arange(tokens.shape[1], device=tokens.device)
        states: Tensor = self.stack(self.norm(self.words(tokens) + self.places(where)))
        return states


class Guesser(nn.Module):
    """The generator: a Reader and a vocabulary layer of its own."""

    def __init__(self, shape: Shape) -> None:
        """Build it for the generator's sizes of `shape`."""
        super().__init__()
        width = shape.generator_hidden_size
        self.reader = Reader(shape.vocab_size, width, shape.num_layers, shape.generator_heads)
        self.dense, self.norm = nn.Linear(width, width), nn.LayerNorm(width)
        self.vocabulary = nn.Linear(width, shape.vocab_size)

    def forward(self, tokens: Tensor) -> Tensor:
        """Predict every position: logits (B, T, V) for tokens (B, T)."""
        logits: Tensor = self.vocabulary(self.norm(F.gelu(self.dense(self.reader(tokens)))))
        return logits


class Judge(nn.Module):
    """The discriminator: a Reader and one logit for each token."""

    def __init__(self, shape: Shape) -> None:
        """Build it for the discriminator's sizes of `shape`."""
        super().__init__()
        self.reader = Reader(shape.vocab_size, shape.hidden_size, shape.num_layers, shape.num_heads)
        self.verdict = nn.Linear(shape.hidden_size, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Judge tokens (B, T): logits (B, T)."""
        logits: Tensor = self.verdict(self.reader(tokens)).squeeze(-1)
        return logits


@torch.no_grad()
def fill(guesser: nn.Module, hidden: Tensor, is_masked: Tensor, rng: torch.Generator) -> Tensor:
    """Read `hidden` (B, T) once more and put drawn tokens where `is_masked` (B, T), one row after the other."""
    logits, filled = guesser(hidden), hidden.clone()  # (B, T, V), (B, T)
    for row, masked in enumerate(is_masked):
        spots = masked.nonzero().squeeze(-1)
        if len(spots):
            chances = logits[row, spots].float().softmax(-1)  # (K, V)
            filled[row, spots] = torch.multinomial(chances, 1, generator=rng).squeeze(-1)
    return filled


def chapter(shape: Shape, device: torch.device, dtype: torch.dtype) -> AdamStep:
    """Return the chapter's step; `modules` are its generator and its discriminator."""
    config = shape.config()
    guesser, judge = Guesser(shape).to(device), Judge(shape).to(device)
    rng = torch.Generator(device).manual_seed(0)

    def loss(tokens: Tensor) -> Tensor:
        is_masked = torch.rand(tokens.shape, generator=rng, device=device) < config.mask_prob  # (B, T)
        hidden = tokens.masked_fill(is_masked, MASK)
        logits = guesser(hidden)  # (B, T, V)
        losses = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none")
        weight = is_masked.flatten().float()
        mlm_loss = (losses * weight).sum() / weight.sum()
        filled = fill(guesser, hidden, is_masked, rng)
        rtd_loss = F.binary_cross_entropy_with_logits(judge(filled), (filled != tokens).float())
        return mlm_loss + config.rtd_weight * rtd_loss

    return AdamStep([guesser, judge], loss, config, device, dtype)

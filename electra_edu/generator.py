"""The generator: a small masked language model, and how a token is drawn from its prediction."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from electra_edu.config import ElectraConfig
from electra_edu.encoder import Embeddings, Encoder, linear


class Generator(nn.Module):
    """Encoder + vocabulary head, its output weights tied to the token embeddings.

    Only the positions asked for reach the vocabulary layer, which costs more than the encoder at tiny sizes.
    """

    def __init__(self, config: ElectraConfig, embeddings: Embeddings) -> None:
        """Build it around `embeddings`, which the discriminator may share."""
        super().__init__()
        self.config = config
        self.encoder = Encoder(config, config.generator, embeddings)
        self.dense = linear(config.generator.hidden_size, config.embedding_size)
        self.norm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        positions: Tensor | None = None,
    ) -> Tensor:
        """Predict the tokens at `positions` (B, K), or everywhere: logits (B, K or T, vocab_size) for tokens (B, T)."""
        hidden = self.encoder(tokens, attention_mask, token_type_ids)  # (B, T, H)
        if positions is not None:
            hidden = hidden.gather(1, positions[..., None].expand(-1, -1, hidden.shape[-1]))  # (B, K, H)
        hidden = self.norm(F.gelu(self.dense(hidden)))
        return F.linear(hidden, self.encoder.embeddings.token.weight, self.bias)


def sample(logits: Tensor, temperature: float, rng: torch.Generator) -> Tensor:
    """Draw one token per row from softmax(logits / temperature): int64 (...) for logits (..., V).

    One uniform number per row, looked up in the cumulative distribution: exact, and cheaper than Gumbel noise for
    every entry of the vocabulary. Drawn in float32 at least, whatever the logits are.
    """
    probabilities = (logits.detach().float() / temperature).softmax(-1)
    cumulative = probabilities.cumsum(-1)
    u = torch.rand(cumulative.shape[:-1], generator=rng, device=logits.device)[..., None]
    drawn = torch.searchsorted(
        cumulative, u * cumulative[..., -1:], right=True
    )  # right: an entry of probability 0 is never drawn
    return drawn.squeeze(-1).clamp(max=logits.shape[-1] - 1)


def gumbel_max(logits: Tensor, temperature: float, rng: torch.Generator) -> Tensor:
    """Draw one token per row by adding Gumbel noise and taking the largest: the same distribution as `sample`.

    The official code's way, kept for a lesson to look at; it needs a random number for every entry of the vocabulary.
    """
    noise = torch.empty_like(logits, dtype=torch.float32).exponential_(generator=rng).log().neg()
    return (logits.detach().float() / temperature + noise).argmax(-1)

"""The transformer encoder of both networks: factorised embeddings and BERT's post-norm blocks."""

import math
from itertools import islice
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from electra_edu.config import ElectraConfig, EncoderShape
from electra_edu.support.errors import ElectraEduError

EMBEDDING_STD = 0.02  # of freshly drawn embeddings, as in BERT


class Linear(nn.Linear):
    """A linear layer without initial weights, so that building a model never touches the global RNG.

    `torch.nn.utils.skip_init` does the same, but it imports PyTorch's compiler, which takes up to 2 s.
    """

    def reset_parameters(self) -> None:
        """Leave the weights as they are until `initialise`."""


class Embedding(nn.Embedding):
    """An embedding without initial weights, as `Linear`."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are until `initialise`."""


@torch.no_grad()
def initialise(module: nn.Module, initializer_range: float | None, rng: torch.Generator) -> None:
    """Draw every weight of `module` from `rng`: normal with std `initializer_range`, or 1/√inputs when it is None.

    Biases start at 0, LayerNorms at the identity, embeddings at a std of 0.02.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            part.weight.normal_(0.0, initializer_range or 1 / math.sqrt(part.in_features), generator=rng)
            part.bias.zero_()
        elif isinstance(part, nn.Embedding):
            part.weight.normal_(0.0, initializer_range or EMBEDDING_STD, generator=rng)


class Dropout(nn.Module):
    """Dropout that draws from a generator that is passed in, so that runs in two threads never share one.

    `torch.nn.Dropout` draws from the global generator, which belongs to the learner as well and is not safe to share.
    From generators with the same seed, both draw the same.
    """

    def __init__(self, p: float) -> None:
        """Drop each element with probability `p`, in training mode only."""
        super().__init__()
        self.p = p

    def forward(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Return x (...) with some elements 0 and the others scaled by 1/(1 - p); `rng` None: the global generator."""
        if not self.training or self.p == 0:
            return x
        return x * torch.empty_like(x).bernoulli_(1 - self.p, generator=rng).div_(1 - self.p)


class DifferenceTable(nn.Module):
    """Another network's token embeddings behind a stop-gradient, plus a learned difference that starts at zero.

    This is gradient-disentangled embedding sharing: no gradient from here reaches the other network's embeddings.
    Source: DeBERTaV3, arXiv 2111.09543.
    """

    def __init__(self, base: nn.Embedding) -> None:
        """Build it on `base`, which the other network trains."""
        super().__init__()
        self.base = base
        self.difference = nn.Parameter(torch.zeros(base.num_embeddings, base.embedding_dim))

    @property
    def weight(self) -> Tensor:
        """The whole table (V, embedding_size)."""
        return self.base.weight.detach() + self.difference

    def forward(self, tokens: Tensor) -> Tensor:
        """Look up token ids (...): vectors (..., embedding_size)."""
        return F.embedding(tokens, self.base.weight.detach()) + F.embedding(tokens, self.difference)


class Embeddings(nn.Module):
    """Token, position and type embeddings, summed and normalised; the two networks may share this module."""

    def __init__(self, config: ElectraConfig, base: nn.Embedding | None = None) -> None:
        """Build it; rotary positions need no table. With `base`, the token embeddings are a DifferenceTable on it."""
        super().__init__()
        size = (config.vocab_size, config.embedding_size)
        self.token = Embedding(*size) if base is None else DifferenceTable(base)
        learned = config.positions == "learned"
        self.position = Embedding(config.max_position_embeddings, config.embedding_size) if learned else None
        self.token_type = Embedding(config.type_vocab_size, config.embedding_size)
        self.norm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.dropout)

    def forward(
        self, tokens: Tensor, token_type_ids: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """Turn token ids (B, T) into vectors (B, T, embedding_size); dropout draws from `rng`."""
        x: Tensor = self.token(tokens)
        x = x + (self.token_type.weight[0] if token_type_ids is None else self.token_type(token_type_ids))
        if self.position is not None:
            length, longest = tokens.shape[1], self.position.num_embeddings
            if length > longest:
                raise ElectraEduError(
                    f"A sequence of {length} tokens is longer than max_position_embeddings={longest}: cut the text "
                    "into windows."
                )
            x = x + self.position.weight[:length]
        normed: Tensor = self.dropout(self.norm(x), rng)
        return normed


def rotations(length: int, head_size: int, device: torch.device) -> Tensor:
    """Return the rotary angles as unit complex numbers (length, 1, head_size / 2); RoFormer, arXiv 2104.09864."""
    speed = 10000.0 ** (-torch.arange(0, head_size, 2, device=device, dtype=torch.float32) / head_size)
    angle = torch.arange(length, device=device, dtype=torch.float32)[:, None] * speed
    return torch.polar(torch.ones_like(angle), angle)[:, None]


def rotate(x: Tensor, by: Tensor) -> Tensor:
    """Rotate each pair of neighbouring units of x (..., T, heads, head_size) by the angles of its position."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * by).flatten(-2).type_as(x)


def gather_positions(x: Tensor, positions: Tensor) -> Tensor:
    """Return the rows of x (B, T, ...) at `positions` (B, K): (B, K, ...)."""
    index = positions.view(*positions.shape, *(1 for _ in x.shape[2:]))
    return x.gather(1, index.expand(-1, -1, *x.shape[2:]))


class Attention(nn.Module):
    """Multi-head self-attention; query, key and value are one matrix."""

    def __init__(self, shape: EncoderShape, dropout: float) -> None:
        """Build it for an encoder's `shape`."""
        super().__init__()
        self.shape = shape
        self.dropout = Dropout(dropout)  # of the attention weights
        self.query_key_value = Linear(shape.hidden_size, 3 * shape.hidden_size)
        self.output = Linear(shape.hidden_size, shape.hidden_size)

    def forward(
        self,
        x: Tensor,
        rotation: Tensor | None,
        may_attend: Tensor | None,
        positions: Tensor | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """Attend over the positions of x (B, T, H) that `may_attend` (B, 1, 1, T) allows: (B, T, H).

        With `positions` (B, K), queries are made at these only: (B, K, H).
        """
        # (B, T, 3, heads, d)
        qkv = self.query_key_value(x).unflatten(-1, (3, self.shape.num_heads, self.shape.head_size))
        if rotation is None:
            query, key, value = qkv.unbind(2)  # each (B, T, heads, d)
        else:
            query, key = rotate(qkv[:, :, :2].transpose(1, 2), rotation).unbind(1)
            value = qkv[:, :, 2]
        if positions is not None:
            query = gather_positions(query, positions)
        query, key, value = (part.transpose(1, 2) for part in (query, key, value))  # each (B, heads, T, d)
        # With dropout the weights are made here: PyTorch's fused attention would draw from the global generator.
        if self.training and self.dropout.p:
            weights = self.dropout(_attention_weights(query, key, may_attend), rng)  # (B, heads, T, T)
            mixed = weights @ value
        else:
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=may_attend)  # (B, heads, T, d)
        out: Tensor = self.output(mixed.transpose(1, 2).flatten(-2))
        return out


def _attention_weights(query: Tensor, key: Tensor, may_attend: Tensor | None) -> Tensor:
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if may_attend is not None:
        scores = scores.masked_fill(~may_attend, torch.finfo(scores.dtype).min)
    return scores.softmax(-1)


class Block(nn.Module):
    """Attention, then a feed-forward layer, each added to its input and normalised (post-norm, as in BERT)."""

    def __init__(self, config: ElectraConfig, shape: EncoderShape) -> None:
        """Build it for an encoder's `shape`."""
        super().__init__()
        self.attention = Attention(shape, config.dropout)
        self.attention_norm = nn.LayerNorm(shape.hidden_size, eps=config.layer_norm_eps)
        self.widen = Linear(shape.hidden_size, shape.intermediate_size)
        self.narrow = Linear(shape.intermediate_size, shape.hidden_size)
        self.feed_forward_norm = nn.LayerNorm(shape.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        rotation: Tensor | None,
        may_attend: Tensor | None,
        positions: Tensor | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """Transform x (B, T, H); with `positions` (B, K), return the new states there only: (B, K, H)."""
        mixed = self.attention(x, rotation, may_attend, positions, rng)
        if positions is not None:
            x = gather_positions(x, positions)
        x = self.attention_norm(x + self.dropout(mixed, rng))
        out: Tensor = self.feed_forward_norm(x + self.dropout(self.narrow(F.gelu(self.widen(x))), rng))
        return out


class Encoder(nn.Module):
    """Embeddings, a projection where widths differ, and a stack of blocks."""

    def __init__(self, config: ElectraConfig, shape: EncoderShape, embeddings: Embeddings) -> None:
        """Build it on `embeddings`, which another encoder may share."""
        super().__init__()
        self.shape, self.positions = shape, config.positions
        self.embeddings = embeddings
        same = config.embedding_size == shape.hidden_size
        self.project = None if same else Linear(config.embedding_size, shape.hidden_size)
        self.blocks = nn.ModuleList(Block(config, shape) for _ in range(shape.num_layers))

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        layers: int | None = None,
        positions: Tensor | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """Turn token ids (B, T) into hidden states (B, T, H); where `attention_mask` is 0, nothing is attended to.

        They are those of the last block, or those after the first `layers` blocks (0: the input of the first block).
        With `positions` (B, K) the last block makes and returns the states there only: (B, K, H). At 15 % of the
        positions it then costs a third. In training mode dropout draws from `rng` (None: the global generator).
        """
        x: Tensor = self.embeddings(tokens, token_type_ids, rng)
        if self.project is not None:
            x = self.project(x)
        rotation = None
        if self.positions == "rotary":
            rotation = rotations(tokens.shape[1], self.shape.head_size, tokens.device)
        may_attend = None if attention_mask is None else attention_mask.bool()[:, None, None, :]
        blocks = list(islice(self.blocks, layers))
        for number, block in enumerate(blocks, start=1):
            x = block(x, rotation, may_attend, positions if number == len(blocks) else None, rng)
        return x if blocks or positions is None else gather_positions(x, positions)


class HasEncoder(Protocol):
    """An Electra (whose `encoder` is the one kept after pre-training), a Discriminator or a Generator."""

    @property
    def encoder(self) -> Encoder:
        """The transformer whose states are read."""


def encoder_of(model: Encoder | HasEncoder | nn.Module) -> Encoder:
    """Return the encoder of a model, or the encoder itself."""
    encoder = model if isinstance(model, Encoder) else model.encoder
    assert isinstance(encoder, Encoder)
    return encoder

"""Masking: which positions the generator has to predict, the corrupted input of the discriminator, and its labels."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from electra_edu.config import ElectraConfig, masked_positions
from electra_edu.support import tensors
from electra_edu.support.arguments import as_number, instance, refuse

CONFIG = "edu.preset('toy')"  # how errors say where a config comes from


@dataclass(frozen=True, eq=False)
class Masking:
    """The masked positions of a batch, in a fixed number of slots per row, so that every step has the same shapes.

    A row with fewer ordinary tokens uses fewer slots. `used` is False for the surplus ones, and no loss counts them.
    """

    tokens: Tensor  # (B, T) the generator's input: [MASK] at the chosen positions, or at most of them
    is_masked: Tensor  # (B, T) bool: the chosen positions
    positions: Tensor  # (B, K) the position of each slot
    used: Tensor  # (B, K) bool


@dataclass(frozen=True, eq=False)
class Corruption:
    """The discriminator's input and its labels: 1 = replaced, as in the official code.

    (The paper's D is the probability of the opposite, P(original).)
    """

    tokens: Tensor  # (B, T)
    is_replaced: Tensor  # (B, T) bool: False where the generator's sample is the original token


def is_ordinary(tokens: Tensor, config: ElectraConfig) -> Tensor:
    """Return which tokens (B, T) may be masked, as bool (B, T): all but [PAD], [CLS], [SEP] and [MASK]."""
    instance("config", config, ElectraConfig, CONFIG)
    return _ordinary(tensors.token_ids(tokens, config.vocab_size, tensors.device_of(tokens)), config)


def _ordinary(tokens: Tensor, config: ElectraConfig) -> Tensor:
    ordinary = tokens != config.pad_token_id
    for token_id in (config.cls_token_id, config.sep_token_id, config.mask_token_id):
        ordinary &= tokens != token_id
    return ordinary


def choose_positions(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Choose round(mask_prob × number of ordinary tokens) positions of each row, at least one, all equally likely.

    `ordinary` is (B, T) bool. Returns `positions` (B, K) and `used` (B, K), which is False for the slots that a row
    leaves empty; a row without ordinary tokens leaves all of them empty. Raises ElectraEduError for a rate outside
    (0, 1].
    """
    if not isinstance(ordinary, Tensor) or ordinary.dtype != torch.bool or ordinary.dim() != 2 or not ordinary.numel():
        refuse("ordinary", ordinary, "a bool tensor of shape (batch, length), as is_ordinary(tokens, config) returns")
    rate = as_number(mask_prob)
    if rate is None or not 0 < rate <= 1:
        refuse("mask_prob", mask_prob, "a number above 0 and at most 1, for example 0.15")
    tensors.generator(rng, ordinary.device)
    needed = tokens_needed(ordinary.shape[-1], rate, ordinary.device)  # (K,)
    score = torch.rand(ordinary.shape, generator=rng, device=ordinary.device).masked_fill(~ordinary, -1.0)  # (B, T)
    positions = score.topk(len(needed), dim=-1).indices  # (B, K), ordinary ones first
    return positions, ordinary.sum(-1, keepdim=True) >= needed


# Cached, so that a step neither waits for a copy to the device nor needs float64 there.
@lru_cache(maxsize=256)
def tokens_needed(length: int, mask_prob: float, device: torch.device) -> Tensor:
    """Return how many ordinary tokens a row of `length` needs, at least, to use each slot: int64 (K,), rising."""
    needed: list[int] = []
    for ordinary in range(1, length + 1):
        needed += [ordinary] * (masked_positions(ordinary, mask_prob) - len(needed))
    return torch.tensor(needed, device=device)


def mask(tokens: Tensor, config: ElectraConfig, rng: torch.Generator, attention_mask: Tensor | None = None) -> Masking:
    """Replace `config.mask_prob` of each row's ordinary tokens by [MASK].

    Of the chosen positions a share of 1 - `config.mask_token_prob` keeps its token, so that the generator also has to
    predict words that it sees. (The share is 0.15 in the official code. It is 0, the default here, in most explanations
    of it.)

    `tokens` is int64 (B, T), or a list or NumPy array of ids. Positions where `attention_mask` (B, T) is 0 are never
    chosen. Raises ElectraEduError when `tokens` is not a batch of token ids or `attention_mask` has another shape.
    """
    instance("config", config, ElectraConfig, CONFIG)
    tokens = tensors.token_ids(tokens, config.vocab_size, tensors.device_of(tokens))
    tensors.generator(rng, tokens.device)
    ordinary = _ordinary(tokens, config)
    if attention_mask is not None:
        ordinary &= tensors.attention_mask(attention_mask, tokens)
    positions, used = choose_positions(ordinary, config.mask_prob, rng)
    hidden = used
    if config.mask_token_prob < 1:
        hidden = used & (torch.rand(used.shape, generator=rng, device=used.device) < config.mask_token_prob)
    is_masked, is_hidden = (torch.zeros_like(ordinary).scatter(-1, positions, some) for some in (used, hidden))
    return Masking(tokens.masked_fill(is_hidden, config.mask_token_id), is_masked, positions, used)


def corrupt(tokens: Tensor, masking: Masking, samples: Tensor) -> Corruption:
    """Fill the masked positions of `tokens` (B, T) with the generator's `samples` (B, K), and label the result.

    Raises ElectraEduError when `masking` belongs to other tokens, or `samples` to other slots.
    """
    instance("masking", masking, Masking, "edu.masking.mask(tokens, config, rng)")
    for name, ids, shape in (("tokens", tokens, masking.tokens.shape), ("samples", samples, masking.positions.shape)):
        if not isinstance(ids, Tensor) or ids.shape != shape or ids.dtype != torch.int64:
            refuse(name, ids, f"an int64 tensor of shape {tuple(shape)}, to go with this masking")
        tensors.check_device(name, ids, masking.positions.device)
    original = tokens.gather(-1, masking.positions)  # (B, K)
    filled = tokens.scatter(-1, masking.positions, torch.where(masking.used, samples, original))  # (B, T)
    return Corruption(filled, filled != tokens)

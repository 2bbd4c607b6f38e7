"""Texts of any length in overlapping windows: a token's logit comes from the window with most context around it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from electra_edu.config import ElectraConfig
from electra_edu.support.errors import ElectraEduError

TOKENS_PER_PASS = 4096  # bounds the memory for long texts


def window_starts(length: int, room: int) -> Tensor:
    """Return where windows of `room` tokens start so that they cover `length` ≥ 1 tokens: (W,), rising from 0.

    Each overlaps half of the one before. The last one ends with the text, so that all are full and none needs padding.
    """
    last = max(0, length - room)
    return torch.tensor([*range(0, last, max(1, room // 2)), last])


def most_central(starts: Tensor, length: int, room: int) -> Tensor:
    """Return for each of `length` tokens the index of the window whose middle is nearest: (length,).

    Of two that are equally near it is the earlier one. With windows that overlap by half, a token has at least a
    quarter of a window as context on either side, or everything up to the end of the text.
    """
    seams = (starts[:-1] + starts[1:] + room + 1) // 2  # the first token that each window but the first is used for
    return torch.bucketize(torch.arange(length), seams, right=True)


@torch.no_grad()
def read_in_windows(network: nn.Module, config: ElectraConfig, ids: Sequence[int]) -> Tensor:
    """Return the logit of each of N ≥ 1 tokens, special ones not among them: float32 (N,), on the CPU.

    A window is `max_seq_length` long, [CLS] and [SEP] included: a model works best at the lengths it was trained on,
    even if its positions reach further. A text that fits is read in one pass. Raises ElectraEduError when the model
    has no room for a word, or returns NaN or anything but one logit per token.
    """
    room = config.max_seq_length - 2
    if room < 1:
        raise ElectraEduError(
            f"max_seq_length={config.max_seq_length}: leaves no room for a word between [CLS] and [SEP]. "
            "Use a model with a larger one."
        )
    text = torch.tensor(ids)  # (N,)
    starts = window_starts(len(text), room)  # (W,)
    inside = text[starts[:, None] + torch.arange(min(room, len(text)))]  # (W, L)
    first, last = (torch.full_like(starts, i)[:, None] for i in (config.cls_token_id, config.sep_token_id))
    windows = torch.cat([first, inside, last], dim=1)  # (W, L + 2)
    device = next(network.parameters()).device
    parts = []
    for some in windows.split(max(1, TOKENS_PER_PASS // windows.shape[1])):
        logits = network(some.to(device))
        if logits.shape != some.shape:
            raise ElectraEduError(
                f"source: {type(network).__name__} returned {tuple(logits.shape)} for {tuple(some.shape)} tokens, "
                "not one logit per token. Pass a discriminator."
            )
        parts.append(logits[:, 1:-1].float().cpu())
        # NaN as a probability would mean that a word is unknown.
        if parts[-1].isnan().any():
            raise ElectraEduError(
                f"source: {type(network).__name__} computes NaN for this text: its weights, or what it makes of them, "
                "are too large or no numbers. Use a checkpoint from before its training went wrong."
            )
    window = most_central(starts, len(text), room)  # (N,)
    return torch.cat(parts)[window, torch.arange(len(text)) - starts[window]]

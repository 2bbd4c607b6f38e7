"""Texts of any length, read in overlapping windows: each token is judged where it sees most to both sides."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from electra_edu.config import ElectraConfig
from electra_edu.support.errors import ElectraEduError

TOKENS_AT_A_TIME = 4096  # in one forward pass: bounds the memory for long texts


def window_starts(length: int, room: int) -> Tensor:
    """Return where windows of `room` tokens start so that they cover `length` ≥ 1 tokens: (W,), rising from 0.

    Each overlaps half of the one before. The last one ends with the text, so that all are full and none needs padding.
    """
    last = max(0, length - room)
    return torch.tensor([*range(0, last, max(1, room // 2)), last])


def most_central(starts: Tensor, length: int, room: int) -> Tensor:
    """Return the number of the window whose middle is nearest, for each of `length` tokens: (length,).

    Of two equally near the earlier one. With windows that overlap by half, a token sees at least a quarter of a window
    to either side, or everything up to the end of the text.
    """
    seams = (starts[:-1] + starts[1:] + room + 1) // 2  # first token that each window but the first judges
    return torch.bucketize(torch.arange(length), seams, right=True)


@torch.no_grad()
def read_in_windows(network: nn.Module, config: ElectraConfig, ids: Sequence[int]) -> Tensor:
    """Return the logit of each of N ≥ 1 tokens, special ones not among them: float32 (N,), on the CPU.

    A window is `max_seq_length` long, [CLS] and [SEP] included: a model judges best at the lengths it was trained on,
    also where its positions would reach further. A text that fits is read in one pass. Raises ElectraEduError when
    the model has no room for a word, or returns anything but one logit per token, or NaN.
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
    for some in windows.split(max(1, TOKENS_AT_A_TIME // windows.shape[1])):
        logits = network(some.to(device))
        if logits.shape != some.shape:
            raise ElectraEduError(
                f"source: {type(network).__name__} returned {tuple(logits.shape)} for {tuple(some.shape)} tokens, "
                "not one logit per token. Pass a discriminator."
            )
        parts.append(logits[:, 1:-1].float().cpu())
        if parts[-1].isnan().any():  # as a probability it would say that a word is unknown
            raise ElectraEduError(
                f"source: {type(network).__name__} computes NaN for this text: its weights, or what it makes of them, "
                "are too large or no numbers. Use a checkpoint from before its training went wrong."
            )
    judge = most_central(starts, len(text), room)  # (N,)
    return torch.cat(parts)[judge, torch.arange(len(text)) - starts[judge]]

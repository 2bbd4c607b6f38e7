"""Random draws: each purpose of a seed has a generator of its own, so that one used more often leaves others alone."""

from typing import Literal

import torch

Purpose = Literal["weights", "steps", "order"]

_NUMBERS = {"weights": 1, "steps": 2, "order": 3}  # the order of a later epoch counts on from the last


def random_stream(
    seed: int, purpose: Purpose, device: torch.device | str = "cpu", *, epoch: int = 0
) -> torch.Generator:
    """Return the generator of the initial weights, of what the steps draw, or of the order of the data in an epoch."""
    return torch.Generator(device).manual_seed((seed * 1_000_003 + _NUMBERS[purpose] + epoch) % 2**63)

"""The exponential moving average of the weights, from which scores are read."""

import torch
from torch import Tensor, nn


def average_share(step: int, horizon: int = 50) -> float:
    """Return how far the average moves towards the weights after `step`: it spans about `horizon` steps.

    Early on it spans a third of the steps so far, so that it never drags the initial weights along.
    """
    return max(1 / horizon, 3 / (step + 3))


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, step: int, horizon: int = 50) -> None:
    """Move the exponential average of the weights towards `model`'s, as `average_share` says of `step`."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), average_share(step, horizon))


@torch.no_grad()
def move_average(average: nn.Module, model: nn.Module, share: Tensor) -> None:
    """Do what `update_average` does, with a share that lies on the device."""
    averages: list[Tensor] = list(average.parameters())
    ways = list(torch._foreach_sub(list(model.parameters()), averages))
    torch._foreach_mul_(ways, share)
    torch._foreach_add_(averages, ways)

"""The exponential moving average of the weights, from which scores are read."""

import torch
from torch import Tensor, nn


def average_weight(step: int, horizon: int = 50) -> float:
    """Return the weight of the new weights in the average after `step` steps: it spans about the last `horizon` steps.

    Early on it spans a third of the steps so far, so that the initial weights are soon forgotten.
    """
    return max(1 / horizon, 3 / (step + 3))


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, step: int, horizon: int = 50) -> None:
    """Move the average of the weights towards `model`'s by `average_weight` of `step`."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), average_weight(step, horizon))


@torch.no_grad()
def move_average(average: nn.Module, model: nn.Module, weight: Tensor) -> None:
    """Do what `update_average` does, with a weight that is a tensor on the device."""
    averages: list[Tensor] = list(average.parameters())
    differences = list(torch._foreach_sub(list(model.parameters()), averages))
    torch._foreach_mul_(differences, weight)
    torch._foreach_add_(averages, differences)

"""The learning rates' schedule: warm-up, then constant, or with a horizon linear decay to 0."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

from electra_edu.config import ElectraConfig
from electra_edu.training.optim import Muon


def rate_factor(step: int, config: ElectraConfig) -> float:
    """Return the factor of the rates at `step` (counted from 0): linear warm-up, then constant.

    With a horizon (`training_steps`) the warm-up is multiplied by a linear decay to 0, as in the official code, so
    that the two overlap.
    """
    warmup = min(1.0, (step + 1) / (config.warmup_steps + 1))
    decay = 1.0 if config.training_steps is None else max(0.0, 1 - step / config.training_steps)
    return warmup * decay


def set_rates(optimizers: Iterable[Optimizer], config: ElectraConfig, step: int) -> float:
    """Set every group's rate for `step` and return the AdamW (or Adam) one."""
    factor = rate_factor(step, config)
    for optimizer in optimizers:
        rate = config.muon_learning_rate if isinstance(optimizer, Muon) else config.learning_rate
        for group in optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate * factor)
            else:
                group["lr"] = rate * factor
    return config.learning_rate * factor


def keep_rates_on(device: torch.device, optimizers: Iterable[Optimizer]) -> None:
    """Keep every group's rate as a tensor on `device`, which a recorded step reads and `set_rates` changes in place."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = torch.full((), float(group["lr"]), device=device)

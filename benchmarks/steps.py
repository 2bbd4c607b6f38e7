"""What is timed: a full training step, and the implementation that all contenders but two share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

import torch
from torch import Tensor, nn

from electra_edu.config import ElectraConfig
from electra_edu.training.optim import adamw


class Step(Protocol):
    """A training step: gradients to zero, forward, backward, optimiser."""

    @property
    def parameters(self) -> Sequence[nn.Parameter]:
        """The trained parameters; a tied one is listed once."""

    def __call__(self, tokens: Tensor) -> Tensor:
        """Take a step on tokens (B, T) and return its loss, a scalar, without waiting for the device."""


Factory = Callable[..., Step]  # (shape, device, dtype) -> Step


class AdamStep:
    """A step with AdamW for every contender that defines only a loss, so that they differ in nothing else."""

    def __init__(
        self,
        modules: Sequence[nn.Module],
        loss: Callable[[Tensor], Tensor],
        config: ElectraConfig,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        """Train `modules`, already on `device`, at the rate of `config`.

        `loss` maps tokens (B, T) to a scalar; with a `dtype` below float32 it runs under autocast.
        """
        self.modules = modules
        self.parameters = distinct(modules)
        self.optimizer = adamw(self.parameters, config.learning_rate)
        self._loss, self._device, self._dtype = loss, device, dtype

    def __call__(self, tokens: Tensor) -> Tensor:
        """Take a step on tokens (B, T) and return its loss."""
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self._device, self._dtype):
            loss = self._loss(tokens)
        loss.backward()
        self.optimizer.step()
        return loss.detach()


def distinct(modules: Sequence[nn.Module]) -> list[nn.Parameter]:
    """List the parameters of all modules; a shared one is listed once."""
    return list(dict.fromkeys(parameter for module in modules for parameter in module.parameters()))


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[None]:
    """Return the context of a forward pass and its loss: autocast to `dtype`; for float32, one that does nothing."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


@contextmanager
def seeded(device: torch.device) -> Iterator[None]:
    """Seed PyTorch's global generators for contenders that draw from them, and put the user's state back."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        yield

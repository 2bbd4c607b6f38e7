"""A step that does not come to its end leaves no trace: the state before it, and the way back to it."""

import torch
from torch import Tensor

from electra_edu.training.state import TrainingState


class Undo:
    """Copies of all tensors that a training step changes, so that a step that was cut off can be taken back.

    Python can be interrupted between any two instructions (Ctrl-C, a full memory), also while this class is at work.
    So the order of writes matters: `step` names the step in progress only once the copies are whole, and is None again
    only once the tensors are back. Until then `restore` may be called as often as it takes.
    """

    def __init__(self, state: TrainingState) -> None:
        """Take the state to watch over; nothing is copied yet."""
        self.step: int | None = None
        self._weights = [*state.model.parameters(), *state.average.parameters()]
        self._optimizers, self._rng = state.optimizers, state.rng
        self._draws = self._rng.get_state()
        self._known: list[set[Tensor]] = []  # the weights that each optimiser had a state for
        self._tensors: list[Tensor] = []
        self._copies: list[Tensor] = []

    @torch.no_grad()
    def begin(self, step: int) -> None:
        """Copy the state before `step`, to which `restore` leads back."""
        self.step = None
        states = [state for optimizer in self._optimizers for state in optimizer.state.values()]
        tensors = [*self._weights, *(value for state in states for value in state.values())]
        if len(tensors) != len(self._copies):  # an optimiser makes its state in the first step it takes
            self._copies = [torch.empty_like(tensor) for tensor in tensors]
        torch._foreach_copy_(self._copies, tensors)
        self._tensors = tensors
        self._known = [set(optimizer.state) for optimizer in self._optimizers]
        self._draws = self._rng.get_state()
        self.step = step

    @torch.no_grad()
    def restore(self) -> None:
        """Put everything back as `begin` found it, without gradients."""
        torch._foreach_copy_(self._tensors, self._copies)
        for optimizer, known in zip(self._optimizers, self._known, strict=True):
            for weight in set(optimizer.state) - known:
                del optimizer.state[weight]
            optimizer.zero_grad(set_to_none=True)
        self._rng.set_state(self._draws)
        self.step = None

"""Undo: the state before a step, restored when the step is cut off."""

import torch
from torch import Tensor

from electra_edu.training.state import TrainingState


class Undo:
    """Copies of all tensors that a training step changes, so that a step that was cut off can be undone.

    Python can be interrupted between any two instructions (Ctrl-C, a full memory), also inside this class. So the order
    of writes matters: `step` is the step in progress only once all copies are made, and None again only once all
    tensors are restored. Until then `restore` may be called any number of times.
    """

    def __init__(self, state: TrainingState) -> None:
        """Take the state to watch over; nothing is copied yet."""
        self.step: int | None = None
        self._weights = [*state.model.parameters(), *state.average.parameters()]
        self._optimizers, self._rng = state.optimizers, state.rng
        self._draws = self._rng.get_state()
        self._with_state: list[set[Tensor]] = []  # the weights that each optimiser had a state for
        self._tensors: list[Tensor] = []
        self._copies: list[Tensor] = []

    @torch.no_grad()
    def begin(self, step: int) -> None:
        """Copy the state before `step`, for `restore`."""
        self.step = None
        states = [state for optimizer in self._optimizers for state in optimizer.state.values()]
        tensors = [*self._weights, *(value for state in states for value in state.values())]
        # Optimisers make their state in the first step that they take.
        if len(tensors) != len(self._copies):
            self._copies = [torch.empty_like(tensor) for tensor in tensors]
        torch._foreach_copy_(self._copies, tensors)
        self._tensors = tensors
        self._with_state = [set(optimizer.state) for optimizer in self._optimizers]
        self._draws = self._rng.get_state()
        self.step = step

    @torch.no_grad()
    def restore(self) -> None:
        """Restore everything to what `begin` copied, and drop the gradients."""
        torch._foreach_copy_(self._tensors, self._copies)
        for optimizer, with_state in zip(self._optimizers, self._with_state, strict=True):
            for weight in set(optimizer.state) - with_state:
                del optimizer.state[weight]
            optimizer.zero_grad(set_to_none=True)
        self._rng.set_state(self._draws)
        self.step = None

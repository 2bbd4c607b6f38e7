"""The training step of a run, operation by operation, as PyTorch runs Python."""

import math

from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_

from electra_edu.config.objectives import Trained
from electra_edu.model.electra import ElectraOutput
from electra_edu.training.averaging import update_average
from electra_edu.training.state import TrainingState
from electra_edu.training.step.gradients import Backward, GradientNorms
from electra_edu.training.step.metrics import step_metrics
from electra_edu.training.step.non_finite import first_non_finite


class EagerStep:
    """`learn` makes the gradients of a batch, `update` changes the weights and their average by them.

    Between the two a run decides whether the step is taken: a loss that is not finite must not reach the weights.
    """

    def __init__(self, state: TrainingState) -> None:
        """Take the state that the steps change."""
        self._state = state
        self._backward = Backward(state.model)
        self._out: ElectraOutput | None = None
        self._norms: GradientNorms | None = None

    def learn(self, tokens: Tensor, trained: Trained = "both") -> dict[str, float]:
        """Make the gradients of one batch, tokens (B, T), and return the metrics of the step."""
        self._out = self._state.model(tokens, rng=self._state.rng, trained=trained)
        self._norms = self._backward(self._out)
        return step_metrics(self._out, self._norms)

    def update(self, step: int) -> None:
        """Change the weights by the gradients of `learn`, after `step` steps."""
        assert self._norms is not None, "learn comes first"
        limit = self._state.model.config.max_grad_norm or math.inf
        clip_grads_with_norm_(self._state.model.parameters(), limit, self._norms.total)
        for optimizer in self._state.optimizers:
            optimizer.step()
        update_average(self._state.average, self._state.model, step)
        self.forget()

    def first_non_finite(self) -> str:
        """Name the first number of the last `learn` that is not finite."""
        assert self._out is not None, "learn comes first"
        return first_non_finite(self._state.model, self._out)

    def forget(self) -> None:
        """Drop the gradients and what was computed with them."""
        self._out = self._norms = None
        for optimizer in self._state.optimizers:
            optimizer.zero_grad(set_to_none=True)

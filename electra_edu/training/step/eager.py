"""The training step of a run, operation by operation, as PyTorch runs Python."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_
from torch.optim import Optimizer

from electra_edu.config.objectives import Trained
from electra_edu.model.electra import Electra, ElectraOutput
from electra_edu.training.optim import update_average
from electra_edu.training.step.gradients import Backward, GradientNorms
from electra_edu.training.step.metrics import step_metrics
from electra_edu.training.step.non_finite import culprit


class EagerStep:
    """`learn` makes the gradients of a batch, `update` changes the weights and their average by them.

    Between the two a run decides whether the step is taken: a loss that is not finite must not reach the weights.
    """

    def __init__(self, model: Electra, average: Electra, optimizers: Sequence[Optimizer], rng: torch.Generator) -> None:
        """Take what a run consists of, all of it on one device."""
        self._model, self._average, self._optimizers, self._rng = model, average, list(optimizers), rng
        self._backward = Backward(model)
        self._out: ElectraOutput | None = None
        self._norms: GradientNorms | None = None

    def learn(self, tokens: Tensor, trained: Trained = "both") -> dict[str, float]:
        """Make the gradients of one batch, tokens (B, T), and return the metrics of the step."""
        self._out = self._model(tokens, rng=self._rng, trained=trained)
        self._norms = self._backward(self._out)
        return step_metrics(self._out, self._norms)

    def update(self, step: int) -> None:
        """Change the weights by the gradients of `learn`, after `step` steps."""
        assert self._norms is not None, "learn comes first"
        limit = self._model.config.max_grad_norm or math.inf
        clip_grads_with_norm_(self._model.parameters(), limit, self._norms.total)
        for optimizer in self._optimizers:
            optimizer.step()
        update_average(self._average, self._model, step)
        self.forget()

    def culprit(self) -> str:
        """Name the first number of the last `learn` that is not finite."""
        assert self._out is not None, "learn comes first"
        return culprit(self._model, self._out)

    def forget(self) -> None:
        """Drop the gradients and what was computed with them."""
        self._out = self._norms = None
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)

"""The training step of a run in two recorded halves, so that a GPU is not bound by the launching of small kernels."""

import dataclasses
import math

import torch
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_

from electra_edu.config import ElectraConfig
from electra_edu.config.objectives import Trained
from electra_edu.model.masking import tokens_needed
from electra_edu.training.averaging import average_weight, move_average
from electra_edu.training.schedule import keep_rates_on
from electra_edu.training.state import TrainingState
from electra_edu.training.step.gradients import Backward, GradientNorms
from electra_edu.training.step.metrics import pack_metrics, parts_of, unpack_metrics
from electra_edu.training.step.recording import Recorder, Replayed

LEARN, UPDATE = 0, 1


class CapturedStep:
    """Forward and backward pass as one recording, the update of the weights and of their average as another.

    It computes what an `EagerStep` computes, to rounding, from the same draws. Between the two recordings it waits for
    the device once, for the metrics. Batches, learning rates and the average's weight are read from tensors that keep
    their addresses. Any other change, of the mask rate, λ, the temperature, the batch's shape or what is trained, makes
    a new recording: three steps as usual, then the fourth is recorded.
    """

    def __init__(self, state: TrainingState, recorder: Recorder) -> None:
        """Take the state that the steps change, and what records on its device."""
        model, device = state.model, next(state.model.parameters()).device
        self._model, self._average, self._optimizers, self._rng = model, state.average, state.optimizers, state.rng
        self._backward = Backward(model)
        self._halves = Replayed((self._learn, self._update), recorder)
        keep_rates_on(device, self._optimizers)
        self._average_weight = torch.zeros((), device=device)
        # Read by a recording, and so kept for as long as it is.
        self._tokens: Tensor | None = None  # (B, T)
        self._needed: Tensor | None = None
        self._trained: Trained = "both"
        self._config, self._settings = model.config, without_rates(model.config)
        self._packed: Tensor | None = None
        self._parts = False, False
        self._norms: GradientNorms | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether the step is replayed by now."""
        return self._halves.is_recorded

    def learn(self, tokens: Tensor, trained: Trained = "both") -> dict[str, float]:
        """Make the gradients of one batch, tokens (B, T), and return the step's metrics as `step_metrics` does."""
        if self._tokens is None or self._tokens.shape != tokens.shape:
            self._tokens = torch.empty_like(tokens)
        self._tokens.copy_(tokens)
        if self._config is not self._model.config:
            self._config = self._model.config
            self._settings = without_rates(self._config)
        self._needed = tokens_needed(tokens.shape[-1], self._config.mask_prob, tokens.device)
        self._trained = trained
        self._halves.begin((self._settings, trained, tokens.shape, self._model.training))
        self._halves.do(LEARN)
        assert self._packed is not None
        return unpack_metrics(self._packed.tolist(), *self._parts)

    def update(self, step: int) -> None:
        """Change the weights by the gradients of `learn`, at the rates that `set_rates` set, after `step` steps."""
        self._average_weight.fill_(average_weight(step))
        self._halves.do(UPDATE)

    def first_non_finite(self) -> str:
        """Name what of the last `learn` is not finite; a replay leaves nothing behind that would tell more."""
        return "a loss or gradient"

    def forget(self) -> None:
        """Drop the gradients and the recording: after an interrupt, or when an optimiser's state was replaced."""
        self._forget_gradients()
        self._halves.forget()

    def _learn(self) -> None:
        assert self._tokens is not None
        self._forget_gradients()
        out = self._model(self._tokens, rng=self._rng, trained=self._trained)
        self._norms = self._backward(out)
        self._packed, self._parts = pack_metrics(out, self._norms), parts_of(out)

    def _update(self) -> None:
        assert self._norms is not None
        norm = self._model.config.max_grad_norm or math.inf
        clip_grads_with_norm_(self._model.parameters(), norm, self._norms.total)
        for optimizer in self._optimizers:
            optimizer.step()
        self._forget_gradients()
        move_average(self._average, self._model, self._average_weight)

    def _forget_gradients(self) -> None:
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)


def without_rates(config: ElectraConfig) -> ElectraConfig:
    """Return the config with fixed learning rates, the only settings whose change needs no new recording."""
    return dataclasses.replace(config, learning_rate=1.0, muon_learning_rate=1.0)

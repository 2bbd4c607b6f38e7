"""This package's plain step as a CUDA graph: the GPU replays it without Python launching each of its kernels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from benchmarks.shapes import Shape
from benchmarks.steps import autocast, distinct
from electra_edu.model.electra import Electra
from electra_edu.training.optim import adamw
from electra_edu.training.step.recording import WARM_UP, CudaRecorder, Recorder, Replayed


class PlainCapturedStep:
    """Forward, backward and AdamW, replayed on the tokens that are copied in.

    The next step overwrites the returned loss.
    """

    def __init__(
        self, shape: Shape, device: torch.device, dtype: torch.dtype, recorder: Recorder | None = None
    ) -> None:
        """Build the model; the first steps are taken as usual. `recorder` is CUDA's when None."""
        config = shape.config()
        self._model = Electra(config).to(device)
        self._device, self._dtype = device, dtype
        self._rng = torch.Generator(device).manual_seed(0)
        self.parameters: Sequence[nn.Parameter] = distinct([self._model])
        self._optimizer = adamw(self.parameters, config.learning_rate)
        self._tokens = shape.tokens(1, torch.Generator(device).manual_seed(1))[0]  # (B, T) what every replay reads
        self._loss = torch.zeros((), device=device)
        self._step = Replayed((self._take,), recorder or CudaRecorder(device, self._rng, [self._optimizer]))
        # Only the replay is to be timed: it is recorded here.
        for _ in range(WARM_UP + 1):
            self(self._tokens)

    def _take(self) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        with autocast(self._device, self._dtype):
            loss: Tensor = self._model(self._tokens, rng=self._rng).loss
        loss.backward()
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._loss.copy_(loss.detach())

    def __call__(self, tokens: Tensor) -> Tensor:
        """Take a step on tokens (B, T) and return its loss."""
        self._tokens.copy_(tokens)
        self._step.begin(None)
        self._step.do(0)
        return self._loss

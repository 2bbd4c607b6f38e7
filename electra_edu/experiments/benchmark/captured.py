"""This package's step as one CUDA graph: the GPU replays it without Python launching each of its kernels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from electra_edu.electra import Electra
from electra_edu.experiments.benchmark.shapes import Shape
from electra_edu.experiments.benchmark.steps import autocast, distinct
from electra_edu.optim import adamw

WARM_UP = 3  # steps before the capture: they allocate the optimiser's state and let the libraries choose their kernels


class CapturedStep:
    """Forward, backward and AdamW, captured once and replayed on whatever tokens are copied in.

    It needs a CUDA device and a PyTorch whose graphs can register a generator (2.4 or later), so that each replay
    draws new positions and samples. Shapes and rates are those of the capture: nothing in the step may depend on
    values, nor wait for the GPU, and a learning rate cannot change afterwards. The loss that is returned is
    overwritten by the next step.
    Source of the recipe: docs.pytorch.org, "CUDA semantics", "Whole-network capture".
    """

    def __init__(self, shape: Shape, device: torch.device, dtype: torch.dtype) -> None:
        """Build the model, take three steps aside on random tokens, and capture the fourth."""
        config = shape.config()
        self._model = Electra(config).to(device)
        self._device, self._dtype = device, dtype
        self._rng = torch.Generator(device).manual_seed(0)
        self.parameters: Sequence[nn.Parameter] = distinct([self._model])
        self._optimizer = adamw(self.parameters, config.learning_rate, capturable=True)
        self._tokens = shape.tokens(1, torch.Generator(device).manual_seed(1))[0]  # (B, T) what every replay reads
        aside = torch.cuda.Stream(device)
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self._take_step()
        torch.cuda.current_stream(device).wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        self._graph.register_generator_state(self._rng)  # else every replay would draw the same numbers
        self._optimizer.zero_grad(set_to_none=True)  # the capture allocates the gradients in the graph's own memory
        with torch.cuda.graph(self._graph):
            self._loss = self._take_step()

    def _take_step(self) -> Tensor:
        self._optimizer.zero_grad(set_to_none=True)
        with autocast(self._device, self._dtype):
            loss: Tensor = self._model(self._tokens, rng=self._rng).loss
        loss.backward()
        self._optimizer.step()
        return loss.detach()

    def __call__(self, tokens: Tensor) -> Tensor:
        """Take a step on tokens (B, T) and return its loss."""
        self._tokens.copy_(tokens)
        self._graph.replay()
        return self._loss

"""Gradients are recorded where they are needed, whatever the learner's notebook has switched off."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def gradients_enabled() -> Iterator[None]:
    """Record gradients, as a context or as a decorator.

    It overrides a `torch.no_grad`, `torch.set_grad_enabled(False)` or `torch.inference_mode` that another cell has left
    on. Weights that are made in inference mode could never be trained.
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield

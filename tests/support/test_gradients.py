"""Gradients are recorded inside, whatever is switched off outside, and only inside."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch

from electra_edu.support.gradients import gradients_enabled

SWITCHED_OFF = [torch.no_grad, torch.inference_mode, lambda: torch.set_grad_enabled(False)]


def slope() -> float:
    """Return the derivative of x² at 3; raises PyTorch's RuntimeError where no gradient is recorded."""
    x = torch.tensor(3.0, requires_grad=True)
    (x * x).backward()
    assert x.grad is not None
    return x.grad.item()


@pytest.mark.parametrize("switched_off", SWITCHED_OFF, ids=["no_grad", "inference_mode", "set_grad_enabled"])
def test_as_a_context_and_as_a_decorator(switched_off: Callable[[], AbstractContextManager[None]]) -> None:
    with switched_off():
        with gradients_enabled():
            assert slope() == 6
        assert gradients_enabled()(slope)() == 6
        with pytest.raises(RuntimeError):
            slope()
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()

"""The tests of a CUDA card: `make gpu` runs them there, and its dry run on the CPU, to find slips of the pen."""

import os
from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(scope="session")
def device() -> str:
    """Return the device that is tested: "cuda", or what ELECTRA_EDU_TEST_DEVICE says."""
    name = os.environ.get("ELECTRA_EDU_TEST_DEVICE", "cuda")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA card here; ELECTRA_EDU_TEST_DEVICE=cpu runs what can run without")
    return name


@pytest.fixture
def card(device: str) -> torch.device:
    """Return the CUDA device, for what only CUDA has."""
    if device != "cuda":
        pytest.skip("only CUDA has this")
    return torch.device(device)


@pytest.fixture(autouse=True)
def _whole_float32() -> Iterator[None]:
    """Multiply in float32 proper: TF32 keeps 10 bits of 23."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before)

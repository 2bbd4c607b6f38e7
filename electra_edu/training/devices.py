"""The device of a run: one that this computer has."""

from collections.abc import Callable, Mapping

import torch

from electra_edu.support.arguments import one_of
from electra_edu.support.errors import ElectraEduError


def choose_device(device: str) -> torch.device:
    """Return the device named "auto", "cpu", "cuda" or "mps"; raise ElectraEduError where there is none."""
    available: Mapping[str, Callable[[], bool]] = {
        "cpu": lambda: True,
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    one_of("device", device, ("auto", *available))
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not available[device]():
        raise ElectraEduError(
            f"device={device!r}: this computer (or this build of PyTorch) has none. Use device='cpu'."
        )
    return torch.device(device)

"""A fake GPU: its tensors hold CPU values, it has no float64 (as MPS), and it notes what makes the host wait.

Within `fake_device` a run on "mps" works on any computer. What would fail on a real device fails here as well: tensors
of two devices in one operation, and anything in float64. `FakeDeviceMode.waits` lists what makes the host wait: reading
a value, a copy in either direction, an operation whose result has a shape that depends on values.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

DEVICE = torch.device("mps")
# The device that C++ sees, as for PyTorch's own fake tensors: this build may have no MPS library.
CPP_DEVICE = torch.device("meta")
SHAPED_BY_VALUES = {"nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive", "bincount", "equal"}
# The attention kernel that is made of plain operations.
MATH = 0


class FakeTensor(Tensor):
    """A tensor on the fake device; `held` is the CPU tensor with its values."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "FakeTensor":
        made = Tensor._make_wrapper_subclass(
            cls, held.shape, held.stride(), held.storage_offset(), dtype=held.dtype, device=CPP_DEVICE
        )
        made.held = held
        return made

    @property
    def device(self) -> torch.device:
        return DEVICE

    def __repr__(self, **_: object) -> str:  # type: ignore[override]
        return f"FakeTensor({self.held})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{func}: a tensor of the fake device is used outside of fake_device().")


class FakeDeviceMode(TorchDispatchMode):
    """Computes on the CPU what is asked of the fake device, and lists in `waits` what would make the host wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        flat: list[Tensor] = []
        _each((*args, *kwargs.values()), lambda value: flat.append(value) if isinstance(value, Tensor) else None)
        here = [value for value in flat if isinstance(value, FakeTensor)]
        asked = kwargs.get("device")
        name = func.overloadpacket.__name__
        on_device = bool(here) if asked is None else torch.device(asked) == CPP_DEVICE
        if not here and not on_device:
            return func(*args, **kwargs)
        if name == "_fused_sdp_choice":
            return MATH
        self._check(name, flat)
        if name == "_to_copy" and here and not on_device:
            self.waits.append("_to_copy to the host")
        if on_device:
            kwargs["device"] = torch.device("cpu")
        if asked is None:
            kwargs.pop("device", None)
        if on_device and kwargs.get("dtype") == torch.float64:
            raise TypeError(f"{name}: the device has no float64.")
        made = func(*_each(args, _held), **{name: _each(value, _held) for name, value in kwargs.items()})
        if name == "_to_copy" and not here:
            made = made.clone()
        return self._returned(func, here, made) if on_device else made

    def _check(self, name: str, tensors: Sequence[Tensor]) -> None:
        here = [value for value in tensors if isinstance(value, FakeTensor)]
        elsewhere = [value for value in tensors if not isinstance(value, FakeTensor) and value.device.type != "meta"]
        if any(value.dtype == torch.float64 for value in here):
            raise TypeError(f"{name}: a float64 tensor on the device.")
        if name in ("_to_copy", "copy_") and elsewhere:
            self.waits.append(f"{name} from the host")
        elif name == "_local_scalar_dense":
            self.waits.append("a value read")
        elif name in ("index", "index_put_", "index_put") and any(value.dtype == torch.bool for value in here[1:]):
            self.waits.append(f"{name} with a mask")
        elif name in SHAPED_BY_VALUES:
            self.waits.append(name)
        if name in ("_to_copy", "copy_", "index") or not here:
            # Copies may cross devices, and so may an index whose positions lie on the CPU.
            return
        if any(value.dim() for value in elsewhere) or (elsewhere and name in ("cat", "stack")):
            raise RuntimeError(f"{name}: Expected all tensors to be on the same device.")

    @staticmethod
    def _returned(func: Any, here: Sequence[FakeTensor], made: Any) -> Any:
        """Wrap the result; an in-place operation returns the tensor that it was given."""
        given = {id(value.held): value for value in here}

        def wrapped(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            if value.dtype == torch.float64:
                raise TypeError(f"{func}: made a float64 tensor on the device.")
            if id(value) in given:
                return given[id(value)]
            # C++ would look for the conjugate and negative flags on the wrapper, so none may be pending.
            return FakeTensor(value.resolve_conj().resolve_neg())

        return _each(made, wrapped)


class DeviceNameMode(TorchFunctionMode):
    """Translates "mps" to the device that C++ sees."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = {name: _translated(value) for name, value in (kwargs or {}).items()}
        name = getattr(func, "__name__", "")
        # For a real device, C++ handles these three itself.
        if name == "tolist" and isinstance(args[0], FakeTensor):
            return args[0].cpu().tolist()
        if name == "new_tensor" and isinstance(args[0], FakeTensor):
            return torch.tensor(*args[1:], **kwargs).to(args[0].dtype).to(CPP_DEVICE)
        if name == "tensor" and kwargs.get("device") == CPP_DEVICE:
            return torch.tensor(*args, **kwargs | {"device": "cpu"}).to(CPP_DEVICE)
        return func(*map(_translated, args), **kwargs)


def _translated(value: Any) -> Any:
    return CPP_DEVICE if isinstance(value, str | torch.device) and str(value) == DEVICE.type else value


class FakeGenerator(torch.Generator):
    """A CPU generator that reports the device it was asked for."""

    def __new__(cls, device: object = "cpu") -> "FakeGenerator":
        made = super().__new__(cls, "cpu")
        made.requested = torch.device(str(device))
        return made

    def __init__(self, device: object = "cpu") -> None:
        pass

    @property
    def device(self) -> torch.device:
        return DEVICE if self.requested == CPP_DEVICE else self.requested


def _each(values: Any, do: Callable[[Any], Any]) -> Any:
    """Apply `do` to a value, or to each value of a list or tuple."""
    if isinstance(values, list | tuple):
        return type(values)(_each(value, do) for value in values)
    return do(values)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, FakeTensor) else value


@contextmanager
def fake_device() -> Iterator[FakeDeviceMode]:
    """Make device="mps" the fake one; random numbers come from CPU generators, so that values agree with a CPU run."""
    with pytest.MonkeyPatch.context() as patch, FakeDeviceMode() as mode, DeviceNameMode():
        patch.setattr(torch, "Generator", FakeGenerator)
        patch.setattr(torch.backends.mps, "is_available", lambda: True)
        yield mode

"""A GPU that is not there: its tensors hold CPU values, it has no float64 (as MPS), and it counts who waits for it.

Within `pretended_device` a run on "mps" works on any computer. What would fail on a real device fails here: tensors of
two devices in one operation, and anything in float64. What makes the host wait is written down: a value read, a copy in
either direction, an operation whose result has a shape that depends on values.
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
INSIDE = torch.device(
    "meta"
)  # what C++ takes it for, as it does PyTorch's own fake tensors: it has no MPS library here
SHAPED_BY_VALUES = {"nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive", "bincount", "equal"}
MATH = 0  # of the kernels for attention, the one that is made of plain operations


class OnDevice(Tensor):
    """A tensor on the pretended device; `.held` is where its values are."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "OnDevice":
        made = Tensor._make_wrapper_subclass(
            cls, held.shape, held.stride(), held.storage_offset(), dtype=held.dtype, device=INSIDE
        )
        made.held = held
        return made

    @property
    def device(self) -> torch.device:
        return DEVICE

    def __repr__(self, **_: object) -> str:  # type: ignore[override]
        return f"OnDevice({self.held})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{func}: a tensor of the pretended device is used outside of pretended_device().")


class Pretending(TorchDispatchMode):
    """Does on the CPU what is asked of the device, and notes in `waits` what would make the host wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        flat: list[Tensor] = []
        _each((*args, *kwargs.values()), lambda value: flat.append(value) if isinstance(value, Tensor) else None)
        here = [value for value in flat if isinstance(value, OnDevice)]
        asked = kwargs.get("device")
        name = func.overloadpacket.__name__
        on_device = bool(here) if asked is None else torch.device(asked) == INSIDE
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
        here = [value for value in tensors if isinstance(value, OnDevice)]
        elsewhere = [value for value in tensors if not isinstance(value, OnDevice) and value.device.type != "meta"]
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
            return  # copies, and positions that lie on the CPU, may cross
        if any(value.dim() for value in elsewhere) or (elsewhere and name in ("cat", "stack")):
            raise RuntimeError(f"{name}: Expected all tensors to be on the same device.")

    @staticmethod
    def _returned(func: Any, here: Sequence[OnDevice], made: Any) -> Any:
        """Wrap what came back; an operation in place returns the very tensor that it was given."""
        given = {id(value.held): value for value in here}

        def wrapped(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            if value.dtype == torch.float64:
                raise TypeError(f"{func}: made a float64 tensor on the device.")
            if id(value) in given:
                return given[id(value)]
            return OnDevice(value.resolve_conj().resolve_neg())  # flags that C++ would look for on the wrapper

        return _each(made, wrapped)


class Renaming(TorchFunctionMode):
    """Gives C++ the name under which it knows the device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = {name: _renamed(value) for name, value in (kwargs or {}).items()}
        name = getattr(func, "__name__", "")
        if name == "tolist" and isinstance(args[0], OnDevice):
            return args[0].cpu().tolist()  # these three C++ does itself for a real device
        if name == "new_tensor" and isinstance(args[0], OnDevice):
            return torch.tensor(*args[1:], **kwargs).to(args[0].dtype).to(INSIDE)
        if name == "tensor" and kwargs.get("device") == INSIDE:
            return torch.tensor(*args, **kwargs | {"device": "cpu"}).to(INSIDE)
        return func(*map(_renamed, args), **kwargs)


def _renamed(value: Any) -> Any:
    return INSIDE if isinstance(value, str | torch.device) and str(value) == DEVICE.type else value


class OfAnyDevice(torch.Generator):
    """A CPU generator that names the device it was asked for."""

    def __new__(cls, device: object = "cpu") -> "OfAnyDevice":
        made = super().__new__(cls, "cpu")
        made.asked = torch.device(str(device))
        return made

    def __init__(self, device: object = "cpu") -> None:
        pass

    @property
    def device(self) -> torch.device:
        return DEVICE if self.asked == INSIDE else self.asked


def _each(values: Any, do: Callable[[Any], Any]) -> Any:
    """Return what `do` makes of a value, or of each one in a list or tuple."""
    if isinstance(values, list | tuple):
        return type(values)(_each(value, do) for value in values)
    return do(values)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, OnDevice) else value


@contextmanager
def pretended_device() -> Iterator[Pretending]:
    """Let device="mps" mean the pretended one; random numbers come from the CPU's generators, so values agree."""
    with pytest.MonkeyPatch.context() as patch, Pretending() as pretending, Renaming():
        patch.setattr(torch, "Generator", OfAnyDevice)
        patch.setattr(torch.backends.mps, "is_available", lambda: True)
        yield pretending

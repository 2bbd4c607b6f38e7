"""The files of a checkpoint's folder: JSON and safetensors. Nothing that could run code is ever opened."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from electra_edu.interop.architectures import INDEX, WEIGHTS
from electra_edu.interop.diagnosis import AGAIN, what_it_is, why_no_safetensors, why_no_weights
from electra_edu.support.errors import CheckpointError

LARGEST_JSON = 64 * 2**20  # bytes; a config has a thousand, and the index of a large network a million
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_SHARD = re.compile(r"model-(\d{5})-of-(\d{5})\.safetensors")


@dataclass(frozen=True)
class Stored:
    """A tensor that is still in its file: where, and of which shape."""

    file: Path
    name: str
    shape: tuple[int, ...]


def read_json(path: Path) -> dict[str, Any]:
    """Return a file's JSON object; raises CheckpointError when it is none."""
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise CheckpointError(f"{path} has {path.stat().st_size} bytes, far too many for such a file. {AGAIN}")
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except CheckpointError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(what_it_is(path) or f"{path} cannot be read ({error}). {AGAIN}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no JSON object. {AGAIN}")
    return value


def json_text(value: dict[str, Any]) -> str:
    """Return a JSON object as text, one field a line."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def holds_weights(folder: Path) -> bool:
    """Tell whether there are safetensors that can be read."""
    return (folder / WEIGHTS).is_file() or (folder / INDEX).is_file()


def list_weights(folder: Path, settings: dict[str, Any]) -> dict[str, Stored]:
    """Return where all tensors of a checkpoint are, by name, from the headers alone: no tensor is read.

    They are in one file, in the several that an index names, or in a complete set of numbered files. Raises
    CheckpointError when a file is missing or damaged, and when there are other weights than safetensors.
    """
    if (folder / WEIGHTS).is_file():
        return list_tensors(folder / WEIGHTS)
    if (folder / INDEX).is_file():
        return _indexed(folder)
    if shards := _numbered(folder):
        return {name: stored for file in shards for name, stored in list_tensors(file).items()}
    raise CheckpointError(why_no_weights(folder, settings))


def _indexed(folder: Path) -> dict[str, Stored]:
    places = read_json(folder / INDEX).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(file, str) for file in places.values()):
        raise CheckpointError(f"{folder / INDEX} has no weight_map of file names. {AGAIN}")
    found: dict[str, Stored] = {}
    for file in sorted(set(places.values())):
        if Path(file).name != file or not file.endswith(".safetensors"):
            raise CheckpointError(
                f"{folder / INDEX} names {file!r}, which is no safetensors file of this folder. {AGAIN}"
            )
        found |= {name: stored for name, stored in list_tensors(folder / file).items() if places.get(name) == file}
    return found


def _numbered(folder: Path) -> list[Path]:
    """Return the files of a checkpoint in several without an index; raises CheckpointError when one is missing."""
    found = sorted(path for path in folder.glob("model-*.safetensors") if _SHARD.fullmatch(path.name))
    if not found:
        return []
    total = int(str(found[0].name)[-17:-12])
    for number in range(1, min(total, len(found) + 1) + 1):
        if (path := folder / f"model-{number:05d}-of-{total:05d}.safetensors") not in found:
            raise CheckpointError(f"{path} is missing, one of {total} files. {AGAIN}")
    return found


def list_tensors(path: Path) -> dict[str, Stored]:
    """Return where the tensors of one safetensors file are; raises CheckpointError when it is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: Stored(path, name, tuple(file.get_slice(name).get_shape())) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, OverflowError) as error:
        raise CheckpointError(why_no_safetensors(path, error)) from error


def read_tensors(stored: Mapping[str, Stored]) -> dict[str, Tensor]:
    """Return these tensors by name.

    Raises CheckpointError, with the tensor's name, for one that holds no floating-point numbers, or a NaN or an
    infinite one: whatever is computed from it is NaN as well, and nobody would know why.
    """
    tensors: dict[str, Tensor] = {}
    for path in sorted({one.file for one in stored.values()}):
        try:
            with safe_open(path, framework="pt") as file:
                for name, one in stored.items():
                    if one.file == path:
                        tensors[name] = _checked(file.get_tensor(one.name), one)
        except CheckpointError:
            raise
        except (OSError, SafetensorError, OverflowError) as error:
            raise CheckpointError(why_no_safetensors(path, error)) from error
    return tensors


def _checked(tensor: Tensor, stored: Stored) -> Tensor:
    if tensor.dtype not in FLOATS:
        raise CheckpointError(
            f"{stored.file}: the tensor {stored.name!r} holds {tensor.dtype}; only floating-point weights of 16, 32 or "
            "64 bits are read. Ask for the checkpoint as it was before it was quantised."
        )
    tensor = tensor.float()
    if broken := int((~tensor.isfinite()).sum()):
        raise CheckpointError(
            f"{stored.file}: the tensor {stored.name!r} holds {broken} numbers that are NaN or infinite, of "
            f"{tensor.numel()}: its training went wrong, or the file is damaged. Take an earlier checkpoint."
        )
    return tensor


def tensor_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Return tensors as one safetensors file."""
    rows = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    return save(rows, metadata={"format": "pt"})  # transformers 4 refuses a file that does not say so

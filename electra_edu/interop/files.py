"""Read and write the files of a checkpoint's folder: JSON and safetensors. Nothing that could run code is opened."""

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

from electra_edu.interop.diagnosis import FETCH_AGAIN, explain_missing_weights, explain_unreadable_weights, identify
from electra_edu.interop.file_names import WEIGHTS, WEIGHTS_INDEX
from electra_edu.support.errors import CheckpointError

MAX_JSON_SIZE = 64 * 2**20  # bytes; a config has a thousand, and the index of a large network a million
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_SHARD = re.compile(r"model-(\d{5})-of-(\d{5})\.safetensors")


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor is stored, and its shape; its values are still to be read."""

    file: Path
    name: str
    shape: tuple[int, ...]


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; raises CheckpointError if there is none."""
    try:
        if path.stat().st_size > MAX_JSON_SIZE:
            raise CheckpointError(
                f"{path} has {path.stat().st_size} bytes, far too many for such a file. {FETCH_AGAIN}"
            )
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except CheckpointError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(identify(path) or f"{path} cannot be read ({error}). {FETCH_AGAIN}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no JSON object. {FETCH_AGAIN}")
    return value


def json_text(value: dict[str, Any]) -> str:
    """Return a JSON object as text, one field per line."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def holds_weights(folder: Path) -> bool:
    """Whether the folder has weights in a file, or in several with an index."""
    return (folder / WEIGHTS).is_file() or (folder / WEIGHTS_INDEX).is_file()


def list_weights(folder: Path, settings: dict[str, Any]) -> dict[str, StoredTensor]:
    """List all tensors of a checkpoint by name, from the headers of the files alone.

    The tensors are in one file, in several files that an index lists, or in a complete set of numbered files. Raises
    CheckpointError if a file is missing or damaged, or if the weights are not safetensors.
    """
    if (folder / WEIGHTS).is_file():
        return list_tensors(folder / WEIGHTS)
    if (folder / WEIGHTS_INDEX).is_file():
        return _indexed(folder)
    if shards := _numbered(folder):
        return {name: stored for file in shards for name, stored in list_tensors(file).items()}
    raise CheckpointError(explain_missing_weights(folder, settings))


def _indexed(folder: Path) -> dict[str, StoredTensor]:
    places = read_json(folder / WEIGHTS_INDEX).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(file, str) for file in places.values()):
        raise CheckpointError(f"{folder / WEIGHTS_INDEX} has no weight_map of file names. {FETCH_AGAIN}")
    found: dict[str, StoredTensor] = {}
    for file in sorted(set(places.values())):
        if Path(file).name != file or not file.endswith(".safetensors"):
            raise CheckpointError(
                f"{folder / WEIGHTS_INDEX} names {file!r}, which is no safetensors file of this folder. {FETCH_AGAIN}"
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
            raise CheckpointError(f"{path} is missing, one of {total} files. {FETCH_AGAIN}")
    return found


def list_tensors(path: Path) -> dict[str, StoredTensor]:
    """List the tensors of one safetensors file; raises CheckpointError if it is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: StoredTensor(path, name, tuple(file.get_slice(name).get_shape())) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, OverflowError) as error:
        raise CheckpointError(explain_unreadable_weights(path, error)) from error


def read_tensors(stored: Mapping[str, StoredTensor]) -> dict[str, Tensor]:
    """Read tensors, as float32, by name.

    Raises CheckpointError, naming the tensor, if one is not floating-point, or has values that are NaN or infinite:
    everything computed from it would be NaN too, and nobody would know why.
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
            raise CheckpointError(explain_unreadable_weights(path, error)) from error
    return tensors


def _checked(tensor: Tensor, stored: StoredTensor) -> Tensor:
    if tensor.dtype not in FLOATS:
        raise CheckpointError(
            f"{stored.file}: the tensor {stored.name!r} holds {tensor.dtype}; only floating-point weights of 16, 32 or "
            "64 bits are read. Ask for the checkpoint as it was before it was quantised."
        )
    tensor = tensor.float()
    if broken := int((~tensor.isfinite()).sum()):
        raise CheckpointError(
            f"{stored.file}: the tensor {stored.name!r} holds {broken} numbers that are NaN or infinite, of "
            f"{tensor.numel()}: its training failed, or the file is damaged. Take an earlier checkpoint."
        )
    return tensor


def tensor_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Return the content of a safetensors file with these tensors."""
    rows = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    # transformers 4 refuses a file without this field.
    return save(rows, metadata={"format": "pt"})

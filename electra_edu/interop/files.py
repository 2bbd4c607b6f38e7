"""The files of a checkpoint's folder: JSON and safetensors. Nothing that could run code is ever opened."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from electra_edu.errors import CheckpointError

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
WRITTEN_BY = "written_by"  # a field of config.json that says which folders are ours
HEAD = "head.safetensors"  # the part of a head of ours that a class of transformers has no place for


def read_json(path: Path) -> dict[str, Any]:
    """Return a file's JSON object; raises CheckpointError when it is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}). Fetch or copy the folder again.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no JSON object. Fetch or copy the folder again.")
    return value


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object, one field a line."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def holds_weights(folder: Path) -> bool:
    """Tell whether there are safetensors that can be read."""
    return (folder / WEIGHTS).is_file() or (folder / INDEX).is_file()


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return all tensors of a checkpoint by name, from one file or from the several that an index names.

    Raises CheckpointError when a file is missing or damaged, a tensor is in two files, or the weights are pickled.
    """
    if (folder / WEIGHTS).is_file():
        return read_tensors(folder / WEIGHTS)
    if not (folder / INDEX).is_file():
        raise CheckpointError(
            f"{folder} has no {WEIGHTS}. Pickled weights (pytorch_model.bin) are never opened here: opening one can "
            "run any program. On a computer where you trust them, convert them once with transformers: "
            "model = AutoModelForPreTraining.from_pretrained(…) for a discriminator, AutoModelForMaskedLM for a "
            "generator, then model.save_pretrained('folder') and AutoTokenizer.from_pretrained(…)"
            ".save_pretrained('folder'). Pass that folder."
        )
    places = read_json(folder / INDEX).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(file, str) for file in places.values()):
        raise CheckpointError(f"{folder / INDEX} has no weight_map of file names. Fetch or copy the folder again.")
    tensors: dict[str, Tensor] = {}
    for file in sorted(set(places.values())):
        if Path(file).name != file or not file.endswith(".safetensors"):
            raise CheckpointError(f"{folder / INDEX} names {file!r}, which is no safetensors file of this folder.")
        shard = read_tensors(folder / file)
        tensors |= {name: tensor for name, tensor in shard.items() if places.get(name) == file}
    return tensors


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of one safetensors file; raises CheckpointError when it is missing or damaged."""
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is missing or damaged ({error}). Fetch or copy the folder again.") from error


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors to one safetensors file."""
    rows = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    save_file(rows, path, metadata={"format": "pt"})  # transformers 4 refuses a file that does not say so
    path.chmod(0o644)  # save_file lets no one else read it

"""Runs that were saved in older formats, converted to today's.

Format 1 has no digest and keeps the history in run.json. It says neither the first config nor what each step trained.
Until format 2 the main network was called "second", and the oldest runs do not say on which devices they were trained.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.support.files import DamagedFileError
from electra_edu.training.checkpoint.history_columns import to_columns
from electra_edu.training.records import StepRecord

Content = tuple[dict[str, Any], dict[str, Tensor]]  # what the two files of a run hold

# How names of tensors began until format 2, and how they begin since.
_RENAMED = {
    **{f"{part}.second.": f"{part}.main." for part in ("model", "average", "optimizer")},
    "history.second_grad_norm": "history.main_grad_norm",
}


def read_format_1(about_path: Path, tensors_path: Path) -> Content:
    """Read a run of format 1 in today's form.

    Raises an error of Python's (KeyError, TypeError, ValueError) where something is missing or of the wrong kind.
    """
    about = json.loads(about_path.read_text(encoding="utf-8"))
    try:
        with safe_open(tensors_path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise DamagedFileError(str(error)) from error
    about, tensors = from_format_2(about, tensors)
    # A run.json of a newer format, beside the tensors of an old run, is left for the caller to refuse.
    if about["format"] != 1:
        return about, tensors
    about["first_config"] = _first_config(about["config"], about["changes"])
    config = ElectraConfig.from_dict(about["config"])
    history = [_record(record, config) for record in about.pop("history")]
    return about, tensors | {f"history.{name}": column for name, column in to_columns(history).items()}


def from_format_2(about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Content:
    """Convert the content of a run of format 2."""
    converted = {"devices": [(0, about["device"])], **about, "corpus": {"source": None, **about["corpus"]}}
    return converted, {_renamed(name): tensor for name, tensor in tensors.items()}


def _renamed(name: str) -> str:
    return next((new + name.removeprefix(old) for old, new in _RENAMED.items() if name.startswith(old)), name)


def _first_config(config: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Undo the changes, the last one first."""
    first = dict(config)
    for change in reversed(changes):
        first[change["field"]] = change["before"]
    return first


def _record(saved: dict[str, Any], config: ElectraConfig) -> StepRecord:
    record = {"main_grad_norm" if name == "second_grad_norm" else name: value for name, value in saved.items()}
    return StepRecord.from_dict(record | {"trained": _trained(record, config)})


def _trained(record: dict[str, Any], config: ElectraConfig) -> str:
    """Tell what a step trained from the gradients that it had."""
    if OBJECTIVES[config.objective].predicts is None:
        return "both"
    if record["main_grad_norm"] is None:
        return "generator"
    if record["generator_grad_norm"] is None and config.generator_kind == "learned":
        return "discriminator"
    return "both"

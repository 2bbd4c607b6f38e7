"""Runs that were saved in older formats, brought to today's.

The first format has no digest, and the history in run.json, as JSON. In the first two the main network is "second".
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

_RENAMED = {  # how names of tensors begin, until the second format and since
    **{f"{part}.second.": f"{part}.main." for part in ("model", "average", "optimizer")},
    "history.second_grad_norm": "history.main_grad_norm",
}


def read_first_format(about_path: Path, tensors_path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what the two files say, in today's form: with the first config, and the history as columns.

    Raises an error of Python's (KeyError, TypeError, ValueError) where something is missing or of the wrong kind.
    """
    about = json.loads(about_path.read_text(encoding="utf-8"))
    try:
        with safe_open(tensors_path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise DamagedFileError(str(error)) from error
    tensors = from_second_format(tensors)
    if about["format"] != 1:  # a newer run's run.json beside the tensors of an old one
        return about, tensors
    about["first_config"] = _before(about["config"], about["changes"])
    config = ElectraConfig.from_dict(about["config"])
    history = [_record(record, config) for record in about.pop("history")]
    return about, tensors | {f"history.{name}": column for name, column in to_columns(history).items()}


def from_second_format(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a run by their names of today."""
    return {_today(name): tensor for name, tensor in tensors.items()}


def _today(name: str) -> str:
    return next((new + name.removeprefix(old) for old, new in _RENAMED.items() if name.startswith(old)), name)


def _record(saved: dict[str, Any], config: ElectraConfig) -> StepRecord:
    """Read a record of the first format, which did not say what was trained."""
    record = {"main_grad_norm" if name == "second_grad_norm" else name: value for name, value in saved.items()}
    return StepRecord.from_dict(record | {"trained": _trained(record, config)})


def _before(config: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the changes back, the last one first."""
    first = dict(config)
    for change in reversed(changes):
        first[change["field"]] = change["before"]
    return first


def _trained(record: dict[str, Any], config: ElectraConfig) -> str:
    """Tell what a step trained by the gradients that it had."""
    if OBJECTIVES[config.objective].predicts is None:
        return "both"
    if record["main_grad_norm"] is None:
        return "generator"
    if record["generator_grad_norm"] is None and config.generator_kind == "learned":
        return "discriminator"
    return "both"

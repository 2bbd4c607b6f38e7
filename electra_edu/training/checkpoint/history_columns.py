"""A run's history as columns: one tensor for each field of its records, exact and small on disk."""

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from electra_edu.config.objectives import Trained
from electra_edu.training.records import StepRecord

TRAINED: tuple[Trained, ...] = ("both", "generator", "discriminator")  # stored as an index into this
# Running totals are stored as differences: a total may need more than the 63 bits of an int64.
TOTALS = ("step", "tokens", "flops")
FIELDS = tuple(field.name for field in dataclasses.fields(StepRecord))


def to_columns(history: Sequence[StepRecord]) -> dict[str, Tensor]:
    """Return one tensor (N,) for each field of N records: int64 for counts, uint8 for `trained`, else float64."""
    columns: dict[str, Tensor] = {}
    for name in FIELDS:
        values = [getattr(record, name) for record in history]
        if name == "trained":
            columns[name] = torch.tensor([TRAINED.index(value) for value in values], dtype=torch.uint8)
        elif name in TOTALS:
            differences = [value - before for value, before in zip(values, [0, *values], strict=False)]
            columns[name] = torch.tensor(differences, dtype=torch.int64)
        else:
            columns[name] = torch.tensor(values, dtype=torch.float64)
    return columns


def from_columns(columns: Mapping[str, Tensor]) -> list[StepRecord]:
    """Return the records; the inverse of `to_columns`. Raises ValueError for the columns of something else."""
    if set(columns) != set(FIELDS):
        raise ValueError(f"the history's fields are {', '.join(sorted(columns))}")
    lists: dict[str, list[Any]] = {name: columns[name].tolist() for name in FIELDS}
    for name in TOTALS:
        lists[name] = list(accumulate(lists[name]))
    lists["trained"] = [TRAINED[index] for index in lists["trained"]]
    return [StepRecord(*values) for values in zip(*lists.values(), strict=True)]

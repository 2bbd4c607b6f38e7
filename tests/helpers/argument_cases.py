"""Valid and invalid arguments for every public call; `outcome` tries one of them.

A case is a call with one argument replaced by a value of POOL (or TENSORS). The call must work where the argument's
kind allows that value, and otherwise raise an ElectraEduError that names the argument.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from small import LENGTH, VOCAB_SIZE

import electra_edu as edu

POOL: Mapping[str, Callable[[], Any]] = {
    "None": lambda: None,
    "'a'": lambda: "a",
    "b'a'": lambda: b"a",
    "surrogate": lambda: "\ud800",
    "True": lambda: True,
    "1.5": lambda: 1.5,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-1": lambda: -1,
    "0": lambda: 0,
    "10**400": lambda: 10**400,
    "[]": list,
    "{}": dict,
    "object": object,
    "int64(1)": lambda: np.int64(1),
    "float32(.5)": lambda: np.float32(0.5),
    "tensor(1)": lambda: torch.tensor(1),
    "array": lambda: np.array([1, 2]),
    "floats": lambda: torch.ones(2, 3),
    "meta": lambda: torch.ones(2, LENGTH, dtype=torch.int64, device="meta"),
}
# Half of a surrogate pair cannot be printed.
SURROGATE = re.compile("[\ud800-\udfff]")
IDS = [[2, 5, 6, 7, 8, 9, 10, 3]] * 2
TENSORS: Mapping[str, Callable[[], Any]] = {
    "list of lists": lambda: [list(row) for row in IDS],
    "array of ids": lambda: np.array(IDS),
    "array of floats": lambda: np.array(IDS) / 2,
    "ragged list": lambda: [[2, 5], [3]],
    "list of strings": lambda: [["the", "cook"]],
    "one row": lambda: torch.tensor(IDS[0]),
    "three dimensions": lambda: torch.tensor([IDS]),
    "int32": lambda: torch.tensor(IDS, dtype=torch.int32),
    "bool": lambda: torch.ones(2, LENGTH, dtype=torch.bool),
    "float ids": lambda: torch.tensor(IDS).float(),
    "empty": lambda: torch.zeros(0, LENGTH, dtype=torch.int64),
    "id = vocab_size": lambda: torch.full((2, LENGTH), VOCAB_SIZE),
    "negative id": lambda: torch.tensor(IDS) - 4,
    "ignored label": lambda: torch.full((2, LENGTH), -100),
    "type 2": lambda: torch.full((2, LENGTH), 2),
    "another length": lambda: torch.ones(2, LENGTH + 1, dtype=torch.int64),
    "ones": lambda: torch.ones(2, LENGTH, dtype=torch.int64),
}
WHOLE = {"int64(1)", "tensor(1)"}
NUMBER = WHOLE | {"float32(.5)"}
# The values of the pool that are valid for an argument of this kind.
KINDS: Mapping[str, set[str]] = {
    "thing": set(),
    "whole number > 0": WHOLE,
    "whole number": WHOLE | {"0"},
    "seed": WHOLE | {"0", "-1"},
    "number > 0": NUMBER | {"1.5"},
    "number >= 0": NUMBER | {"1.5", "0"},
    "number": NUMBER | {"1.5", "0", "-1"},
    "rate": {"float32(.5)"},  # between 0 and 1
    "rate or 1": NUMBER,
    "share": NUMBER | {"0"},
    "text": {"'a'"},
    "flag": {"True"},
    "tokens": {"list of lists", "array of ids", "ones", "type 2", "another length"},
    "mask": {
        "list of lists",
        "array of ids",
        "ones",
        "type 2",
        "int32",
        "bool",
        "id = vocab_size",
        "negative id",
        "ignored label",
    },
    "types": {"ones"},
    "positions": {"ones", "type 2", "another length"},
    "rate0": {"float32(.5)", "0"},
    "none": {"None"},
    "zero": {"0"},
    "empty dict": {"{}"},
    "scores": {"floats"},
    "share or nan": NUMBER | {"0", "nan"},
    "number or nan": NUMBER | {"1.5", "0", "-1", "nan"},
    "whole or huge": WHOLE | {"0", "10**400"},
    "huge > 0": WHOLE | {"10**400"},
    "frequencies": {"array"},
    "seeds": {"array"},
    "numbers": {"array", "[]"},
    "no records": {"[]"},
    "guess": {"'a'", "1.5", "0", "-1", *NUMBER},
    "values": {"[]", "array", "floats"},
}


@dataclass(frozen=True)
class Call:
    """A public call with valid arguments, and the kinds of its arguments."""

    name: str
    function: Callable[..., Any]
    arguments: Callable[[], dict[str, Any]]
    # One of KINDS for each argument; a "?" at its end allows None as well.
    kinds: Mapping[str, str]
    # The names that errors use, where they differ from the argument's.
    aliases: Mapping[str, str] = field(default_factory=dict)


def outcome(call: Call, argument: str, label: str) -> str:
    """Try a case: return "" where the call behaves as it should, else what it did."""
    kind = call.kinds[argument]
    allowed = KINDS[kind.removesuffix("?")] | ({"None"} if kind.endswith("?") else set())
    arguments = call.arguments() | {argument: {**POOL, **TENSORS}[label]()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call.function(**arguments)
    except edu.ElectraEduError as error:
        if label in allowed:
            return f"refused: {error}"
        said = str(error)
        if call.aliases.get(argument, argument) not in said:
            return f"does not name the argument: {said}"
        return (
            ""
            if said.endswith((".", "?")) and len(said) < 700 and not SURROGATE.search(said)
            else f"no sentence: {said}"
        )
    except Exception as error:
        return f"foreign: {type(error).__name__}: {str(error)[:200]!r}"
    return "" if label in allowed else "accepted"


def labels_for(kind: str) -> list[str]:
    """Return the labels of the values to try on an argument of this kind."""
    is_tensor = kind.removesuffix("?") in ("tokens", "mask", "types", "positions")
    return [*POOL, *TENSORS] if is_tensor else [*POOL]


def cases(call: Call) -> list[tuple[str, str]]:
    """Return each argument of a call with the label of each value to try."""
    return [(argument, label) for argument, kind in call.kinds.items() for label in labels_for(kind)]

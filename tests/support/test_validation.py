"""Data files are read strictly: what is wrong is named in one short sentence."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import pytest

from electra_edu.support.validation import ContentError, Strict, validated


@dataclass(frozen=True)
class Part(Strict):
    text: str
    right: bool = False

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError("the text is empty.")


@dataclass(frozen=True)
class Whole(Strict):
    name: str
    level: Literal["low", "high"] = "low"
    count: int = 0
    rate: float = 0.0
    parts: tuple[Part, ...] = ()
    by_name: Mapping[str, Part] = field(default_factory=dict)


def test_a_right_object_becomes_a_dataclass() -> None:
    data = {"name": "é", "rate": 1, "parts": [{"text": "a", "right": True}], "by_name": {"b": {"text": "c"}}}
    assert validated(Whole, data, "here") == Whole("é", rate=1.0, parts=(Part("a", True),), by_name={"b": Part("c")})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "the field 'name' is missing."),
        ({"name": "x", "nmae": 1}, "there is no field 'nmae'."),
        ({"name": 3}, "'name' cannot be 3: input should be a valid string."),
        ({"name": "x", "count": True}, "'count' cannot be True: input should be a valid integer."),
        ({"name": "x", "count": 1.0}, "'count' cannot be 1.0: input should be a valid integer."),
        ({"name": "x", "rate": "1"}, "'rate' cannot be '1': input should be a valid number."),
        ({"name": "x", "level": "mid"}, "'level' cannot be 'mid': input should be 'low' or 'high'."),
        ({"name": "x", "parts": [{"text": "a"}, {}]}, "the field 'parts[1].text' is missing."),
        ({"name": "x", "by_name": {"b": {"text": ""}}}, "by_name.b: the text is empty."),
        ([], "input should be an object."),
        ({"name": date(2026, 1, 1)}, "Object of type date is not JSON serializable. Write it as a text."),
    ],
)
def test_the_first_fault_is_named(data: object, message: str) -> None:
    with pytest.raises(ContentError) as caught:
        validated(Whole, data, "here")
    assert str(caught.value) == f"here: {message}"


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.fault("Errors", seen="a field with deeply nested lists was named by RecursionError")
@pytest.mark.parametrize(
    "value", [nested(100), nested(900), nested(2 * sys.getrecursionlimit()), "x" * 5000, list(range(5000)), "\ud800"]
)
def test_a_strange_value_is_named_in_a_line(value: object) -> None:
    with pytest.raises(ContentError, match=r"^here: ") as caught:
        validated(Whole, {"name": "x", "count": value}, "here")
    assert len(str(caught.value)) < 300

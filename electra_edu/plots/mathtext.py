"""Texts for a figure, to be drawn as they are: between two $ matplotlib reads a formula."""

from dataclasses import fields, is_dataclass, replace
from numbers import Real
from typing import Any, TypeVar

Shown = TypeVar("Shown")


def literal(shown: Shown) -> Shown:
    """Return a text, or all texts of a block, list or tuple, so that matplotlib draws it as it is."""
    value: Any = shown
    if isinstance(value, str):
        value = value.encode(errors="replace").decode().replace("$", r"\$")  # half a surrogate pair has no glyph
    elif isinstance(value, list | tuple) and not (value and isinstance(value[0], Real)):
        value = tuple(map(literal, value))
    elif is_dataclass(value) and not isinstance(value, type):
        value = replace(value, **{field.name: literal(getattr(value, field.name)) for field in fields(value)})
    result: Shown = value
    return result

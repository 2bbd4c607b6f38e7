"""Checks of a dataclass's fields: their names, and their values against the annotations."""

from collections.abc import Iterable
from dataclasses import fields
from functools import wraps
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin

from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError, nearest

Kind = TypeVar("Kind")


def named_fields(kind: type[Kind]) -> type[Kind]:
    """Make a dataclass take its fields by name only, and answer an unknown one with the nearest name."""
    init = kind.__init__

    @wraps(init)
    def checked(self: Kind, /, *values: object, **settings: object) -> None:
        if values:
            raise ElectraEduError(f"{kind.__name__}: give its fields by name, as {kind.__name__}(learning_rate=1e-3).")
        check_names(kind, settings)
        init(self, **settings)

    kind.__init__ = checked  # type: ignore[method-assign, assignment]
    return kind


def check_names(kind: type, names: Iterable[object]) -> None:
    """Raise ElectraEduError for a name that is not a field of the dataclass `kind`, with the nearest one."""
    known = [field.name for field in fields(kind)]
    for name in names:
        if name not in known:
            raise ElectraEduError(f"{kind.__name__} has no field {arguments.shown(name)}.{nearest(name, known)}")


def plain_value(field: str, value: object, kind: Any) -> Any:
    """Return a field's value as the plain type `kind` that it is annotated with; raises ElectraEduError for others."""
    kinds = get_args(kind) or (kind,)  # int | None has two
    if get_origin(kind) is Literal:
        return arguments.one_of(field, value, kinds)
    if value is None and NoneType in kinds:
        return None
    if kind is bool:
        return arguments.flag(field, value)
    if int in kinds:
        return arguments.whole_number(field, value, most=arguments.MAX_INT64)
    return arguments.finite_number(field, value)

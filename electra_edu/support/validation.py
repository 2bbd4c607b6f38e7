"""Data files read strictly into dataclasses: an unknown field, a missing one or a wrong type is found and named."""

import json
import reprlib
from functools import cache
from typing import Any, ClassVar, TypeVar

from electra_edu.support.errors import ElectraEduError

Kind = TypeVar("Kind", bound="Strict")

_SHORT = reprlib.Repr()  # a value in a message takes a line, however long or deeply nested it is
_SHORT.maxstring = _SHORT.maxother = 80


class ContentError(ElectraEduError):
    """A data file breaks its form; names the file and the field."""


class Strict:
    """Base of dataclasses that `validated` fills from a file: no other fields than theirs, no conversion of types.

    Rules beyond the types belong into `__post_init__`, which raises ValueError.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}


def validated(kind: type[Kind], data: object, where: str) -> Kind:
    """Make the dataclass `kind` of what a JSON or TOML file holds; `where` says in errors which object it is.

    Raises ContentError with one sentence about the first fault. Pydantic is imported here and not above, so that
    training and presets, which read no such file, do not wait for it.
    """
    from pydantic import ValidationError

    try:
        # As JSON text: only there does pydantic's strict mode accept an object for a dataclass and an array for a tuple
        adapter = _adapter(kind)  # type: ignore[arg-type]  # to mypy a class is not hashable
        found: Kind = adapter.validate_json(json.dumps(data))
    except ValidationError as error:
        raise ContentError(f"{where}: {_sentence(error)}") from None
    except RecursionError:
        raise ContentError(f"{where}: nested too deeply.") from None
    except TypeError as error:  # TOML has dates and times, JSON has not
        raise ContentError(f"{where}: {error}. Write it as a text.") from None
    return found


@cache
def _adapter(kind: type) -> Any:
    """Return pydantic's validator of a dataclass, which takes milliseconds to build."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _sentence(error: Any) -> str:
    """Say in a sentence what is wrong at the first place that pydantic found."""
    first = error.errors(include_url=False)[0]
    path, kind, message = _path(first["loc"]), first["type"], first["msg"]
    if kind == "missing":
        return f"the field {path!r} is missing."
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"there is no field {path!r}."
    if kind == "value_error":
        return f"{path + ': ' if path else ''}{first['ctx']['error']}"
    if kind == "json_invalid":
        return f"{message}."
    expected = message[0].lower() + message[1:]
    return f"{path!r} cannot be {_SHORT.repr(first['input'])}: {expected}." if path else f"{expected}."


def _path(steps: tuple[int | str, ...]) -> str:
    """Write the place of a value as "quiz[0].options[1].right"."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")

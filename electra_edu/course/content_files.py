"""Read the course's content: JSON files in the package, checked strictly, so that a slip is found by a test."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from electra_edu.errors import ElectraEduError, nearest


class ContentError(ElectraEduError):
    """A content file breaks its form; names the file and the field."""


class Fields:
    """The fields of one JSON object, taken one by one; what is left over or of the wrong type is an error."""

    def __init__(self, where: str, data: Any) -> None:
        """Begin with all fields of `data`; `where` says in errors which object it is."""
        if not isinstance(data, dict):
            raise ContentError(f"{where}: must be an object with named fields, not {type(data).__name__}.")
        self.where, self._left = where, dict(data)

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, kind: type | tuple[type, ...], *default: Any) -> Any:
        """Return a field of this kind, or the default where there is no such field."""
        if name not in self._left:
            if default:
                return default[0]
            raise ContentError(f"{self.where}: the field {name!r} is missing.")
        value = self._left.pop(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ContentError(f"{self.where}: {name!r} cannot be {value!r}.")
        return value

    def texts(self, name: str, *default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a field that lists texts."""
        values = self.take(name, (list, tuple), *default)
        if not all(isinstance(value, str) and value for value in values):
            raise ContentError(f"{self.where}: {name!r} must list texts, not {values!r}.")
        return tuple(values)

    def end(self) -> None:
        """Raise ContentError where a field is left over: it would silently do nothing."""
        if self._left:
            raise ContentError(f"{self.where}: there is no field {next(iter(self._left))!r}.")


@cache
def entries(folder: str) -> Mapping[str, Any]:
    """Return the entries of all files of a content folder as one mapping; a key in two files is an error."""
    merged: dict[str, Any] = {}
    for name, data in content(folder):
        for key in data:
            if key in merged:
                raise ContentError(f"{folder}/{name}: {key!r} is in another file too.")
        merged |= data
    return merged


def content(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (file name, its object) for each file of a content folder, in order."""
    place = files("electra_edu.course") / "content" / folder
    for file in sorted(place.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            try:
                data = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_no_twice)
            except ValueError as error:
                raise ContentError(f"{folder}/{file.name}: {error}") from error
            yield file.name, data


def missing(kind: str, name: str, known: Mapping[str, Any]) -> ElectraEduError:
    """Make the error for a name that is not there, with the nearest one that is."""
    return ElectraEduError(f"There is no {kind} {name!r}.{nearest(str(name), known)} There are: {', '.join(known)}.")


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object with the same field twice: JSON would keep the last without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for i, (name, _) in enumerate(pairs) if name in dict(pairs[:i]))
        raise ValueError(f"the field {twice!r} stands there twice")
    return found

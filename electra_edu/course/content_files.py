"""Read the course's content: JSON files in the package."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from electra_edu.support.arguments import shown
from electra_edu.support.errors import ElectraEduError, nearest
from electra_edu.support.validation import ContentError


@cache
def entries(folder: str) -> Mapping[str, Any]:
    """Return the entries of all files of a content folder as one mapping; a key in two files is an error."""
    merged: dict[str, Any] = {}
    for name, data in content(folder):
        if not isinstance(data, dict):
            raise ContentError(f"{folder}/{name}: must be an object with named entries, not {type(data).__name__}.")
        for key in data:
            if key in merged:
                raise ContentError(f"{folder}/{name}: {key!r} is in another file too; remove one.")
        merged |= data
    return merged


def content(folder: str) -> Iterator[tuple[str, Any]]:
    """Yield (file name, what it holds) for each file of a content folder, in order."""
    files_of = files("electra_edu.course") / "content" / folder
    for file in sorted(files_of.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            try:
                data = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_unique)
            except ValueError as error:
                raise ContentError(f"{folder}/{file.name}: {error}") from error
            except RecursionError as error:
                raise ContentError(f"{folder}/{file.name}: nested too deeply.") from error
            yield file.name, data


def unknown_name(kind: str, name: object, known: Mapping[str, Any]) -> ElectraEduError:
    """Make the error for a name that does not exist, with the nearest one that does."""
    word = name if isinstance(name, str) else shown(name)
    return ElectraEduError(f"There is no {kind} {shown(name)}.{nearest(word, known)} There are: {', '.join(known)}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that has a field twice: `json` would silently keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for i, (name, _) in enumerate(pairs) if name in dict(pairs[:i]))
        raise ValueError(f"the field {twice!r} is there twice; remove one")
    return found

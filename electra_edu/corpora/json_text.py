"""Text that lies in JSON: the Markdown of a notebook, the field "text" of JSON lines, a list of strings."""

import html
import json
import re
from collections.abc import Sequence
from typing import Any

from electra_edu.corpora.markup import TAGS, way_out
from electra_edu.support.errors import CorpusError

FIELD = "text"  # of an object: what data sets of texts call theirs
LINES = "[json.loads(line) for line in {read}.split('\\n') if line.strip()]"
JSON_LINES = 0.5  # share of the lines that are JSON objects, above which all have to be


def text_of(text: str, name: str, *, read: str = "text") -> str:
    """Return the prose that lies in a notebook or in JSON, and any other text as it is.

    Raises CorpusError for JSON in which it is not clear where the prose is, showing how to take it out. `read` is
    Python code for the text, to show.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _of_document(json.loads(text), name, read)
        except (ValueError, RecursionError) as error:
            if isinstance(error, CorpusError):
                raise
    values = _json_lines(text, name)
    return text if values is None else _of_list(values, name, LINES, read)


def _json_lines(text: str, name: str) -> list[Any] | None:
    """Return what the lines hold, or None where they are no JSON objects or arrays."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    values, broken = [], []
    for number, line in lines:
        value = _object(line)
        if value is None:
            broken.append(number)
            if len(broken) > (1 - JSON_LINES) * len(lines):
                return None
        else:
            values.append(value)
    if broken:
        raise CorpusError(
            f"{name}: most of its lines are JSON, and line {broken[0]} is not ({len(broken):,} in all). Mend these "
            "lines or take them out."
        )
    return values or None


def _object(line: str) -> Any:
    """Return the object or array that a line holds, or None."""
    if line.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _of_document(value: Any, name: str, read: str) -> str:
    if isinstance(value, dict) and isinstance(value.get("cells"), list) and "nbformat" in value:
        return _of_notebook(value["cells"], name)
    if isinstance(value, list):
        return _of_list(value, name, "json.loads({read})", read)
    lists = [key for key, part in value.items() if isinstance(part, list)]
    if not lists:
        return _of_list([value], name, "[json.loads({read})]", read)
    remedy = _joined(FIELD, f"json.loads({{read}})[{lists[0]!r}]")
    raise CorpusError(
        f"{name}: is JSON with {_names(value)}, and not clear where its text is. To take it out, if it is in the field "
        f"{FIELD!r} of each entry of {lists[0]!r}: {way_out(remedy, read)}"
    )


def _of_list(values: Sequence[Any], name: str, rows: str, read: str) -> str:
    """Return the strings, or the field FIELD of the objects, that are in a list; `rows` is code for it."""
    found = [value.get(FIELD) if isinstance(value, dict) else value for value in values]
    texts = [text for text in found if isinstance(text, str)]
    if len(texts) == len(values) > 0:
        return "\n\n".join(texts)
    first = next((value for value in values if isinstance(value, dict)), None)
    strings = {key: part for key, part in (first or {}).items() if isinstance(part, str)}
    longest = max(strings, key=lambda key: len(strings[key]), default=FIELD)
    raise CorpusError(
        f"{name}: is JSON with {_names(first)}, and not each entry has its text in {FIELD!r}. To take it out (of "
        f"{longest!r} here): {way_out(_joined(longest, rows), read)}"
    )


def _of_notebook(cells: Sequence[Any], name: str) -> str:
    """Return the Markdown cells of a notebook without their HTML tags."""
    markdown = [
        cell.get("source", "") for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "markdown"
    ]
    sources = ["".join(source) if isinstance(source, list) else str(source) for source in markdown]
    text = "\n\n".join(html.unescape(re.sub(TAGS, "", source)) for source in sources)
    if not text.strip():
        raise CorpusError(f"{name}: is a notebook without a cell of Markdown, so it has no prose to read. Give a text.")
    return text


def _joined(field: str, rows: str) -> str:
    return f"import json; text = '\\n\\n'.join(row[{field!r}] for row in {rows})"


def _names(value: Any) -> str:
    return f"the fields {', '.join(map(repr, list(value)[:8]))}" if isinstance(value, dict) and value else "no fields"

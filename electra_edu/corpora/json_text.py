"""Extract text from JSON: the Markdown of a notebook, the field "text" of JSON lines, a list of strings."""

import html
import json
import re
from collections.abc import Sequence
from typing import Any

from electra_edu.corpora.markup import TAGS, remedy_code
from electra_edu.support.errors import CorpusError

FIELD = "text"  # the usual name of the text's field in data sets
# Code, for error messages: the values in JSON lines.
LINES = "[json.loads(line) for line in {source}.split('\\n') if line.strip()]"
# A text is taken for JSON lines if at least this share of its lines are JSON objects or arrays.
MIN_JSON_SHARE = 0.5


def extract_text(text: str, name: str, *, source: str = "text") -> str:
    """Return the prose in a notebook or in JSON; any other text is returned unchanged.

    Raises CorpusError for JSON in which the field of the prose is not clear, with code that extracts it. `source` is
    Python code for the text, to be shown in that message.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _from_document(json.loads(text), name, source)
        except (ValueError, RecursionError) as error:
            if isinstance(error, CorpusError):
                raise
    values = _json_lines(text, name)
    return text if values is None else _from_list(values, name, LINES, source)


def _json_lines(text: str, name: str) -> list[Any] | None:
    """Return the values in the lines, or None if these are not JSON objects or arrays."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    values, broken = [], []
    for number, line in lines:
        value = _object(line)
        if value is None:
            broken.append(number)
            if len(broken) > (1 - MIN_JSON_SHARE) * len(lines):
                return None
        else:
            values.append(value)
    if broken:
        raise CorpusError(
            f"{name}: most of its lines are JSON, but line {broken[0]} is not ({len(broken):,} in all). Correct these "
            "lines or remove them."
        )
    return values or None


def _object(line: str) -> Any:
    """Return the JSON object or array in a line, or None."""
    if line.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _from_document(value: Any, name: str, source: str) -> str:
    if isinstance(value, dict) and isinstance(value.get("cells"), list) and "nbformat" in value:
        return _from_notebook(value["cells"], name)
    if isinstance(value, list):
        return _from_list(value, name, "json.loads({source})", source)
    lists = [key for key, part in value.items() if isinstance(part, list)]
    if not lists:
        return _from_list([value], name, "[json.loads({source})]", source)
    remedy = _join_code(FIELD, f"json.loads({{source}})[{lists[0]!r}]")
    raise CorpusError(
        f"{name}: is JSON with {_names(value)}, and it is not clear where its text is. To extract it, if it is in the "
        f"field {FIELD!r} of each entry of {lists[0]!r}: {remedy_code(remedy, source)}"
    )


def _from_list(values: Sequence[Any], name: str, rows: str, source: str) -> str:
    """Return the text in a list of strings, or of objects with the field FIELD; `rows` is code for that list."""
    found = [value.get(FIELD) if isinstance(value, dict) else value for value in values]
    texts = [text for text in found if isinstance(text, str)]
    if len(texts) == len(values) > 0:
        return "\n\n".join(texts)
    first = next((value for value in values if isinstance(value, dict)), None)
    strings = {key: part for key, part in (first or {}).items() if isinstance(part, str)}
    longest = max(strings, key=lambda key: len(strings[key]), default=FIELD)
    raise CorpusError(
        f"{name}: is JSON with {_names(first)}, and not every entry has its text in {FIELD!r}. To extract it (from "
        f"{longest!r} here): {remedy_code(_join_code(longest, rows), source)}"
    )


def _from_notebook(cells: Sequence[Any], name: str) -> str:
    """Return the Markdown cells of a notebook without their HTML tags."""
    markdown = [
        cell.get("source", "") for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "markdown"
    ]
    sources = ["".join(source) if isinstance(source, list) else str(source) for source in markdown]
    text = "\n\n".join(html.unescape(re.sub(TAGS, "", source)) for source in sources)
    if not text.strip():
        raise CorpusError(f"{name}: is a notebook without a cell of Markdown, so it has no prose. Give a text.")
    return text


def _join_code(field: str, rows: str) -> str:
    """Return code that joins one field of all rows into a text."""
    return f"import json; text = '\\n\\n'.join(row[{field!r}] for row in {rows})"


def _names(value: Any) -> str:
    return f"the fields {', '.join(map(repr, list(value)[:8]))}" if isinstance(value, dict) and value else "no fields"

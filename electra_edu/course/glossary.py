"""The words of the trade, and the figures that are quoted: each explained or sourced once, linked from the lessons."""

import html
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from electra_edu.course.content_files import entries, missing
from electra_edu.support.fields import ContentError, Fields

Level = Literal["curious", "student", "expert"]
LEVELS: tuple[Level, ...] = get_args(Level)
Kind = Literal["paper", "code", "computed", "measured"]
LINK = re.compile(r"<a class='edu-(term|claim)' href='#(?:term|claim)-([\w-]+)' title='([^']*)'>(.*?)</a>")


@dataclass(frozen=True)
class Term:
    """A term and its meaning; `level` is the most advanced reader for whom it is still underlined."""

    term: str
    level: Level
    text: str


@dataclass(frozen=True)
class Claim:
    """A figure that a lesson quotes, and where it comes from."""

    value: str  # as it is written in the lessons
    says: str
    source: str
    kind: Kind
    how: str = ""  # of a computed or measured one: the call, command or test that gives it


@cache
def glossary() -> dict[str, Term]:
    """Return all terms by their ids; raises ContentError where a file breaks the form."""
    terms: dict[str, Term] = {}
    for name, data in entries("glossary").items():
        fields = Fields(f"glossary {name!r}", data)
        terms[name] = Term(fields.take("term", str), fields.take("level", str), fields.take("text", str))
        fields.end()
        if terms[name].level not in LEVELS:
            raise ContentError(f"glossary {name!r}: level must be one of {', '.join(LEVELS)}.")
    return terms


@cache
def claims() -> dict[str, Claim]:
    """Return all claims by their ids; raises ContentError where a file breaks the form."""
    found: dict[str, Claim] = {}
    for name, data in entries("claims").items():
        fields = Fields(f"claim {name!r}", data)
        value, says, source = (fields.take(field, str) for field in ("value", "says", "source"))
        found[name] = Claim(value, says, source, fields.take("kind", str), fields.take("how", str, ""))
        fields.end()
        if found[name].kind not in get_args(Kind):
            raise ContentError(f"claim {name!r}: kind must be one of {', '.join(get_args(Kind))}.")
        if found[name].kind in ("computed", "measured") and not found[name].how:
            raise ContentError(f"claim {name!r}: {found[name].kind}, but `how` does not say with what.")
    return found


def explanation(kind: str, name: str) -> str:
    """Return what a link says when it is pointed at: a term's meaning or a claim's source.

    Raises ElectraEduError for a name that is not there.
    """
    if kind == "term":
        if name not in glossary():
            raise missing("term", name, glossary())
        return glossary()[name].text
    if name not in claims():
        raise missing("claim", name, claims())
    claim = claims()[name]
    return f"Source: {claim.source}" + (f" ({claim.how})" if claim.how else "")


def with_titles(markdown: str) -> str:
    """Fill in the `title` of every term and claim in a lesson's text, so that readers without a kernel have it too."""

    def fill(link: re.Match[str]) -> str:
        kind, name, _, words = link.groups()
        title = html.escape(explanation(kind, name), quote=True).replace("\n", " ")
        return f"<a class='edu-{kind}' href='#{kind}-{name}' title='{title}'>{words}</a>"

    return LINK.sub(fill, markdown)

"""The glossary's terms and the quoted numbers: each explained or sourced once, and linked from the lessons."""

import html
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from electra_edu.course.content_files import entries, unknown_name
from electra_edu.support.validation import Strict, validated

Level = Literal["curious", "student", "expert"]
LEVELS: tuple[Level, ...] = get_args(Level)
LINK = re.compile(r"<a class='edu-(term|claim)' href='#(?:term|claim)-([\w-]+)' title='([^']*)'>(.*?)</a>")


@dataclass(frozen=True)
class Term(Strict):
    """A term and its meaning; `level` is the most advanced reader for whom it is still underlined."""

    term: str
    level: Level
    text: str


@dataclass(frozen=True)
class Claim(Strict):
    """A number that a lesson quotes, and where it comes from."""

    value: str  # as it is written in the lessons
    says: str
    source: str
    kind: Literal["paper", "code", "computed", "measured"]
    how: str = ""  # of a computed or measured one: the call, command or test that gives it

    def __post_init__(self) -> None:
        if self.kind in ("computed", "measured") and not self.how:
            raise ValueError(f"it is {self.kind}, so `how` must name the call, command or test that gives it.")


@cache
def glossary() -> dict[str, Term]:
    """Return all terms by their ids; raises ContentError where a file breaks the form."""
    return {name: validated(Term, data, f"glossary {name!r}") for name, data in entries("glossary").items()}


@cache
def claims() -> dict[str, Claim]:
    """Return all claims by their ids; raises ContentError where a file breaks the form."""
    return {name: validated(Claim, data, f"claim {name!r}") for name, data in entries("claims").items()}


def explanation(kind: str, name: str) -> str:
    """Return the text that a link shows when it is pointed at: a term's meaning or a claim's source.

    Raises ElectraEduError for a name that does not exist.
    """
    if kind == "term":
        if name not in glossary():
            raise unknown_name("term", name, glossary())
        return glossary()[name].text
    if name not in claims():
        raise unknown_name("claim", name, claims())
    claim = claims()[name]
    return f"Source: {claim.source}" + (f" ({claim.how})" if claim.how else "")


def with_titles(markdown: str) -> str:
    """Fill in the `title` of every term and claim in a lesson's text, for readers without a kernel."""

    def fill(link: re.Match[str]) -> str:
        kind, name, _, words = link.groups()
        title = html.escape(explanation(kind, name), quote=True).replace("\n", " ")
        return f"<a class='edu-{kind}' href='#{kind}-{name}' title='{title}'>{words}</a>"

    return LINK.sub(fill, markdown)

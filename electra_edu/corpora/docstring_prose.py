"""Extract paragraphs of plain English from docstrings and documentation: no code, tables, signatures or markup."""

import inspect
import re
from collections.abc import Iterable, Iterator

MIN_WORDS = 5  # in a paragraph; anything shorter is a label rather than a sentence
MIN_PLAIN_SHARE = 0.8  # of a sentence's words: ordinary words, not identifiers or numbers

# Lines that are skipped.
_UNDERLINE = re.compile(r"([-=~^\"'`#*+:.<>_])\1{2,}")  # the line above it is a heading
_TABLE = re.compile(r"\+[-=+]{3,}|\||[-=]{2,}\s+[-=]{2,}")
_DOCTEST = re.compile(r">>>|\$ |% |In \[")
_CODE_DIRECTIVE = re.compile(
    r"\.\. *(code|sourcecode|math|test|doctest|parsed|plot|ipython|jupyter|table|list-table"
    r"|csv|image|figure|production|index|toctree|currentmodule|_|\[)"
)

# Markers that begin a new paragraph; they are removed.
_ITEM = re.compile(r"([-*+•o]|\(?(\d{1,2}|[a-z])[.)]|\[\d+\]|\.\. [\w-]+::)\s+")  # "- ", "2. ", "(a) ", ".. note:: "
_FIELD = re.compile(  # ":param x:", "x (int):", "close() --", "ValueError:"
    r"([:@]\w[^:]*:|\*{0,2}[a-z_][\w.]*(\([^)]*\))?( \([^)]*\))?(:| --?)|[A-Z]\w*(Error|Exception|Warning|Exit):)"
    r"(\s+|$)"
)

_INLINE = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r":[\w:+.-]+:`[!~]?([^`<]*?)(\s*<[^`>]*>)?`", r"\1"),  # :func:`name <target>`
        (r"`([^`<]*?)\s*<[^`>]*>`_{0,2}", r"\1"),  # `text <address>`_
        (r"``(.+?)``", r"\1"),
        (r"`([^`']+)['`]_{0,2}", r"\1"),
        (r"(?<![\w*])(\*{1,2})(?=[^\s*])([^*]+?)(?<=[^\s*])\1(?![\w*])", r"\2"),  # *emphasis*, **strong**
        (r"\s*\[(\d+|[A-Z]\w*\d)\](_\b|_(?=\W|$))?", ""),  # footnotes: [1], [1]_, [Knuth97]_
        (r"^\s*(New|Changed|Deprecated|Added) (in|since) (version )?[\d.]+: ", ""),
        (r"(?<=[a-z])- (?!and |or |to )(?=[a-z])", "-"),  # a hyphen at the end of a line
        ("[“”]", '"'),
        ("[‘’]", "'"),
        ("…", "..."),
        (r"\s*(—|–|---?)(\s+|$)", " - "),
        (r"\s+", " "),
    )
)

_BETWEEN_SENTENCES = re.compile(
    r"(?:(?<=[.!?])|(?<=[.!?][\"')]))(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)(?<!\bcf\.)\s+(?=[\"'(]?[A-Z])"
)
_SENTENCE = re.compile(r"[\"'(]?[A-Z].*[^.:,;\s][.!?][\"')]*")
_PLAIN_WORD = re.compile(r"[\"'(]*[A-Za-z]+([-'/][A-Za-z]+)*[\"')]*[.,;:!?]*[\"')]*|-")
_FOREIGN = re.compile(r"[{}<>\\|=@#$^~`*]|::|\.\.|://|www\.|[^\x20-\x7e]")  # code, markup, other scripts


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of prose in a docstring or a documentation page, each on one line.

    Whatever is not a sentence is left out, and so are sentences that contain code, an address or markup.
    """
    lines = inspect.cleandoc(text).expandtabs().split("\n")
    for chunk in _chunks(_without_code(lines)):
        for pattern, replacement in _INLINE:
            chunk = pattern.sub(replacement, chunk)
        sentences = [sentence for sentence in _BETWEEN_SENTENCES.split(chunk.strip()) if _is_prose(sentence)]
        if sum(sentence.count(" ") + 1 for sentence in sentences) >= MIN_WORDS:
            yield " ".join(sentences)


def _without_code(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines, with an empty line in place of each line of code or of a table."""
    code_indent: int | None = None  # inside a block of code: the indent of the line that introduced it
    in_block = False  # inside a doctest or a table, which end at an empty line
    for line in lines:
        text, indent = line.strip(), _indent(line)
        if not text:
            in_block = False
        elif code_indent is not None and indent > code_indent:
            text = ""
        else:
            introduces_code = (text.endswith("::") and not text.startswith("..")) or _CODE_DIRECTIVE.match(text)
            code_indent = indent if introduces_code else None
            in_block = in_block or bool(_TABLE.match(text) or _DOCTEST.match(text))
        yield line if text and not in_block else ""


def _chunks(lines: Iterable[str]) -> Iterator[str]:
    """Join the lines of each paragraph; a list item, a field or a change of indentation begins a new one."""
    chunk: list[str] = []
    indent = 0
    marker: re.Match[str] | None = None  # the bullet, number or field name that the chunk began with
    in_fields = False
    for line in [*lines, ""]:
        text = line.strip()
        if _UNDERLINE.fullmatch(text):
            text = ""
            del chunk[-1:]  # the line above was a heading
        hangs = marker and len(chunk) == 1 and _indent(line) > indent
        begins = not (chunk and (hangs or _indent(line) == indent))
        field = _FIELD.match(text) if begins or in_fields else None
        item = _ITEM.match(text)
        if not text or begins or field or item:
            yield " ".join(chunk)
            marker, in_fields, chunk = item or field, bool(field), []
        if text:
            chunk.append(text[marker.end() :] if marker and not chunk else text)
            indent = _indent(line)


def _is_prose(sentence: str) -> bool:
    """Whether this is a whole English sentence, most of it ordinary words."""
    words = sentence.split(" ")
    return (
        len(words) >= 3
        and _SENTENCE.fullmatch(sentence) is not None
        and not _FOREIGN.search(sentence)
        and not sentence.isupper()
        and sentence.count("(") == sentence.count(")")
        and sentence.count('"') % 2 == 0
        and sum(_PLAIN_WORD.fullmatch(word) is not None for word in words) >= MIN_PLAIN_SHARE * len(words)
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())

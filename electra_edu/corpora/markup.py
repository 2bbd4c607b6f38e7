"""Text that is markup, a table or code: its marks would be learned in place of words, so it is refused."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from electra_edu.support.errors import CorpusError

SAMPLE = 300_000  # characters looked at in three places of a long text
LONG_LINE = 1000  # characters: of a longer line only the two ends are looked at, which keeps the patterns fast
PER_1000_WORDS = 25  # inline marks of four tokens each, about: a tenth of all tokens
FEW_MARKS = 10  # fewer than these may stand in a short text that speaks of them
MOST_MARKS = 0.4  # of the characters: prose has 3 to 15 %, notes that are mostly tables up to 32 %
SAME_COLUMNS = 0.95  # share of the rows of a table that have the same number of columns
TABLE_ROWS = 5  # fewer lines may have as many commas by chance
_TAG = r"</?[a-zA-Z][\w:.-]*(?:\s[^<>]*)?/?>"
TAGS = re.compile(rf"(?s)<(script|style)\b.*?</\1>|<!--.*?-->|<[!?][^>]*>|{_TAG}")


@dataclass(frozen=True)
class Markup:
    """One kind of text that is not prose: any of the three patterns gives it away."""

    what: str
    remedy: str  # {read} stands for the text as Python code
    suffixes: tuple[str, ...] = ()  # a file of such a name needs no more than one mark
    head: str | None = None  # how such a text begins
    line: str | None = None  # a line of it ...
    share: float = 0.5  # ... and the share of such lines that is too much
    inline: str | None = None  # a mark of it; PER_1000_WORDS are too many


_CODE = (
    r"(?:def|class|import|from|return|raise|yield|assert|elif|except|async|await|public|private|static|void|int|const|let"
    r"|var|function|fn|use|package|struct|impl|#include|#define|#if|#endif)\b.*[\w)}\]\"';:,({]$"
    r"|(?:if|for|while|with|try|else|elif|except|switch|case)\b.*[:{]$|@\w+|[\w.\[\]\"' ,*&]+\s(?:[-+*/|&%]?=|:=)\s.*"
    r"|.*(?:=|\w\(|\]|->|\+\+|\w\.\w).*;$|[\w-]+:\s.*;$|.*[{}]$|.*\w\(.*\)[:,;]?$|[\w.]+\(.*[(\[{,]$|[\])}]+[,;:)]*$"
    r"|[\w.-]+=\S.*|//.*|/\*.*|\*/.*"
)
_WITHOUT_LINES = "import re; text = re.sub(r'(?m)^({pattern})$', '', {{read}})"
KINDS = (
    Markup(
        "HTML or XML",
        "import html, re; text = html.unescape(re.sub(r'(?s)<(script|style)\\b.*?</\\1>|<!--.*?-->|<[^>]*>', '\\n', "
        "{read}))",
        (".html", ".htm", ".xhtml", ".xml", ".svg"),
        head=r"<!doctype\s|<\?xml\s",
        line=rf"{_TAG}.*|.*</[a-zA-Z][\w:.-]*>$",
        share=0.2,
        # tags that end, for <name> alone may be a placeholder
        inline=r"</[a-zA-Z][\w:.-]*\s*>|<[a-zA-Z][^<>]*/>|<(?:br|p|hr|img|li|td)\b[^<>]*>|&(?:amp|lt|gt|quot|nbsp|#\d+);",
    ),
    Markup(
        "LaTeX",
        "a converter takes the text out: pandoc paper.tex -t plain -o paper.txt",
        (".tex", ".latex"),
        head=r"(?:%.*\n|\s)*\\documentclass",
        inline=r"\\[a-zA-Z]+\b",
    ),
    Markup("RTF", 'save it as plain text in the program that wrote it ("Save as", UTF-8)', (".rtf",), head=r"\{\\rtf"),
    Markup(
        "subtitles",
        _WITHOUT_LINES.format(pattern=r"\d+|WEBVTT.*|.*-->.*"),
        (".srt", ".vtt"),
        line=r"(?:\d+:)?\d+:\d+[.,]\d+\s+-->.*",
        share=0.1,
    ),
    Markup(
        "lines that begin with a date and time, as in a log or a chat",
        "import re; text = re.sub(r'(?m)^\\W*\\d[\\d/.:, TZ-]*([AP]M)?\\W*', '', {read})",
        (".log",),
        line=r"\W?\d{1,4}[-./]\d{1,2}[-./]\d{1,4},?[T ]\d{1,2}:\d\d.*",
    ),
    Markup(
        "a table in Markdown",
        "text = '\\n\\n'.join(max(line.split('|'), key=len).strip() for line in {read}.splitlines() if '|' in line and "
        "'--' not in line)",
        line=r"\|.*\|",
    ),
    Markup(
        "wiki markup",
        "a converter takes the text out: pandoc page.wiki -f mediawiki -t plain -o page.txt",
        (".wiki", ".mediawiki"),
        inline=r"\[\[|\{\{",
    ),
    Markup(
        "messages for translation",
        "import re; text = '\\n\\n'.join(re.findall(r'(?m)^msgid \"(.+)\"$', {read}))",
        (".po", ".pot"),
        line=r"msg(?:id|str|ctxt)\b.*",
        share=0.2,
    ),
    Markup(
        "YAML",
        "read it with yaml.safe_load and join its strings of prose, an empty line between two",
        (".yaml", ".yml"),
        line=r"(?:- )+[a-z_][\w-]*:(?:\s.*)?|[\w-]+:\s*[|>][+-]?",
        share=0.2,
    ),
    Markup(
        "SQL",
        "select the column of text and save it one text a line",
        (".sql",),
        line=r"(?i:insert into|\(\d+,).*",
        share=0.2,
    ),
    Markup(
        "BibTeX", "import re; text = '\\n\\n'.join(re.findall(r'(?s)abstract\\s*=\\s*[{\"](.+?)[}\"],?\\n', {read}))",
        (".bib",), line=r"@\w+\{.*|\w+\s*=\s*[{\"].*", share=0.5,
    ),
    Markup(
        "JSON with a fault in it, or data of a program",
        "mend it, or read it with the program that wrote it, and join its strings of prose, an empty line between two",
        head=r'[\[\s]*\{\s*"[^"\n]*"\s*:',
        line=r'"[^"]*"\s*:.*|[\]\[{}]+,?',
        share=0.3,
        inline=r'"\s*:\s*["\[{\d-]',
    ),
    Markup(
        "the source code of a program",
        "keep its comments, or, of Python, the docstrings: import ast; text = '\\n\\n'.join("
        "ast.get_docstring(node) or '' for node in ast.walk(ast.parse({read})) "
        "if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))",
        line=_CODE,
    ),
)  # fmt: skip


def check_prose(text: str, name: str, *, suffix: str = "", read: str = "text") -> None:
    """Raise CorpusError for a text that is markup, a table or code, and say how to get the text out of it.

    `suffix` is that of the file's name, and `read` Python code for its text, to show. The content decides; a telling
    suffix makes a single mark enough.
    """
    sample = _sample(text)
    lines = [line for line in map(str.strip, sample.split("\n")) if line]
    ends = [line if len(line) <= LONG_LINE else line[: LONG_LINE // 2] + line[-LONG_LINE // 2 :] for line in lines]
    for kind in KINDS:
        if kind.head and re.match(rf"\s*(?:{kind.head})", sample, re.IGNORECASE):
            raise _refusal(kind, f'it begins with "{sample.split(maxsplit=1)[0][:20]}"', name, read)
    _check_table(lines, name, suffix, read)
    for kind in KINDS:
        if reason := _marks_of(kind, sample, ends, suffix):
            raise _refusal(kind, reason, name, read)
    if (share := share_of_marks(sample)) > MOST_MARKS:
        raise CorpusError(
            f"{name}: {share:.0%} of its characters are digits and punctuation, so this is data, a table or code and "
            "not prose, of which they are 3 to 15%. Keep its sentences and leave out the rest."
        )


def way_out(remedy: str, read: str) -> str:
    """Return advice to show, `read` in the place of {read}: "text", or Python code for the text of a file."""
    imports = "text = " if read == "text" else "import pathlib; text = "
    return remedy.replace("text = ", imports, 1).replace("{read}", read)


def share_of_marks(text: str) -> float:
    """Return which share of the characters, blanks apart, are digits and ASCII punctuation.

    Other punctuation does not count: some scripts put a mark after each syllable.
    """
    counts = Counter("".join(text.split()))
    marks = sum(n for mark, n in counts.items() if mark.isdecimal() or (mark.isascii() and not mark.isalpha()))
    return marks / max(1, counts.total())


def _sample(text: str) -> str:
    """Return the text, or whole lines from the beginning, the middle and the end of a long one."""
    if len(text) <= 3 * SAMPLE:
        return text
    starts = (0, (len(text) - SAMPLE) // 2, len(text) - SAMPLE)
    return "\n".join(text[start : start + SAMPLE] for start in starts)


def _refusal(kind: Markup, reason: str, name: str, read: str) -> CorpusError:
    return CorpusError(
        f"{name}: is {kind.what}, not prose: {reason}. A network would learn its marks in place of words. To take the "
        f"text out: {way_out(kind.remedy, read)}"
    )


def _marks_of(kind: Markup, text: str, lines: Sequence[str], suffix: str) -> str:
    """Return how much of a text is markup of this kind where that is too much, or nothing."""
    named_so = suffix.lower() in kind.suffixes
    if kind.line:
        matching = re.compile(kind.line).fullmatch
        share = sum(matching(line) is not None for line in lines) / max(1, len(lines))
        if share >= kind.share or (named_so and share > 0):
            return f"{share:.0%} of its lines"
    if kind.inline:
        n_marks, n_words = sum(1 for _ in re.finditer(kind.inline, text)), len(text.split())
        if (n_marks >= FEW_MARKS and n_marks * 1000 >= PER_1000_WORDS * n_words) or (named_so and n_marks > 0):
            return f"{n_marks:,} marks in {n_words:,} words"
    return ""


def _check_table(lines: Sequence[str], name: str, suffix: str, read: str) -> None:
    """Raise CorpusError where nearly all lines have the same number of columns, and show how to keep one of them."""
    for separator in "\t,;":
        try:
            rows = [row for row in csv.reader(lines, delimiter=separator) if row]
        except csv.Error:  # a field of more than 128 KB: no table
            continue
        n_columns, n_rows = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        few = len(rows) < TABLE_ROWS and suffix.lower() not in (".csv", ".tsv")
        if n_columns < 2 or few or n_rows < SAME_COLUMNS * len(rows):
            continue
        full = [row for row in rows if len(row) == n_columns]
        if sum(sum(map(bool, row)) > 1 for row in full) < len(full) / 2:
            continue  # it only ends each line
        later = [cell for row in full for cell in row[1:] if cell]
        if separator != "\t" and sum(cell.startswith(" ") for cell in later) > 0.2 * len(later):
            continue  # commas of sentences: a blank follows
        longest = max(range(n_columns), key=lambda column: sum(len(row[column]) for row in islice(full, 1000)))
        remedy = (
            f"import csv; text = '\\n\\n'.join(row[{longest}] for row in csv.reader({{read}}.splitlines(True), "
            f"delimiter={separator!r}) if len(row) > {longest})"
        )
        raise CorpusError(
            f"{name}: is a table of {n_columns} columns, not prose. To take the text out (of column {longest}, counted "
            f"from 0): {way_out(remedy, read)}"
        )

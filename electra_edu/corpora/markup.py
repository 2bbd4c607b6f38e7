"""Detect text that is markup, a table or code, and refuse it: a network would learn its syntax instead of words."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from electra_edu.support.errors import CorpusError

SAMPLE = 300_000  # characters examined in each of three places of a long text
# Characters; of a longer line only the two ends are examined, which keeps the patterns fast.
LONG_LINE = 1000
# Inline markup is refused from this many matches per 1000 words on. A match is about four tokens, so these are a tenth
# of all tokens.
MAX_MATCHES_PER_1000_WORDS = 25
# A short text that is about markup may have a few matches.
MIN_MATCHES = 10
# Share of the characters that are digits and ASCII punctuation. Prose has 3 to 15 %, notes that are mostly tables have
# up to 32 %.
MAX_PUNCTUATION_SHARE = 0.4
SAME_COLUMNS = 0.95  # minimum share of a table's rows that have the same number of columns
MIN_TABLE_ROWS = 5  # fewer lines may have the same number of commas by chance
_TAG = r"</?[a-zA-Z][\w:.-]*(?:\s[^<>]*)?/?>"
TAGS = re.compile(rf"(?s)<(script|style)\b.*?</\1>|<!--.*?-->|<[!?][^>]*>|{_TAG}")


@dataclass(frozen=True)
class Markup:
    """A kind of text that is not prose, detected by any of three patterns."""

    name: str
    remedy: str  # how to extract the prose; {source} stands for Python code for the text
    suffixes: tuple[str, ...] = ()  # in a file with such a suffix a single match is enough
    head: str | None = None  # matches the beginning of such a text
    line: str | None = None  # matches a whole line of it
    share: float = 0.5  # the share of matching lines from which on the text is refused
    inline: str | None = None  # matches anywhere; the limit is MAX_MATCHES_PER_1000_WORDS


_CODE = (
    r"(?:def|class|import|from|return|raise|yield|assert|elif|except|async|await|public|private|static|void|int|const|let"
    r"|var|function|fn|use|package|struct|impl|#include|#define|#if|#endif)\b.*[\w)}\]\"';:,({]$"
    r"|(?:if|for|while|with|try|else|elif|except|switch|case)\b.*[:{]$|@\w+|[\w.\[\]\"' ,*&]+\s(?:[-+*/|&%]?=|:=)\s.*"
    r"|.*(?:=|\w\(|\]|->|\+\+|\w\.\w).*;$|[\w-]+:\s.*;$|.*[{}]$|.*\w\(.*\)[:,;]?$|[\w.]+\(.*[(\[{,]$|[\])}]+[,;:)]*$"
    r"|[\w.-]+=\S.*|//.*|/\*.*|\*/.*"
)
_WITHOUT_LINES = "import re; text = re.sub(r'(?m)^({pattern})$', '', {{source}})"
KINDS = (
    Markup(
        "HTML or XML",
        "import html, re; text = html.unescape(re.sub(r'(?s)<(script|style)\\b.*?</\\1>|<!--.*?-->|<[^>]*>', '\\n', "
        "{source}))",
        (".html", ".htm", ".xhtml", ".xml", ".svg"),
        head=r"<!doctype\s|<\?xml\s",
        line=rf"{_TAG}.*|.*</[a-zA-Z][\w:.-]*>$",
        share=0.2,
        # Closing and self-closing tags; an opening tag alone may be a placeholder such as <name>.
        inline=r"</[a-zA-Z][\w:.-]*\s*>|<[a-zA-Z][^<>]*/>|<(?:br|p|hr|img|li|td)\b[^<>]*>|&(?:amp|lt|gt|quot|nbsp|#\d+);",
    ),
    Markup(
        "LaTeX",
        "convert it: pandoc paper.tex -t plain -o paper.txt",
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
        "import re; text = re.sub(r'(?m)^\\W*\\d[\\d/.:, TZ-]*([AP]M)?\\W*', '', {source})",
        (".log",),
        line=r"\W?\d{1,4}[-./]\d{1,2}[-./]\d{1,4},?[T ]\d{1,2}:\d\d.*",
    ),
    Markup(
        "a table in Markdown",
        "text = '\\n\\n'.join(max(line.split('|'), key=len).strip() for line in {source}.splitlines() if '|' in line "
        "and '--' not in line)",
        line=r"\|.*\|",
    ),
    Markup(
        "wiki markup",
        "convert it: pandoc page.wiki -f mediawiki -t plain -o page.txt",
        (".wiki", ".mediawiki"),
        inline=r"\[\[|\{\{",
    ),
    Markup(
        "messages for translation",
        "import re; text = '\\n\\n'.join(re.findall(r'(?m)^msgid \"(.+)\"$', {source}))",
        (".po", ".pot"),
        line=r"msg(?:id|str|ctxt)\b.*",
        share=0.2,
    ),
    Markup(
        "YAML",
        "read it with yaml.safe_load and join its strings of prose with empty lines",
        (".yaml", ".yml"),
        line=r"(?:- )+[a-z_][\w-]*:(?:\s.*)?|[\w-]+:\s*[|>][+-]?",
        share=0.2,
    ),
    Markup(
        "SQL",
        "select the column of text and save it, one text per line",
        (".sql",),
        line=r"(?i:insert into|\(\d+,).*",
        share=0.2,
    ),
    Markup(
        "BibTeX", "import re; text = '\\n\\n'.join(re.findall(r'(?s)abstract\\s*=\\s*[{\"](.+?)[}\"],?\\n', {source}))",
        (".bib",), line=r"@\w+\{.*|\w+\s*=\s*[{\"].*", share=0.5,
    ),
    Markup(
        "JSON with an error in it, or the data of a program",
        "correct it, or read it with the program that wrote it, and join its strings of prose with empty lines",
        head=r'[\[\s]*\{\s*"[^"\n]*"\s*:',
        line=r'"[^"]*"\s*:.*|[\]\[{}]+,?',
        share=0.3,
        inline=r'"\s*:\s*["\[{\d-]',
    ),
    Markup(
        "the source code of a program",
        "keep its comments, or, of Python, the docstrings: import ast; text = '\\n\\n'.join("
        "ast.get_docstring(node) or '' for node in ast.walk(ast.parse({source})) "
        "if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))",
        line=_CODE,
    ),
)  # fmt: skip


def check_prose(text: str, name: str, *, suffix: str = "", source: str = "text") -> None:
    """Raise CorpusError for a text that is markup, a table or code, with a way to extract its prose.

    The content decides; if the file's `suffix` names the kind of markup, a single match is enough. `source` is Python
    code for the text, to be shown in the message.
    """
    sample = _sample(text)
    lines = [line for line in map(str.strip, sample.split("\n")) if line]
    ends = [line if len(line) <= LONG_LINE else line[: LONG_LINE // 2] + line[-LONG_LINE // 2 :] for line in lines]
    for kind in KINDS:
        if kind.head and re.match(rf"\s*(?:{kind.head})", sample, re.IGNORECASE):
            raise _refusal(kind, f'it begins with "{sample.split(maxsplit=1)[0][:20]}"', name, source)
    _check_table(lines, name, suffix, source)
    for kind in KINDS:
        if reason := _excess(kind, sample, ends, suffix):
            raise _refusal(kind, reason, name, source)
    if (share := punctuation_share(sample)) > MAX_PUNCTUATION_SHARE:
        raise CorpusError(
            f"{name}: {share:.0%} of its characters are digits and punctuation (in prose: 3 to 15%), so this is data, "
            "a table or code. Keep its sentences and remove the rest."
        )


def remedy_code(remedy: str, source: str) -> str:
    """Return a remedy as an error message shows it, with `source` for {source} and the import that this needs."""
    imports = "text = " if source == "text" else "import pathlib; text = "
    return remedy.replace("text = ", imports, 1).replace("{source}", source)


def punctuation_share(text: str) -> float:
    """Return the share of the characters, white space excluded, that are digits or ASCII punctuation.

    Other punctuation does not count, since some scripts put a mark after each syllable.
    """
    counts = Counter("".join(text.split()))
    n = sum(count for sign, count in counts.items() if sign.isdecimal() or (sign.isascii() and not sign.isalpha()))
    return n / max(1, counts.total())


def _sample(text: str) -> str:
    """Return the text, or of a long one its beginning, its middle and its end."""
    if len(text) <= 3 * SAMPLE:
        return text
    starts = (0, (len(text) - SAMPLE) // 2, len(text) - SAMPLE)
    return "\n".join(text[start : start + SAMPLE] for start in starts)


def _refusal(kind: Markup, reason: str, name: str, source: str) -> CorpusError:
    return CorpusError(
        f"{name}: is {kind.name}, not prose: {reason}. A network would learn its syntax instead of words. To extract "
        f"the text: {remedy_code(kind.remedy, source)}"
    )


def _excess(kind: Markup, text: str, lines: Sequence[str], suffix: str) -> str:
    """Return how much of the text is markup of this kind, in words, if it is too much; otherwise an empty string."""
    has_suffix = suffix.lower() in kind.suffixes
    if kind.line:
        matching = re.compile(kind.line).fullmatch
        share = sum(matching(line) is not None for line in lines) / max(1, len(lines))
        if share >= kind.share or (has_suffix and share > 0):
            return f"{share:.0%} of its lines"
    if kind.inline:
        n_matches, n_words = sum(1 for _ in re.finditer(kind.inline, text)), len(text.split())
        is_frequent = n_matches * 1000 >= MAX_MATCHES_PER_1000_WORDS * n_words
        if (n_matches >= MIN_MATCHES and is_frequent) or (has_suffix and n_matches > 0):
            return f"{n_matches:,} matches in {n_words:,} words"
    return ""


def _check_table(lines: Sequence[str], name: str, suffix: str, source: str) -> None:
    """Raise CorpusError if nearly all lines have the same number of columns, with code that extracts one of them."""
    for separator in "\t,;":
        try:
            rows = [row for row in csv.reader(lines, delimiter=separator) if row]
        except csv.Error:  # a field of more than 128 KB, so this is not a table
            continue
        n_columns, n_rows = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        few = len(rows) < MIN_TABLE_ROWS and suffix.lower() not in (".csv", ".tsv")
        if n_columns < 2 or few or n_rows < SAME_COLUMNS * len(rows):
            continue
        full = [row for row in rows if len(row) == n_columns]
        if sum(sum(map(bool, row)) > 1 for row in full) < len(full) / 2:
            continue  # the separator only ends each line
        later = [cell for row in full for cell in row[1:] if cell]
        if separator != "\t" and sum(cell.startswith(" ") for cell in later) > 0.2 * len(later):
            continue  # these are the commas of sentences, which a blank follows
        longest = max(range(n_columns), key=lambda column: sum(len(row[column]) for row in islice(full, 1000)))
        remedy = (
            f"import csv; text = '\\n\\n'.join(row[{longest}] for row in csv.reader({{source}}.splitlines(True), "
            f"delimiter={separator!r}) if len(row) > {longest})"
        )
        raise CorpusError(
            f"{name}: is a table of {n_columns} columns, not prose. To extract the text (of column {longest}, counted "
            f"from 0): {remedy_code(remedy, source)}"
        )

"""A corpus from your own text, a file or a string, with clear errors for whatever is not usable text."""

import codecs
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from electra_edu.corpora.build import Document, build_corpus
from electra_edu.corpora.corpus import Corpus
from electra_edu.corpora.json_text import extract_text
from electra_edu.corpora.markup import check_prose
from electra_edu.corpora.normalization import compose
from electra_edu.support.errors import CorpusError, CorpusFileError

LARGEST_FILE = 200_000_000  # bytes; more would take minutes and many gigabytes of memory
# Characters; a longer paragraph is split between words, and its pieces count as paragraphs.
LONGEST_PARAGRAPH = 2_000

_SAVE_AS_UTF8 = 'Save it again as UTF-8 (in an editor: "Save as", encoding UTF-8).'
# Those of UTF-32 come first, because one of them begins like that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_DOCUMENT_FORMATS = (
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"PK\x03\x04", "a zip archive, as .docx, .odt and .epub are"),
)


def load_file(path: str | os.PathLike[str], *, vocab_size: int, max_seq_length: int) -> Corpus:
    """Return the corpus of one UTF-8 text file. Raises CorpusFileError when it cannot be read as text."""
    path = Path(path)
    sizes = {"vocab_size": vocab_size, "max_seq_length": max_seq_length}
    return load_text(read_text(path), name=path.name, path=path, **sizes)


def load_text(
    text: str, *, name: str = "text", path: Path | None = None, vocab_size: int, max_seq_length: int
) -> Corpus:
    """Return the corpus of a string; if `path` is given, the string is its content.

    Paragraphs end at empty lines, or at the end of every line in a text without empty lines. Notebooks contribute their
    Markdown, and JSON its field "text". Raises CorpusError for too little text, and for markup, tables and code.
    """
    if not isinstance(text, str):
        raise CorpusError(f"text: must be a string, not {type(text).__name__}.")
    if not text.strip():
        what = "holds only white space" if text else "is empty"
        raise CorpusError(f"{name}: the text {what}. Give a text of a few thousand words.")
    if len(text) > LARGEST_FILE:
        raise CorpusError(
            f"{name}: the text has {len(text):,} characters, and {LARGEST_FILE:,} is the limit. Shorten it."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"{name}: character {error.start} is half of a surrogate pair ({text[error.start]!r}), which is not text. "
            'Drop such characters: text.encode(errors="ignore").decode().'
        ) from error
    source = f"pathlib.Path({str(path)!r}).read_text('utf-8-sig')" if path else "text"
    text = extract_text(text, name, source=source)
    check_prose(text, name, suffix=path.suffix if path else "", source=source)
    documents = [Document("", [*paragraphs(compose(text))])]
    return build_corpus(name, documents, vocab_size=vocab_size, max_seq_length=max_seq_length)


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a text, each on one line; long ones are split, into shorter pieces in a short text."""
    longest = min(LONGEST_PARAGRAPH, max(50, len(text) // 40))
    # The second alternative splits a word that is longer than a whole piece.
    pieces = re.compile(rf"\S.{{0,{longest - 1}}}(?=\s|$)|\S{{{longest}}}")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    blocks = re.split(r"\n\s*\n", text)
    for paragraph in blocks if len(blocks) > 1 else text.split("\n"):
        yield from pieces.findall(" ".join(paragraph.split()))


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, without its byte-order mark.

    Raises CorpusFileError for a folder, a pipe or device, an empty file, a file above LARGEST_FILE (before reading it),
    a file that is not UTF-8 (naming the offending byte), and any error of the operating system.
    """
    try:
        status = path.stat()
        _check_kind(path, status)
        data = path.read_bytes()
    except CorpusFileError:
        raise
    except OSError as error:
        raise CorpusFileError(
            f"{path}: cannot be read: {error.strerror}. Check the path and its permissions."
        ) from error
    return _decode(path, data)


def _check_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise CorpusFileError(f"{path}: is a folder. Give one file; join several into one first.")
    if not stat.S_ISREG(status.st_mode):
        raise CorpusFileError(f"{path}: is a pipe or a device, not a file. Write its content to a file first.")
    if status.st_size > LARGEST_FILE:
        raise CorpusFileError(
            f"{path}: has {status.st_size:,} bytes, and {LARGEST_FILE:,} is the limit. Take a part of it, for example "
            f"its first lines: head -n 500000 {quote(path.name)} > part.txt"
        )


def _decode(path: Path, data: bytes) -> str:
    if not data:
        raise CorpusFileError(f"{path}: is empty. Give a file with a few thousand words.")
    for signature, what in _DOCUMENT_FORMATS:
        if data.startswith(signature):
            raise CorpusFileError(f"{path}: is {what}, not a text file. Export it as plain text (UTF-8).")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise CorpusFileError(f"{path}: is {encoding}, not UTF-8. {_SAVE_AS_UTF8}")
    zero = data.find(0)
    if zero >= 0:
        if _every_other_is_zero(data[:1000]):
            raise CorpusFileError(f"{path}: looks like UTF-16 without a byte-order mark, not UTF-8. {_SAVE_AS_UTF8}")
        raise CorpusFileError(
            f"{path}: byte {zero} is zero, so this is a binary file, not text. Export the text as plain text (UTF-8)."
        )
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise CorpusFileError(
            f"{path}: byte {error.start} (0x{data[error.start]:02x}) is not UTF-8. {_SAVE_AS_UTF8}"
        ) from error


def _every_other_is_zero(data: bytes) -> bool:
    """Whether nearly every other byte is zero, as in European text that is stored as UTF-16."""
    fewer, more = sorted(part.count(0) / len(part) for part in (data[::2], data[1::2] or b"x"))
    return fewer < 0.05 and more > 0.5

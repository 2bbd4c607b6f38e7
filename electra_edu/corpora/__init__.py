"""Turn text into token ids: a generated mini-English, the documentation on this computer, or your own text."""

import os
from dataclasses import replace

from electra_edu.corpora.corpus import IGNORE, SPECIAL_TOKENS, Corpus, CorpusSource, Labels
from electra_edu.corpora.docs import load_docs
from electra_edu.corpora.encoding import encode_typed
from electra_edu.corpora.hub import load_hub
from electra_edu.corpora.text_files import load_file, load_text
from electra_edu.support.errors import CorpusError, CorpusFileError, nearest

__all__ = ["IGNORE", "SPECIAL_TOKENS", "Corpus", "CorpusSource", "Labels", "encode_typed", "load_corpus"]

NAMES = ("toy", "docs", "docs+")
# The defaults of `load_corpus`.
VOCAB_SIZE = 1024
MAX_SEQ_LENGTH = 64


def load_corpus(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    text: str | None = None,
    vocab_size: int | None = None,
    max_seq_length: int | None = None,
) -> Corpus:
    """Load a corpus by name, from a text file or from a string.

    - "toy" (the default): a generated mini-English of short stories, with labels for probes.
    - "docs": Python's language reference and the docstrings of its standard library. "docs+" adds the docstrings of
      the installed libraries. Both are prose from the source files on this computer, labelled by module.
    - a path: one UTF-8 text file of your own ("./docs" for a file of that name). `text`: the text itself. Notebooks
      contribute their Markdown, JSON and JSON lines the field "text"; other markup, tables and code are refused.
    - "hf:owner/name" or "hf:owner/name:configuration": a data set of the Hugging Face hub; needs the extra `hub`.

    All but "toy" get a lower-case WordPiece vocabulary of `vocab_size` tokens (default 1024; fewer if the text has too
    few pieces) and sequences of `max_seq_length` tokens (default 64). About 5 % of the text is held out, and a
    paragraph that occurs twice is used once.

    Text of any language is preserved, lower-cased and in composed characters. In scripts without spaces between words
    an ideograph is a word, and runs of Thai, Lao, Khmer, Burmese or kana are split into the most frequent pieces. To
    have words there, separate them with spaces first, with a word segmenter.

    Raises CorpusError, or CorpusFileError for a file, saying what is wrong and what to do.
    """
    if name_or_path is not None and text is not None:
        raise CorpusError("name_or_path and text: give one of the two, the text itself or its name or path.")
    if text is None and (name_or_path is None or (isinstance(name_or_path, str) and name_or_path == "toy")):
        return replace(_toy(vocab_size, max_seq_length), source=CorpusSource("name", "toy"))
    vocab_size = _size("vocab_size", vocab_size, VOCAB_SIZE, 6, 100_000)
    max_seq_length = _size("max_seq_length", max_seq_length, MAX_SEQ_LENGTH, 8, 4096)
    if text is not None:
        corpus = load_text(text, vocab_size=vocab_size, max_seq_length=max_seq_length)
        source = CorpusSource("text", "", vocab_size, max_seq_length, len(text))
    elif isinstance(name_or_path, str) and name_or_path in NAMES:
        corpus = load_docs(name_or_path, vocab_size=vocab_size, max_seq_length=max_seq_length)
        source = CorpusSource("name", name_or_path, vocab_size, max_seq_length)
    elif isinstance(name_or_path, str) and name_or_path.startswith("hf:"):
        corpus = load_hub(name_or_path.removeprefix("hf:"), vocab_size=vocab_size, max_seq_length=max_seq_length)
        source = CorpusSource("name", name_or_path, vocab_size, max_seq_length)
    else:
        path = _existing(name_or_path)
        corpus = load_file(path, vocab_size=vocab_size, max_seq_length=max_seq_length)
        source = CorpusSource("file", os.path.abspath(path), vocab_size, max_seq_length)  # noqa: PTH100
    return replace(corpus, source=source)


def _toy(vocab_size: int | None, max_seq_length: int | None) -> Corpus:
    for field, value in (("vocab_size", vocab_size), ("max_seq_length", max_seq_length)):
        if value is not None:
            raise CorpusError(f"{field}={value!r}: the toy corpus has a fixed {field}; leave it out.")
    from electra_edu.corpora.toy import make_toy_corpus

    return make_toy_corpus()


def _size(field: str, value: int | None, default: int, least: int, most: int) -> int:
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise CorpusError(f"{field}={value!r}: must be a whole number from {least} to {most:,}, or None for {default}.")
    return value


def _existing(path: object) -> str:
    """Return the path of something that exists; otherwise raise CorpusFileError with the names that would work."""
    if not isinstance(path, (str, os.PathLike)):
        raise CorpusError(f"name_or_path: must be a corpus name or the path of one file, not {type(path).__name__}.")
    # Unlike Path.expanduser, os.path.expanduser never raises.
    found = os.path.expanduser(os.fspath(path))  # noqa: PTH111
    try:
        os.stat(found)  # noqa: PTH116
    except PermissionError as error:
        raise CorpusFileError(
            f"{found}: cannot be accessed, because a folder in its path is closed to you. Have it opened, or copy the "
            "file to a folder of your own."
        ) from error
    # The argument may even be a whole text that somebody passed as the path.
    except (OSError, ValueError):
        shown = found if len(found) <= 80 else f"{found[:80]}…"
        raise CorpusFileError(
            f"{shown!r} is not a file here, nor the name of a corpus ({', '.join(map(repr, NAMES))}, 'hf:owner/name')."
            f"{nearest(found, NAMES)} To use a string as the text: load_corpus(text=…)."
        ) from None
    return found

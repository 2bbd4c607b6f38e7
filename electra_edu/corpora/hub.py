"""Text from the Hugging Face hub as a corpus; needs the optional package `datasets` and a network."""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

from electra_edu.corpora.corpus import Corpus
from electra_edu.corpora.text_files import load_text
from electra_edu.support.errors import CorpusError

# The limit on what is read from a data set; rows are streamed, so that no more than this is downloaded.
MAX_CHARACTERS = 50_000_000


def load_hub(dataset: str, *, vocab_size: int, max_seq_length: int) -> Corpus:
    """Return the corpus of a data set's training split; `dataset` is "owner/name" or "owner/name:configuration".

    The text is the column "text", or else the first column of strings. Of a large data set only the beginning is read.
    Raises CorpusError if the package, the network, the data set or such a column is missing.
    """
    name, _, configuration = dataset.partition(":")
    source = repr(name) + (f", {configuration!r}" if configuration else "")
    elsewhere = (
        "On a computer that has both, open('text.txt', 'w', encoding='utf-8').write('\\n\\n'.join("
        f"datasets.load_dataset({source}, split='train')['text'])) makes a file of it; copy that here and call "
        "load_corpus('text.txt')."
    )
    try:
        datasets = import_module("datasets")
    except ImportError as error:
        raise CorpusError(
            f"hf:{dataset}: needs the package datasets (pip install 'electra_edu[hub]'). {elsewhere}"
        ) from error
    try:
        rows = datasets.load_dataset(name, configuration or None, split="train", streaming=True)
        text = "\n\n".join(_texts(rows))
    # The network, the hub and the data set's own format each raise errors of their own.
    except Exception as error:
        raise CorpusError(f"hf:{dataset}: cannot be loaded: {type(error).__name__}: {error}. {elsewhere}") from error
    return load_text(text, name=f"hf:{dataset}", vocab_size=vocab_size, max_seq_length=max_seq_length)


def _texts(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the text of each row until MAX_CHARACTERS have been read."""
    column: str | None = None
    total = 0
    for row in rows:
        column = column or _text_column(row)
        yield row[column] or ""
        total += len(row[column] or "")
        if total >= MAX_CHARACTERS:
            return


def _text_column(row: Mapping[str, Any]) -> str:
    strings = [name for name, value in row.items() if isinstance(value, str)]
    if not strings:
        raise CorpusError(f"no column holds text; the columns are {', '.join(row)}")
    return "text" if "text" in strings else strings[0]

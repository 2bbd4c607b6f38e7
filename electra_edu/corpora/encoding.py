"""Encode text into token ids, and find the characters that each token came from.

Special tokens in the text count as plain text throughout: a text that mentions "[MASK]" holds six characters there.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from electra_edu.corpora.normalization import compose
from electra_edu.support import arguments

BATCH = 2048  # paragraphs encoded at a time, which bounds the memory for long texts


def encode_typed(tokenizer: Tokenizer, text: str) -> Encoding:
    """Encode text that somebody typed, without [CLS] and [SEP]; special tokens in it count as plain text.

    Raises ElectraEduError if `text` is not a string, or holds half of a surrogate pair.
    """
    text = arguments.text("text", text)
    special = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
    if any(name.casefold() in text.casefold() for name in special):
        tokenizer = _without_special_tokens(tokenizer)
    return tokenizer.encode(text, add_special_tokens=False)


def encode_paragraphs(tokenizer: Tokenizer, paragraphs: Iterable[str]) -> Iterator[tuple[str, Encoding]]:
    """Yield each paragraph with its encoding, without [CLS] and [SEP]; special tokens in it count as plain text."""
    plain = _without_special_tokens(tokenizer)
    rest = iter(paragraphs)
    while batch := list(islice(rest, BATCH)):
        yield from zip(batch, plain.encode_batch(batch, add_special_tokens=False), strict=True)


def encode(
    tokenizer: Tokenizer,
    paragraphs: Iterable[str],
    on_encoding: Callable[[str, Encoding], None] = lambda *_: None,
) -> npt.NDArray[np.int64]:
    """Return the token ids of all paragraphs, concatenated (n_tokens,), without special tokens.

    `on_encoding` is called with each paragraph and its encoding.
    """

    def ids() -> Iterator[list[int]]:
        for paragraph, encoding in encode_paragraphs(tokenizer, paragraphs):
            on_encoding(paragraph, encoding)
            yield encoding.ids

    return concatenate(ids())


def concatenate(parts: Iterable[Iterable[int]]) -> npt.NDArray[np.int64]:
    """Return the integers of all parts as one array; it is empty if there are none."""
    arrays = [np.fromiter(part, dtype=np.int64) for part in parts]
    return np.concatenate([np.zeros(0, dtype=np.int64), *arrays])


def character_spans(text: str, encoding: Encoding) -> list[tuple[int, int]]:
    """Return the characters that each token of an encoded text came from: (start, end), for `text[start:end]`.

    The tokenizer's own offsets end before a combining mark that follows its letter and was composed with it or dropped.
    """
    starts = [start for start, _ in encoding.offsets]
    return [
        (start, _end_of_word(text, end, following))
        for (start, end), following in zip(encoding.offsets, [*starts[1:], len(text)], strict=False)
    ]


def _end_of_word(text: str, end: int, following: int) -> int:
    while end < following and compose(text[end]).strip():
        end += 1
    return end


def _without_special_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """Return a copy that reads special tokens as plain text; a copy, since others may be using `tokenizer`."""
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.encode_special_tokens = True
    return plain

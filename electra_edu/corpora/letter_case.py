"""How the words of a text were written: the vocabularies trained here are lower-case, and labels keep the case."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from electra_edu.corpora.corpus import IGNORE
from electra_edu.corpora.encoding import character_spans, concatenate, encode_paragraphs

LETTER_CASES = ("lower", "Capitalised", "UPPER")


def letter_cases(tokenizer: Tokenizer, paragraphs: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the case of the word of each token that `encode` gives: indices into LETTER_CASES, int64 (n_tokens,).

    The first piece of a word carries the label. The other pieces are -100, and so are words without letters or with
    another mixture of cases ("mixedCase").
    """
    cases = (_cases_of_tokens(paragraph, encoding) for paragraph, encoding in encode_paragraphs(tokenizer, paragraphs))
    return concatenate(cases)


def _cases_of_tokens(paragraph: str, encoding: Encoding) -> Iterator[int]:
    tokens = zip(encoding.word_ids, character_spans(paragraph, encoding), strict=True)
    for _, pieces in groupby(tokens, key=itemgetter(0)):
        spans = [span for _, span in pieces]
        yield _case_of_word(paragraph[spans[0][0] : spans[-1][1]])
        yield from [IGNORE] * (len(spans) - 1)


def _case_of_word(word: str) -> int:
    if word.islower():
        return LETTER_CASES.index("lower")
    # "I" counts as capitalised too: its first letter is written as in other capitalised words.
    if word[:1].isupper() and not any(map(str.isupper, word[1:])):
        return LETTER_CASES.index("Capitalised")
    return LETTER_CASES.index("UPPER") if word.isupper() else IGNORE

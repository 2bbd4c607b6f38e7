"""Words that a vocabulary does not have, and their nearest neighbours in it."""

from difflib import get_close_matches
from itertools import groupby
from operator import itemgetter

from tokenizers import Encoding, Tokenizer

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.corpora.encoding import encode_typed
from electra_edu.corpora.normalization import composed
from electra_edu.support.errors import CorpusError

CONTINUATION = "##"  # marks the inner pieces of a WordPiece vocabulary


def typed_spans(text: str, encoding: Encoding) -> list[tuple[int, int]]:
    """Return where each token of an encoded text was typed: (start, end) in characters, for `text[start:end]`.

    The tokenizer's own offsets end before a mark that was typed after its letter and composed with it, or dropped.
    """
    starts = [start for start, _ in encoding.offsets]
    return [
        (start, _end_of_word(text, end, following))
        for (start, end), following in zip(encoding.offsets, [*starts[1:], len(text)], strict=False)
    ]


def unknown_words(tokenizer: Tokenizer, text: str) -> list[str]:
    """Return the words of a text of which the tokenizer loses something, as they are written there, each once.

    They are the words that become [UNK], and those that a vocabulary from elsewhere reads only in part, such as "café"
    as "cafe" where it strips accents. Capitals do not count.
    """
    encoding = encode_typed(tokenizer, text)
    tokens = zip(encoding.word_ids, typed_spans(text, encoding), encoding.ids, strict=True)
    words: list[str] = []
    done = 0  # characters that the words so far cover
    for _, group in groupby(tokens, key=itemgetter(0)):
        _, spans, ids = zip(*group, strict=True)
        start, end = spans[0][0], spans[-1][1]
        words += _words(text[done:start])  # nothing is left of these
        if _spelling(tokenizer.decode([*ids], skip_special_tokens=False)) != _spelling(text[start:end]):
            words.append(text[start:end])
        done = max(done, end)
    return [*dict.fromkeys([*words, *_words(text[done:])])]


def _end_of_word(text: str, end: int, following: int) -> int:
    while end < following and _words(text[end]):
        end += 1
    return end


def _words(text: str) -> list[str]:
    return composed(text).split()


def _spelling(text: str) -> str:
    """Return what two spellings of one word have in common: its composed characters, lower-cased, without blanks."""
    return "".join(composed(text.lower()).split())


def nearest_words(tokenizer: Tokenizer, word: str, n: int = 3) -> list[str]:
    """Return up to `n` words of the vocabulary that are spelled most like `word`, the nearest first."""
    if n < 1:
        raise CorpusError(f"n={n}: must be a whole number of at least 1.")
    known = [known for known in tokenizer.get_vocab() if not known.startswith(CONTINUATION)]
    candidates = sorted(set(known).difference(SPECIAL_TOKENS))  # sorted: ties are then broken alike everywhere
    return get_close_matches(composed(word.lower()), candidates, n=n, cutoff=0.5)

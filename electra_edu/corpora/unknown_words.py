"""Words that a vocabulary cannot represent, and the most similar words that it has."""

from difflib import get_close_matches
from itertools import groupby
from operator import itemgetter

from tokenizers import Tokenizer

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.corpora.encoding import character_spans, encode_typed
from electra_edu.corpora.normalization import compose
from electra_edu.support.errors import CorpusError

CONTINUATION = "##"  # begins the pieces of a WordPiece vocabulary that continue a word


def unknown_words(tokenizer: Tokenizer, text: str) -> list[str]:
    """Return the words of a text that the tokenizer cannot represent in full, as they are written there, each once.

    They are the words that become [UNK], and those that a vocabulary from elsewhere reads only in part, such as "café"
    as "cafe" where it strips accents. Letter case is ignored.
    """
    encoding = encode_typed(tokenizer, text)
    tokens = zip(encoding.word_ids, character_spans(text, encoding), encoding.ids, strict=True)
    words: list[str] = []
    n_covered = 0  # characters that the tokens so far come from
    for _, group in groupby(tokens, key=itemgetter(0)):
        _, spans, ids = zip(*group, strict=True)
        start, end = spans[0][0], spans[-1][1]
        # No token comes from these characters: the tokenizer drops them.
        words += compose(text[n_covered:start]).split()
        if _spelling(tokenizer.decode([*ids], skip_special_tokens=False)) != _spelling(text[start:end]):
            words.append(text[start:end])
        n_covered = max(n_covered, end)
    return [*dict.fromkeys([*words, *compose(text[n_covered:]).split()])]


def nearest_words(tokenizer: Tokenizer, word: str, n: int = 3) -> list[str]:
    """Return up to `n` words of the vocabulary whose spelling is most similar to `word`, the most similar first."""
    if n < 1:
        raise CorpusError(f"n={n}: must be a whole number of at least 1.")
    known = [known for known in tokenizer.get_vocab() if not known.startswith(CONTINUATION)]
    # Sorted, so that ties are broken alike everywhere.
    candidates = sorted(set(known).difference(SPECIAL_TOKENS))
    return get_close_matches(compose(word.lower()), candidates, n=n, cutoff=0.5)


def _spelling(text: str) -> str:
    """Return a form that is equal for all spellings of a word: lower case, composed characters, no white space."""
    return "".join(compose(text.lower()).split())

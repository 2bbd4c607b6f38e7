"""Words that a vocabulary does not have, and their nearest neighbours in it."""

from difflib import get_close_matches

from tokenizers import Tokenizer

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.errors import CorpusError

CONTINUATION = "##"  # marks the inner pieces of a WordPiece vocabulary


def unknown_words(tokenizer: Tokenizer, text: str) -> list[str]:
    """Return the words of a text that become [UNK], as they are written there, each once."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    spans = [span for token, span in zip(encoding.tokens, encoding.offsets, strict=True) if token == "[UNK]"]
    words = [text[start:end] for start, end in spans]
    return [word for word in dict.fromkeys(words) if word != "[UNK]"]


def nearest_words(tokenizer: Tokenizer, word: str, n: int = 3) -> list[str]:
    """Return up to `n` words of the vocabulary that are spelled most like `word`, the nearest first."""
    if n < 1:
        raise CorpusError(f"n={n}: must be a whole number of at least 1.")
    known = [known for known in tokenizer.get_vocab() if not known.startswith(CONTINUATION)]
    candidates = sorted(set(known).difference(SPECIAL_TOKENS))  # sorted: ties are then broken alike everywhere
    return get_close_matches(word.lower(), candidates, n=n, cutoff=0.5)

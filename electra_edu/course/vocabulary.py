"""The tokens of a corpus as a panel shows them: their text, and which of them are ordinary words."""

import torch
from torch import Tensor

from electra_edu.corpora.corpus import SPECIAL_TOKENS, Corpus


def token_names(corpus: Corpus) -> list[str]:
    """Return the text of every token, in the order of the ids."""
    return [corpus.tokenizer.id_to_token(token) or "" for token in range(corpus.vocab_size)]


def ordinary_words(corpus: Corpus) -> Tensor:
    """Return which tokens are ordinary words, that is neither special tokens nor punctuation: (V,) bool."""
    names = token_names(corpus)[len(SPECIAL_TOKENS) :]
    return torch.tensor([False] * len(SPECIAL_TOKENS) + [any(map(str.isalpha, name)) for name in names])

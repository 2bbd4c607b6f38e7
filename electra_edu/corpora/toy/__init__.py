"""A generated mini-English of two-sentence stories: learned in seconds, with exact probabilities for every word."""

from electra_edu.corpora.toy.corpus import make_toy_corpus, word_bank
from electra_edu.corpora.toy.exact import ExactLimits, exact_distribution, exact_limits
from electra_edu.corpora.toy.grammar import ToyGrammar, toy_grammar

__all__ = [
    "ExactLimits",
    "ToyGrammar",
    "exact_distribution",
    "exact_limits",
    "make_toy_corpus",
    "toy_grammar",
    "word_bank",
]

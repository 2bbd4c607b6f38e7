"""The exact probability of every word at a masked position: the output of a perfect generator."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from electra_edu.corpora.toy.grammar import ToyGrammar, toy_grammar
from electra_edu.support.errors import CorpusError


def exact_distribution(tokens: Tensor, is_masked: Tensor, grammar: ToyGrammar | None = None) -> Tensor:
    """Return P(word | all visible words) at each masked position of one story, float64 (n_masked, V).

    `tokens` (T,) are the story's ids; those where `is_masked` (T,) bool is True are ignored. Each row is marginalised
    over the words at the other masked positions. `grammar` defaults to the full toy grammar. Raises CorpusError if the
    visible words cannot occur together.
    """
    grammar = grammar or toy_grammar()
    ids, masked = _checked(tokens, is_masked, grammar)
    # (S,) and (S, T); both shrink to the templates that can produce this story.
    weights, lists = grammar.prior, grammar.lists
    for position in np.flatnonzero(~masked):
        weights = weights * grammar.words[:, ids[position]][lists[:, position]]
        possible = weights > 0
        if not possible.any():
            raise CorpusError(
                f"The toy grammar has no story with {grammar.tokens[ids[position]]!r} as token {position} after the "
                "visible tokens before it, so there is nothing to condition on. Use a story of the toy corpus, and "
                "set is_masked to True at the tokens that were changed."
            )
        weights, lists = weights[possible], lists[possible]
    probabilities = np.empty((np.count_nonzero(masked), len(grammar.tokens)))
    for row, position in enumerate(np.flatnonzero(masked)):
        list_weights = np.bincount(lists[:, position], weights, minlength=len(grammar.words))  # (R,)
        probabilities[row] = list_weights @ grammar.words
    return torch.from_numpy(probabilities / weights.sum())


@dataclass(frozen=True)
class ExactLimits:
    """The metrics of a perfect generator, as means over masked positions. No model can do better on average."""

    entropy: float  # in nats: the lowest possible MLM loss
    accuracy: float  # of the most likely word
    # Of a word sampled from the distribution: how often the sample is the original word, and so labelled original.
    sampled_accuracy: float


def exact_limits(tokens: Tensor, is_masked: Tensor, grammar: ToyGrammar | None = None) -> ExactLimits:
    """Return the metrics of a perfect generator on the stories `tokens` (B, T), masked by `is_masked` (B, T) bool.

    They are expectations under the exact distribution, so they do not depend on what the masked words really were.
    Raises CorpusError as `exact_distribution` does, and if nothing is masked.
    """
    probabilities = torch.cat([exact_distribution(*story, grammar) for story in zip(tokens, is_masked, strict=True)])
    if len(probabilities) == 0:
        raise CorpusError("is_masked is False everywhere: mask at least one position to take a mean.")
    return ExactLimits(
        entropy=float(torch.special.entr(probabilities).sum(-1).mean()),
        accuracy=float(probabilities.amax(-1).mean()),
        sampled_accuracy=float(probabilities.square().sum(-1).mean()),
    )


def _checked(tokens: Tensor, is_masked: Tensor, grammar: ToyGrammar) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    length, vocab_size = grammar.lists.shape[1], len(grammar.tokens)
    for name, tensor in (("tokens", tokens), ("is_masked", is_masked)):
        if tensor.shape != (length,):
            raise CorpusError(
                f"{name} has the shape {tuple(tensor.shape)}: must be ({length},), one story of the toy corpus."
            )
    if is_masked.dtype != torch.bool:
        raise CorpusError(f"is_masked is {is_masked.dtype}: must be torch.bool; compare it with 0, for example.")
    if tokens.dtype != torch.int64:
        raise CorpusError(f"tokens is {tokens.dtype}: must be torch.int64, the ids of one story.")
    if tokens.min() < 0 or tokens.max() >= vocab_size:
        raise CorpusError(f"tokens has ids from {tokens.min()} to {tokens.max()}: must be from 0 to {vocab_size - 1}.")
    return tokens.cpu().numpy(), is_masked.cpu().numpy()

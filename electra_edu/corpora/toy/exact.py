"""The exact probability of every word at a masked position: what a perfect generator would answer."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from electra_edu.corpora.toy.grammar import ToyGrammar, toy_grammar
from electra_edu.support.errors import CorpusError


def exact_distribution(tokens: Tensor, is_masked: Tensor, grammar: ToyGrammar | None = None) -> Tensor:
    """Return P(word | all visible words) at each masked position of one story, float64 (n_masked, V).

    `tokens` (T,) are the story's ids, of which those under `is_masked` (T,) bool are not read; each row sums over
    everything the other masked positions may be. `grammar` is the whole toy grammar if not given. Raises CorpusError
    if the visible words cannot occur together.
    """
    grammar = grammar or toy_grammar()
    ids, masked = _checked(tokens, is_masked, grammar)
    weights, lists = grammar.prior, grammar.lists  # (S,), (S, T): shrink to the templates that can tell this story
    for position in np.flatnonzero(~masked):
        weights = weights * grammar.words[:, ids[position]][lists[:, position]]
        possible = weights > 0
        if not possible.any():
            raise CorpusError(
                f"The toy grammar has no story with {grammar.tokens[ids[position]]!r} as token {position} after the "
                "visible tokens before it, so there is nothing to condition on. Use a story of the toy corpus, and "
                "mark the tokens that were changed in is_masked."
            )
        weights, lists = weights[possible], lists[possible]
    answers = np.empty((np.count_nonzero(masked), len(grammar.tokens)))
    for row, position in enumerate(np.flatnonzero(masked)):
        share = np.bincount(lists[:, position], weights, minlength=len(grammar.words))  # (R,) of each word list
        answers[row] = share @ grammar.words
    return torch.from_numpy(answers / weights.sum())


@dataclass(frozen=True)
class ExactLimits:
    """What a perfect generator reaches, as means over masked positions: no model can do better on average."""

    entropy: float  # nats: the lowest MLM loss
    accuracy: float  # of its most likely word
    sampled_accuracy: float  # of a word drawn from its distribution: so often a fake is none


def exact_limits(tokens: Tensor, is_masked: Tensor, grammar: ToyGrammar | None = None) -> ExactLimits:
    """Ask for the exact distribution at every masked position of the stories `tokens` (B, T), `is_masked` (B, T) bool.

    The means are what is expected before the hidden words are known, so they do not depend on which they were. Raises
    CorpusError as `exact_distribution` does, and if nothing is masked.
    """
    answers = torch.cat([exact_distribution(*story, grammar) for story in zip(tokens, is_masked, strict=True)])
    if len(answers) == 0:
        raise CorpusError("is_masked marks no position: mark at least one, or there is no mean to take.")
    return ExactLimits(
        entropy=float(torch.special.entr(answers).sum(-1).mean()),
        accuracy=float(answers.amax(-1).mean()),
        sampled_accuracy=float(answers.square().sum(-1).mean()),
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

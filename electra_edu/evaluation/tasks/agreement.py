"""Agreement: which stories of the toy language have one word of the wrong number ("the boats drifts")."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from electra_edu.corpora.corpus import Corpus, Labels
from electra_edu.corpora.toy import ToyGrammar, toy_grammar
from electra_edu.corpora.toy.slots import PARTS_OF_SPEECH
from electra_edu.corpora.toy.words import with_s

NAMES = ("unacceptable", "acceptable")  # label 1 is acceptable, as in CoLA
# What a word becomes in the other number. Verbs follow from their spelling.
_OTHER_NUMBER: Mapping[str, tuple[str, ...]] = {
    "this": ("these",),
    "these": ("this",),
    "that": ("those",),
    "those": ("that",),
    "he": ("they",),
    "she": ("they",),
    "it": ("they", "them"),
    "they": ("he", "she", "it"),
    "them": ("it",),
    "is": ("are",),
    "are": ("is",),
}
_CHANGED_PARTS = tuple(map(PARTS_OF_SPEECH.index, ("verb", "pronoun", "determiner")))


def disagreements(corpus: Corpus, rng: torch.Generator) -> tuple[torch.Tensor, Labels]:
    """Change one word's number in half of the toy corpus's held-out stories, drawn from `rng`.

    Returns stories (N, T), and whether each is acceptable: whether the toy grammar generates it at all. A change may
    happen to give another possible story, and some stories have no word to change; these are acceptable. A story that
    two changes lead to is used once.
    """
    grammar = toy_grammar()
    stories = corpus.heldout.numpy().copy()
    parts = corpus.heldout_labels["part_of_speech"].values.numpy()
    may_change = np.isin(parts, _CHANGED_PARTS)  # (N, T)
    others = _other_numbers(grammar.tokens)
    allowed = {row.tobytes(): _allowed(grammar, row) for row in np.unique(grammar.parts, axis=0)}
    order = torch.randperm(len(stories), generator=rng).tolist()
    draws = torch.rand(len(stories), generator=rng, dtype=torch.float64).tolist()
    for row in order[: len(order) // 2]:
        fits = allowed[parts[row].tobytes()]
        changes = [
            (position, other)
            for position in np.flatnonzero(may_change[row]).tolist()
            for other in others.get(stories[row, position], ())
            if fits[position, other]  # "them" where an object stands, "they" where a subject does
        ]
        if changes:
            position, other = changes[int(draws[row] * len(changes))]
            stories[row, position] = other
    _, first = np.unique(stories, axis=0, return_index=True)
    stories = stories[np.sort(first)]
    acceptable = torch.from_numpy(can_generate(grammar, stories).astype(np.int64))
    return torch.from_numpy(stories), Labels(acceptable, NAMES)


def can_generate(grammar: ToyGrammar, stories: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which stories (N, T) the grammar generates: (N,). One template has to allow every word of the story."""
    templates = np.full((len(stories), -(-len(grammar.lists) // 8)), 255, dtype=np.uint8)  # one bit for each
    for position, tokens in enumerate(stories.T):
        is_allowed = grammar.words[grammar.lists[:, position]] > 0  # (S, V)
        templates &= np.packbits(is_allowed, axis=0).T[tokens]
    return np.any(templates, axis=1)  # type: ignore[no-any-return]


def _allowed(grammar: ToyGrammar, parts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which tokens occur at which position (T, V) of the templates with these parts of speech (T,)."""
    lists = grammar.lists[(grammar.parts == parts).all(axis=1)]  # (templates, T)
    return np.stack([(grammar.words[np.unique(numbers)] > 0).any(axis=0) for numbers in lists.T])


def _other_numbers(tokens: tuple[str, ...]) -> dict[int, list[int]]:
    """Return, by token id, the ids of a word's forms in the other number; nouns too, as they are spelled like verbs."""
    ids = {token: number for number, token in enumerate(tokens)}
    pairs = {(word, other) for word, forms in _OTHER_NUMBER.items() for other in forms}
    spelled = {(word, with_s(word)) for word in tokens if word.isalpha()}
    pairs |= spelled | {(other, word) for word, other in spelled}
    found: dict[int, list[int]] = {}
    for word, other in sorted(pairs):
        if word in ids and other in ids:
            found.setdefault(ids[word], []).append(ids[other])
    return found

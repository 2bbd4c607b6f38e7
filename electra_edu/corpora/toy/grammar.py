"""ToyGrammar: the frames compiled into a mixture of templates, from which stories are sampled and labelled.

A template is one frame with one assignment of its hidden variables, and so a list of possible words at every position.
The probability of a story is the sum over templates of the template's prior times its words' probabilities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from electra_edu.corpora.corpus import IGNORE, SPECIAL_TOKENS, Labels
from electra_edu.corpora.toy.frames import FRAMES, Frame
from electra_edu.corpora.toy.slots import PARTS_OF_SPEECH
from electra_edu.corpora.toy.words import TOPICS, Topic

PAD, _, CLS, SEP, _ = SPECIAL_TOKENS
ANTECEDENT_NAMES = ("other noun", "antecedent")


@dataclass(frozen=True, eq=False)
class ToyGrammar:
    """S templates of T positions. Each position has one of R word lists over a vocabulary of V tokens."""

    tokens: tuple[str, ...]  # (V,) special tokens first
    topics: tuple[str, ...]  # names
    prior: NDArray[np.float64]  # (S,) probability of each template
    lists: NDArray[np.int64]  # (S, T) index of the word list at each position
    words: NDArray[np.float64]  # (R, V) probability of each token in each word list
    topic: NDArray[np.int64]  # (S,)
    is_plural: NDArray[np.bool_]  # (S,) number of the first sentence's subject
    parts: NDArray[np.int64]  # (S, T) part of speech, -100 at special tokens
    # (S, T) 1 at the pronoun's antecedent, 0 at the other nouns of the first sentence, -100 elsewhere.
    antecedents: NDArray[np.int64]

    @classmethod
    def compile(
        cls,
        topics: Sequence[Topic] = TOPICS,
        frames: Sequence[Frame] = FRAMES,
        most_words: int | None = None,
    ) -> Self:
        """Compile topics and frames into templates.

        `most_words` keeps only that many words of every list, which makes a small language for tests.
        """
        length = max(len(frame.slots) for frame in frames) + 2
        # The index of each word list, in order of first use.
        numbers: dict[tuple[str, ...], int] = {}
        prior, lists, topic, is_plural, parts, antecedents = [], [], [], [], [], []
        for frame in frames:
            frame_parts, frame_antecedents = _parts(frame, length), _antecedents(frame, length)
            for hidden, probability in frame.assignments(topics):
                row = [(CLS,), *(slot.words(hidden)[:most_words] for slot in frame.slots), (SEP,)]
                row += [(PAD,)] * (length - len(row))
                prior.append(frame.weight * probability)
                lists.append([numbers.setdefault(choices, len(numbers)) for choices in row])
                topic.append(topics.index(hidden["topic"]))
                is_plural.append(frame.is_plural(hidden))
                parts.append(frame_parts)
                antecedents.append(frame_antecedents)
        ordinary = {word for choices in numbers for word in choices} - set(SPECIAL_TOKENS)
        tokens = (*SPECIAL_TOKENS, *sorted(ordinary))
        return cls(
            tokens=tokens,
            topics=tuple(topic.name for topic in topics),
            prior=np.array(prior) / sum(prior),
            lists=np.array(lists),
            words=_probabilities(list(numbers), tokens),
            topic=np.array(topic),
            is_plural=np.array(is_plural),
            parts=np.array(parts),
            antecedents=np.array(antecedents),
        )

    def sample(self, n_stories: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw stories: token ids (n_stories, T), and the index of each story's template (n_stories,)."""
        templates = rng.choice(len(self.prior), size=n_stories, p=self.prior)
        lists = self.lists[templates]  # (n, T)
        # One sorted array holds the cumulative probabilities of all lists; those of list r lie in (r, r + 1].
        of_list, token = np.nonzero(self.words)
        cumulative = self.words.cumsum(axis=1)[of_list, token] + of_list
        found = np.searchsorted(cumulative, lists + rng.random(lists.shape), side="right")
        # Rounding may step into the next list; the last token of the own list is the limit.
        last = np.searchsorted(of_list, lists, side="right") - 1
        return token[np.minimum(found, last)], templates

    def labels(self, templates: NDArray[np.int64]) -> Mapping[str, Labels]:
        """Return the labels of stories, given their templates (n,).

        "topic" and "subject_number" label the whole story; the latter is the number of the first sentence's subject.
        "part_of_speech" labels every ordinary token. "antecedent" labels each noun of the first sentence by whether the
        second sentence's pronoun refers to it; all other tokens have no label.
        """
        return {
            "topic": Labels(torch.from_numpy(self.topic[templates]), self.topics),
            "subject_number": Labels(
                torch.from_numpy(self.is_plural[templates].astype(np.int64)), ("singular", "plural")
            ),
            "part_of_speech": Labels(torch.from_numpy(self.parts[templates]), PARTS_OF_SPEECH, "token"),
            "antecedent": Labels(torch.from_numpy(self.antecedents[templates]), ANTECEDENT_NAMES, "token"),
        }


@cache
def toy_grammar() -> ToyGrammar:
    """Return the full toy grammar; it is compiled once."""
    return ToyGrammar.compile()


def _parts(frame: Frame, length: int) -> list[int]:
    parts = [IGNORE, *(PARTS_OF_SPEECH.index(slot.part) for slot in frame.slots)]
    return parts + [IGNORE] * (length - len(parts))


def _antecedents(frame: Frame, length: int) -> list[int]:
    """Label the nouns of the first sentence: 1 for the antecedent of the second sentence's pronoun, 0 for others."""
    names = frame.text.split()
    labels = [IGNORE] * length
    # + 1 below, because [CLS] comes first.
    for position in range(names.index(".")):
        if frame.slots[position].part == "noun":
            labels[position + 1] = int(names[position] == frame.antecedent)
    return labels


def _probabilities(lists: Sequence[Sequence[str]], tokens: Sequence[str]) -> NDArray[np.float64]:
    """Return the probability of each token in each list (R, V).

    Each word is half as frequent as the one before it, so that a few words of each topic are very common:
    a model learns the topics from those first.
    """
    ids = {token: number for number, token in enumerate(tokens)}
    weights: NDArray[np.float64] = np.zeros((len(lists), len(tokens)))
    for row, words in enumerate(lists):
        for rank, word in enumerate(words):
            weights[row, ids[word]] += 0.5**rank
    weights /= weights.sum(axis=1, keepdims=True)
    return weights

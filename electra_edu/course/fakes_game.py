"""The game "Find the fakes": held-out stories in which a generator replaced some words, and the score of a round."""

import math
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.course.vocabulary import ordinary_words, token_names
from electra_edu.model.generator import sample
from electra_edu.model.masking import Masking, choose_positions, corrupt
from electra_edu.support.errors import CorpusError, ElectraEduError
from electra_edu.training import TrainingRun

MIN_FAKES, MAX_FAKES = 2, 4
# The generator often puts the true word back. Masking three words gives two fakes soon enough.
MIN_MASKED = 3
# Draws before a story is given up. An untrained generator needs one or two, a good one about ten.
MAX_DRAWS = 400
# Where only the generator can be asked: a fake is as good as the true word from this share of its probability on.
PLAUSIBLE_SHARE = 0.5
NOT_MASKED = (math.nan, math.nan)

ExactDistribution = Callable[[Tensor, Tensor], Tensor]
"""(tokens (T,), is_masked (T,) bool) → true probabilities (n_masked, V) at the masked positions.

Raises CorpusError where the visible words cannot occur together. `corpora.toy.exact_distribution` is one.
"""


@dataclass(frozen=True)
class Word:
    """One token of a story as the player and the discriminator read it, and the truth about it.

    `shown_probability` and `original_probability` are the generator's probabilities of the token that is shown and of
    the original one; NaN where the position was not masked.
    """

    text: str
    original: str
    is_word: bool  # False for punctuation, which is never replaced and cannot be accused
    replaced_probability: float  # the discriminator's
    shown_probability: float = math.nan
    original_probability: float = math.nan
    fits: bool = False  # a fake that cannot be detected: even a perfect player would take it for original

    @property
    def is_fake(self) -> bool:
        """Whether the generator put another word here. A masked word that it guessed right counts as original."""
        return self.text != self.original


@dataclass(frozen=True, eq=False)
class MaskedStory:
    """A story with some words masked, ready to be filled in by a generator at any time of its training."""

    tokens: Tensor  # (1, T) the original story
    masking: Masking  # of this one row


@dataclass(frozen=True, eq=False)
class Story:
    """A story with fakes in it, special tokens left out."""

    words: tuple[Word, ...]
    masked: MaskedStory
    step: int  # training steps that its generator had behind it

    @property
    def is_trained(self) -> bool:
        """Whether its generator had been trained at all."""
        return self.step > 0

    @property
    def fakes(self) -> frozenset[int]:
        """Indices of the replaced words."""
        return frozenset(i for i, word in enumerate(self.words) if word.is_fake)

    @property
    def accused_by_discriminator(self) -> frozenset[int]:
        """Indices of the words that the discriminator takes for replaced (probability above ½)."""
        return frozenset(i for i, word in enumerate(self.words) if word.is_word and word.replaced_probability > 0.5)


@dataclass(frozen=True)
class Outcome:
    """What came of accusing some words of a story: three sets of word indices."""

    found: frozenset[int]
    missed: frozenset[int]
    wrong: frozenset[int]  # original words that were accused

    @property
    def points(self) -> int:
        """Fakes found − words wrongly accused, so that accusing nobody scores 0."""
        return len(self.found) - len(self.wrong)


@dataclass(frozen=True, eq=False)
class Round:
    """A story that was played, and how the player and the discriminator did."""

    story: Story
    you: Outcome
    discriminator: Outcome


def play_round(story: Story, accused: Collection[int]) -> Round:
    """Score the player, who accuses these words, and the discriminator on the same story."""
    return Round(story, outcome_of(story, accused), outcome_of(story, story.accused_by_discriminator))


def outcome_of(story: Story, accused: Collection[int]) -> Outcome:
    """Compare the accused words with the fakes of a story. Indices that belong to no word are ignored."""
    fakes = story.fakes
    accused = {i for i in accused if 0 <= i < len(story.words) and story.words[i].is_word}
    return Outcome(fakes & accused, fakes - accused, frozenset(accused - fakes))


def make_story(run: TrainingRun, rng: torch.Generator, exact: ExactDistribution | None = None) -> Story:
    """Mask words of a held-out story and let the run's averaged generator fill them in: 2 to 4 become fakes.

    Draws from `rng` (on the CPU) until every fake is an ordinary word. `exact` decides which fakes cannot be detected:
    those that a player who knew the language and the generator perfectly would hold to be original (probability of a
    fake at most ½). Without it a trained generator is asked whether the fake is about as likely as the true word.
    Raises ElectraEduError where no story gets its fakes.
    """
    is_word = ordinary_words(run.corpus)
    for _ in range(MAX_DRAWS):
        masked = mask_words(run, is_word, rng)
        if masked is None:
            continue
        story = fill_in(run, masked, rng, exact)
        if len(story.fakes) >= MIN_FAKES and all(word.is_word for word in story.words if word.is_fake):
            return story
    raise ElectraEduError(
        f"No story of {run.corpus.name!r} got {MIN_FAKES} fakes in {MAX_DRAWS} tries: its stories are too short, or "
        "the generator puts nearly every true word back. Take longer stories, or start a new TrainingRun."
    )


def mask_words(run: TrainingRun, is_word: Tensor, rng: torch.Generator) -> MaskedStory | None:
    """Choose a held-out story and mask `mask_prob` of its words, three or four; None if it has fewer than eight."""
    heldout = run.corpus.heldout
    row = int(torch.randint(len(heldout), (), generator=rng))
    tokens = heldout[row : row + 1].cpu()  # (1, T)
    ordinary = is_word[tokens]  # (1, T)
    n_words = int(ordinary.sum())
    if n_words < 2 * MAX_FAKES:
        return None
    n_masked = min(MAX_FAKES, max(MIN_MASKED, round(run.config.mask_prob * n_words)))
    positions, used = choose_positions(ordinary, n_masked / n_words, rng)
    is_masked = torch.zeros_like(ordinary).scatter(-1, positions, used)
    masked = tokens.masked_fill(is_masked, run.config.mask_token_id)
    return MaskedStory(tokens, Masking(masked, is_masked, positions, used))


@torch.no_grad()
def fill_in(
    run: TrainingRun, masked: MaskedStory, rng: torch.Generator, exact: ExactDistribution | None = None
) -> Story:
    """Let the run's averaged generator fill in the masked words, and its averaged discriminator read the result."""
    masking, device = masked.masking, run.device
    is_real = (masked.tokens != run.config.pad_token_id).to(device)  # (1, T)
    logits = run.average.generator(masking.tokens.to(device), is_real, positions=masking.positions.to(device)).cpu()
    samples = sample(logits, run.config.temperature, rng)  # (1, K); drawn on the CPU, where `rng` lives
    shown = corrupt(masked.tokens, masking, samples).tokens  # (1, T): what player and discriminator read
    replaced = run.average.discriminator(shown.to(device), is_real).sigmoid()[0].tolist()

    softmax = (logits[0] / run.config.temperature).softmax(-1)  # (K, V): what the samples were drawn from
    probabilities: dict[int, tuple[float, float]] = {}  # position -> of the token shown, of the original one
    for slot, position in enumerate(masking.positions[0].tolist()):
        if masking.used[0, slot]:
            of_shown, of_original = softmax[slot, shown[0, position]], softmax[slot, masked.tokens[0, position]]
            probabilities[position] = float(of_shown), float(of_original)
    fitting = _undetectable(run, masked, shown[0], probabilities, exact)

    names, is_word = token_names(run.corpus), ordinary_words(run.corpus)
    words = tuple(
        Word(
            text=names[now],
            original=names[true],
            is_word=bool(is_word[now]),
            replaced_probability=replaced[position],
            shown_probability=probabilities.get(position, NOT_MASKED)[0],
            original_probability=probabilities.get(position, NOT_MASKED)[1],
            fits=position in fitting,
        )
        for position, (now, true) in enumerate(zip(shown[0].tolist(), masked.tokens[0].tolist(), strict=True))
        if true >= len(SPECIAL_TOKENS)
    )
    return Story(words, masked, run.step)


def _undetectable(
    run: TrainingRun,
    masked: MaskedStory,
    shown: Tensor,
    probabilities: dict[int, tuple[float, float]],
    exact: ExactDistribution | None,
) -> set[int]:
    """Return the positions of the fakes that even a perfect player would take for original."""
    fakes = {
        position: of_shown
        for position, (of_shown, _) in probabilities.items()
        if shown[position] != masked.tokens[0, position]
    }
    if exact is None:
        # The generator's opinion is worth something only once it was trained
        return {i for i in fakes if run.step and fakes[i] >= PLAUSIBLE_SHARE * probabilities[i][1]}
    rate = len(probabilities) / int(ordinary_words(run.corpus)[masked.tokens].sum())
    return {
        position
        for position, of_shown in fakes.items()
        if (1 - rate) * _language_probability(position, fakes, masked, shown, exact) >= rate * of_shown
    }


def _language_probability(
    position: int, fakes: Iterable[int], masked: MaskedStory, shown: Tensor, exact: ExactDistribution
) -> float:
    """Return the language's own probability of the fake at `position`, as a perfect player might find it.

    It is the lowest of several: given the true words that are shown, and given each other fake as well where that fake
    is possible. Two fakes may each fit the true words and yet contradict one another ("the chefs … she").
    """
    true = masked.tokens[0]
    is_fake = shown != true
    lowest = 1.0
    for other in (None, *(fake for fake in fakes if fake != position)):
        read, is_masked = true.clone(), is_fake.clone()
        if other is not None:
            read[other], is_masked[other] = shown[other], False
        with suppress(CorpusError):  # the other fake is impossible by itself and says nothing about this one
            row = exact(read, is_masked)[int(is_masked[:position].sum())]  # (V,)
            lowest = min(lowest, float(row[shown[position]]))
    return lowest

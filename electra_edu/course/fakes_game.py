"""Find the fakes: held-out stories in which a generator replaced some words, and how a hunt for them is scored."""

import math
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from electra_edu.corpora.corpus import SPECIAL_TOKENS, Corpus
from electra_edu.model.generator import sample
from electra_edu.model.masking import Masking, choose_positions, corrupt
from electra_edu.support.errors import CorpusError, ElectraEduError
from electra_edu.training import TrainingRun

LEAST_FAKES, MOST_FAKES = 2, 4
LEAST_HIDDEN = 3  # the generator often puts the true word back: hiding three words gives two fakes soon enough
MOST_TRIES = 400  # draws before a story is given up; an untrained generator needs one or two, a good one some ten
AS_WELL = 0.5  # where only the generator can be asked: share of the true word's probability that makes a fake as good
NO_CHANCE = (math.nan, math.nan)  # where no word was hidden, the generator gave none a probability

Exact = Callable[[Tensor, Tensor], Tensor]
"""(tokens (T,), is_masked (T,) bool) → true probabilities (n_masked, V) at the masked positions.

Raises CorpusError where the visible words cannot occur together; `corpora.toy.exact_distribution` is one.
"""


@dataclass(frozen=True)
class Word:
    """One token of a story as the player and the discriminator read it, and the truth about it.

    `shown_probability` and `original_probability` are the generator's for the token it drew and for the true one; NaN
    where nothing was hidden.
    """

    text: str
    original: str
    is_word: bool  # False for punctuation, which is never replaced and cannot be accused
    suspicion: float  # the discriminator's probability that it was replaced
    shown_probability: float = math.nan
    original_probability: float = math.nan
    fits: bool = False  # a fake that nobody can tell: even a perfect player would take it for original

    @property
    def is_fake(self) -> bool:
        """Whether the generator put another word here; hidden and guessed right counts as original."""
        return self.text != self.original


@dataclass(frozen=True, eq=False)
class Blanks:
    """A story with some words hidden, ready to be filled in by a generator at any time of its training."""

    tokens: Tensor  # (1, T) the true story
    masking: Masking  # of this one row


@dataclass(frozen=True, eq=False)
class Story:
    """A story with fakes in it, special tokens left out."""

    words: tuple[Word, ...]
    blanks: Blanks
    step: int  # training steps that its generator had behind it

    @property
    def is_trained(self) -> bool:
        """Whether its generator had been trained at all."""
        return self.step > 0

    @property
    def fakes(self) -> frozenset[int]:
        """Places of the replaced words."""
        return frozenset(place for place, word in enumerate(self.words) if word.is_fake)

    @property
    def accused_by_discriminator(self) -> frozenset[int]:
        """Places of the words that the discriminator takes for replaced (probability above ½)."""
        return frozenset(place for place, word in enumerate(self.words) if word.is_word and word.suspicion > 0.5)


@dataclass(frozen=True)
class Verdicts:
    """What came of accusing some words of a story: three sets of places."""

    found: frozenset[int]
    missed: frozenset[int]
    wrong: frozenset[int]  # original words that were accused

    @property
    def points(self) -> int:
        """Fakes found − words wrongly accused."""
        return points(len(self.found), len(self.wrong))


@dataclass(frozen=True, eq=False)
class Hunt:
    """A story that has been hunted, and what both hunters made of it."""

    story: Story
    you: Verdicts
    discriminator: Verdicts


def hunt(story: Story, accused: Collection[int]) -> Hunt:
    """Let the player, who accuses these places, and the discriminator hunt the fakes of a story."""
    return Hunt(story, judge(story, accused), judge(story, story.accused_by_discriminator))


def points(found: int, accused_wrongly: int) -> int:
    """Score a hunt: fakes found − words wrongly accused, so that accusing nobody scores 0."""
    return found - accused_wrongly


def judge(story: Story, accused: Collection[int]) -> Verdicts:
    """Compare the accused places with the fakes of a story; places that hold no word are ignored."""
    guilty = story.fakes
    suspects = {place for place in accused if 0 <= place < len(story.words) and story.words[place].is_word}
    return Verdicts(guilty & suspects, guilty - suspects, frozenset(suspects - guilty))


def make_story(run: TrainingRun, rng: torch.Generator, exact: Exact | None = None) -> Story:
    """Hide words of a held-out story and let the run's averaged generator fill them in: 2 to 4 truly replaced ones.

    Draws from `rng` (on the CPU) until every fake is an ordinary word. `exact` decides which fakes nobody can tell:
    those that a player who knew the language and the generator perfectly would hold to be original (probability of a
    fake at most ½). Without it a trained generator is asked whether the fake is about as likely as the true word.
    Raises ElectraEduError when no story gets its fakes.
    """
    is_word = word_table(run.corpus)
    for _ in range(MOST_TRIES):
        blanks = hide_words(run, is_word, rng)
        if blanks is None:
            continue
        story = fill_in(run, blanks, rng, exact)
        if len(story.fakes) >= LEAST_FAKES and all(word.is_word for word in story.words if word.is_fake):
            return story
    raise ElectraEduError(
        f"No story of {run.corpus.name!r} got {LEAST_FAKES} fakes in {MOST_TRIES} tries: its stories are too short, or "
        "the generator puts nearly every true word back. Take longer stories, or start a new TrainingRun."
    )


def hide_words(run: TrainingRun, is_word: Tensor, rng: torch.Generator) -> Blanks | None:
    """Choose a held-out story and hide `mask_prob` of its words, three or four; None if it has fewer than eight."""
    heldout = run.corpus.heldout
    row = int(torch.randint(len(heldout), (), generator=rng))
    tokens = heldout[row : row + 1].cpu()  # (1, T)
    ordinary = is_word[tokens]  # (1, T)
    n_words = int(ordinary.sum())
    if n_words < 2 * MOST_FAKES:
        return None
    hidden = min(MOST_FAKES, max(LEAST_HIDDEN, round(run.config.mask_prob * n_words)))
    positions, used = choose_positions(ordinary, hidden / n_words, rng)
    is_masked = torch.zeros_like(ordinary).scatter(-1, positions, used)
    masked = tokens.masked_fill(is_masked, run.config.mask_token_id)
    return Blanks(tokens, Masking(masked, is_masked, positions, used))


@torch.no_grad()
def fill_in(run: TrainingRun, blanks: Blanks, rng: torch.Generator, exact: Exact | None = None) -> Story:
    """Let the run's averaged generator fill in the blanks, and its averaged discriminator read the result."""
    masking, device = blanks.masking, run.device
    is_real = (blanks.tokens != run.config.pad_token_id).to(device)  # (1, T)
    logits = run.average.generator(masking.tokens.to(device), is_real, positions=masking.positions.to(device)).cpu()
    samples = sample(logits, run.config.temperature, rng)  # (1, K); drawn on the CPU, where `rng` lives
    shown = corrupt(blanks.tokens, masking, samples).tokens  # (1, T): what player and discriminator read
    suspicion = run.average.discriminator(shown.to(device), is_real).sigmoid()[0].tolist()

    share = (logits[0] / run.config.temperature).softmax(-1)  # (K, V): what the samples were drawn from
    chance: dict[int, tuple[float, float]] = {}
    for slot, place in enumerate(masking.positions[0].tolist()):
        if masking.used[0, slot]:
            chance[place] = float(share[slot, shown[0, place]]), float(share[slot, blanks.tokens[0, place]])
    fitting = _fitting(run, blanks, shown[0], chance, exact)

    names, is_word = token_names(run.corpus), word_table(run.corpus)
    words = tuple(
        Word(
            text=names[now],
            original=names[true],
            is_word=bool(is_word[now]),
            suspicion=suspicion[place],
            shown_probability=chance.get(place, NO_CHANCE)[0],
            original_probability=chance.get(place, NO_CHANCE)[1],
            fits=place in fitting,
        )
        for place, (now, true) in enumerate(zip(shown[0].tolist(), blanks.tokens[0].tolist(), strict=True))
        if true >= len(SPECIAL_TOKENS)
    )
    return Story(words, blanks, run.step)


def token_names(corpus: Corpus) -> list[str]:
    """List the tokens of a corpus by their ids."""
    return [corpus.tokenizer.id_to_token(token) or "" for token in range(corpus.vocab_size)]


def word_table(corpus: Corpus) -> Tensor:
    """Tell which tokens are ordinary words, (V,) bool: neither special nor punctuation."""
    ordinary = token_names(corpus)[len(SPECIAL_TOKENS) :]
    return torch.tensor([False] * len(SPECIAL_TOKENS) + [any(map(str.isalpha, name)) for name in ordinary])


def _fitting(
    run: TrainingRun, blanks: Blanks, shown: Tensor, chance: dict[int, tuple[float, float]], exact: Exact | None
) -> set[int]:
    """Return the positions of the fakes that nobody can tell."""
    fakes = {place: of_shown for place, (of_shown, _) in chance.items() if shown[place] != blanks.tokens[0, place]}
    if exact is None:  # the generator's opinion, worth something once it has one
        return {place for place in fakes if run.step and fakes[place] >= AS_WELL * chance[place][1]}
    rate = len(chance) / int(word_table(run.corpus)[blanks.tokens].sum())
    return {
        place
        for place, of_shown in fakes.items()
        if (1 - rate) * _true_probability(place, fakes, blanks, shown, exact) >= rate * of_shown
    }


def _true_probability(place: int, fakes: Iterable[int], blanks: Blanks, shown: Tensor, exact: Exact) -> float:
    """Return the language's own probability of the fake at `place`, as a perfect player might find it.

    It is the lowest among the true words that are shown, and beside each other fake that is possible there: two fakes
    may each fit the true words and yet betray one another ("the chefs … she").
    """
    true = blanks.tokens[0]
    hidden = shown != true
    lowest = 1.0
    for other in (None, *(fake for fake in fakes if fake != place)):
        read, is_masked = true.clone(), hidden.clone()
        if other is not None:
            read[other], is_masked[other] = shown[other], False
        with suppress(CorpusError):  # the other fake is impossible by itself and says nothing about this one
            row = exact(read, is_masked)[int(is_masked[:place].sum())]  # (V,)
            lowest = min(lowest, float(row[shown[place]]))
    return lowest

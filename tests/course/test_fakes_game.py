"""The game's logic: fakes are samples of the generator, and a round is scored fairly."""

import math

import pytest
import torch
from tokenizers import Tokenizer, models

from electra_edu.config import preset
from electra_edu.corpora.corpus import SPECIAL_TOKENS, Corpus
from electra_edu.corpora.toy import exact_distribution, make_toy_corpus
from electra_edu.course import fakes_game
from electra_edu.course.fakes_game import MaskedStory, Outcome, Story, Word, fill_in, make_story, mask_words, outcome_of
from electra_edu.course.vocabulary import ordinary_words
from electra_edu.evaluation.detection import detect
from electra_edu.model.masking import Masking
from electra_edu.support.errors import CorpusError, ElectraEduError
from electra_edu.training import TrainingRun


def small_run(corpus: Corpus) -> TrainingRun:
    config = preset(
        "toy",
        vocab_size=corpus.vocab_size,
        max_seq_length=corpus.max_seq_length,
        hidden_size=32,
        embedding_size=32,
        num_heads=4,
        batch_size=16,
    )
    return TrainingRun(config, corpus, device="cpu")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_toy_corpus(n_train=400, n_heldout=100)


@pytest.fixture(scope="module")
def untrained(corpus: Corpus) -> TrainingRun:
    return small_run(corpus)


@pytest.fixture(scope="module")
def trained(corpus: Corpus) -> TrainingRun:
    run = small_run(corpus)
    run.advance(30)
    return run


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tiny_corpus(stories: list[str], width: int) -> Corpus:
    names = [*SPECIAL_TOKENS, ".", *sorted({word for story in stories for word in story.split()} - {"."})]
    tokenizer = Tokenizer(models.WordLevel({name: token for token, name in enumerate(names)}, unk_token="[UNK]"))
    rows = [[2, *(names.index(word) for word in story.split()), 3] for story in stories]
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    return Corpus("tiny", tokenizer, tokens, tokens, "0" * 64)


def story_of(*words: Word) -> Story:
    nothing = torch.zeros(1, 1, dtype=torch.int64)
    return Story(words, MaskedStory(nothing, Masking(nothing, nothing.bool(), nothing, nothing.bool())), 0)


CHEF = story_of(
    Word("the", "the", True, 0.1),
    Word("moon", "chef", True, 0.9),
    Word("sings", "cooks", True, 0.3),
    Word("soup", "soup", True, 0.7),
    Word(".", ".", False, 0.8),
)


def test_points_are_fakes_found_minus_true_words_accused() -> None:
    assert Outcome(frozenset({1, 2, 3}), frozenset(), frozenset({4})).points == 2
    assert Outcome(frozenset(), frozenset(), frozenset({4, 5})).points == -2


def test_accusing_nobody_scores_zero() -> None:
    verdicts = outcome_of(CHEF, ())
    assert verdicts.points == 0
    assert verdicts.missed == {1, 2}


def test_found_missed_and_wrong_are_told_apart() -> None:
    verdicts = outcome_of(CHEF, {0, 1})
    assert (verdicts.found, verdicts.missed, verdicts.wrong, verdicts.points) == ({1}, {2}, {0}, 0)


def test_punctuation_and_indices_outside_the_story_are_ignored() -> None:
    assert outcome_of(CHEF, {1, 4, 5, -1}) == outcome_of(CHEF, {1})


def test_discriminator_accuses_words_above_one_half_and_no_punctuation() -> None:
    assert CHEF.accused_by_discriminator == {1, 3}
    assert outcome_of(CHEF, CHEF.accused_by_discriminator).points == 0


def test_ordinary_words_leaves_out_specials_and_punctuation(corpus: Corpus) -> None:
    table = ordinary_words(corpus)
    ids = {name: corpus.tokenizer.token_to_id(name) for name in ("[PAD]", "[MASK]", ".", ",", "the")}
    assert {name: bool(table[token]) for name, token in ids.items()} == {
        "[PAD]": False,
        "[MASK]": False,
        ".": False,
        ",": False,
        "the": True,
    }


@pytest.mark.parametrize("state", ["untrained", "trained"])
def test_stories_hold_two_to_four_fakes_that_are_words(state: str, request: pytest.FixtureRequest) -> None:
    run, draws = request.getfixturevalue(state), rng()
    heldout = {run.corpus.text(row) for row in run.corpus.heldout}
    for _ in range(8):
        story = make_story(run, draws)
        fakes = [word for word in story.words if word.is_fake]
        assert 2 <= len(fakes) <= 4
        assert all(word.is_word and word.text.isalpha() and word.original.isalpha() for word in fakes)
        tokens = [run.corpus.tokenizer.token_to_id(word.original) for word in story.words]
        assert run.corpus.text(torch.tensor(tokens)) in heldout
        assert story.step == run.step


def test_same_seed_gives_the_same_story_and_another_seed_another(untrained: TrainingRun) -> None:
    first, again, other = (make_story(untrained, rng(seed)) for seed in (3, 3, 4))
    assert str(first.words) == str(again.words)  # as text: NaN differs from itself
    assert str(first.words) != str(other.words)


def test_untrained_discriminator_accuses_nobody(untrained: TrainingRun) -> None:
    assert make_story(untrained, rng()).accused_by_discriminator == set()


def test_discriminator_reads_exactly_what_is_shown(trained: TrainingRun) -> None:
    story = make_story(trained, rng())
    read = detect(trained, " ".join(word.text for word in story.words))
    assert [token for token, _ in read] == [word.text for word in story.words]
    assert [p for _, p in read] == pytest.approx([word.replaced_probability for word in story.words], abs=1e-6)


@torch.no_grad()
def test_probabilities_are_those_of_the_generator_that_made_the_fakes(trained: TrainingRun) -> None:
    story = make_story(trained, rng())
    masked = story.masked
    share = trained.average.generator(masked.masking.tokens, masked.tokens != 0)[0].softmax(-1)  # (T, V)
    hidden = story.masked.masking.is_masked[0]
    token_of = trained.corpus.tokenizer.token_to_id
    for place, word in enumerate(story.words, start=1):  # [CLS] comes first
        if hidden[place]:
            assert word.shown_probability == pytest.approx(float(share[place, token_of(word.text)]), rel=1e-4)
            assert word.original_probability == pytest.approx(float(share[place, token_of(word.original)]), rel=1e-4)
        else:
            assert not word.is_fake
            assert math.isnan(word.shown_probability)


def test_a_higher_mask_rate_hides_four_words_at_most(corpus: Corpus) -> None:
    run = small_run(corpus)
    for rate, hidden in ((0.05, 3), (0.15, 3), (0.9, 4)):
        run.change(mask_prob=rate)
        masked = mask_words(run, ordinary_words(corpus), rng())
        assert masked is not None
        assert int(masked.masking.is_masked.sum()) == hidden


def test_stories_too_short_to_play_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fakes_game, "MAX_DRAWS", 5)
    run = small_run(tiny_corpus(["the cat sleeps ."] * 20, width=8))
    with pytest.raises(ElectraEduError, match=r"'tiny' got 2 fakes in 5 tries.*longer stories"):
        make_story(run, rng())


class Language:
    """A stand-in for exact inference: one probability for every word, another beside a fake that is shown."""

    def __init__(self, true: torch.Tensor, alone: float, beside: float | None) -> None:
        self.true, self.alone, self.beside = true, alone, beside

    def __call__(self, tokens: torch.Tensor, is_masked: torch.Tensor) -> torch.Tensor:
        probability = self.alone
        if bool((tokens != self.true)[~is_masked].any()):  # a fake is shown
            if self.beside is None:
                raise CorpusError("cannot occur")
            probability = self.beside
        return torch.full((int(is_masked.sum()), 10_000), probability, dtype=torch.float64)


@pytest.mark.parametrize(
    ("alone", "beside", "fits"),
    [
        (0.5, 0.5, True),  # far likelier from the language than from an untrained generator
        (0.0, 0.0, False),  # impossible
        (0.5, 0.0, False),  # betrayed by another fake
        (0.5, None, True),  # the other fake is impossible: it says nothing
    ],
)
def test_a_fake_that_the_language_would_write_cannot_be_told(
    untrained: TrainingRun, alone: float, beside: float | None, fits: bool
) -> None:
    masked = make_story(untrained, rng()).masked
    story = fill_in(untrained, masked, rng(1), Language(masked.tokens[0], alone, beside))
    assert story.fakes
    assert [word.fits for word in story.words if word.is_fake] == [fits] * len(story.fakes)
    assert not any(word.fits for word in story.words if not word.is_fake)


@pytest.mark.parametrize(("factor", "fits"), [(1.01, True), (0.99, False)])
def test_a_perfect_player_accuses_above_one_half(untrained: TrainingRun, factor: float, fits: bool) -> None:
    story = make_story(untrained, rng())
    place, word = next((place, word) for place, word in enumerate(story.words) if word.is_fake)
    rate = int(story.masked.masking.used.sum()) / sum(word.is_word for word in story.words)
    # P(fake | shown) = rate · generator / (rate · generator + (1 − rate) · language) is ½ where the two terms are equal
    even = rate * word.shown_probability / (1 - rate)
    true = story.masked.tokens[0]
    again = make_story(untrained, rng(), Language(true, even * factor, even * factor))
    assert again.words[place].text == word.text
    assert again.words[place].fits == fits


def test_a_word_guessed_right_is_seen_by_the_perfect_player(
    untrained: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked, hidden = make_story(untrained, rng()).masked, []
    drawn = masked.tokens.gather(-1, masked.masking.positions)
    drawn[0, 0] = 5 if drawn[0, 0] != 5 else 6  # one fake; the other words come back

    def exact(_tokens: torch.Tensor, is_masked: torch.Tensor) -> torch.Tensor:
        hidden.append(is_masked.nonzero().flatten().tolist())
        return torch.ones(len(hidden[-1]), 10_000)

    monkeypatch.setattr(fakes_game, "sample", lambda *_arguments: drawn)
    fill_in(untrained, masked, rng(), exact)
    assert hidden == [[int(masked.masking.positions[0, 0])]]


def test_a_story_with_punctuation_for_a_word_is_drawn_again(
    untrained: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = []

    def sample(logits: torch.Tensor, temperature: float, draw_from: torch.Generator) -> torch.Tensor:
        drawn = honest(logits, temperature, draw_from)
        if len(draws) < 3:
            drawn[0, 0] = untrained.corpus.tokenizer.token_to_id(("[SEP]", ".", ",")[len(draws)])
        draws.append(drawn)
        return drawn

    honest = fakes_game.sample
    monkeypatch.setattr(fakes_game, "sample", sample)
    assert all(word.is_word for word in make_story(untrained, rng()).words if word.is_fake)
    assert len(draws) > 3


def test_exact_inference_knows_what_could_stand_there(untrained: TrainingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    masked = make_story(untrained, rng(1)).masked
    true, positions, used = masked.tokens[0], masked.masking.positions[0], masked.masking.used[0]
    likely = exact_distribution(true, torch.zeros_like(true, dtype=torch.bool).scatter(0, positions[:1], True))[0]
    likely[true[positions[0]]] = 0  # the likeliest other word
    drawn = true[positions].clone()
    drawn[0], drawn[1] = likely.argmax(), untrained.corpus.tokenizer.token_to_id("because")
    assert likely[drawn[0]] > 0.01
    assert used[:2].all()
    monkeypatch.setattr(fakes_game, "sample", lambda *_arguments: drawn[None])
    words = fill_in(untrained, masked, rng(), exact_distribution).words
    assert [words[position - 1].fits for position in positions[:2].tolist()] == [True, False]


def test_without_exact_inference_a_trained_generator_is_asked(untrained: TrainingRun, trained: TrainingRun) -> None:
    draws = rng()
    assert not any(word.fits for _ in range(10) for word in make_story(untrained, draws).words)
    fakes = [word for _ in range(10) for word in make_story(trained, draws).words if word.is_fake]
    assert any(word.fits for word in fakes)
    assert all(word.fits == (word.shown_probability >= 0.5 * word.original_probability) for word in fakes)

"""Exact probabilities of the toy grammar: against brute force, arithmetic by hand and the grammar's own samples."""

from itertools import product
from math import prod

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from electra_edu.corpora.toy import ToyGrammar, exact_distribution, exact_limits, make_toy_corpus, toy_grammar
from electra_edu.corpora.toy.frames import FRAMES, Frame
from electra_edu.corpora.toy.words import TOPICS
from electra_edu.support.errors import CorpusError

TALKS = [frame for frame in FRAMES if "TALKS" in frame.text]
LUCK = [frame for frame in FRAMES if "LUCKY-HAPPY" in frame.text]
SHORT = [Frame("THE PERSON SEEMS VERY HAPPY .", "PERSON", "PERSON", weight=0.5)]


def enumerate_stories(frames: list[Frame], most_words: int) -> dict[tuple[str, ...], float]:
    """List every story of two topics with its probability, straight from the frames."""
    stories: dict[tuple[str, ...], float] = {}
    total = sum(frame.weight for frame in frames)
    for frame in frames:
        for hidden, chance in frame.assignments(TOPICS[:2]):
            choices = []
            for slot in frame.slots:
                words = slot.words(hidden)[:most_words]
                weights = [0.5**rank for rank in range(len(words))]
                choices.append([(word, weight / sum(weights)) for word, weight in zip(words, weights, strict=True)])
            for picks in product(*choices):
                story = tuple(word for word, _ in picks)
                probability = frame.weight / total * chance * prod(weight for _, weight in picks)
                stories[story] = stories.get(story, 0.0) + probability
    return stories


def as_rows(grammar: ToyGrammar, stories: list[tuple[str, ...]]) -> np.ndarray:
    """Return token ids (n, T) with [CLS], [SEP] and padding."""
    ids = {token: number for number, token in enumerate(grammar.tokens)}
    length = grammar.lists.shape[1]
    rows = [["[CLS]", *story, "[SEP]"] for story in stories]
    return np.array([[ids[token] for token in row + ["[PAD]"] * (length - len(row))] for row in rows])


def story_tokens(text: str) -> Tensor:
    """Return the token ids (T,) of a story of the full grammar."""
    return torch.from_numpy(as_rows(toy_grammar(), [tuple(text.split())])[0])


def ask(text: str) -> dict[str, float]:
    """Return the exact distribution at the one [MASK] of a story, zeros left out."""
    tokens = story_tokens(text)
    (answer,) = exact_distribution(tokens, tokens == 4).tolist()
    return {toy_grammar().tokens[number]: chance for number, chance in enumerate(answer) if chance}


@pytest.mark.parametrize("frames", [TALKS + LUCK, SHORT + LUCK], ids=["two people", "two lengths"])
def test_equals_brute_force_on_a_small_language(frames):
    grammar = ToyGrammar.compile(topics=TOPICS[:2], frames=frames, most_words=2)
    stories = enumerate_stories(frames, most_words=2)
    chances = np.array(list(stories.values()))
    rows = as_rows(grammar, list(stories))
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    rng = np.random.default_rng(0)
    for case in range(60):
        row = rows[rng.choice(len(rows), p=chances)]
        is_masked = (rng.random(len(row)) < rng.choice([0.15, 0.5, 0.9])) & (row > 4)
        if case == 0:
            is_masked = np.ones(len(row), bool)  # even where the story ends is unknown
        fits = (rows[:, ~is_masked] == row[~is_masked]).all(axis=1)
        expected = [
            np.bincount(rows[fits, place], chances[fits], minlength=len(grammar.tokens)) / chances[fits].sum()
            for place in np.flatnonzero(is_masked)
        ]
        found = exact_distribution(torch.from_numpy(row), torch.from_numpy(is_masked), grammar)
        np.testing.assert_allclose(found, np.array(expected).reshape(found.shape), rtol=0, atol=1e-12)


def test_rows_are_distributions():
    corpus = make_toy_corpus(n_train=1, n_heldout=20)
    rng = torch.Generator().manual_seed(0)
    for story in corpus.heldout:
        is_masked = (torch.rand(story.shape, generator=rng) < 0.3) & (story > 4)
        answer = exact_distribution(story, is_masked)
        assert answer.dtype == torch.float64
        assert answer.shape == (is_masked.sum(), corpus.vocab_size)
        assert (answer >= 0).all()
        torch.testing.assert_close(answer.sum(-1), torch.ones(len(answer), dtype=torch.float64), rtol=0, atol=1e-12)
        truth = answer[torch.arange(len(answer)), story[is_masked]]
        assert (truth > 0).all()


def test_nothing_masked_nothing_answered():
    story = make_toy_corpus(n_train=1, n_heldout=1).heldout[0]
    assert exact_distribution(story, torch.zeros(22, dtype=torch.bool)).shape == (0, len(toy_grammar().tokens))


def test_masked_tokens_are_not_read():
    story = make_toy_corpus(n_train=1, n_heldout=1).heldout[0]
    is_masked = torch.zeros(22, dtype=torch.bool)
    is_masked[[2, 5]] = True
    expected = exact_distribution(story, is_masked)
    assert torch.equal(exact_distribution(story.masked_fill(is_masked, 4), is_masked), expected)


def test_verb_agrees_across_a_distractor():
    assert ask("the gull near the wooden boats [MASK] again . the pirate sees it from the bay .") == {"floats": 1.0}
    assert ask("the gulls near the wooden boats [MASK] again . the pirate sees them from the bay .") == {"float": 1.0}
    assert ask("these red roses near the bee [MASK] still dry . the florist waters them in the garden .") == {
        "are": 1.0
    }


def test_mood_and_thing_share_their_luck():
    story = "the sailor is {} because the wooden boat is [MASK] . he steers wooden rafts with his friend ."
    assert ask(story.format("happy")) == pytest.approx({"fast": 2 / 3, "steady": 1 / 3})
    assert ask(story.format("sad")) == pytest.approx({"leaky": 2 / 3, "slow": 1 / 3})


def test_pronoun_of_two_possible_people():
    # The chef or the boy: the two frames are equally common, and nothing else in the story tells them apart.
    answer = ask("the chef in the kitchen talks to the boy near the oven . [MASK] stirs two thick soups .")
    assert answer == pytest.approx({"he": 0.5, "she": 0.5}, abs=1e-12)
    assert ask("the chef in the kitchen talks to the boys near the oven . [MASK] stirs two thick soups .") == {
        "she": 1.0
    }
    assert ask("the chef in the kitchen talks to the boys near the oven . [MASK] stir two thick soups .") == {
        "they": 1.0
    }


def test_a_probability_worked_out_by_hand():
    # Each word of a list is half as common as the one before it: boat, ship, raft.
    answer = ask("the pirate near the gull anchors this wooden [MASK] in the bay . it is very fast .")
    assert answer == pytest.approx({"boat": 4 / 7, "ship": 2 / 7, "raft": 1 / 7}, abs=1e-12)


def test_topics_are_equally_likely_while_nothing_tells_them():
    story = story_tokens(
        "before lunch , some [MASK] [MASK] this [MASK] [MASK] in the [MASK] . they [MASK] two [MASK] [MASK] ."
    )
    place = exact_distribution(story, story == 4)[4].tolist()
    found = {word: place[number] for number, word in enumerate(toy_grammar().tokens) if place[number]}
    first, second = ({topic.places[rank] for topic in TOPICS} for rank in (0, 1))
    expected = dict.fromkeys(first, 2 / 3 / 8) | dict.fromkeys(second, 1 / 3 / 8)
    assert found == pytest.approx(expected, abs=1e-12)


def test_limits_worked_out_by_hand():
    # One word of three (4/7, 2/7, 1/7), and one that is certain.
    story = story_tokens("the pirate near the gull anchors this wooden boat in the bay . it is very fast .")
    is_masked = torch.zeros(2, len(story), dtype=torch.bool)
    is_masked[0, 9] = is_masked[1, 4] = True  # "boat", and the "the" before "gull"
    limits = exact_limits(torch.stack([story, story]), is_masked)
    chances = np.array([4 / 7, 2 / 7, 1 / 7])
    assert limits.entropy == pytest.approx(-(chances * np.log(chances)).sum() / 2)
    assert limits.accuracy == pytest.approx((4 / 7 + 1) / 2)
    assert limits.sampled_accuracy == pytest.approx(((chances**2).sum() + 1) / 2)
    with pytest.raises(CorpusError, match="is_masked is False everywhere"):
        exact_limits(story[None], is_masked[:1] & False)


def test_truth_is_as_surprising_as_promised():
    # The mean surprise at the true word estimates the mean entropy; they would part if either used other probabilities.
    corpus = make_toy_corpus(n_train=1, n_heldout=600)
    rng = torch.Generator().manual_seed(0)
    excess = []
    for story in corpus.heldout:
        is_masked = (torch.rand(story.shape, generator=rng) < 0.15) & (story > 4)
        answer = exact_distribution(story, is_masked)
        surprise = -answer[torch.arange(len(answer)), story[is_masked]].log()
        excess += (surprise - torch.special.entr(answer).sum(-1)).tolist()
    error = np.std(excess) / np.sqrt(len(excess))
    assert abs(np.mean(excess)) < 3 * error < 0.1


def test_samples_follow_the_enumerated_probabilities():
    frame = Frame("the PERSON SEEMS LUCKY-HAPPY because the THING IS LUCKY-READY . HE DOES THEM .", "PERSON", "PERSON")
    (short,) = SHORT
    grammar = ToyGrammar.compile(topics=TOPICS[:2], frames=[frame, short], most_words=2)
    stories = enumerate_stories([frame, short], most_words=2)
    numbers = {tuple(row): number for number, row in enumerate(as_rows(grammar, list(stories)).tolist())}
    drawn, _ = grammar.sample(200_000, np.random.default_rng(0))
    counts = np.bincount([numbers[tuple(row)] for row in drawn.tolist()], minlength=len(numbers))
    expected = np.array(list(stories.values())) * counts.sum()
    assert expected.min() > 5
    assert chisquare(counts, expected).pvalue > 0.01


def test_samples_of_the_full_grammar_have_the_exact_marginals():
    grammar = toy_grammar()
    drawn, _ = grammar.sample(20_000, np.random.default_rng(0))
    length = drawn.shape[1]
    marginals = exact_distribution(torch.zeros(length, dtype=torch.int64), torch.ones(length, dtype=torch.bool)).numpy()
    pvalues = []
    for place in range(1, length):
        counts = np.bincount(drawn[:, place], minlength=len(grammar.tokens))
        expected = marginals[place] * counts.sum()
        assert counts[expected == 0].sum() == 0
        common = expected >= 5
        observed, wanted = (
            np.append(counts[common], counts[~common].sum()),
            np.append(expected[common], expected[~common].sum()),
        )
        if wanted[-1] < 1e-9:
            observed, wanted = observed[:-1], wanted[:-1]
        pvalues.append(chisquare(observed, wanted).pvalue)
    assert min(pvalues) > 0.01 / len(pvalues)


def test_impossible_stories_are_refused_by_name():
    story = story_tokens("the chef in the kitchen talk to the boy near the oven . she stirs two thick soups .")
    with pytest.raises(CorpusError, match="'talk' as token 6"):
        exact_distribution(story, torch.arange(22) == 9)


@pytest.mark.parametrize(
    ("tokens", "is_masked", "message"),
    [
        (torch.zeros(21, dtype=torch.int64), torch.zeros(22, dtype=torch.bool), r"tokens has the shape \(21,\)"),
        (torch.zeros(22, dtype=torch.int64), torch.zeros(1, 22, dtype=torch.bool), "is_masked has the shape"),
        (torch.zeros(22, dtype=torch.int64), torch.zeros(22), "is_masked is torch.float32"),
        (torch.zeros(22), torch.zeros(22, dtype=torch.bool), "tokens is torch.float32"),
        (torch.full((22,), 9999), torch.zeros(22, dtype=torch.bool), "ids from 9999 to 9999"),
    ],
)
def test_bad_input_is_named(tokens, is_masked, message):
    with pytest.raises(CorpusError, match=message):
        exact_distribution(tokens, is_masked)

"""Probes: features that hold the label score high, features that do not score at chance."""

import math

import pytest
import torch
from small import PAD, small_corpus, small_run
from torch import Tensor

from electra_edu.corpora.corpus import IGNORE, Corpus, Labels
from electra_edu.discriminator import Discriminator
from electra_edu.errors import ElectraEduError
from electra_edu.probes import TEST_SEQUENCES, probe, sentence_features


@pytest.fixture
def discriminator() -> Discriminator:
    return small_run(initializer_range=0.3).average.discriminator


def labelled(corpus: Corpus, values: Tensor, names: tuple[str, ...] = ("a", "b"), level: str = "sequence") -> Corpus:
    return Corpus(**(vars(corpus) | {"heldout_labels": {"topic": Labels(values, names, level)}}))


def test_features_are_the_mean_state_of_the_real_tokens(discriminator: Discriminator) -> None:
    tokens = small_corpus().heldout[:4]
    features = sentence_features(discriminator, tokens)
    for row, expected in zip(tokens, features, strict=True):
        alone = discriminator.encoder(row[row != PAD][None])[0]  # without its padding
        torch.testing.assert_close(alone.mean(0), expected, atol=1e-5, rtol=1e-4)
    assert not features.requires_grad
    assert not sentence_features(discriminator, torch.full((1, 5), PAD)).any()


def test_what_the_words_say_can_be_read_off_the_features(discriminator: Discriminator) -> None:
    """Each topic has its own words, so even drawn weights keep it."""
    assert probe(discriminator, small_corpus(), "topic") == 1.0


def test_labels_that_have_nothing_to_do_with_the_text_score_at_chance(discriminator: Discriminator) -> None:
    corpus = small_corpus(heldout=900)
    coin = torch.randint(0, 2, (900,), generator=torch.Generator().manual_seed(0))
    assert 0.4 < probe(discriminator, labelled(corpus, coin), "topic") < 0.6


def test_the_seed_decides_which_examples_are_given(discriminator: Discriminator) -> None:
    corpus = labelled(small_corpus(heldout=300), torch.arange(300) // 3 % 2)
    before = torch.get_rng_state()
    scores = [probe(discriminator, corpus, "topic", seed=seed, draws=2) for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_sequences_without_a_label_are_left_out(discriminator: Discriminator) -> None:
    corpus = small_corpus(heldout=90)
    values = corpus.heldout_labels["topic"].values.clone()
    values[::2] = IGNORE
    assert probe(discriminator, labelled(corpus, values, ("a", "b", "c")), "topic") == 1.0


def test_it_is_asked_about_512_sequences_at_most(discriminator: Discriminator, monkeypatch: pytest.MonkeyPatch) -> None:
    import sklearn.pipeline

    asked, score = [], sklearn.pipeline.Pipeline.score

    def watch(self: object, features: object, truth: list[int]) -> float:
        asked.append(len(truth))
        return float(score(self, features, truth))

    monkeypatch.setattr(sklearn.pipeline.Pipeline, "score", watch)
    probe(discriminator, small_corpus(heldout=700), "topic", draws=2)
    assert asked == [TEST_SEQUENCES] * 2
    probe(discriminator, small_corpus(heldout=90), "topic", draws=1)
    assert asked[-1] == 90 - 3 * 3  # three topics, three examples of each


def test_a_broken_network_scores_nan(discriminator: Discriminator) -> None:
    with torch.no_grad():
        discriminator.encoder.embeddings.token.weight[5] = math.nan
    assert math.isnan(probe(discriminator, small_corpus(), "topic"))


@pytest.mark.parametrize(
    ("corpus", "task", "message"),
    [
        (
            small_corpus(),
            "topics",
            r"task='topics': the corpus 'small' has no such .*Did you mean 'topic'\?",
        ),
        (labelled(small_corpus(), torch.zeros(90, 8).long(), level="token"), "topic", r"It has: none"),
        (small_corpus(heldout=9), "topic", r"too few sequences of some label \(more than 3 of each"),
        (labelled(small_corpus(), torch.zeros(90).long()), "topic", r"too few sequences of some label"),
        (labelled(small_corpus(), torch.full((90,), IGNORE)), "topic", r"too few sequences"),
    ],
    ids=["unknown", "of tokens", "too short", "one class", "no labels"],
)
def test_a_task_that_cannot_be_asked_is_refused(
    discriminator: Discriminator, corpus: Corpus, task: str, message: str
) -> None:
    with pytest.raises(ElectraEduError, match=message):
        probe(discriminator, corpus, task)

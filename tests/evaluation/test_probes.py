"""Probes: states that hold the label score high, states that do not score at chance."""

import math

import pytest
import torch
from small import PAD, rng, small_config, small_corpus, small_run, toy_corpus
from torch import Tensor

from electra_edu import preset
from electra_edu.corpora.corpus import IGNORE, Corpus, Labels
from electra_edu.evaluation import probes
from electra_edu.evaluation.probes import TEST_SEQUENCES, mean_states, probe, probe_suite, states
from electra_edu.evaluation.tasks import load_task, task_names
from electra_edu.model.electra import Electra
from electra_edu.model.encoder import Encoder
from electra_edu.support.errors import ElectraEduError


@pytest.fixture
def encoder() -> Encoder:
    return small_run(initializer_range=0.3).average.encoder


def labelled(corpus: Corpus, values: Tensor, names: tuple[str, ...] = ("a", "b"), level: str = "sequence") -> Corpus:
    return Corpus(**(vars(corpus) | {"heldout_labels": {"topic": Labels(values, names, level)}}))


def test_features_are_the_mean_state_of_the_real_tokens(encoder: Encoder) -> None:
    tokens = small_corpus().heldout[:4]
    features = mean_states(states(encoder, tokens, tokens != PAD), tokens != PAD)
    for row, expected in zip(tokens, features, strict=True):
        alone = encoder(row[row != PAD][None])[0]  # without its padding
        torch.testing.assert_close(alone.mean(0), expected, atol=1e-5, rtol=1e-4)
    assert not features.requires_grad
    empty = torch.full((1, 5), PAD)
    assert not mean_states(states(encoder, empty, empty != PAD), empty != PAD).any()


@pytest.mark.parametrize("layer", [0, 1, 2, None])
def test_a_layer_is_what_comes_out_of_its_block(encoder: Encoder, layer: int | None) -> None:
    """Seen from outside: what each block was given, and what the last one gave back."""
    seen: list[Tensor] = []
    for block in encoder.blocks:
        block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    tokens = small_corpus().heldout[:4]
    last = encoder(tokens, tokens != PAD)
    expected = [*seen, last][2 if layer is None else layer]
    torch.testing.assert_close(states(encoder, tokens, tokens != PAD, layer), expected)


def test_states_are_read_without_dropout_and_nothing_changes() -> None:
    encoder = Electra(small_config(dropout=0.5), rng()).train().encoder
    tokens = small_corpus().heldout[:4]
    first, second = (states(encoder, tokens, tokens != PAD) for _ in range(2))
    assert torch.equal(first, second)
    assert encoder.training


def test_what_the_words_say_can_be_read_off_the_states(encoder: Encoder) -> None:
    """Each topic has its own words, so even drawn weights keep it."""
    assert probe(encoder, small_corpus(), "topic") > 0.8
    assert probe(encoder, small_corpus(), "topic", layer=0) == 1.0


def test_a_token_task_reads_the_state_of_the_token(encoder: Encoder) -> None:
    corpus = small_corpus()
    second = corpus.heldout.clone()
    second[:, 0] = second[:, 4:] = IGNORE
    words = second.clone()
    for number, word in enumerate(second[second != IGNORE].unique()):
        words[second == word] = number
    names = tuple(f"word {number}" for number in range(int(words.max()) + 1))
    assert probe(encoder, labelled(corpus, words, names, "token"), "topic", layer=0) == 1.0


def test_labels_that_have_nothing_to_do_with_the_text_score_at_chance(encoder: Encoder) -> None:
    corpus = small_corpus(heldout=900)
    coin = torch.randint(0, 2, (900,), generator=rng())
    assert 0.4 < probe(encoder, labelled(corpus, coin), "topic") < 0.6


def test_the_seed_decides_which_examples_are_given(encoder: Encoder) -> None:
    corpus = labelled(small_corpus(heldout=300), torch.arange(300) // 3 % 2)
    before = torch.get_rng_state()
    scores = [probe(encoder, corpus, "topic", seed=seed, draws=2) for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_is_read_through_the_encoder_that_is_kept(encoder: Encoder) -> None:
    run, corpus = small_run(), small_corpus()
    expected = probe(run.average.encoder, corpus, "topic", draws=1)
    assert probe(run.average, corpus, "topic", draws=1) == expected
    assert probe(run.average.discriminator, corpus, "topic", draws=1) == expected
    assert run.average.encoder is run.average.discriminator.encoder
    assert 0 <= probe(run.average.generator, corpus, "topic", draws=1) <= 1


def test_it_is_given_few_labels_and_asked_about_512_sequences_at_most(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, predict = [], probes._predict

    def watch(given: Tensor, labels: Tensor, asked: Tensor) -> Tensor:
        calls.append((len(given), len(asked)))
        return predict(given, labels, asked)

    monkeypatch.setattr(probes, "_predict", watch)
    probe(encoder, small_corpus(heldout=1200), "topic", draws=2)
    assert calls == [(9, TEST_SEQUENCES)] * 2  # three topics, three examples of each
    probe(encoder, small_corpus(heldout=90), "topic", draws=1)
    assert calls[-1] == (9, 45)


def test_the_suite_asks_every_task_of_the_toy_corpus() -> None:
    """Nothing is trained, so the parts of speech, which the words themselves give away, do best against chance."""
    model, corpus = Electra(preset("toy"), rng()), toy_corpus()
    suite = probe_suite(model, corpus, draws=1, layer=0)
    assert list(suite) == task_names(corpus)
    assert suite["part_of_speech"] == probe(model, corpus, "part_of_speech", draws=1, layer=0)
    assert suite["part_of_speech"] > load_task(corpus, "part_of_speech").majority + 0.2
    assert suite["agreement"] < 0.6, "a mean of embeddings is a bag of words"


def test_a_broken_network_scores_nan(encoder: Encoder) -> None:
    with torch.no_grad():
        encoder.embeddings.token.weight[5] = math.nan
    assert math.isnan(probe(encoder, small_corpus(), "topic"))


def test_a_task_that_is_not_there_is_refused(encoder: Encoder) -> None:
    with pytest.raises(ElectraEduError, match=r"Did you mean 'topic'\?"):
        probe(encoder, small_corpus(), "topics")


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_that_is_not_there_is_refused(encoder: Encoder, layer: int) -> None:
    with pytest.raises(ElectraEduError, match=rf"layer={layer}: must be a whole number from 0 to 2"):
        probe(encoder, small_corpus(), "topic", layer=layer)

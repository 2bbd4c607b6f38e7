"""Generated inputs: whatever the settings or the text, the library works or says in a sentence why not."""

import math

import pytest
import torch
from generated_settings import SETTINGS
from hypothesis import given, settings
from hypothesis import strategies as st

import electra_edu as edu


@pytest.fixture(scope="module")
def corpus() -> edu.Corpus:
    return edu.load_corpus("toy")


@pytest.mark.slow
@settings(max_examples=200)
@given(changes=SETTINGS, seed=st.integers(0, 2**31))
def test_any_config_trains_or_is_refused_in_a_sentence(
    corpus: edu.Corpus, changes: dict[str, object], seed: int
) -> None:
    try:
        config = edu.preset("toy", **changes)
    except edu.ElectraEduError as error:
        assert str(error).endswith((".", "?"))
        return
    before = torch.get_rng_state()
    run = edu.TrainingRun(config, corpus, seed=seed, device="cpu")
    try:
        records = run.advance(2)
    except edu.TrainingStopped as error:  # a width of one or two with most of it dropped: LayerNorm divides by nothing
        assert changes.get("dropout")
        assert "is not a finite number" in str(error)
        return
    assert torch.equal(torch.get_rng_state(), before)
    assert [record.step for record in records] == [1, 2]
    assert all(math.isfinite(record.loss) for record in records)
    rates = [record.replaced_rate for record in records]
    assert all(math.isnan(rate) or 0 <= rate <= config.mask_prob + 1 / 3 for rate in rates)


@pytest.mark.slow
@settings(max_examples=60)
@given(text=st.text(max_size=3000), repeat=st.integers(1, 60))
def test_any_text_becomes_a_corpus_or_is_refused_in_a_sentence(text: str, repeat: int) -> None:
    try:
        corpus = edu.load_corpus(text=" ".join([text] * repeat), max_seq_length=16)
    except edu.ElectraEduError as error:
        assert len(str(error)) > 20
        return
    assert corpus.train.shape[1] == corpus.heldout.shape[1] == 16
    assert corpus.train.max() < corpus.vocab_size
    config = edu.preset("docs", vocab_size=corpus.vocab_size, max_seq_length=16, batch_size=2)
    assert math.isfinite(edu.TrainingRun(config, corpus, device="cpu").advance(1)[0].loss)


@pytest.mark.slow
@settings(max_examples=100)
@given(text=st.text(max_size=200))
def test_any_text_is_judged_or_refused_in_a_sentence(corpus: edu.Corpus, text: str) -> None:
    run = edu.TrainingRun(edu.preset("toy", hidden_size=8, num_heads=1), corpus, device="cpu")
    try:
        judged = edu.detect(run, text)
    except edu.ElectraEduError as error:
        assert str(error).startswith("text: ")
        return
    assert all(0 <= probability <= 1 or math.isnan(probability) for _, probability in judged)

"""calibrate: what a run says held against what was replaced, counted again sentence by sentence."""

from typing import Any, Literal

import pytest
import torch
from small import PAD, SEP, UNK, equal, one_pass, rng, small_config, small_corpus, small_run, state
from torch import Tensor

from electra_edu.corpora.corpus import Corpus
from electra_edu.evaluation.detection import calibrate
from electra_edu.metrics import choose_threshold, detection_at, expected_calibration_error, reliability_curve
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.training.exam import EXAM_SEED


def scored_alone(run: TrainingRun, read: Tensor, is_replaced: Tensor) -> list[list[tuple[float, bool]]]:
    """Score each sentence of `read` (M, T) by itself; unknown words do not count."""
    sentences = []
    for original, tokens, labels in zip(run.corpus.heldout.tolist(), read.tolist(), is_replaced.tolist(), strict=True):
        inside = slice(1, original.index(SEP))
        words = tokens[inside]
        said = one_pass(run.average.discriminator, words)
        scored = zip(words, said, labels[inside], strict=True)
        sentences.append([(p, label) for word, p, label in scored if word != UNK])
    return sentences


def with_unknown_words() -> Corpus:
    """A corpus in which every seventh held-out sentence has a word that the model does not know."""
    corpus = small_corpus()
    corpus.heldout[::7, 2] = UNK
    return corpus


@pytest.fixture
def corpus_run() -> TrainingRun:
    run = TrainingRun(small_config(initializer_range=0.5, batch_size=100), with_unknown_words(), device="cpu")
    run.advance(5)
    return run


@pytest.mark.parametrize("fakes", ["exam", "generator"])
@pytest.mark.parametrize("precision", [None, 0.25])
def test_the_threshold_comes_from_every_other_sentence_and_the_metrics_from_the_rest(
    corpus_run: TrainingRun, fakes: Literal["exam", "generator"], precision: float | None
) -> None:
    run = corpus_run
    read, is_replaced = run.exam.corrupted, run.exam.is_replaced
    if fakes == "generator":
        original = run.corpus.heldout
        with torch.no_grad():
            out = run.average(original, original != PAD, rng=rng(EXAM_SEED))
        read, is_replaced = out.corrupted, out.is_replaced
    sentences = scored_alone(run, read, is_replaced)
    assert any(UNK in row for row in read.tolist())
    chosen_on, measured_on = ([token for row in sentences[half::2] for token in row] for half in (0, 1))
    said = [torch.tensor([p for p, _ in tokens]) for tokens in (chosen_on, measured_on)]
    truth = [torch.tensor([label for _, label in tokens]) for tokens in (chosen_on, measured_on)]

    seen = calibrate(run, fakes, precision)
    assert seen.threshold == pytest.approx(choose_threshold(said[0], truth[0], precision), abs=1e-6)
    assert seen.reliability.counts == reliability_curve(said[1], truth[1]).counts
    assert seen.calibration_error == pytest.approx(expected_calibration_error(said[1], truth[1]), abs=1e-6)
    assert vars(seen.at_half) == pytest.approx(vars(detection_at(said[1], truth[1])))
    assert vars(seen.at_threshold) == pytest.approx(vars(detection_at(said[1], truth[1], seen.threshold)))
    assert seen.at_half != seen.at_threshold


def test_calibrating_disturbs_nothing_and_gives_the_same_again() -> None:
    watched, alone = small_run(dropout=0.1), small_run(dropout=0.1)
    for run in (watched, alone):
        run.advance(3)
    before = torch.get_rng_state()
    assert str(calibrate(watched)) == str(calibrate(watched))  # as text: NaN differs from itself
    assert torch.equal(torch.get_rng_state(), before)
    assert equal(state(watched), state(alone))
    assert not watched.evaluations


def test_a_trained_run_knows_what_it_knows() -> None:
    """Untrained, every probability is ½, and the share of fakes is far from it."""
    run = small_run(rtd_weight=2.0)
    fresh = calibrate(run, "exam")
    assert sum(count > 0 for count in fresh.reliability.counts) == 1
    assert fresh.calibration_error == pytest.approx(0.5 - fresh.at_half.replaced_rate)
    run.advance(150)
    trained = calibrate(run, "exam")
    assert trained.calibration_error < fresh.calibration_error / 2
    assert trained.at_threshold.f1 > 0.7


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"objective": "bert"}, {}, "source: objective='bert' trains no discriminator"),
        ({}, {"fakes": "other"}, "fakes='other': must be 'generator' or 'exam'"),
        ({}, {"precision": 0.0}, "precision=0.0: must be above 0"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(changes: dict[str, Any], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ElectraEduError, match=f"^{message}"):
        calibrate(small_run(**changes), **arguments)

"""The verdict: one sentence for what a run's numbers say, by fixed priority."""

import math

import pytest
from small import an_evaluation, small_run, step_record

from electra_edu.training import Evaluation, StepRecord, Verdict, diagnose

ENTROPY = 5.0  # of word frequencies, in nats


def history(steps: int, **fields: float) -> list[StepRecord]:
    usual = {"mlm_loss": 3.0, "recall": 0.5, "majority": 0.9}
    return [step_record(step + 1, **(usual | fields)) for step in range(steps)]


def verdict(records: list[StepRecord], auc: float | None = 0.9, stopped: str | None = None) -> Verdict:
    evaluations: list[Evaluation] = [] if auc is None else [an_evaluation(auc=auc)]
    return diagnose(records, evaluations, ENTROPY, stopped)


LEARNING = history(60)
BLIND = history(60, recall=0.01)
PLATEAU = history(60, mlm_loss=4.9)
STARVED = [*history(60), *history(20, recall=0.2)]
ALL_AT_ONCE = [*history(60), *history(20, recall=0.01, mlm_loss=4.9)]


@pytest.mark.parametrize(
    ("records", "auc", "stopped", "kind"),
    [
        ([], None, None, "idle"),
        (history(39, recall=0.0), 0.5, None, "learning"),  # too early to say more
        (LEARNING, 0.9, None, "learning"),
        (LEARNING, None, None, "learning"),
        (BLIND, 0.55, None, "majority"),
        (BLIND, None, None, "majority"),
        (BLIND, math.nan, None, "majority"),
        (history(60, recall=0.01), 0.7, None, "learning"),  # its scores are in order, only the threshold is not
        (PLATEAU, 0.9, None, "plateau"),
        (STARVED, 0.9, None, "starved"),
        (ALL_AT_ONCE, 0.5, None, "majority"),  # before plateau and starved
        ([*history(60), *history(20, recall=0.2, mlm_loss=4.9)], 0.9, None, "plateau"),  # before starved
        (ALL_AT_ONCE, 0.5, "Step 81 was not taken", "stopped"),  # before everything
        ([], None, "Step 1 was not taken", "stopped"),
    ],
)
def test_one_verdict_by_fixed_priority(
    records: list[StepRecord], auc: float | None, stopped: str | None, kind: str
) -> None:
    said = verdict(records, auc, stopped)
    assert said.kind == kind
    assert len(said.text.split()) <= 25
    assert said.text.endswith(".")


def test_the_numbers_said_are_the_recent_ones() -> None:
    assert "90.6% accuracy is the majority class" in verdict(history(60, recall=0.0, majority=0.906), 0.5).text
    assert "Recall fell from 50% to 20%" in verdict(STARVED).text
    said = verdict([*history(60, recall=0.3), *history(20, recall=0.6)], auc=0.87).text
    assert "finds 60% of today's fakes and scores 0.87 on the fixed exam" in said
    assert "exam" not in verdict(LEARNING, None).text


@pytest.mark.parametrize(("mlm_loss", "kind"), [(4.84, "learning"), (4.86, "plateau")])
def test_the_plateau_ends_015_nats_below_word_frequencies(mlm_loss: float, kind: str) -> None:
    assert verdict(history(60, mlm_loss=mlm_loss)).kind == kind


@pytest.mark.parametrize(("recall", "kind"), [(0.26, "learning"), (0.24, "starved")])
def test_starving_is_half_of_the_best_recall(recall: float, kind: str) -> None:
    assert verdict([*history(60), *history(20, recall=recall)]).kind == kind


@pytest.mark.fault("Panel state", seen="the verdict said “Learning” while the topic probe fell from 98% to 20%")
@pytest.mark.parametrize(
    ("probes", "kind"), [((0.98, 0.74), "learning"), ((0.98, 0.54), "starved"), ((0.2, 0.2), "learning")]
)
def test_a_probe_that_falls_is_said(probes: tuple[float, float], kind: str) -> None:
    said = diagnose(LEARNING, [an_evaluation(auc=0.9)], ENTROPY, probes=probes)
    assert said.kind == kind
    assert len(said.text.split()) <= 25
    assert ("fell from 98% to 54%" in said.text) == (kind == "starved")
    assert diagnose(PLATEAU, [], ENTROPY, probes=(0.98, 0.2)).kind == "plateau"


def test_a_score_that_does_not_exist_counts_nowhere() -> None:
    """Every other step replaced nothing, so its recall is NaN: the mean is over the others."""
    records = history(60)
    records[1::2] = history(30, recall=math.nan)
    assert "finds 50%" in verdict(records).text


def test_without_a_discriminator_nothing_is_said_of_one() -> None:
    nothing = dict.fromkeys(("recall", "precision", "accuracy", "majority"), math.nan)
    said = verdict(history(60, mlm_loss=2.5, **nothing), None)
    assert said.kind == "learning"
    assert "2.50 nats" in said.text
    assert verdict(history(60, mlm_loss=4.9, **nothing), None).kind == "plateau"


def test_a_real_run_goes_from_the_majority_class_to_learning() -> None:
    run, kinds = small_run(seed=1, rtd_weight=2.0), []
    for steps in (0, 10, 35, 115):
        run.advance(steps)
        evaluations = [run.evaluate()] if steps else []
        kinds.append(diagnose(run.history, evaluations, run.corpus.unigram_entropy).kind)
    assert kinds == ["idle", "learning", "majority", "learning"]  # the first "learning" is the warm-up

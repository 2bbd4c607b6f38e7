"""VerdictsOverTraining: its scores against scikit-learn, its curves against arithmetic."""

import pytest
import torch
from sklearn.metrics import precision_score, recall_score, roc_auc_score

import electra_edu as edu
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.panels.verdicts_over_training import VerdictsOverTraining


@pytest.fixture(scope="module")
def run() -> edu.TrainingRun:
    return edu.TrainingRun(edu.preset("toy"), edu.load_corpus("toy"), seed=0)


@pytest.fixture(scope="module")
def verdicts(run: edu.TrainingRun) -> VerdictsOverTraining:
    panel = VerdictsOverTraining(run)
    for _ in range(3):
        run.advance(30)
        panel.look()
    return panel


def test_the_slider_offers_the_step_of_each_look(verdicts: VerdictsOverTraining) -> None:
    assert [step for _, step in verdicts.step.options] == [0, 30, 60, 90]


def test_the_discriminator_tells_nothing_apart_before_training(verdicts: VerdictsOverTraining) -> None:
    verdicts.step.value = 0
    facts = [fact["value"] for fact in verdicts.view.blocks[0]["facts"]]
    assert facts[:3] == ["0%", "–", "0.50"]
    roc = verdicts.view.blocks[1]["blocks"][1]["subplots"][0]["curves"][0]
    assert (roc["x"], roc["y"]) == ([0.0, 1.0], [0.0, 1.0])
    assert "cannot tell" in verdicts.view.blocks[2]["text"]


@pytest.mark.parametrize("threshold", [0.1, 0.5])
def test_scores_agree_with_scikit_learn(verdicts: VerdictsOverTraining, run: edu.TrainingRun, threshold: float) -> None:
    exam = run.exam
    with torch.no_grad():
        logits = run.average.discriminator(exam.corrupted, exam.original != 0)[exam.is_ordinary]
    labels, accused = exam.is_replaced[exam.is_ordinary], logits.sigmoid() > threshold
    verdicts.step.value, verdicts.threshold.value = 90, threshold
    facts = [fact["value"] for fact in verdicts.view.blocks[0]["facts"]]
    assert facts == [
        f"{recall_score(labels, accused):.0%}",
        f"{precision_score(labels, accused, zero_division=0):.0%}" if accused.any() else "–",
        f"{roc_auc_score(labels, logits):.2f}",
        f"{(accused == labels).float().mean():.1%}",
    ]
    dot = verdicts.view.blocks[1]["blocks"][1]["subplots"][0]["dots"][0]
    place = [accused[~labels].float().mean().item(), recall_score(labels, accused)]
    assert [dot["x"], dot["y"]] == pytest.approx(place, abs=1e-6)


def test_histograms_are_shares_of_their_own_kind(verdicts: VerdictsOverTraining) -> None:
    verdicts.step.value = 90
    for series in verdicts.view.blocks[1]["blocks"][0]["series"]:
        assert sum(series["values"]) == pytest.approx(1, abs=1e-5)


def test_the_curve_rises_and_has_the_area_it_says(verdicts: VerdictsOverTraining) -> None:
    verdicts.step.value = 90
    curve = verdicts.view.blocks[1]["blocks"][1]["subplots"][0]["curves"][0]
    x, y = torch.tensor(curve["x"]), torch.tensor(curve["y"])
    assert (x.diff() >= 0).all()
    assert (y.diff() >= 0).all()
    assert torch.trapezoid(y, x).item() == pytest.approx(verdicts.snapshots[-1].auc, abs=0.01)


def test_show_code_prints_the_same_scores(verdicts: VerdictsOverTraining, run: edu.TrainingRun) -> None:
    verdicts.step.value, verdicts.threshold.value = 90, 0.1
    shown: list[object] = []
    exec(verdicts.drawer.code, {"run": run, "edu": edu, "print": shown.append})
    assert f"{shown[0].recall:.0%}" == verdicts.view.blocks[0]["facts"][0]["value"]  # type: ignore[attr-defined]
    assert shown[1] == pytest.approx(verdicts.snapshots[-1].auc)


def test_a_run_without_a_discriminator_is_refused() -> None:
    with pytest.raises(ElectraEduError, match="discriminator"):
        VerdictsOverTraining(edu.TrainingRun(edu.preset("toy", objective="bert"), edu.load_corpus("toy")))
    with pytest.raises(ElectraEduError, match="must be a TrainingRun"):
        VerdictsOverTraining(3)  # type: ignore[arg-type]

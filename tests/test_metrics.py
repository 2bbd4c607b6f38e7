"""Scores against counting by hand and against brute force."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, precision_recall_fscore_support

from electra_edu.metrics import (
    auc,
    binary_entropy,
    choose_threshold,
    detection,
    detection_at,
    detection_counts,
    expected_calibration_error,
    reliability_curve,
    roc_curve,
)
from electra_edu.support.errors import ElectraEduError

# Thousandths meet the bins' edges and each other; floats lie anywhere.
VERDICTS = st.lists(
    st.tuples(st.integers(0, 1000).map(lambda i: i / 1000) | st.floats(0, 1), st.booleans()), min_size=1, max_size=40
)
Verdicts = list[tuple[float, bool]]


def tensors(verdicts: Verdicts) -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.tensor([label for _, label in verdicts], dtype=torch.bool)
    return torch.tensor([p for p, _ in verdicts], dtype=torch.float64), labels


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=25))
def test_auc_is_the_share_of_pairs_in_the_right_order(tokens: list[tuple[int, bool]]) -> None:
    scores, labels = torch.tensor([float(s) for s, _ in tokens]), torch.tensor([label for _, label in tokens])
    pairs = [(r, o) for r, is_r in tokens if is_r for o, is_o in tokens if not is_o]
    if not pairs:
        assert math.isnan(auc(scores, labels))
        return
    right = sum(1.0 if r > o else 0.5 if r == o else 0.0 for r, o in pairs)
    assert auc(scores, labels) == pytest.approx(right / len(pairs))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=25))
def test_the_area_under_the_roc_curve_is_the_auc(tokens: list[tuple[int, bool]]) -> None:
    scores, labels = torch.tensor([float(s) for s, _ in tokens]), torch.tensor([label for _, label in tokens])
    if labels.all() or not labels.any():
        with pytest.raises(ElectraEduError, match="labels: need a replaced and an original token"):
            roc_curve(scores, labels)
        return
    false_positives, true_positives = map(torch.tensor, roc_curve(scores, labels))
    assert torch.trapezoid(true_positives, false_positives).item() == pytest.approx(auc(scores, labels), abs=1e-6)


def test_auc_of_unusable_scores_is_nan() -> None:
    labels = torch.tensor([True, False])
    assert math.isnan(auc(torch.tensor([math.nan, 1.0]), labels))
    assert math.isnan(auc(torch.tensor([math.inf, 1.0]), labels))
    assert auc(torch.tensor([1.0, 0.0], requires_grad=True), labels) == 1


def test_counts_and_ratios_by_hand() -> None:
    """Ten real tokens, 3 replaced, 4 flagged, 2 of them rightly: accuracy (2 + 5) / 10; the padding counts nowhere."""
    logits = torch.tensor([[3.0, 1.0, 0.5, 0.1, -1, -1, -2, -2, -3, -4, 9.0, -9.0]])
    is_replaced = torch.tensor([[1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]]).bool()
    counted = torch.tensor([[1] * 10 + [0, 0]]).bool()
    counts = detection_counts(logits, is_replaced, counted).tolist()
    assert counts == [10, 3, 4, 2]
    seen = detection(*counts)
    assert (seen.accuracy, seen.majority, seen.replaced_rate) == pytest.approx((0.7, 0.7, 0.3))
    assert (seen.precision, seen.recall) == pytest.approx((2 / 4, 2 / 3))
    assert seen.f1 == pytest.approx(2 / (4 / 2 + 3 / 2))  # harmonic mean


def test_a_logit_of_zero_flags_nothing() -> None:
    assert detection_counts(torch.zeros(1, 3), torch.ones(1, 3).bool(), torch.ones(1, 3).bool())[2] == 0


def test_the_majority_may_be_the_replaced() -> None:
    assert detection(tokens=10, replaced=8, flagged=0, true_positives=0).majority == pytest.approx(0.8)


def test_ratios_without_a_denominator_are_nan() -> None:
    nothing_flagged = detection(tokens=10, replaced=2, flagged=0, true_positives=0)
    assert math.isnan(nothing_flagged.precision)
    assert nothing_flagged.recall == nothing_flagged.f1 == 0
    nothing_replaced = detection(tokens=10, replaced=0, flagged=1, true_positives=0)
    assert math.isnan(nothing_replaced.recall)
    assert nothing_replaced.precision == 0
    assert nothing_replaced.accuracy == pytest.approx(0.9)
    nothing = detection(tokens=0, replaced=0, flagged=0, true_positives=0)
    assert all(math.isnan(value) for value in vars(nothing).values())


def test_binary_entropy_by_hand() -> None:
    """H(½) = ln 2; H(¼) = ¼ ln 4 + ¾ ln 4/3; a certain outcome costs nothing."""
    assert binary_entropy(0.5) == pytest.approx(math.log(2))
    assert binary_entropy(0.25) == pytest.approx(0.25 * math.log(4) + 0.75 * math.log(4 / 3))
    assert binary_entropy(0.0) == binary_entropy(1.0) == 0
    assert math.isnan(binary_entropy(math.nan))


@given(st.floats(0.01, 0.99))
def test_binary_entropy_is_the_loss_of_the_best_constant_prediction(p: float) -> None:
    """Brute force over constant predictions: none is better than p itself."""
    losses = [-p * math.log(q) - (1 - p) * math.log(1 - q) for q in (i / 1000 for i in range(1, 1000))]
    assert binary_entropy(p) <= min(losses) + 1e-12
    assert min(losses) == pytest.approx(binary_entropy(p), abs=1e-3)


# Calibration


def bin_of(p: float, bins: int) -> int:
    """The bin m, from 0, with m / bins < p ≤ (m + 1) / bins; 0 belongs to the first."""
    return next(m for m in range(bins) if p <= (m + 1) / bins)


@given(verdicts=VERDICTS, bins=st.integers(1, 12))
def test_reliability_and_calibration_error_by_brute_force(verdicts: Verdicts, bins: int) -> None:
    members = [[(p, label) for p, label in verdicts if bin_of(p, bins) == m] for m in range(bins)]
    predicted = [sum(p for p, _ in inside) / len(inside) if inside else math.nan for inside in members]
    observed = [sum(label for _, label in inside) / len(inside) if inside else math.nan for inside in members]
    curve = reliability_curve(*tensors(verdicts), bins)
    assert curve.counts == tuple(map(len, members))
    assert curve.predicted == pytest.approx(predicted, nan_ok=True)
    assert curve.observed == pytest.approx(observed, nan_ok=True)
    errors = [abs(a - b) * len(inside) for a, b, inside in zip(predicted, observed, members, strict=True) if inside]
    assert expected_calibration_error(*tensors(verdicts), bins) == pytest.approx(sum(errors) / len(verdicts))


@given(VERDICTS)
def test_reliability_is_sklearns_calibration_curve(verdicts: Verdicts) -> None:
    probabilities, labels = tensors(verdicts)
    curve = reliability_curve(probabilities, labels, bins=10)
    observed, predicted = calibration_curve(labels.numpy(), probabilities.numpy(), n_bins=10, strategy="uniform")
    assert [p for p in curve.predicted if not math.isnan(p)] == pytest.approx(predicted.tolist())
    assert [o for o in curve.observed if not math.isnan(o)] == pytest.approx(observed.tolist())


def test_calibrated_probabilities_have_no_calibration_error_and_overconfident_ones_have() -> None:
    """20,000 tokens, each replaced with its own probability; then the same probabilities rounded to 0 or 1."""
    draws = torch.Generator().manual_seed(0)
    p = torch.rand(20_000, generator=draws)
    labels = torch.rand(20_000, generator=draws) < p
    assert expected_calibration_error(p, labels) < 0.015
    assert expected_calibration_error((p - 0.5).sign() * 0.5 + 0.5, labels) == pytest.approx(0.25, abs=0.01)


def test_calibration_error_by_hand() -> None:
    """Three tokens at .2, one of them replaced: error 1/3 − .2. One at .9, replaced: error .1. Weighted 3 to 1."""
    verdicts = [(0.2, True), (0.2, False), (0.2, False), (0.9, True)]
    assert expected_calibration_error(*tensors(verdicts)) == pytest.approx((3 * (1 / 3 - 0.2) + 0.1) / 4)
    assert math.isnan(expected_calibration_error(*tensors([])))
    assert reliability_curve(*tensors([]), bins=2).counts == (0, 0)


# Thresholds


def flag(verdicts: Verdicts, threshold: float) -> tuple[int, int]:
    """Count the flagged tokens and the true positives among them."""
    flagged = [label for p, label in verdicts if p > threshold]
    return len(flagged), sum(flagged)


@given(verdicts=VERDICTS, threshold=st.floats(0, 1))
def test_detection_at_a_threshold_is_counting(verdicts: Verdicts, threshold: float) -> None:
    flagged, found = flag(verdicts, threshold)
    replaced = sum(label for _, label in verdicts)
    seen = detection_at(*tensors(verdicts), threshold)
    assert vars(seen) == pytest.approx(vars(detection(len(verdicts), replaced, flagged, found)), nan_ok=True)
    if flagged and replaced:
        truth, flags = [label for _, label in verdicts], [p > threshold for p, _ in verdicts]
        scores = precision_recall_fscore_support(truth, flags, average="binary", zero_division=0)[:3]
        assert (seen.precision, seen.recall, seen.f1) == pytest.approx(scores)


def test_detection_at_half_is_detection_of_logits() -> None:
    logits = torch.linspace(-4, 4, 41)
    labels = torch.arange(41) % 3 == 0
    counts = detection_counts(logits[None], labels[None], torch.ones(1, 41).bool())
    assert detection_at(logits.sigmoid(), labels) == detection(*counts.tolist())


@given(VERDICTS)
def test_the_chosen_threshold_has_the_highest_f1_and_flags_the_fewest(verdicts: Verdicts) -> None:
    """Brute force over every threshold that flags other tokens; sklearn's curve agrees about the best F1."""
    chosen = choose_threshold(*tensors(verdicts))
    replaced = sum(label for _, label in verdicts)
    if not replaced:
        assert math.isnan(chosen)
        return

    def f1(threshold: float) -> float:
        flagged, found = flag(verdicts, threshold)
        return 2 * found / (flagged + replaced)

    every = {0.0, *(p for p, _ in verdicts)}
    best = max(map(f1, every))
    assert f1(chosen) == best
    assert chosen == max(threshold for threshold in every if f1(threshold) == best)
    if all(p > 0 for p, _ in verdicts):  # sklearn flags from the threshold itself on, so those at 0 too
        probabilities, labels = tensors(verdicts)
        precision, recall, _ = precision_recall_curve(labels.numpy(), probabilities.numpy())
        assert max(2 * p * r / (p + r) for p, r in zip(precision, recall, strict=True) if p + r) == pytest.approx(best)


@given(verdicts=VERDICTS, wanted=st.sampled_from([0.07, 0.3, 0.5, 0.57, 2 / 3, 0.9, 1.0]))
def test_a_wanted_precision_is_reached_with_the_highest_recall(verdicts: Verdicts, wanted: float) -> None:
    chosen = choose_threshold(*tensors(verdicts), precision=wanted)

    def reaches(threshold: float) -> bool:
        flagged, found = flag(verdicts, threshold)
        return flagged > 0 and found / flagged >= wanted

    good = [threshold for threshold in {0.0, *(p for p, _ in verdicts)} if reaches(threshold)]
    assert chosen == min(good) if good else math.isnan(chosen)
    if good:
        assert flag(verdicts, chosen)[1] == max(flag(verdicts, threshold)[1] for threshold in good)


def test_a_precision_that_is_met_exactly_counts_as_reached() -> None:
    """7 of 100: 0.07 × 100 is 7.000000000000001 in floating point."""
    assert choose_threshold(torch.full((100,), 0.5), torch.arange(100) < 7, precision=0.07) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reliability_curve(torch.rand(3), torch.ones(3), bins=0), "bins=0: must be a whole number"),
        (
            lambda: expected_calibration_error(torch.rand(3), torch.ones(3), bins=2.5),
            "bins=2.5: must be a whole number",
        ),  # type: ignore[arg-type]
        (lambda: choose_threshold(torch.rand(3), torch.ones(3), precision=0.0), "precision=0.0: must be above 0"),
        (
            lambda: choose_threshold(torch.rand(3), torch.ones(3), precision=90),
            "precision=90: must be above 0 and at most",
        ),
        (lambda: detection_at(torch.rand(3), torch.ones(4)), r"probabilities, labels: .*\(3,\) and \(4,\)"),
        (lambda: detection_at(torch.rand(2, 2), torch.ones(2, 2)), "probabilities, labels: must be two 1-D tensors"),
        (lambda: choose_threshold(torch.tensor([0.5, 3.0]), torch.ones(2)), "probabilities: .* Take the sigmoid"),
        (lambda: reliability_curve(torch.tensor([math.nan]), torch.ones(1)), "probabilities: .* leave out tokens"),
        (lambda: detection_at(torch.rand(2), torch.tensor([0, 2])), "labels: must be True"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ElectraEduError, match=f"^{message}"):
        call()

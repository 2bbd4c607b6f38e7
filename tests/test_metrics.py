"""Scores against counting by hand and against brute force."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from electra_edu.metrics import auc, binary_entropy, detection, detection_counts


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=25))
def test_auc_is_the_share_of_pairs_in_the_right_order(tokens: list[tuple[int, bool]]) -> None:
    scores, labels = torch.tensor([float(s) for s, _ in tokens]), torch.tensor([label for _, label in tokens])
    pairs = [(r, o) for r, is_r in tokens if is_r for o, is_o in tokens if not is_o]
    if not pairs:
        assert math.isnan(auc(scores, labels))
        return
    right = sum(1.0 if r > o else 0.5 if r == o else 0.0 for r, o in pairs)
    assert auc(scores, labels) == pytest.approx(right / len(pairs))


def test_auc_of_unusable_scores_is_nan() -> None:
    labels = torch.tensor([True, False])
    assert math.isnan(auc(torch.tensor([math.nan, 1.0]), labels))
    assert math.isnan(auc(torch.tensor([math.inf, 1.0]), labels))
    assert auc(torch.tensor([1.0, 0.0], requires_grad=True), labels) == 1


def test_counts_and_ratios_by_hand() -> None:
    """Ten real tokens, 3 replaced, 4 accused, 2 of them rightly: accuracy (2 + 5) / 10; the padding counts nowhere."""
    logits = torch.tensor([[3.0, 1.0, 0.5, 0.1, -1, -1, -2, -2, -3, -4, 9.0, -9.0]])
    is_replaced = torch.tensor([[1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]]).bool()
    counted = torch.tensor([[1] * 10 + [0, 0]]).bool()
    counts = detection_counts(logits, is_replaced, counted).tolist()
    assert counts == [10, 3, 4, 2]
    seen = detection(*counts)
    assert (seen.accuracy, seen.majority, seen.replaced_rate) == pytest.approx((0.7, 0.7, 0.3))
    assert (seen.precision, seen.recall) == pytest.approx((2 / 4, 2 / 3))


def test_a_logit_of_zero_accuses_nobody() -> None:
    assert detection_counts(torch.zeros(1, 3), torch.ones(1, 3).bool(), torch.ones(1, 3).bool())[2] == 0


def test_the_majority_may_be_the_replaced() -> None:
    assert detection(tokens=10, replaced=8, accused=0, found=0).majority == pytest.approx(0.8)


def test_ratios_without_a_denominator_are_nan() -> None:
    nobody_accused = detection(tokens=10, replaced=2, accused=0, found=0)
    assert math.isnan(nobody_accused.precision)
    assert nobody_accused.recall == 0
    nothing_replaced = detection(tokens=10, replaced=0, accused=1, found=0)
    assert math.isnan(nothing_replaced.recall)
    assert nothing_replaced.precision == 0
    assert nothing_replaced.accuracy == pytest.approx(0.9)
    nothing = detection(tokens=0, replaced=0, accused=0, found=0)
    assert all(math.isnan(value) for value in vars(nothing).values())


def test_binary_entropy_by_hand() -> None:
    """H(½) = ln 2; H(¼) = ¼ ln 4 + ¾ ln 4/3; nothing to guess costs nothing."""
    assert binary_entropy(0.5) == pytest.approx(math.log(2))
    assert binary_entropy(0.25) == pytest.approx(0.25 * math.log(4) + 0.75 * math.log(4 / 3))
    assert binary_entropy(0.0) == binary_entropy(1.0) == 0
    assert math.isnan(binary_entropy(math.nan))


@given(st.floats(0.01, 0.99))
def test_binary_entropy_is_the_loss_of_the_best_constant_guess(p: float) -> None:
    """Brute force over constant guesses: none does better than saying p itself."""
    losses = [-p * math.log(q) - (1 - p) * math.log(1 - q) for q in (i / 1000 for i in range(1, 1000))]
    assert binary_entropy(p) <= min(losses) + 1e-12
    assert min(losses) == pytest.approx(binary_entropy(p), abs=1e-3)

"""Lesson 04: precision and recall at a threshold."""

import torch
from torch import Tensor

from electra_edu.course.exercises.exercise import Exercise, Fault, LearnerFunction, expect_parts
from electra_edu.metrics import detection_at

STARTER = '''
def precision_recall(probabilities, is_replaced, threshold):
    """probabilities: (N,) that each token was replaced. is_replaced: (N,) bool, the truth.

    Accuse what is above the threshold. Return two numbers: which share of the accused was replaced (0 if nobody
    was accused), and which share of the replaced was accused.
    """
    return ...  # your lines
'''
PROBABILITIES = torch.tensor([0.9, 0.8, 0.7, 0.2, 0.1, 0.1, 0.6, 0.3, 0.1, 0.1])
TRUTH = torch.tensor([1, 0, 0, 0, 0, 0, 1, 1, 0, 1], dtype=torch.bool)
CASES = ((0.25, 0.6, 0.75), (0.75, 0.5, 0.25), (0.95, 0.0, 0.0))  # threshold, precision, recall


def _examine(function: LearnerFunction) -> None:
    for threshold, precision, recall in CASES:
        found = expect_parts(function(PROBABILITIES, TRUTH, threshold), ("precision", "recall"))
        one, other = (float(each) for each in found)
        if abs(one - precision) < 1e-6 and abs(other - recall) < 1e-6:
            continue
        seen = (
            f"At threshold {threshold} ten tokens give {one:.2f} and {other:.2f}; it is {precision:.2f} "
            f"and {recall:.2f}."
        )
        raise Fault(seen, _cause(one, other, precision, recall, threshold))


def _cause(one: float, other: float, precision: float, recall: float, threshold: float) -> str:
    accused = threshold < PROBABILITIES
    right = float((accused == TRUTH).float().mean())
    if not accused.any():
        return "Nobody is accused here: 0/0. Divide by at least 1, or answer 0."
    if abs(one - recall) < 1e-6 and abs(other - precision) < 1e-6:
        return "The two are swapped: precision asks about the accused, recall about the replaced."
    if abs(one - right) < 1e-6 or abs(other - right) < 1e-6:
        return "One of them is the accuracy, which counts the many originals that nobody accused. Leave those out."
    by_all = float((accused & TRUTH).float().mean())
    if abs(other - by_all) < 1e-6 or abs(one - by_all) < 1e-6:
        return (
            "The rightly accused were divided by all tokens: precision divides by the accused, recall by the replaced."
        )
    return "Count three things: the accused, the replaced, and those that are both. Both results are ratios of these."


def reference(probabilities: Tensor, is_replaced: Tensor, threshold: float) -> tuple[float, float]:
    """Take both from the library's metrics; a precision of nobody is 0."""
    found = detection_at(probabilities, is_replaced, threshold)
    return (0.0 if found.precision != found.precision else found.precision), found.recall


EXERCISE = Exercise(
    name="precision_recall",
    lesson="04",
    title="Precision and recall",
    starter=STARTER,
    hint="accused = probabilities > threshold gives True and False; & tells where two conditions hold, .sum() counts.",
    examine=_examine,
    reference=reference,
)

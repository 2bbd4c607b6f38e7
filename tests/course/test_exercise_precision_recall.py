"""The exercise precision_recall of lesson 04: right answers pass, and each usual mistake is told apart."""

from collections.abc import Callable
from typing import Any

import pytest

from electra_edu.course.exercises import examine, exercise

Answer = Callable[..., Any]
EXERCISE = exercise("precision_recall")


def scores_by_counting(probabilities: Any, is_replaced: Any, threshold: float) -> Any:
    accused = probabilities > threshold
    both = (accused & is_replaced).sum().item()
    return both / max(1, accused.sum().item()), both / is_replaced.sum().item()


def scores_as_tensors(probabilities: Any, is_replaced: Any, threshold: float) -> Any:
    accused = (probabilities > threshold).float()
    both = (accused * is_replaced).sum()
    return both / accused.sum().clamp(min=1), both / is_replaced.sum()


RIGHT: list[Answer] = [scores_by_counting, scores_as_tensors]
WRONG: list[tuple[Answer, str]] = [  # a usual mistake, words of the feedback
    (lambda p, y, h: scores_by_counting(p, y, h)[::-1], "swapped"),
    (lambda p, y, h: (((p > h) == y).float().mean(), scores_by_counting(p, y, h)[1]), "accuracy"),
    (lambda p, y, h: (((p > h) & y).float().mean(), scores_by_counting(p, y, h)[1]), "by all tokens"),
    (lambda p, y, h: (((p > h) & y).sum() / (p > h).sum(), scores_by_counting(p, y, h)[1]), "0/0"),
    (lambda p, y, h: scores_by_counting(p, y, 0.5), "At threshold 0.25"),
    (lambda p, y, h: scores_by_counting(p, y, h)[0], "2 things"),
]


@pytest.mark.parametrize("answer", RIGHT)
def test_right_answers_pass(answer: Answer) -> None:
    feedback = examine(EXERCISE, answer)
    assert feedback.state == "right", feedback.fault


@pytest.mark.parametrize(("answer", "words"), WRONG, ids=[words for _, words in WRONG])
def test_usual_mistakes_are_told_apart(answer: Answer, words: str) -> None:
    fault = examine(EXERCISE, answer).fault
    assert fault is not None
    assert words in f"{fault.symptom} {fault.cause}", fault
    assert len(fault.symptom) < 260

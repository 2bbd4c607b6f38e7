"""The second exercise of lesson 05: a repaired count passes, and each half-repaired one is told why it is wrong."""

import math
from collections.abc import Callable

import pytest
from exercise_feedback import assert_feedback

from electra_edu.course.exercises import examine, exercise

Function = Callable[[int, float], float]
EXERCISE = exercise("rtd_bits")


def repaired(n_tokens: int, replaced_rate: float) -> float:
    if replaced_rate in (0, 1):
        return 0
    p, q = replaced_rate, 1 - replaced_rate
    return -n_tokens * (p * math.log2(p) + q * math.log2(q))


def by_nats(n_tokens: int, replaced_rate: float) -> float:
    return n_tokens * sum(-p * math.log(p) / math.log(2) for p in (replaced_rate, 1 - replaced_rate) if p)


def one_bit(n_tokens: int, replaced_rate: float) -> float:
    return n_tokens * 1.0


def nats(n_tokens: int, replaced_rate: float) -> float:
    return repaired(n_tokens, replaced_rate) * math.log(2)


def replaced_alone(n_tokens: int, replaced_rate: float) -> float:
    return -n_tokens * replaced_rate * math.log2(replaced_rate) if replaced_rate else 0


def negative(n_tokens: int, replaced_rate: float) -> float:
    return -repaired(n_tokens, replaced_rate)


def of_one(n_tokens: int, replaced_rate: float) -> float:
    return repaired(1, replaced_rate)


def log_of_zero(n_tokens: int, replaced_rate: float) -> float:
    return -n_tokens * sum(p * math.log2(p) for p in (replaced_rate, 1 - replaced_rate))


def expected_replaced(n_tokens: int, replaced_rate: float) -> float:
    return n_tokens * replaced_rate


def words(n_tokens: int, replaced_rate: float) -> str:
    return "many bits"


@pytest.mark.parametrize("right", [repaired, by_nats, EXERCISE.reference])
def test_right_answers_pass(right: Function) -> None:
    feedback = examine(EXERCISE, right)
    assert (feedback.state, feedback.fault) == ("right", None)


@pytest.mark.parametrize(
    ("wrong", "symptom", "cause"),
    [
        (one_bit, "rtd_bits(512, 0.1) gives 512; it is 240.1.", "only if both answers are equally likely"),
        (nats, "gives 166.4; it is 240.1", "That is in nats"),
        (replaced_alone, "gives 170.1; it is 240.1", "Only the replaced tokens were counted"),
        (negative, "gives -240.1; it is 240.1", "The sign"),
        (of_one, "gives 0.469; it is 240.1", "That is for one token"),
        (expected_replaced, "gives 51.2; it is 240.1", "Per token it is H(p)"),
        (log_of_zero, "It raises ValueError in the line", "Read the message"),
        (words, "The result could not be used: ValueError", "Compare the kind of your result"),
    ],
)
def test_mistakes_are_told_apart(wrong: Function, symptom: str, cause: str) -> None:
    assert_feedback(EXERCISE, wrong, symptom, cause)


def test_ours_by_hand() -> None:
    assert EXERCISE.reference(100, 0.5) == 100
    assert EXERCISE.reference(7, 0.25) == pytest.approx(7 * (0.5 + 0.75 * (2 - math.log2(3))))
    assert EXERCISE.reference(20, 0.0) == EXERCISE.reference(20, 1.0) == 0


def test_the_starter_as_given_is_not_tried_yet() -> None:
    found: dict[str, Function] = {}
    exec(EXERCISE.starter, found)
    feedback = examine(EXERCISE, found["rtd_bits"])
    # Without a file behind it the source is not known, so that the fault itself is told.
    assert feedback.fault is not None
    assert "equally likely" in feedback.fault.cause

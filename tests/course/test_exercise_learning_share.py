"""The exercise of lesson 01: right ways pass, and each usual error is told what it saw and why."""

import math
from collections.abc import Callable

import pytest
from exercise_feedback import assert_feedback

from electra_edu.course.exercises import examine, exercise

EXERCISE = exercise("learning_share")


def count(n_tokens: int, n_special: int, mask_prob: float) -> int:
    return max(1, round((n_tokens - n_special) * mask_prob))


def half_up(n_tokens: int, n_special: int, mask_prob: float) -> tuple[int, float]:
    n_masked = max(1, math.floor((n_tokens - n_special) * mask_prob + 0.5))
    return n_masked, n_masked / n_tokens


def as_the_library(n_tokens: int, n_special: int, mask_prob: float) -> list[float]:
    n_masked = count(n_tokens, n_special, mask_prob)
    return [n_masked, n_masked / n_tokens]


def cut_off(n_tokens: int, n_special: int, mask_prob: float) -> tuple[int, float]:
    n_masked = max(1, int((n_tokens - n_special) * mask_prob))
    return n_masked, n_masked / n_tokens


def of_all_tokens(n_tokens: int, n_special: int, mask_prob: float) -> tuple[int, float]:
    n_masked = max(1, round(n_tokens * mask_prob))
    return n_masked, n_masked / n_tokens


def without_at_least_one(n_tokens: int, n_special: int, mask_prob: float) -> tuple[int, float]:
    n_masked = round((n_tokens - n_special) * mask_prob)
    return n_masked, n_masked / n_tokens


def the_rate_as_the_share(n_tokens: int, n_special: int, mask_prob: float) -> tuple[int, float]:
    return count(n_tokens, n_special, mask_prob), mask_prob


def of_the_ordinary_ones(n_tokens: int, n_special: int, mask_prob: float) -> tuple[int, float]:
    n_masked = count(n_tokens, n_special, mask_prob)
    return n_masked, n_masked / (n_tokens - n_special)


def a_float(n_tokens: int, n_special: int, mask_prob: float) -> tuple[float, float]:
    n_masked = (n_tokens - n_special) * mask_prob
    return n_masked, n_masked / n_tokens


def only_the_count(n_tokens: int, n_special: int, mask_prob: float) -> int:
    return count(n_tokens, n_special, mask_prob)


@pytest.mark.parametrize("function", [EXERCISE.reference, half_up, as_the_library])
def test_right_ways_pass(function: Callable[..., object]) -> None:
    assert examine(EXERCISE, function).state == "right"


@pytest.mark.parametrize(
    ("function", "symptom", "cause"),
    [
        (cut_off, "gives 76 masked tokens; it is 77", "cuts the fraction off"),
        (of_all_tokens, "gives 8 masked tokens; it is 7", "never masked: the rate applies to the 20"),
        (without_at_least_one, "gives 0 masked tokens; it is 1", "0/0"),
        (the_rate_as_the_share, "gives the share 0.3500; it is 7 of 23 = 0.3043", "divided by all tokens"),
        (of_the_ordinary_ones, "gives the share 0.3500", "divided by all tokens"),
        (a_float, "gives the count 7.0", "whole number"),
        (only_the_count, "The result is 7", "the count, the share"),
    ],
)
def test_each_usual_error_is_told_apart(function: Callable[..., object], symptom: str, cause: str) -> None:
    assert_feedback(EXERCISE, function, symptom, cause)


def test_the_starters_errors_are_found_one_after_the_other() -> None:
    """Each repair leads to the next error, and the last one passes."""
    repairs = [
        ("int(n_tokens * mask_prob)", "int((n_tokens - n_special) * mask_prob)", "never masked"),
        ("n_masked, mask_prob", "n_masked, n_masked / n_tokens", "divided by all tokens"),
        ("int((", "round((", "cuts the fraction off"),
    ]
    source = EXERCISE.starter
    for old, new, cause in repairs:
        assert cause in _cause_of(source)
        source = source.replace(old, new)
    assert "0/0" in _cause_of(source)
    source = source.replace(
        "round((n_tokens - n_special) * mask_prob)", "max(1, round((n_tokens - n_special) * mask_prob))"
    )
    assert _cause_of(source) == ""


def _cause_of(source: str) -> str:
    """Return the cause that a function with this source is told, "" when it is right."""
    namespace: dict[str, Callable[..., object]] = {}
    exec(source, namespace)
    fault = examine(EXERCISE, namespace["learning_share"]).fault
    return fault.cause if fault else ""

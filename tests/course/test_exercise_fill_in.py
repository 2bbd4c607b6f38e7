"""The exercise fill_in of lesson 04: right answers pass, and each usual mistake is told apart."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from electra_edu.course.exercises import examine, exercise

Answer = Callable[..., Any]
EXERCISE = exercise("fill_in")


def fill_by_index(tokens: Any, is_masked: Any, guesses: Any) -> Any:
    read = tokens.clone()
    read[is_masked] = guesses[is_masked]
    return read, (read != tokens).long()


def fill_by_where(tokens: Any, is_masked: Any, guesses: Any) -> Any:
    return torch.where(is_masked, guesses, tokens), is_masked & (guesses != tokens)


def overwrite(tokens: Any, is_masked: Any, guesses: Any) -> Any:
    before = tokens.clone()
    tokens[is_masked] = guesses[is_masked]
    return tokens, tokens != before


RIGHT: list[Answer] = [fill_by_index, fill_by_where]
WRONG: list[tuple[Answer, str]] = [  # a usual mistake, words of the feedback
    (lambda t, m, g: (torch.where(m, g, t), m), "The labels are is_masked"),
    (lambda t, m, g: (g, g != t), "This place was not masked"),
    (lambda t, m, g: (torch.where(m, t, g), m), "This place was not masked"),
    (lambda t, m, g: (torch.where(m, g, t), torch.where(m, g, t) == t), "opposite"),
    (lambda t, m, g: (t, m), "still stands"),
    (lambda t, m, g: torch.where(m, g, t), "2 things"),
    (overwrite, "has changed"),
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

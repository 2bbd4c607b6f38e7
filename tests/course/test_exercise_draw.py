"""The exercise draw of lesson 03: right answers pass, and each usual mistake is told apart."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from electra_edu.course.exercises import examine, exercise

Answer = Callable[..., Any]
EXERCISE = exercise("draw")


def draw_by_multinomial(logits: Any, temperature: float, rng: Any) -> Any:
    return torch.multinomial((logits / temperature).softmax(-1), 1, generator=rng)[:, 0]


def draw_by_gumbel(logits: Any, temperature: float, rng: Any) -> Any:
    noise = -torch.log(-torch.log(torch.rand(logits.shape, generator=rng).clamp(1e-9, 1 - 1e-7)))
    return (logits / temperature + noise).argmax(-1)


RIGHT: list[Answer] = [draw_by_multinomial, draw_by_gumbel]
WRONG: list[tuple[Answer, str]] = [  # a usual mistake, words of the feedback
    (lambda x, heat, rng: x.argmax(-1), "this is argmax"),
    (lambda x, heat, rng: draw_by_multinomial(x * heat, 1.0, rng), "it is a division"),
    (lambda x, heat, rng: draw_by_multinomial(x, 1.0, rng), "changes nothing"),
    (lambda x, heat, rng: draw_by_multinomial(x.softmax(-1), heat, rng), "Softmax was taken twice"),
    (lambda x, heat, rng: torch.multinomial((x / heat).softmax(-1), 1, generator=rng), "shape"),
    (lambda x, heat, rng: torch.randint(3, (len(x),), generator=rng), "the logits are not used"),
    (lambda x, heat, rng: torch.multinomial((x / heat).softmax(-1), 1)[:, 0], "Chance must come from `rng`"),
    (lambda x, heat, rng: torch.multinomial((x / heat).exp(), 1, generator=rng)[:, 0], "raises"),
    (lambda x, heat, rng: draw_by_multinomial(x, heat, rng).float(), "whole numbers"),
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

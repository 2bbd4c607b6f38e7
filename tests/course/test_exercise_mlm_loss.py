"""The exercise mlm_loss of lesson 03: right answers pass, and each usual mistake is told apart."""

from collections.abc import Callable
from typing import Any

import pytest
import torch.nn.functional as F

from electra_edu.course.exercises import examine, exercise

Answer = Callable[..., Any]
EXERCISE = exercise("mlm_loss")


def mlm_by_index(logits: Any, tokens: Any, is_masked: Any) -> Any:
    if not is_masked.any():
        return logits.sum() * 0
    return F.cross_entropy(logits[is_masked], tokens[is_masked])


def mlm_by_logarithms(logits: Any, tokens: Any, is_masked: Any) -> Any:
    chance = logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]
    return -(chance * is_masked).sum() / max(1, int(is_masked.sum()))


def each(logits: Any, tokens: Any) -> Any:
    return F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")


RIGHT: list[Answer] = [mlm_by_index, mlm_by_logarithms]
WRONG: list[tuple[Answer, str]] = [  # a usual mistake, words of the feedback
    (lambda x, t, m: each(x, t).mean(), "mean over all positions"),
    (lambda x, t, m: (each(x, t) * m).mean(), "they are still counted"),
    (lambda x, t, m: (each(x, t) * m).sum(), "This is the sum"),
    (lambda x, t, m: each(x, t)[~m].mean(), "wrong way round"),
    (lambda x, t, m: ((each(x, t) * m).sum(1) / m.sum(1).clamp(min=1)).mean(), "rows' means"),
    (lambda x, t, m: ((each(x, t) * m).sum(1) / m.sum(1)).mean(), "divided by its count, 0"),
    (lambda x, t, m: each(x, t)[m].mean(), "Where nothing is masked"),
    (lambda x, t, m: each(x, t)[m].mean().detach(), "No gradient"),
    (lambda x, t, m: each(x, t)[m].mean().item(), "of the type float"),
    (lambda x, t, m: F.cross_entropy(x, t), "raises"),
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

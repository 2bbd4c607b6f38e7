"""The exercises of lessons 03 and 04: right answers written in several ways pass, usual mistakes are told apart."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from electra_edu.course.exercises import exercise
from electra_edu.course.exercises.exercise import examine

Answer = Callable[..., Any]


def mlm_by_index(logits: Any, tokens: Any, is_masked: Any) -> Any:
    if not is_masked.any():
        return logits.sum() * 0
    return F.cross_entropy(logits[is_masked], tokens[is_masked])


def mlm_by_logarithms(logits: Any, tokens: Any, is_masked: Any) -> Any:
    chance = logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]
    return -(chance * is_masked).sum() / max(1, int(is_masked.sum()))


def draw_by_multinomial(logits: Any, temperature: float, rng: Any) -> Any:
    return torch.multinomial((logits / temperature).softmax(-1), 1, generator=rng)[:, 0]


def draw_by_gumbel(logits: Any, temperature: float, rng: Any) -> Any:
    noise = -torch.log(-torch.log(torch.rand(logits.shape, generator=rng).clamp(1e-9, 1 - 1e-7)))
    return (logits / temperature + noise).argmax(-1)


def fill_by_index(tokens: Any, is_masked: Any, guesses: Any) -> Any:
    read = tokens.clone()
    read[is_masked] = guesses[is_masked]
    return read, (read != tokens).long()


def scores_by_counting(probabilities: Any, is_replaced: Any, threshold: float) -> Any:
    accused = probabilities > threshold
    both = (accused & is_replaced).sum().item()
    return both / max(1, accused.sum().item()), both / is_replaced.sum().item()


def scores_as_tensors(probabilities: Any, is_replaced: Any, threshold: float) -> Any:
    accused = (probabilities > threshold).float()
    both = (accused * is_replaced).sum()
    return both / accused.sum().clamp(min=1), both / is_replaced.sum()


RIGHT: list[tuple[str, Answer]] = [
    ("mlm_loss", mlm_by_index),
    ("mlm_loss", mlm_by_logarithms),
    ("draw", draw_by_multinomial),
    ("draw", draw_by_gumbel),
    ("fill_in", fill_by_index),
    (
        "fill_in",
        lambda tokens, is_masked, guesses: (torch.where(is_masked, guesses, tokens), is_masked & (guesses != tokens)),
    ),
    ("precision_recall", scores_by_counting),
    ("precision_recall", scores_as_tensors),
]


def each(logits: Any, tokens: Any) -> Any:
    return F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")


def overwrite(tokens: Any, is_masked: Any, guesses: Any) -> Any:
    before = tokens.clone()
    tokens[is_masked] = guesses[is_masked]
    return tokens, tokens != before


WRONG: list[tuple[str, Answer, str]] = [  # exercise, a usual mistake, words that it is told
    ("mlm_loss", lambda x, t, m: each(x, t).mean(), "mean over all positions"),
    ("mlm_loss", lambda x, t, m: (each(x, t) * m).mean(), "they are still counted"),
    ("mlm_loss", lambda x, t, m: (each(x, t) * m).sum(), "This is the sum"),
    ("mlm_loss", lambda x, t, m: each(x, t)[~m].mean(), "wrong way round"),
    ("mlm_loss", lambda x, t, m: ((each(x, t) * m).sum(1) / m.sum(1).clamp(min=1)).mean(), "rows' means"),
    ("mlm_loss", lambda x, t, m: ((each(x, t) * m).sum(1) / m.sum(1)).mean(), "divided by its count, 0"),
    ("mlm_loss", lambda x, t, m: each(x, t)[m].mean(), "Where nothing is masked"),
    ("mlm_loss", lambda x, t, m: each(x, t)[m].mean().detach(), "No gradient"),
    ("mlm_loss", lambda x, t, m: each(x, t)[m].mean().item(), "of the type float"),
    ("mlm_loss", lambda x, t, m: F.cross_entropy(x, t), "raises"),
    ("draw", lambda x, heat, rng: x.argmax(-1), "this is argmax"),
    ("draw", lambda x, heat, rng: draw_by_multinomial(x * heat, 1.0, rng), "it is a division"),
    ("draw", lambda x, heat, rng: draw_by_multinomial(x, 1.0, rng), "changes nothing"),
    ("draw", lambda x, heat, rng: draw_by_multinomial(x.softmax(-1), heat, rng), "Softmax was taken twice"),
    ("draw", lambda x, heat, rng: torch.multinomial((x / heat).softmax(-1), 1, generator=rng), "shape"),
    ("draw", lambda x, heat, rng: torch.randint(3, (len(x),), generator=rng), "the logits are not used"),
    ("draw", lambda x, heat, rng: torch.multinomial((x / heat).softmax(-1), 1)[:, 0], "Chance must come from `rng`"),
    ("draw", lambda x, heat, rng: torch.multinomial((x / heat).exp(), 1, generator=rng)[:, 0], "raises"),
    ("draw", lambda x, heat, rng: draw_by_multinomial(x, heat, rng).float(), "whole numbers"),
    ("fill_in", lambda t, m, g: (torch.where(m, g, t), m), "The labels are is_masked"),
    ("fill_in", lambda t, m, g: (g, g != t), "This place was not masked"),
    ("fill_in", lambda t, m, g: (torch.where(m, t, g), m), "This place was not masked"),
    ("fill_in", lambda t, m, g: (torch.where(m, g, t), torch.where(m, g, t) == t), "opposite"),
    ("fill_in", lambda t, m, g: (t, m), "still stands"),
    ("fill_in", lambda t, m, g: torch.where(m, g, t), "2 things"),
    ("fill_in", overwrite, "has changed"),
    ("precision_recall", lambda p, y, h: scores_by_counting(p, y, h)[::-1], "swapped"),
    ("precision_recall", lambda p, y, h: (((p > h) == y).float().mean(), scores_by_counting(p, y, h)[1]), "accuracy"),
    (
        "precision_recall",
        lambda p, y, h: (((p > h) & y).float().mean(), scores_by_counting(p, y, h)[1]),
        "by all tokens",
    ),
    ("precision_recall", lambda p, y, h: (((p > h) & y).sum() / (p > h).sum(), scores_by_counting(p, y, h)[1]), "0/0"),
    ("precision_recall", lambda p, y, h: scores_by_counting(p, y, 0.5), "At threshold 0.25"),
    ("precision_recall", lambda p, y, h: scores_by_counting(p, y, h)[0], "2 things"),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_pass(name: str, answer: Answer) -> None:
    feedback = examine(exercise(name), answer)
    assert feedback.state == "right", feedback.fault


@pytest.mark.parametrize(("name", "answer", "words"), WRONG, ids=[f"{name}-{words}" for name, _, words in WRONG])
def test_usual_mistakes_are_told_apart(name: str, answer: Answer, words: str) -> None:
    fault = examine(exercise(name), answer).fault
    assert fault is not None
    assert words in f"{fault.symptom} {fault.cause}", fault
    assert len(fault.symptom) < 260
    assert not math.isnan(len(fault.cause))

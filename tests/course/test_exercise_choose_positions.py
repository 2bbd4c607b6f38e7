"""The exercise of lesson 02: two right answers pass, and each usual mistake is told apart."""

from collections.abc import Callable

import pytest
import torch
from exercise_feedback import assert_feedback
from torch import Tensor

from electra_edu.course.exercises import Feedback, examine, exercise

Function = Callable[[Tensor, float, torch.Generator], Tensor]
EXERCISE = exercise("choose_positions")


def counts_of(ordinary: Tensor, mask_prob: float) -> list[int]:
    return [max(1, round(mask_prob * int(row.sum()))) if row.any() else 0 for row in ordinary]


def by_ranks(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    score = torch.rand(ordinary.shape, generator=rng).masked_fill(~ordinary, 2.0)
    counts = (ordinary.sum(-1, keepdim=True) * mask_prob).round().clamp(min=1)
    return (score.argsort(-1).argsort(-1) < counts) & ordinary


def row_by_row(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    chosen = torch.zeros_like(ordinary)
    for row, count in enumerate(counts_of(ordinary, mask_prob)):
        places = ordinary[row].nonzero().flatten()
        chosen[row, places[torch.randperm(len(places), generator=rng)[:count]]] = True
    return chosen


def coins(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    return (torch.rand(ordinary.shape, generator=rng) < mask_prob) & ordinary


def anywhere(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    return by_ranks(torch.ones_like(ordinary), mask_prob, rng)


def one_count_for_all(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    score = torch.rand(ordinary.shape, generator=rng).masked_fill(~ordinary, 2.0)
    return (score.argsort(-1).argsort(-1) < round(mask_prob * int(ordinary[0].sum()))) & ordinary


def cut_off(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    score = torch.rand(ordinary.shape, generator=rng).masked_fill(~ordinary, 2.0)
    counts = (ordinary.sum(-1, keepdim=True) * mask_prob).int().clamp(min=1)
    return (score.argsort(-1).argsort(-1) < counts) & ordinary


def none_in_short_rows(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    score = torch.rand(ordinary.shape, generator=rng).masked_fill(~ordinary, 2.0)
    return (score.argsort(-1).argsort(-1) < (ordinary.sum(-1, keepdim=True) * mask_prob).round()) & ordinary


def other_way_round(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    return ordinary & ~by_ranks(ordinary, mask_prob, rng)


def own_seed(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    return by_ranks(ordinary, mask_prob, torch.Generator().manual_seed(1))


def global_chance(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    return by_ranks(ordinary, mask_prob, torch.Generator().manual_seed(torch.randint(1 << 30, ()).item()))


def the_first(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    return ordinary & (ordinary.cumsum(-1) <= torch.tensor(counts_of(ordinary, mask_prob))[:, None])


def rather_late(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    place = torch.arange(ordinary.shape[1]) / ordinary.shape[1]
    score = (torch.rand(ordinary.shape, generator=rng) - 0.3 * place).masked_fill(~ordinary, 2.0)
    counts = torch.tensor(counts_of(ordinary, mask_prob))[:, None]
    return (score.argsort(-1).argsort(-1) < counts) & ordinary


def places(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    return by_ranks(ordinary, mask_prob, rng).nonzero()


def numbers(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    return by_ranks(ordinary, mask_prob, rng).long()


def writes_into_it(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    return ordinary.logical_and_(by_ranks(ordinary, mask_prob, rng))


@pytest.mark.parametrize("right", [by_ranks, row_by_row, EXERCISE.reference])
def test_right_answers_pass(right: Function) -> None:
    feedback = examine(EXERCISE, right)
    assert (feedback.state, feedback.fault) == ("right", None)


@pytest.mark.parametrize(
    ("wrong", "symptom", "cause"),
    [
        (coins, "Five draws over 20 tokens at 15% hide", "Tossing a coin"),
        (cut_off, "11 tokens at 15% give 1 hidden, not 2.", "int() cuts the fraction off; the count is round(1.65)"),
        (other_way_round, "20 tokens at 15% give 17 hidden, not 3.", "the wrong way round"),
        (anywhere, "is hidden, where `ordinary` is False", "padding must never be hidden"),
        (one_count_for_all, "got 3, 3, 2, 0 hidden at 15%, instead of 3, 2, 1, 0.", "row by row"),
        (none_in_short_rows, "got 3, 2, 0, 0 hidden", "max(1, round("),
        (global_chance, "same seed give different choices", "generator=rng"),
        (own_seed, "always hidden, or never", "a generator with a fixed seed"),
        (the_first, "always hidden, or never", "nothing is drawn from `rng`"),
        (rather_late, "Of 400 draws of 4 out of 8", "equally likely"),
        (places, "has the shape (3, 2)", "must have the shape (1, 20)"),
        (numbers, "of type torch.int64", "must be torch.bool"),
        (writes_into_it, "you were given has changed", "Build a new tensor"),
    ],
)
def test_mistakes_are_told_apart(wrong: Function, symptom: str, cause: str) -> None:
    assert_feedback(EXERCISE, wrong, symptom, cause)


def test_the_hint_gives_no_line_of_code() -> None:
    assert "=" not in EXERCISE.hint
    assert "return" not in EXERCISE.hint


def test_the_starter_is_untouched() -> None:
    found: dict[str, Function] = {}
    exec(EXERCISE.starter, found)
    assert examine(EXERCISE, found["choose_positions"]) == Feedback(EXERCISE, "untouched")

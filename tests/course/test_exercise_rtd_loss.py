"""The exercise of lesson 05: two right losses pass, and each usual mistake is told apart."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from exercise_feedback import assert_feedback
from torch import Tensor

from electra_edu.course.exercises import Feedback, examine, exercise

Function = Callable[[Tensor, Tensor, Tensor], Tensor]
EXERCISE = exercise("rtd_loss")


def bce(logits: Tensor, labels: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")


def by_weights(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return (bce(logits, is_replaced) * is_real).sum() / max(1, int(is_real.sum()))


def by_softplus(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    losses = F.softplus(torch.where(is_replaced, -logits, logits))[is_real]
    return losses.mean() if len(losses) else logits.sum() * 0


def pads_averaged(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return bce(logits, is_replaced).mean()


def pads_in_the_divisor(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return (bce(logits, is_replaced) * is_real).mean()


def summed(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return (bce(logits, is_replaced) * is_real).sum()


def replaced_alone(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return bce(logits, is_replaced)[is_replaced].mean()


def swapped(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return by_weights(logits, ~is_replaced, is_real)


def sigmoid_twice(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return by_weights(logits.sigmoid(), is_replaced, is_real)


def by_logarithms(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    p = logits.sigmoid()
    losses = -torch.where(is_replaced, p.log(), (1 - p).log())
    return (losses * is_real).sum() / is_real.sum().clamp(min=1)


def zero_by_zero(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return bce(logits, is_replaced)[is_real].mean()


def cut_off(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return torch.tensor(by_weights(logits, is_replaced, is_real).item())


def one_per_token(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return bce(logits, is_replaced) * is_real


def half(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return by_weights(logits, is_replaced, is_real) / 2


def a_number(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> float:
    return by_weights(logits, is_replaced, is_real).item()


def bools(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, is_replaced)


@pytest.mark.parametrize("right", [by_weights, by_softplus, EXERCISE.reference])
def test_right_answers_pass(right: Function) -> None:
    feedback = examine(EXERCISE, right)
    assert (feedback.state, feedback.fault) == ("right", None)


@pytest.mark.parametrize(
    ("wrong", "symptom", "cause"),
    [
        (pads_averaged, "On a small batch the loss is", "Padding is counted"),
        (pads_in_the_divisor, "On a small batch the loss is", "divide by the number of real tokens"),
        (summed, "On a small batch the loss is", "This is the sum. λ = 50 belongs to the mean"),
        (replaced_alone, "On a small batch the loss is", "Only the replaced tokens are counted"),
        (swapped, "On a small batch the loss is", "the wrong way round: 1 means replaced"),
        (sigmoid_twice, "On a small batch the loss is", "The sigmoid was taken twice"),
        (half, "On a small batch the loss is", "−log of the probability given to the right label"),
        (by_logarithms, "gives inf, not 100", "avoids that"),
        (zero_by_zero, "Where nothing is real the loss is nan, not 0.", "0/0"),
        (cut_off, "No gradient leads back", "taken out of the graph"),
        (one_per_token, "has the shape (3, 8)", "a single number"),
        (a_number, "is of the type float", "must be a tensor"),
        (bools, "It raises RuntimeError in the line “return F.binary", "shapes and types"),
    ],
)
def test_mistakes_are_told_apart(wrong: Function, symptom: str, cause: str) -> None:
    assert_feedback(EXERCISE, wrong, symptom, cause)


def test_ours_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0, 5.0]])
    labels, is_real = torch.tensor([[True, False, False]]), torch.tensor([[True, True, False]])
    assert float(EXERCISE.reference(logits, labels, is_real)) == pytest.approx(0.6931472)  # ln 2, whatever the padding
    assert float(EXERCISE.reference(logits, labels, torch.ones_like(is_real))) == pytest.approx(
        (2 * 0.6931472 + 5.0067153) / 3
    )


def test_the_starter_is_untouched() -> None:
    found: dict[str, Function] = {}
    exec(EXERCISE.starter, found)
    assert examine(EXERCISE, found["rtd_loss"]) == Feedback(EXERCISE, "untouched")

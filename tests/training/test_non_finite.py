"""Steps whose loss or gradient is not finite: the run stays whole, the number is named, and the remedy works."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small import equal, metrics_of, small_run, state, toy_corpus

import electra_edu as edu
from electra_edu.support.errors import TrainingStopped
from electra_edu.training import TrainingRun


def poison(weight: str) -> Callable[[TrainingRun], Callable[[], None]]:
    """Return a fault that puts a NaN into a weight, and its repair."""

    def inject(run: TrainingRun) -> Callable[[], None]:
        parameter = run.model.get_parameter(weight)
        good = parameter.flatten()[0].item()

        def put(value: float) -> None:
            with torch.no_grad():
                parameter.view(-1)[0] = value

        put(math.nan)
        return lambda: put(good)

    return inject


def spoil_gradient(weight: str, value: float) -> Callable[[TrainingRun], Callable[[], None]]:
    """Return a fault that makes one weight's gradient NaN or infinite, and its repair."""

    def inject(run: TrainingRun) -> Callable[[], None]:
        return run.model.get_parameter(weight).register_hook(lambda gradient: torch.full_like(gradient, value)).remove

    return inject


DENSE = "generator.dense.weight"


@pytest.mark.parametrize(
    ("fault", "culprit"),
    [
        (poison("generator.bias"), "the generator's MLM loss"),
        (poison("discriminator.output.bias"), "the discriminator's RTD loss"),
        (spoil_gradient(DENSE, math.nan), f"the gradient of {DENSE}"),
        (spoil_gradient(DENSE, math.inf), f"the gradient of {DENSE}"),
    ],
    ids=["NaN in the generator", "NaN in the discriminator", "NaN gradient", "infinite gradient"],
)
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_step_that_cannot_go_on_is_not_taken(
    fault: Callable[[TrainingRun], Callable[[], None]], culprit: str, dropout: float
) -> None:
    """The run stops at the fault, keeps all of its state, and after the repair goes on as if nothing had been."""
    run, undisturbed = small_run(dropout=dropout), small_run(dropout=dropout)
    run.advance(3)
    undisturbed.advance(6)
    before = state(run)
    repair = fault(run)
    with pytest.raises(TrainingStopped) as caught:
        run.advance(4)
    assert str(caught.value).startswith(f"Step 4 was not taken: {culprit} is not a finite number.")
    assert "Lower learning_rate (now 0.003)" in str(caught.value)
    assert all(parameter.grad is None for parameter in run.model.parameters())
    repair()
    assert equal(state(run), before)
    assert (run.step, len(run.history), run.tokens) == (3, 3, run.history[-1].tokens)
    run.advance(3)
    assert metrics_of(run.history) == metrics_of(undisturbed.history)
    assert equal(state(run), state(undisturbed))


def test_steps_before_the_fault_are_kept() -> None:
    run = small_run()
    gradients = iter([1.0, 1.0, math.nan])
    run.model.get_parameter(DENSE).register_hook(lambda gradient: gradient * next(gradients))
    with pytest.raises(TrainingStopped, match=r"^Step 3 was not taken"):
        run.advance(5)
    assert run.step == len(run.history) == 2


def test_a_lambda_beyond_all_numbers_stops_the_run() -> None:
    run = small_run()
    run.change(rtd_weight=1e300)
    with pytest.raises(TrainingStopped, match="is not a finite number"):
        run.advance(1)


# The remedy that the message names


BEYOND = [
    {"dropout": 0.999},
    {"rtd_weight": 1e30},
    {"rtd_weight": 1e300},
    {"initializer_range": 1000.0},
    {"initializer_range": 1e30},
    {"dropout": 0.999, "rtd_weight": 1e30},
    {"learning_rate": 1.0, "optimizer": "paper-adam"},
]


def carried_out(error: edu.TrainingStopped, run: TrainingRun) -> TrainingRun:
    """Do what the message says, and return the run that goes on."""
    call = re.search(r"(?:run\.change|edu\.TrainingRun)\(.*\)", str(error))
    assert call is not None, error
    made = eval(call[0], {"edu": edu, "run": run})
    return run if made is None else made


@pytest.mark.fault(
    "Errors", seen="dropout .999, λ 1e30 and initializer_range 1000 all said: lower learning_rate; no run went on"
)
@pytest.mark.parametrize("changes", BEYOND, ids=str)
def test_following_the_remedy_makes_the_run_go_on(changes: dict[str, Any]) -> None:
    run = TrainingRun(edu.preset("toy", batch_size=16, **changes), toy_corpus(), device="cpu")
    with pytest.raises(edu.TrainingStopped) as caught:
        run.advance(40)
    named = [name for name in changes if name != "optimizer"]
    assert all(f"{name} (now {changes[name]:.3g})" in str(caught.value) for name in named)
    assert len(carried_out(caught.value, run).advance(40)) == 40


@pytest.mark.fault("Errors", seen="λ moved to 1e30 in the middle of a run said: lower learning_rate")
def test_a_live_setting_that_was_moved_too_far_is_moved_back_in_the_same_run() -> None:
    run = small_run()
    run.advance(3)
    run.change(rtd_weight=1e30)
    with pytest.raises(
        edu.TrainingStopped, match=r"Set rtd_weight \(now 1e\+30\) to 50, then go on: run\.change"
    ) as caught:
        run.advance(1)
    assert carried_out(caught.value, run) is run
    assert run.advance(2)[-1].step == 5

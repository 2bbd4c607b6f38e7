"""A run in motion: what may change, what goes wrong, and that it is whole afterwards."""

import math
from collections.abc import Callable

import pytest
import torch
from small import equal, metrics_of, small_run, state
from torch import Tensor

from electra_edu import efficiency
from electra_edu.support.errors import ElectraEduError, TrainingStopped
from electra_edu.training import TrainingRun

# Live changes


def test_a_change_is_noted_and_obeyed_from_the_next_step_on() -> None:
    run, untouched = small_run(), small_run()
    run.advance(2)
    untouched.advance(2)
    run.change(rtd_weight=2.0, mask_prob=0.3, temperature=0.5, learning_rate=1e-3)
    assert [(c.step, c.field, c.before, c.after) for c in run.changes] == [
        (2, "rtd_weight", 10.0, 2.0),
        (2, "temperature", 1.0, 0.5),
        (2, "learning_rate", 3e-3, 1e-3),
    ]  # the mask rate was 0.3 already
    assert run.config == untouched.config.replace(rtd_weight=2.0, temperature=0.5, learning_rate=1e-3)
    record = run.advance(1)[0]
    assert record.loss == pytest.approx(record.mlm_loss + 2.0 * record.rtd_loss)
    assert (record.rtd_weight, record.temperature, record.learning_rate) == (2.0, 0.5, 1e-3)
    assert record.mlm_loss == untouched.advance(1)[0].mlm_loss  # the generator's task did not change with it


def test_a_changed_mask_rate_changes_how_much_is_masked_and_what_it_costs() -> None:
    run = small_run()
    before = run.advance(1)[0]
    run.change(mask_prob=0.9)
    after = run.advance(1)[0]
    assert after.replaced_rate > 2 * before.replaced_rate
    assert after.flops - before.flops == efficiency.flops(run.config)["total"] > before.flops
    assert run.evaluate().replaced_rate == pytest.approx(after.replaced_rate, abs=0.1)  # the live scores obey too


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": 32}, r"'hidden_size' cannot change during a run\..*mask_prob, rtd_weight.*new TrainingRun"),
        ({"mask_rate": 0.2}, r"Did you mean 'mask_prob'\?"),
        ({"mask_prob": 2.0}, r"mask_prob=2\.0: must be between 0 and 1"),
        ({"rtd_weight": 1.0, "temperature": 0.0}, r"temperature=0\.0"),
    ],
)
def test_what_cannot_change_is_refused_and_nothing_changes(settings: dict[str, float], message: str) -> None:
    run = small_run()
    before = run.config
    with pytest.raises(ElectraEduError, match=message):
        run.change(**settings)
    assert run.config == before
    assert run.changes == []


# What goes wrong


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


def test_an_interrupted_step_leaves_no_trace() -> None:
    """Pressing stop in the middle of a step loses that step and nothing else."""
    run, undisturbed = small_run(), small_run()
    run.advance(2)
    undisturbed.advance(5)

    def interrupt(_gradient: Tensor) -> None:
        raise KeyboardInterrupt

    handle = run.model.get_parameter(DENSE).register_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.advance(1)
    handle.remove()
    run.advance(3)
    assert metrics_of(run.history) == metrics_of(undisturbed.history)

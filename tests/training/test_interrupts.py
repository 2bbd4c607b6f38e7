"""An interrupt or a full memory at any moment: a step is taken as a whole or not at all, and so is a change."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from interrupts import at_line, count, moments, raising
from small import KINDS, equal, metrics_of, small_run, state
from torch import Tensor

from electra_edu.training import TrainingRun
from electra_edu.training import run as run_module
from electra_edu.training.step.undo import Undo

STEPS = "Interrupts"
ERRORS = (KeyboardInterrupt, MemoryError)


def assert_whole_after_interrupts(run: TrainingRun, alone: TrainingRun, every: int, *, each_instruction: bool) -> None:
    """Interrupt steps of `run` at many moments; each is as if it had not begun, or complete as `alone` takes it."""
    total = count(lambda: run.advance(1), each_instruction=each_instruction)
    alone.advance(1)
    undone = 0
    for n in moments(total, every):
        before, steps = state(run), run.step
        error = ERRORS[n // every % 2]
        try:
            with at_line(n, raising(error), each_instruction=each_instruction):
                run.advance(1)
        except error:
            pass
        assert all(weight.grad is None for weight in run.model.parameters()), n
        if run.step == steps:
            undone += 1
            assert equal(state(run), before), n
        else:
            alone.advance(1)
            assert equal(state(run), state(alone)), n
    assert undone > 8
    run.advance(2)
    alone.advance(2)
    assert metrics_of(run.history) == metrics_of(alone.history)
    assert equal(state(run), state(alone))


def test_an_interrupted_step_leaves_no_trace() -> None:
    """Pressing stop in the middle of a step loses that step and nothing else."""
    run, undisturbed = small_run(), small_run()
    run.advance(2)
    undisturbed.advance(5)

    def interrupt(_gradient: Tensor) -> None:
        raise KeyboardInterrupt

    handle = run.model.get_parameter("generator.dense.weight").register_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.advance(1)
    handle.remove()
    run.advance(3)
    assert metrics_of(run.history) == metrics_of(undisturbed.history)


@pytest.mark.fault(
    STEPS, seen="7 of 40 interrupts in a step left new weights without a record, and gradients added twice"
)
@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_a_step_is_whole_or_not_at_all(changes: dict[str, Any]) -> None:
    """Also the first one, in which the optimisers make their state."""
    run, alone = small_run(**changes), small_run(**changes)
    assert_whole_after_interrupts(run, alone, 61, each_instruction=False)


@pytest.mark.slow
@pytest.mark.fault(STEPS, seen="a full memory between the two optimisers left one network ahead of the other")
@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_a_step_is_whole_or_not_at_all_at_any_instruction(changes: dict[str, Any]) -> None:
    run, alone = small_run(**changes), small_run(**changes)
    assert_whole_after_interrupts(run, alone, 3, each_instruction=False)
    assert_whole_after_interrupts(run, alone, 29, each_instruction=True)


@pytest.mark.parametrize("changes", [{}, {"optimizer": "paper-adam"}], ids=str)
def test_the_first_step_can_be_interrupted_anywhere(changes: dict[str, Any]) -> None:
    total = count(lambda: small_run(**changes).advance(1))
    expected = small_run(**changes).advance(2)
    run = small_run(**changes)
    for n in moments(total, 83):
        if run.step:
            run = small_run(**changes)
        try:
            with at_line(n, raising(KeyboardInterrupt)):
                run.advance(1)
        except KeyboardInterrupt:
            pass
        if not run.step:
            assert not any(optimizer.state for optimizer in run.optimizers)
    run = run if run.step else small_run(**changes)
    run.advance(2 - run.step)
    assert metrics_of(run.history) == metrics_of(expected)


@pytest.mark.fault(STEPS, seen="a second Ctrl-C while the first was being dealt with kept half a step for good")
@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_second_interrupt_while_a_step_is_taken_back(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """The way back is cut off too, after some of it; the next call goes all the way."""
    run, alone = small_run(), small_run()
    run.advance(2)
    alone.advance(4)
    scratch = copy.deepcopy(run)
    scratch.advance(1)
    total = count(lambda: scratch.advance(1))
    left = iter([KeyboardInterrupt] * 3)
    whole = Undo.restore

    def cut_off(undo: Undo) -> None:
        if error := next(left, None):
            with torch.no_grad():
                for tensor, kept in list(zip(undo._tensors, undo._copies, strict=True))[: 20 * after]:
                    tensor.copy_(kept)
            raise error
        whole(undo)

    monkeypatch.setattr(Undo, "restore", cut_off)
    with pytest.raises(KeyboardInterrupt), at_line(total * 4 // 5, raising(KeyboardInterrupt)):
        run.advance(1)
    for call in (run.evaluate, lambda: run.change(rtd_weight=3.0)):
        with pytest.raises(KeyboardInterrupt):
            call()
    run.advance(2)
    assert metrics_of(run.history) == metrics_of(alone.history)
    assert equal(state(run), state(alone))


@pytest.mark.fault(STEPS, seen="an interrupted change was obeyed and not noted, so that no code could repeat the run")
def test_a_change_is_noted_and_obeyed_or_neither() -> None:
    here = str(Path(run_module.__file__))
    scratch = small_run()
    total = count(lambda: scratch.change(rtd_weight=3.0, mask_prob=0.5), within=here)
    outcomes = set()
    for n in moments(total, 2):
        run, alone = small_run(), small_run()
        try:
            with at_line(n, raising(KeyboardInterrupt), within=here):
                run.change(rtd_weight=3.0, mask_prob=0.5)
        except KeyboardInterrupt:
            pass
        outcomes.add(len(run.changes))
        alone.change(**{change.field: change.after for change in run.changes})
        assert metrics_of(run.advance(1)) == metrics_of(alone.advance(1)), n
        assert run.config == alone.config == run.average.config
    assert outcomes == {0, 2}

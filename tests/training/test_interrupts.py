"""An interrupt, a full memory or a kill at any moment: a step is whole or not at all, and so is a saved run."""

import copy
import multiprocessing
import os
import pickle
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from interrupts import at_line, count, raising
from small import KINDS, equal, metrics_of, small_run, state

from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.training import run as run_module
from electra_edu.training.checkpoint import folder as checkpoint
from electra_edu.training.step.undo import Undo

STEPS = "Interrupts"
SAVES = "Saved runs"
ERRORS = (KeyboardInterrupt, MemoryError)


def moments(total: int, every: int, first: int = 1) -> Iterator[int]:
    """Yield every n-th line of a call that runs about `total`, and some past its end."""
    yield from range(first, total + 3 * every, every)


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


# Saving


@pytest.mark.fault(SAVES, seen="29 of 6,789 interrupts during a save left no run that could be loaded")
@pytest.mark.parametrize("every", [37, pytest.param(2, marks=pytest.mark.slow)])
def test_an_interrupted_save_leaves_a_run(tmp_path: Path, every: int) -> None:
    run = small_run()
    run.advance(2)
    run.save(tmp_path)
    older = copy.deepcopy(run)
    for n in moments(count(lambda: run.save(tmp_path)), every):
        run.advance(1)
        error = ERRORS[n // every % 2]
        try:
            with at_line(n, raising(error)):
                run.save(tmp_path)
        except error:
            pass
        loaded = TrainingRun.load(tmp_path, run.corpus, device="cpu")
        if loaded.step != run.step:
            assert loaded.step == older.step, n
            assert equal(state(loaded), state(older)), n
        else:
            assert equal(state(loaded), state(run)), n
            older = copy.deepcopy(run)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["run.json", "run.safetensors"], n


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process that can be ended at a line")
@pytest.mark.parametrize("every", [97, pytest.param(7, marks=pytest.mark.slow)])
def test_a_killed_save_leaves_a_run(tmp_path: Path, every: int) -> None:
    """The process ends at a line, without a word; what it left in the folder is no hindrance to the next save."""
    run = small_run()
    run.advance(2)
    run.save(tmp_path)
    older = run.step
    for n in moments(count(lambda: run.save(tmp_path)), every):
        run.advance(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of forks where threads run
            child = os.fork()
        if child == 0:
            run._lock.process = os.getpid()  # only here: no thread of this process is in the middle of anything
            with at_line(n, lambda: os._exit(9)):
                run.save(tmp_path)
            os._exit(0)
        os.waitpid(child, 0)
        loaded = TrainingRun.load(tmp_path, run.corpus, device="cpu")
        assert loaded.step in (older, run.step), n
        older = loaded.step
    run.advance(1)
    run.save(tmp_path)
    assert TrainingRun.load(tmp_path, run.corpus, device="cpu").step == run.step


@pytest.mark.fault(
    SAVES, seen="22 of 514 loads while another process saved mixed the weights of one with the history of another"
)
def test_a_load_while_another_run_is_saved_reads_one_of_them(tmp_path: Path) -> None:
    """At every line of a load in turn, the other of two runs is saved into the folder."""
    runs = [small_run(seed=seed) for seed in (1, 2)]
    for steps, run in enumerate(runs, start=2):
        run.advance(steps)
        run.save(tmp_path)
    expected = {run.seed: (state(run), metrics_of(run.history)) for run in runs}

    def load() -> TrainingRun:
        return TrainingRun.load(tmp_path, runs[0].corpus, device="cpu")

    here = str(Path(checkpoint.__file__))
    seen = set()
    for n in moments(count(load, within=here), 5):
        with at_line(n, lambda other=runs[n % 2]: other.save(tmp_path), within=here):  # type: ignore[misc]
            loaded = load()
        weights, history = expected[loaded.seed]
        assert equal(state(loaded), weights), n
        assert metrics_of(loaded.history) == history, n
        seen.add(loaded.seed)
    assert seen == {1, 2}


def test_two_runs_saved_into_one_folder_at_once_leave_one_of_them(tmp_path: Path) -> None:
    runs = [small_run(seed=seed) for seed in (1, 2)]
    for i in range(40):
        folder = tmp_path / str(i // 2)  # a new one, and one with a run in it
        threads = [threading.Thread(target=run.save, args=(folder,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert TrainingRun.load(folder, runs[0].corpus, device="cpu").seed in (1, 2)
        assert sorted(path.name for path in folder.iterdir()) == ["run.json", "run.safetensors"]


# Random draws


@pytest.mark.fault(STEPS, seen="dropout drew from PyTorch's global generator, and so changed the learner's own draws")
def test_dropout_leaves_the_learners_generator_alone() -> None:
    """A learner draws numbers in a cell while a panel trains in its thread."""
    torch.manual_seed(5)
    expected = torch.stack([torch.rand(4) for _ in range(300)])
    thread = threading.Thread(target=small_run(dropout=0.3).advance, args=(60,))
    thread.start()
    rounds = 0
    while thread.is_alive():
        torch.manual_seed(5)
        assert torch.equal(torch.stack([torch.rand(4) for _ in range(300)]), expected)
        rounds += 1
    assert rounds > 5


@pytest.mark.fault(STEPS, seen="two runs with dropout in two threads both differed from running alone")
def test_runs_with_dropout_in_two_threads_are_as_alone() -> None:
    """And a learner who seeds the global generator all the while changes nothing."""
    alone = [metrics_of(small_run(seed, dropout=0.3).advance(25)) for seed in range(3)]
    together = [small_run(seed, dropout=0.3) for seed in range(3)]
    threads = [threading.Thread(target=run.advance, args=(25,)) for run in together]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        torch.manual_seed(0)
    assert [metrics_of(run.history) for run in together] == alone


# Copies and other processes


@pytest.mark.fault(STEPS, seen="copy.deepcopy(run) and pickle.dumps(run) ended in “cannot pickle RLock”")
@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_a_copy_goes_on_by_itself(changes: dict[str, Any]) -> None:
    run = small_run(**changes)
    run.advance(3)
    copies = [copy.deepcopy(run), pickle.loads(pickle.dumps(run))]
    expected = metrics_of(run.advance(2))
    for other in copies:
        assert other.step == 3
        assert metrics_of(other.advance(2)) == expected
        assert equal(state(other), state(run))
        assert other.evaluate() == run.evaluate()
    assert copies[0].corpus is run.corpus


def _use(run: TrainingRun, answers: Any) -> None:
    said = []
    for call in (lambda: run.advance(1), run.evaluate, lambda: run.change(rtd_weight=1.0), lambda: run.save("never")):
        try:
            call()
        except ElectraEduError as error:
            said.append(str(error))
    answers.put(said)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.fault(STEPS, seen="a process forked while another thread trained waited for ever")
def test_a_forked_process_is_told_at_once() -> None:
    run = small_run()
    context: Any = multiprocessing.get_context("fork")
    answers = context.Queue()
    with run._lock.of_this_process(), warnings.catch_warnings():  # as in the middle of a step
        warnings.simplefilter("ignore")
        child = context.Process(target=_use, args=(run, answers))
        child.start()
    said = answers.get(timeout=60)
    child.join()
    assert len(said) == 4
    assert all(
        f"belongs to process {os.getpid()}" in text and "Save it there and load it here" in text for text in said
    )

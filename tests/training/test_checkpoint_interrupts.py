"""Saves and loads cut off at any moment, or at the same time as others: the folder holds one whole run."""

import copy
import os
import threading
import warnings
from pathlib import Path

import pytest
from interrupts import at_line, count, moments, raising
from small import equal, metrics_of, small_run, state

from electra_edu.training import TrainingRun
from electra_edu.training.checkpoint import folder as checkpoint

SAVES = "Saved runs"
ERRORS = (KeyboardInterrupt, MemoryError)


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

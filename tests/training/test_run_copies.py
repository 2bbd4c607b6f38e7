"""Runs beside each other: in threads, as copies, in other processes; each draws and goes on as if alone."""

import copy
import multiprocessing
import os
import pickle
import threading
import warnings
from typing import Any

import pytest
import torch
from small import KINDS, equal, metrics_of, small_run, state

from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun

STEPS = "Interrupts"


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

"""Run an experiment's cells, several at a time, in a folder that remembers: what is finished is never run again."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from electra_edu.evaluation.probes import probe_suite
from electra_edu.experiments.cells import CellFiles, Row, one_thread, run_cell
from electra_edu.experiments.plan import Cell, Experiment, corpus_named
from electra_edu.experiments.workers import settings
from electra_edu.support.errors import ElectraEduError, TrainingStopped
from electra_edu.training import TrainingRun

TRIAL_STEPS = 4  # of each arm, before an estimate; the first is left out
FINE_TUNING_SECONDS = 2.0  # for one task and number of labels: `min_steps` decides, whatever the network


@dataclass(frozen=True)
class Outcome:
    """What there is after a run: the rows of all finished cells in order, and why others failed."""

    rows: list[Row]  # of a cell all or none
    failed: dict[str, str]  # "arm, seed 3" -> the error
    cells: int  # that the experiment has
    network: Path | None = None  # the folder of the networks that it keeps, once they are trained


def run_experiment(
    experiment: Experiment,
    folder: Path,
    *,
    jobs: int | None = None,
    retry: bool = False,
    on_cell: Callable[[int, int], None] = lambda _done, _of: None,
) -> Outcome:
    """Run what is not finished yet and return all there is.

    Each cell keeps its result in `folder` as it ends, and its run at every mark; a run that was killed at any moment
    goes on when called again. Cells that failed are left alone unless `retry`. `jobs` cells run at a time, one thread
    each (as many as there are cores when None). Worker processes end with this one. `on_cell` hears how many cells are
    done, of how many, at the start and after each. Raises ElectraEduError for a corpus that is not there, settings that
    cannot be trained and a folder that cannot be written.
    """
    from joblib import Parallel, delayed  # here: the course never needs it

    experiment.check()
    cells = {cell.key: cell for cell in experiment.cells()}  # the same run under two names is run once
    due = [cell for key, cell in cells.items() if _is_due(CellFiles(folder, key), retry)]
    n_jobs = min(jobs or os.cpu_count() or 1, max(len(due), 1))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        on_cell(len(cells) - len(due), len(cells))
        ended = Parallel(n_jobs=n_jobs, return_as="generator_unordered", **settings())(
            delayed(run_cell)(cell, folder) for cell in due
        )
        for n, _ in enumerate(ended, len(cells) - len(due) + 1):
            on_cell(n, len(cells))
    except OSError as error:
        raise ElectraEduError(f"{folder} cannot be written ({error}). Choose another folder.") from error
    outcome = gather(experiment, folder)
    for name, cell in ((_name_of(cell), cell) for cell in cells.values()):
        if CellFiles(folder, cell.key).result() is None and name not in outcome.failed:
            outcome.failed[name] = "left no result: the code or the folder changed meanwhile. Run it again."
    return outcome


def gather(experiment: Experiment, folder: Path) -> Outcome:
    """Return what `folder` has of the experiment, without running anything: arms in order, then seeds, then marks."""
    rows: list[Row] = []
    failed: dict[str, str] = {}
    network = None
    cells = sorted(experiment.cells(), key=lambda cell: (experiment.arms.index(cell.arm), cell.seed))
    for cell in cells:
        files = CellFiles(folder, cell.key)
        rows += [{"arm": _arm_of(cell, row), **cell.arm.changes, **row} for row in files.result() or []]
        failure = files.failure()
        if failure is not None:
            failed[_name_of(cell)] = failure
        if cell.keep and files.result() is not None:
            network = files.network
    return Outcome(rows, failed, len(cells), network)


def estimate(experiment: Experiment, folder: Path, jobs: int | None = None) -> float:
    """Return about how many seconds are still to run, from a few steps of each arm and one scoring on this computer."""
    due = [cell for cell in experiment.cells() if CellFiles(folder, cell.key).result() is None]
    if not due:
        return 0.0
    corpus = corpus_named(experiment.corpus)
    n_readings = len(experiment.marks) * max(1, len(experiment.layers))
    seconds, scoring = 0.0, None
    with one_thread():
        for arm in experiment.arms:
            n_cells = sum(cell.arm == arm for cell in due)
            if not n_cells:
                continue
            run = TrainingRun(arm.config(corpus, experiment.marks[-1]), corpus, device="cpu")
            if scoring is None:
                began = time.perf_counter()
                run.evaluate()
                probe_suite(run.average.encoder, corpus)
                scoring = time.perf_counter() - began
            try:
                trial = run.advance(TRIAL_STEPS)
            except TrainingStopped:  # such a run ends early; that it does is said when it runs
                continue
            pace = (trial[-1].seconds - trial[0].seconds) / (trial[-1].flops - trial[0].flops)
            seconds += n_cells * (pace * experiment.marks[-1] * arm.is_trained + scoring * n_readings)
            if experiment.fine_tuning is not None:
                what = experiment.fine_tuning
                seconds += n_cells * len(what.tasks) * len(what.labels_per_class) * FINE_TUNING_SECONDS
    return seconds / min(jobs or os.cpu_count() or 1, len(due))


def _name_of(cell: Cell) -> str:
    return f"{cell.arm.name}, seed {cell.seed}"


def _arm_of(cell: Cell, row: Row) -> str:
    """Name what a row is about: the arm, and the layer where several are probed."""
    if "layer" not in row:
        return cell.arm.name
    return f"{cell.arm.name}, block {row['layer']}" if row["layer"] else f"{cell.arm.name}, embeddings"


def _is_due(files: CellFiles, retry: bool) -> bool:
    return files.result() is None and (retry or files.failure() is None)

"""Run one trial of an experiment: train, evaluate it at each budget, and be able to go on after a kill."""

import json
import math
import platform
import shutil
import socket
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from filelock import FileLock

from electra_edu import efficiency
from electra_edu.evaluation.finetuning import learning_curve
from electra_edu.evaluation.probes import probe_suite
from electra_edu.evaluation.tasks import load_task
from electra_edu.experiments.experiment import TFLOP, FineTuning, Trial, corpus_named
from electra_edu.interop import to_transformers
from electra_edu.model.encoder import HasEncoder
from electra_edu.support.errors import CheckpointError
from electra_edu.support.files import atomic_write
from electra_edu.training import TrainingRun
from electra_edu.training.schemes import trained_at

Row = dict[str, Any]  # one run at one budget: plain values, for JSON

# Columns that may differ between two machines on which the same trial ran.
MACHINE_COLUMNS = ("seconds", "date", "host", "threads", "python", "torch", "version")
TRAINING_COLUMNS = ("mlm_loss", "rtd_loss", "mlm_grad_share", "grad_cosine", "recall", "replaced_rate", "entropy")
THREADS = 1  # in each trial: runs go on beside each other, and the last bits depend on it


class TrialFiles:
    """The files of one trial in an experiment's folder. What is there was written whole."""

    def __init__(self, folder: Path, key: str) -> None:
        """Name the files; nothing is touched."""
        self.done = folder / f"{key}.json"
        self.failed = folder / f"{key}.failed.json"
        self.rows = folder / f"{key}.rows.json"  # so far
        self.run = folder / f"{key}.run"  # the run at the last budget
        self.network = folder / f"{key}.network"  # of a trial that keeps it, once it is trained
        self.lock = folder / f"{key}.lock"

    def result(self) -> list[Row] | None:
        """Return the rows of a finished trial, None where it is not finished (or its file is not readable)."""
        rows: list[Row] | None = _read(self.done)
        return rows

    def failure(self) -> str | None:
        """Return why the trial failed, in a line; None where it did not."""
        found = _read(self.failed)
        return None if found is None else str(found["error"])

    def clear(self) -> None:
        """Remove what only an unfinished trial needs, and what kills have left of it."""
        self.rows.unlink(missing_ok=True)
        for folder in [self.run, *self.run.parent.glob(f".{self.run.name}-*")]:  # what `TrainingRun.save` began
            shutil.rmtree(folder, ignore_errors=True)
        for half in self.done.parent.glob(f".{self.done.stem}.*.part"):
            half.unlink(missing_ok=True)


def run_trial(trial: Trial, folder: Path) -> bool:
    """Run a trial to its end, from its last budget where it was cut off, and keep its rows in `folder`.

    Return whether it succeeded; why not is kept as well. One process at a time works on a trial: a second one
    waits, and then finds it done.
    """
    files = TrialFiles(folder, trial.key)
    with FileLock(files.lock), one_thread():
        if files.result() is not None:
            return True
        files.failed.unlink(missing_ok=True)
        try:
            atomic_write(files.done, json.dumps(_rows(trial, files)))
        except Exception as error:  # whatever it was, the other trials go on and the report names it
            failure = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
            atomic_write(files.failed, json.dumps(failure))
            return False
        finally:
            if files.done.exists() or files.failed.exists():
                files.clear()
    return True


@contextmanager
def one_thread() -> Iterator[None]:
    """Give PyTorch one thread in the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _rows(trial: Trial, files: TrialFiles) -> list[Row]:
    run, rows = _start(trial, files)
    for budget in trial.budgets[len({row["tflop"] for row in rows}) :]:
        if trial.arm.is_trained:
            train_until(run, budget)
        rows += _rows_at(trial, run, budget, rows[-1]["step"] if rows else 0)
        if budget != trial.budgets[-1]:
            atomic_write(files.rows, json.dumps(rows))  # before the run: rows of a later step are dropped on return
            run.save(files.run)
    if trial.keep:
        to_transformers(run, files.network)
    if trial.fine_tuning is None:
        return rows
    return [
        {**rows[-1], "task": task, "labels_per_class": labels, "score": score}
        for task, labels, score in _fine_tuned(run.average, trial, trial.fine_tuning)
    ]


def _start(trial: Trial, files: TrialFiles) -> tuple[TrainingRun, list[Row]]:
    """Return the run as it was at its last budget with its rows so far, or a new one."""
    corpus = corpus_named(trial.corpus)
    rows = _read(files.rows) or []
    try:
        run = TrainingRun.load(files.run, corpus, device="cpu")
    except CheckpointError:  # none yet, or damaged: begin this trial
        shutil.rmtree(files.run, ignore_errors=True)
    else:
        rows = [row for row in rows if row["step"] <= run.step]
        if rows and rows[-1]["step"] == run.step:
            return run, rows
    config = trial.arm.config(corpus, trial.budgets[-1])
    return TrainingRun(config, corpus, seed=trial.seed, device="cpu"), []


def train_until(run: TrainingRun, flops: float) -> None:
    """Train as long as the next step stays within `flops`."""
    while True:
        trained = trained_at(run.step, run.config)
        if run.flops + efficiency.flops(run.config, trained=trained)["total"] > flops:
            return
        run.advance(1)


def _rows_at(trial: Trial, run: TrainingRun, budget: float, since: int) -> list[Row]:
    """Return the rows at a budget, one for each layer that is probed."""
    evaluation = run.evaluate().to_dict()
    rows = []
    for layer in trial.layers or (None,):
        probes = probe_suite(run.average.encoder, run.corpus, seed=trial.seed, layer=layer)
        row = _row(trial, run, budget, since, evaluation, probes)
        rows.append(row if layer is None else {"layer": layer, **row})
    return rows


def _row(
    trial: Trial, run: TrainingRun, budget: float, since: int, evaluation: Row, probes: Mapping[str, float]
) -> Row:
    """Return one row: what was spent, exam, probes, and means of the training steps since the last budget.

    The arm is not in it: the same run may have another name in another experiment.
    """
    steps = run.history[since:]
    trained = {f"train_{name}": _mean([getattr(step, name) for step in steps]) for name in TRAINING_COLUMNS}
    return {
        "corpus": trial.corpus,
        "seed": trial.seed,
        "tflop": budget / TFLOP,
        "step": run.step,
        "tokens": run.tokens,
        "flops": run.flops,
        **{f"probe_{task}": _plain(score) for task, score in probes.items()},
        "probe_mean": _mean(list(probes.values())),
        **{name: value for name, value in evaluation.items() if name != "step"},
        **trained,
        "seconds": round(run.seconds, 3),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "version": version("electra-edu"),
    }


def _fine_tuned(model: HasEncoder, trial: Trial, what: FineTuning) -> Iterator[tuple[str, int, float]]:
    corpus = corpus_named(trial.corpus)
    for name in what.tasks:
        task = load_task(corpus, name, trial.seed)
        curve = learning_curve(model, task, what.labels_per_class, seeds=(trial.seed,))
        for labels, results in curve.items():
            yield name, labels, results.mean


def _mean(values: list[float]) -> float | None:
    there = [value for value in values if not math.isnan(value)]
    return _plain(fmean(there)) if there else None


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _read(path: Path) -> Any:
    """Return the JSON in a file, None where there is none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None

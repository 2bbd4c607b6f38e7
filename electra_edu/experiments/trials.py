"""Run one cell of an experiment: train, read the scores at each mark, and be able to go on after a kill."""

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
from electra_edu.experiments.plan import TFLOP, Cell, FineTuning, corpus_named
from electra_edu.interop import to_transformers
from electra_edu.model.encoder import HasEncoder
from electra_edu.support.errors import CheckpointError
from electra_edu.support.files import atomic_write
from electra_edu.training import TrainingRun
from electra_edu.training.schemes import trained_at

Row = dict[str, Any]  # one reading of one run: plain values, for JSON

# Columns that may differ between two machines on which the same cell ran.
MACHINE_COLUMNS = ("seconds", "date", "host", "threads", "python", "torch", "version")
TRAINING_COLUMNS = ("mlm_loss", "rtd_loss", "mlm_grad_share", "grad_cosine", "recall", "replaced_rate", "entropy")
THREADS = 1  # in each cell: runs go on beside each other, and the last bits depend on it


class CellFiles:
    """The files of one cell in an experiment's folder. What is there was written whole."""

    def __init__(self, folder: Path, key: str) -> None:
        """Name the files; nothing is touched."""
        self.done = folder / f"{key}.json"
        self.failed = folder / f"{key}.failed.json"
        self.rows = folder / f"{key}.rows.json"  # read so far
        self.run = folder / f"{key}.run"  # the run at the last mark
        self.network = folder / f"{key}.network"  # of a cell that keeps it, once it is trained
        self.lock = folder / f"{key}.lock"

    def result(self) -> list[Row] | None:
        """Return the rows of a finished cell, None where it is not finished (or its file is not readable)."""
        rows: list[Row] | None = _read(self.done)
        return rows

    def failure(self) -> str | None:
        """Return why the cell failed, in a line; None where it did not."""
        found = _read(self.failed)
        return None if found is None else str(found["error"])

    def clear(self) -> None:
        """Remove what only an unfinished cell needs, and what kills have left of it."""
        self.rows.unlink(missing_ok=True)
        for folder in [self.run, *self.run.parent.glob(f".{self.run.name}-*")]:  # what `TrainingRun.save` began
            shutil.rmtree(folder, ignore_errors=True)
        for half in self.done.parent.glob(f".{self.done.stem}.*.part"):
            half.unlink(missing_ok=True)


def run_cell(cell: Cell, folder: Path) -> bool:
    """Run a cell to its end, from its last mark where it was cut off, and keep its rows in `folder`.

    Return whether it succeeded; why not is kept as well. One process at a time works on a cell: a second one waits, and
    then finds it done.
    """
    files = CellFiles(folder, cell.key)
    with FileLock(files.lock), one_thread():
        if files.result() is not None:
            return True
        files.failed.unlink(missing_ok=True)
        try:
            atomic_write(files.done, json.dumps(_rows(cell, files)))
        except Exception as error:  # whatever it was, the other cells go on and the report names it
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


def _rows(cell: Cell, files: CellFiles) -> list[Row]:
    run, rows = _start(cell, files)
    for mark in cell.marks[len({row["tflop"] for row in rows}) :]:
        if cell.arm.is_trained:
            train_until(run, mark)
        rows += _readings(cell, run, mark, rows[-1]["step"] if rows else 0)
        if mark != cell.marks[-1]:
            atomic_write(files.rows, json.dumps(rows))  # before the run: rows of a later step are dropped on return
            run.save(files.run)
    if cell.keep:
        to_transformers(run, files.network)
    if cell.fine_tuning is None:
        return rows
    return [
        {**rows[-1], "task": task, "labels_per_class": labels, "score": score}
        for task, labels, score in _fine_tuned(run.average, cell, cell.fine_tuning)
    ]


def _start(cell: Cell, files: CellFiles) -> tuple[TrainingRun, list[Row]]:
    """Return the run as it was at its last mark with its rows so far, or a new one."""
    corpus = corpus_named(cell.corpus)
    rows = _read(files.rows) or []
    try:
        run = TrainingRun.load(files.run, corpus, device="cpu")
    except CheckpointError:  # none yet, or damaged: begin this cell
        shutil.rmtree(files.run, ignore_errors=True)
    else:
        rows = [row for row in rows if row["step"] <= run.step]
        if rows and rows[-1]["step"] == run.step:
            return run, rows
    config = cell.arm.config(corpus, cell.marks[-1])
    return TrainingRun(config, corpus, seed=cell.seed, device="cpu"), []


def train_until(run: TrainingRun, flops: float) -> None:
    """Train as long as the next step stays within `flops`."""
    while True:
        trained = trained_at(run.step, run.config)
        if run.flops + efficiency.flops(run.config, trained=trained)["total"] > flops:
            return
        run.advance(1)


def _readings(cell: Cell, run: TrainingRun, mark: float, since: int) -> list[Row]:
    """Return the rows at a mark, one for each layer that is probed."""
    evaluation = run.evaluate().to_dict()
    rows = []
    for layer in cell.layers or (None,):
        probes = probe_suite(run.average.encoder, run.corpus, seed=cell.seed, layer=layer)
        row = _reading(cell, run, mark, since, evaluation, probes)
        rows.append(row if layer is None else {"layer": layer, **row})
    return rows


def _reading(
    cell: Cell, run: TrainingRun, mark: float, since: int, evaluation: Row, probes: Mapping[str, float]
) -> Row:
    """Return one row: what was spent, exam, probes, and means of the training steps since the last mark.

    The arm is not in it: the same run may have another name in another experiment.
    """
    steps = run.history[since:]
    trained = {f"train_{name}": _mean([getattr(step, name) for step in steps]) for name in TRAINING_COLUMNS}
    return {
        "corpus": cell.corpus,
        "seed": cell.seed,
        "tflop": mark / TFLOP,
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


def _fine_tuned(model: HasEncoder, cell: Cell, what: FineTuning) -> Iterator[tuple[str, int, float]]:
    corpus = corpus_named(cell.corpus)
    for name in what.tasks:
        task = load_task(corpus, name, cell.seed)
        curve = learning_curve(model, task, what.labels_per_class, seeds=(cell.seed,))
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

"""Time to insight: seconds from pressing Train until a preset's discriminator passes a mark on the held-out exam."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from types import MappingProxyType
from typing import Any

import torch

from electra_edu.config import preset
from electra_edu.corpora import load_corpus
from electra_edu.support.errors import ElectraEduError, nearest
from electra_edu.training import TrainingRun

Row = dict[str, Any]  # plain values for JSON


@dataclass(frozen=True)
class Marks:
    """The AUCs that a run on a corpus has to pass, in rising order, and how often it is graded on the way."""

    aucs: tuple[float, ...]
    every: int  # steps between two exams
    patience: int  # steps after which a run gives up


MARKS: Mapping[str, Marks] = MappingProxyType({"toy": Marks((0.90,), 10, 500), "docs": Marks((0.75, 0.85), 25, 3000)})


def time_to_insight(
    corpus: str,
    *,
    seeds: Sequence[int],
    device: str = "cpu",
    patience: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Row]:
    """Train the preset of `corpus` once for each seed and return one row for each seed and mark.

    A row has the corpus, seed, mark, threads, and, when the mark was passed, the steps, the `seconds` since Train was
    pressed (the exams on the way included, as in the Training Lab) and the `training_seconds` spent in steps; None
    where the run gave up, after `patience` steps (None: as many as the corpus's marks allow). Building the run and its
    exam, which happens before Train can be pressed, is not counted.
    Raises ElectraEduError for a corpus without marks.
    """
    marks, text = marks_of(corpus), load_corpus(corpus)
    if patience is not None:
        marks = replace(marks, patience=patience)
    rows: list[Row] = []
    _warm_up(TrainingRun(preset(corpus), text, device=device))
    for seed in seeds:
        run = TrainingRun(preset(corpus), text, seed=seed, device=device)
        rows += _train(run, marks, clock)
    return rows


def marks_of(corpus: str) -> Marks:
    """Return the marks that a run on this corpus has to pass; raises ElectraEduError for a corpus without any."""
    if corpus not in MARKS:
        raise ElectraEduError(
            f"There are no marks for {corpus!r}.{nearest(corpus, MARKS)} Corpora: {', '.join(MARKS)}."
        )
    return MARKS[corpus]


def summary(rows: Sequence[Row]) -> list[Row]:
    """Return, for each corpus and mark, how many runs passed it and the median, least and greatest seconds and steps.

    A run that gave up counts as slower than all others.
    """
    found = []
    for corpus, mark in dict.fromkeys((row["corpus"], row["auc"]) for row in rows):
        mine = [row for row in rows if (row["corpus"], row["auc"]) == (corpus, mark)]
        one: Row = {"corpus": corpus, "auc": mark, "runs": len(mine)}
        one["passed"] = sum(row["steps"] is not None for row in mine)
        for what in ("seconds", "training_seconds", "steps"):
            values = [float("inf") if row[what] is None else row[what] for row in mine]
            one[what] = [median(values), min(values), max(values)]
        found.append(one)
    return found


def _train(run: TrainingRun, marks: Marks, clock: Callable[[], float]) -> list[Row]:
    _ = run.exam  # drawn before the clock starts
    waiting, rows = list(marks.aucs), []
    common = {"corpus": run.corpus.name, "seed": run.seed, "threads": torch.get_num_threads()}
    began = clock()
    while waiting and run.step < marks.patience:
        run.advance(marks.every)
        auc, seconds = run.evaluate().auc, clock() - began
        while waiting and auc >= waiting[0]:
            reached = {"steps": run.step, "seconds": seconds, "training_seconds": run.seconds}
            rows.append(common | {"auc": waiting.pop(0)} | reached)
    nothing = dict.fromkeys(("steps", "seconds", "training_seconds"))
    return rows + [common | {"auc": mark} | nothing for mark in waiting]


def _warm_up(run: TrainingRun) -> None:
    """Let PyTorch load its libraries and start its threads, as they are by the time a learner presses Train."""
    run.advance(3)
    run.evaluate()

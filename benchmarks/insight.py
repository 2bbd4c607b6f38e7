"""Time to insight: seconds from pressing Train until a discriminator reaches a target AUC on the held-out exam."""

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
class Target:
    """The AUCs that a run on a corpus has to reach, in rising order, and how often it is evaluated on the way."""

    aucs: tuple[float, ...]
    every: int  # steps between two exams
    patience: int  # steps after which a run gives up


TARGETS: Mapping[str, Target] = MappingProxyType(
    {"toy": Target((0.90,), 10, 500), "docs": Target((0.75, 0.85), 25, 3000)}
)


def time_to_insight(
    corpus: str,
    *,
    seeds: Sequence[int],
    device: str = "cpu",
    patience: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Row]:
    """Train the preset of `corpus` once for each seed and return one row for each seed and target AUC.

    A row has the corpus, the seed, the target AUC and the number of threads. Where the target was reached it also has
    the steps, the `seconds` since Train was pressed (the exams on the way included, as in the Training Lab) and the
    `training_seconds` spent in steps. These are None where the run gave up, after `patience` steps (None: as many as
    the corpus's target allows). Building the run and its exam is not counted: it happens before Train can be pressed.

    Raises ElectraEduError for a corpus without a target.
    """
    target, text = target_of(corpus), load_corpus(corpus)
    if patience is not None:
        target = replace(target, patience=patience)
    rows: list[Row] = []
    _warm_up(TrainingRun(preset(corpus), text, device=device))
    for seed in seeds:
        run = TrainingRun(preset(corpus), text, seed=seed, device=device)
        rows += _train(run, target, clock)
    return rows


def target_of(corpus: str) -> Target:
    """Return the target that a run on this corpus has to reach; raises ElectraEduError for a corpus without any."""
    if corpus not in TARGETS:
        raise ElectraEduError(
            f"There is no target for {corpus!r}.{nearest(corpus, TARGETS)} Corpora: {', '.join(TARGETS)}."
        )
    return TARGETS[corpus]


def summary(rows: Sequence[Row]) -> list[Row]:
    """Return, for each corpus and target AUC, how many runs reached it and their seconds and steps.

    Seconds and steps are given as median, least and greatest.

    A run that gave up counts as slower than all others.
    """
    found = []
    for corpus, auc in dict.fromkeys((row["corpus"], row["auc"]) for row in rows):
        group = [row for row in rows if (row["corpus"], row["auc"]) == (corpus, auc)]
        one: Row = {"corpus": corpus, "auc": auc, "runs": len(group)}
        one["passed"] = sum(row["steps"] is not None for row in group)
        for what in ("seconds", "training_seconds", "steps"):
            values = [float("inf") if row[what] is None else row[what] for row in group]
            one[what] = [median(values), min(values), max(values)]
        found.append(one)
    return found


def _train(run: TrainingRun, target: Target, clock: Callable[[], float]) -> list[Row]:
    _ = run.exam  # drawn before the clock starts
    remaining, rows = list(target.aucs), []
    common = {"corpus": run.corpus.name, "seed": run.seed, "threads": torch.get_num_threads()}
    began = clock()
    while remaining and run.step < target.patience:
        run.advance(target.every)
        auc, seconds = run.evaluate().auc, clock() - began
        while remaining and auc >= remaining[0]:
            reached = {"steps": run.step, "seconds": seconds, "training_seconds": run.seconds}
            rows.append(common | {"auc": remaining.pop(0)} | reached)
    nothing = dict.fromkeys(("steps", "seconds", "training_seconds"))
    return rows + [common | {"auc": auc} | nothing for auc in remaining]


def _warm_up(run: TrainingRun) -> None:
    """Let PyTorch load its libraries and start its threads, as they are by the time a learner presses Train."""
    run.advance(3)
    run.evaluate()

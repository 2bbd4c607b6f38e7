"""What of a table of results can be compared: its arms and scores, whole runs only, the same seeds of every arm."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from electra_edu.experiments.records import Record, arm_of
from electra_edu.experiments.trials import Row

MEAN = "probe_mean"
POINT = ("tflop", "layer", "task", "labels_per_class")  # where a run is evaluated


def compared(record: Record) -> tuple[list[Row], list[str]]:
    """Return the rows of the seeds that finished for every arm, and in sentences which runs are left out.

    An arm of which no run finished is left out as a whole. Seeds are paired: a mean over other seeds would compare
    luck. Of a whole table these are all rows and no sentence.
    """
    if not record.rows:
        return [], ["No run has finished: there is nothing to tell yet."]
    points: dict[tuple[str, int], set[tuple[Any, ...]]] = {}
    for row in record.rows:
        points.setdefault((arm_of(row), row["seed"]), set()).add(tuple(row.get(name) for name in POINT))
    every_point = set().union(*points.values())
    finished = [run for run, its in points.items() if its == every_point]
    arms = list(dict.fromkeys(arm for arm, _ in finished))
    seeds = sorted({seed for _, seed in finished if all((arm, seed) in finished for arm in arms)})
    asked_arms = [*record.about.get("arms", arms)]
    asked_seeds = sorted({*record.about.get("seeds", ()), *(seed for _, seed in points)})
    sentences = []
    if not seeds:
        sentences.append("No seed has finished for every arm: nothing can be compared yet.")
    elif missing := [str(seed) for seed in asked_seeds if seed not in seeds]:
        several = len(missing) > 1
        sentences.append(f"Left out: seed{'s' * several} {', '.join(missing)}, not finished for every arm.")
    if lost := [repr(arm) for arm in asked_arms if arm not in arms]:
        sentences.append(f"Left out, as no run of {'it' if len(lost) == 1 else 'them'} finished: {', '.join(lost)}.")
    return [row for row in record.rows if row["seed"] in seeds and arm_of(row) in arms], sentences


def best_layers(rows: Sequence[Row]) -> list[Row]:
    """Return one row for each run and budget, each probe's score from the layer with the highest mean over seeds."""
    probes = scores_of(rows)[:-1]
    runs: dict[tuple[str, float], list[Row]] = {}
    for row in rows:
        runs.setdefault((arm_of(row), row["tflop"]), []).append(row)
    found = []
    for (arm, _), some in runs.items():
        layers = sorted({row["layer"] for row in some})
        best = {name: max(layers, key=lambda layer: _mean_at(some, name, layer)) for name in probes}
        for seed in sorted({row["seed"] for row in some}):
            mine = {row["layer"]: row for row in some if row["seed"] == seed}
            scores = {name: mine[best[name]][name] for name in probes}
            found.append(mine[layers[-1]] | scores | {"arm": arm, MEAN: fmean(scores.values())})
    return found


def _mean_at(rows: Sequence[Row], score: str, layer: int) -> float:
    return fmean(row[score] for row in rows if row["layer"] == layer)


def arms_of(rows: Iterable[Row]) -> list[str]:
    """List the arms in the order of the table."""
    return list(dict.fromkeys(row["arm"] for row in rows))


def scores_of(rows: Sequence[Row]) -> list[str]:
    """List the probe columns, the mean over the suite last."""
    return [name for name in rows[0] if name.startswith("probe_") and name != MEAN] + [MEAN]

"""What a table of results says: means with intervals over seeds, and how soon a curve reaches a score."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from electra_edu.experiments.trials import Row
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import Evaluation

SCORES = {field.name for field in fields(Evaluation)} - {"step"}
RESAMPLES = 2_000
LEVEL = 0.95
Array = NDArray[np.float64]
Drawn = NDArray[np.int64]  # which seeds, with repetition


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its 95 % interval. An end may be infinite: "never within the budget"."""

    value: float
    low: float
    high: float
    n: int  # seeds


@dataclass(frozen=True)
class Race:
    """How soon an arm reaches a share of what the reference reaches, both by the mean over seeds."""

    score: str  # the column
    share: float  # of the reference's score at its budget
    target: float
    budget: float  # FLOPs: the least at which the reference is within 1 % of its best
    reference: float  # FLOPs at which the reference reaches the target
    other: Interval  # FLOPs at which the other does; infinite: not within the longest run
    speedup: Interval  # reference / other; 0: never


def curves(rows: Sequence[Row], arm: str, score: str) -> tuple[Array, Array, list[int]]:
    """Return an arm's FLOPs at its budgets (B,), its scores (S, B), and its seeds (S,), sorted."""
    mine = [row for row in rows if row["arm"] == arm]
    if not mine:
        raise ElectraEduError(f"arm={arm!r}: not in this table. It has: {', '.join({row['arm']: 0 for row in rows})}.")
    seeds = sorted({row["seed"] for row in mine})
    budgets = sorted({row["tflop"] for row in mine})
    found = {(row["seed"], row["tflop"]): row for row in mine}
    flops = np.array([found[seeds[0], budget]["flops"] for budget in budgets], dtype=float)
    values = [[found[seed, budget][score] for budget in budgets] for seed in seeds]
    return flops, np.array(values, dtype=float), seeds


def summary(rows: Sequence[Row]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return, for each arm and score, the mean, least and greatest value over the seeds, at the last budget.

    Scores are the probes and the exam's; one that an objective has not is left out.
    """
    last = max(row["tflop"] for row in rows)
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for name in row:
            if (name in SCORES or name.startswith("probe_")) and row["tflop"] == last and row[name] is not None:
                values[row["arm"]][name].append(row[name])
    return {
        arm: {name: (fmean(some), min(some), max(some)) for name, some in scores.items()}
        for arm, scores in values.items()
    }


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of one value per seed with its interval, Student's t: it holds for as few as two seeds.

    One value alone is its own interval: nothing is known of its spread.
    """
    data = np.asarray(values, dtype=float)
    mean, n = float(data.mean()), len(data)
    if n == 1:
        return Interval(mean, mean, mean, 1)
    half = float(stdtrit(n - 1, (1 + LEVEL) / 2) * data.std(ddof=1) / math.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def crossing(flops: Array, scores: Array, target: float) -> float:
    """Return the FLOPs at which a curve first reaches `target`; infinite if it never does.

    Between budgets the curve is taken as straight over the logarithm of the FLOPs. A curve that is there at its first
    budget gets that budget: it may have been there sooner.
    """
    reached = np.flatnonzero(scores >= target)
    if len(reached) == 0:
        return math.inf
    i = int(reached[0])
    if i == 0:
        return float(flops[0])
    part = (target - scores[i - 1]) / (scores[i] - scores[i - 1])
    return float(np.exp(np.log(flops[i - 1]) + part * (np.log(flops[i]) - np.log(flops[i - 1]))))


def budget_of(flops: Array, scores: Array) -> tuple[float, float]:
    """Return the least FLOPs among the budgets at which a mean curve is within 1 % of its best, and its score there."""
    i = int(np.flatnonzero(scores >= 0.99 * scores.max())[0])
    return float(flops[i]), float(scores[i])


def race_to(rows: Sequence[Row], score: str, share: float, reference: str, other: str, seed: int = 0) -> Race:
    """Return how soon `other` reaches `share` of what `reference` reaches in the column `score`.

    Seeds are paired, and the intervals are a bootstrap over the pairs: in each resample the reference's budget, the
    target and both crossings are found anew.
    """
    x_ref, y_ref, seeds = curves(rows, reference, score)
    x_other, y_other, others = curves(rows, other, score)
    if seeds != others:
        raise ElectraEduError(f"{reference} has the seeds {seeds} and {other} {others}: pairs need the same.")

    def found(drawn: Drawn) -> tuple[float, float, float, float]:
        mean_ref, mean_other = y_ref[drawn].mean(0), y_other[drawn].mean(0)
        budget, best = budget_of(x_ref, mean_ref)
        target = share * best
        return budget, target, crossing(x_ref, mean_ref, target), crossing(x_other, mean_other, target)

    budget, target, own, _ = found(np.arange(len(seeds)))
    return Race(
        score, share, target, budget, own,
        _interval(lambda drawn: found(drawn)[3], len(seeds), seed),
        _interval(lambda drawn: found(drawn)[2] / found(drawn)[3], len(seeds), seed),
    )  # fmt: skip


def _interval(statistic: Callable[[Drawn], float], n: int, seed: int) -> Interval:
    """Return the statistic of all seeds and its percentile interval over resamples of the seeds.

    Of a mean such an interval holds the truth 90 % of the time with 10 seeds and 73 % with 3, not 95 %.

    SciPy's bootstrap interpolates between resamples, which makes NaN of infinite ones; here an end is one of them.
    """
    rng = np.random.default_rng(seed)
    drawn = [statistic(rng.integers(0, n, n)) for _ in range(RESAMPLES if n > 1 else 1)]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="inverted_cdf")
    return Interval(float(statistic(np.arange(n))), float(low), float(high), n)

"""What a record found, in sentences that its numbers write: true whichever way it came out."""

import math
from collections.abc import Sequence
from statistics import fmean

from electra_edu.experiments.cells import Row
from electra_edu.experiments.plan import TFLOP
from electra_edu.experiments.records import Record
from electra_edu.experiments.statistics import Interval, Race, curves, mean_interval, race_to

MEAN = "probe_mean"
MANY = 12  # arms; with more of them the record is a search


def findings(record: Record) -> list[str]:
    """Return the sentences of a record: a race to BERT's score, labels that are saved, or who is ahead at the end."""
    if "score" in record.rows[0]:
        return labels_needed(record.rows)
    arms = arms_of(record.rows)
    if len(arms) > MANY:
        return [throughout(record.rows)]
    found = [ahead(record.rows)]
    if set(arms) == {"BERT", "ELECTRA"}:
        found = [*(race_sentence(race) for race in races(record.rows)), *found]
    return found


def arms_of(rows: Sequence[Row]) -> list[str]:
    """List the arms in the order of the table."""
    return list(dict.fromkeys(row["arm"] for row in rows))


def scores_of(rows: Sequence[Row]) -> list[str]:
    """List the probe columns, the mean over the suite last."""
    return [name for name in rows[0] if name.startswith("probe_") and name != MEAN] + [MEAN]


def races(rows: Sequence[Row], shares: Sequence[float] = (0.9, 1.0)) -> list[Race]:
    """Return ELECTRA's races to 90 % and to all of BERT's score, for each task and for the suite's mean."""
    return [race_to(rows, score, share, "BERT", "ELECTRA") for score in scores_of(rows) for share in shares]


def race_sentence(race: Race) -> str:
    """Say how soon ELECTRA got there, with the interval; a race that it never finished says so."""
    score = "the suite's mean" if race.score == MEAN else f"the {named(race.score)} probe"
    goal = (
        f"{race.share:.0%} of BERT's score on {score} ({race.target:.2f}; BERT needs {_tflop(race.reference)} for it, "
        f"and its whole budget is {_tflop(race.budget)})"
    )
    if math.isinf(race.other.value):
        return f"ELECTRA's mean does not reach {goal} within the longest run."
    speed = race.speedup
    return (
        f"ELECTRA reaches {goal} with {_tflop(race.other.value)}: "
        f"{speed.value:.2f} times as fast [{speed.low:.2f} to {speed.high:.2f}]."
    )


def ahead(rows: Sequence[Row], score: str = MEAN) -> str:
    """Say which arm is ahead at the last mark, whether by more than chance, and where the others are."""
    ends = standing(rows, score)
    (best, first), *others = ends
    where = "the mean probe score" if score == MEAN else f"the {named(score)} probe"
    text = f"At {max(row['tflop'] for row in rows):g} TFLOP {best!r} is ahead in {where}: {written(first)}"
    if not others:
        return f"{text}."
    second, _ = others[0]
    gap = difference(rows, best, second, score)
    sure = "more than chance" if gap.low > 0 else "which may be chance"
    rest = "; ".join(f"{name!r} {written(interval)}" for name, interval in others)
    return f"{text}. It leads {second!r} by {written(gap)}, {sure}. The others: {rest}."


def throughout(rows: Sequence[Row], score: str = MEAN) -> str:
    """Say which arms have the highest mean over all marks, which is how a search chooses, and where the rest ends."""
    means = {arm: mean_interval(curves(rows, arm, score)[1].mean(1).tolist()) for arm in arms_of(rows)}
    order = sorted(means, key=lambda arm: -means[arm].value)
    told = "; ".join(f"{arm!r} {means[arm].value:.3f}" for arm in order[:4])
    return (
        f"Of {len(order)} settings, the highest mean probe score over all budgets ({means[order[0]].n} seeds): {told}. "
        f"The lowest: {order[-1]!r} {means[order[-1]].value:.3f}."
    )


def standing(rows: Sequence[Row], score: str = MEAN) -> list[tuple[str, Interval]]:
    """Return every arm with its mean and interval at the last mark, the best first."""
    ends = [(arm, mean_interval(curves(rows, arm, score)[1][:, -1].tolist())) for arm in arms_of(rows)]
    return sorted(ends, key=lambda end: -end[1].value)


def difference(rows: Sequence[Row], one: str, other: str, score: str = MEAN) -> Interval:
    """Return how far one arm is above another at the last mark, over paired seeds."""
    ends = [curves(rows, arm, score)[1][:, -1] for arm in (one, other)]
    return mean_interval((ends[0] - ends[1]).tolist())


def labels_needed(rows: Sequence[Row]) -> list[str]:
    """Say what each arm scores after fine-tuning with few labels and with many, as a mean over the tasks."""
    found = []
    for labels in sorted({row["labels_per_class"] for row in rows}):
        parts = [f"{arm} {written(mean_interval(after(rows, arm, labels)))}" for arm in arms_of(rows)]
        found.append(f"With {labels} label{'s' if labels > 1 else ''} per class: {', '.join(parts)}.")
    return found


def after(rows: Sequence[Row], arm: str, labels: int, task: str | None = None) -> list[float]:
    """Return the scores after fine-tuning, one per seed: of a task, or the mean over all."""
    mine = [row for row in rows if row["arm"] == arm and row["labels_per_class"] == labels]
    seeds = sorted({row["seed"] for row in mine})
    return [
        fmean(row["score"] for row in mine if row["seed"] == seed and task in (None, row["task"])) for seed in seeds
    ]


def named(score: str) -> str:
    """Return a column's name as words: "probe_subject_number" is "subject number"."""
    return score.removeprefix("probe_").replace("_", " ")


def written(interval: Interval) -> str:
    """Write a mean with its interval: ".81 [.79 to .83]"."""
    return f"{_short(interval.value)} [{_short(interval.low)} to {_short(interval.high)}]"


def _short(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"


def _tflop(flops: float) -> str:
    return "more than the budget" if math.isinf(flops) else f"{flops / TFLOP:.2f} TFLOP"

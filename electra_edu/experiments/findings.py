"""What a record found, in sentences and tables that its numbers write: true whichever way it came out."""

import math
from collections.abc import Sequence
from itertools import groupby
from statistics import fmean

import numpy as np

from electra_edu.experiments.comparison import MEAN, arms_of, best_layers, compared, scores_of
from electra_edu.experiments.experiment import TFLOP, Kind
from electra_edu.experiments.records import Record
from electra_edu.experiments.statistics import Array, Interval, Race, crossing, curves, mean_interval, race_to
from electra_edu.experiments.trials import Row

SHARES = (0.9, 1.0)  # of BERT's score
Table = list[list[str]]  # the first row is the header

WORDS = {
    MEAN: "mean probe score",
    "train_mlm_loss": "MLM loss in training (nats)",
    "train_rtd_loss": "RTD loss in training (nats)",
    "train_mlm_grad_share": "MLM's share of the embeddings' gradient",
    "train_grad_cosine": "cosine of the two gradients",
    "train_recall": "recall in training",
    "train_replaced_rate": "share of replaced tokens",
    "auc": "AUC on the fixed exam",
    "recall": "recall on its own fakes",
}


def findings(record: Record) -> list[str]:
    """Return the sentences of a record: a race to BERT's score, labels that are saved, or who is ahead and when.

    Of a table in which runs are missing: what the others say, and which were left out.
    """
    rows, left_out = compared(record)
    return [*(_found(rows, record.kind) if rows else ()), *left_out]


def _found(rows: Sequence[Row], kind: Kind) -> list[str]:
    if kind == "labels":
        return labels_saved(rows)
    if kind == "search":
        return [throughout(rows)]
    if "layer" in rows[0]:
        return ["Every task read from the layer that holds it best:", *_arms_compared(best_layers(rows))]
    return _arms_compared(rows)


def _arms_compared(rows: Sequence[Row]) -> list[str]:
    found = [leaders(rows), ahead(rows)]
    if is_race(rows) and len({row["seed"] for row in rows}) > 1:  # of one run each the table is all that can be said
        found = [*(race_sentence(races(rows, share)) for share in SHARES), *found]
    return found


def tables(record: Record, shows: Sequence[str] = ()) -> list[Table]:
    """Return the tables of a record: the races, the scores at the last budget with the columns `shows`, or the labels'.

    A search has none: its figure shows every setting.
    """
    rows, _ = compared(record)
    if not rows or record.kind == "search":
        return []
    if record.kind == "labels":
        return [labels_table(rows)]
    found = [ends_table(rows, shows)]
    if "layer" in rows[0]:
        rows = best_layers(rows)
        found.insert(0, ends_table(rows))
    return [races_table(rows), *found] if is_race(rows) else found


def is_race(rows: Sequence[Row]) -> bool:
    """Whether a table holds ELECTRA against BERT and nothing else."""
    return set(arms_of(rows)) == {"BERT", "ELECTRA"}


def races(rows: Sequence[Row], share: float) -> list[Race]:
    """Return ELECTRA's races to a share of BERT's score, for each task and for the suite's mean.

    A task on which BERT is within 1 % of its best at the first budget has none: nothing was seen of its way there.
    """
    found = [race_to(rows, score, share, "BERT", "ELECTRA") for score in scores_of(rows)]
    first = curves(rows, "BERT", MEAN)[0][0]
    return [race for race in found if race.budget > first]


def race_sentence(races: Sequence[Race]) -> str:
    """Say on which probes ELECTRA came sooner to a share of BERT's score, on which later, and by how much."""

    def names_of(some: list[Race]) -> str:
        return _listed([named(race.score) for race in some]) or "no probe"

    if not races:
        return "BERT is within 1 % of its best on every probe at the first budget: there is no race to see."
    probes = [race for race in races if race.score != MEAN]
    sooner = [race for race in probes if race.speedup.low > 1]
    later = [race for race in probes if race.speedup.high < 1]
    left = [race for race in probes if race not in sooner and race not in later]
    text = f"To {races[0].share:.0%} of BERT's score ELECTRA is "
    if sooner or later:
        text += f"sooner on {names_of(sooner)} and later on {names_of(later)}"
        text += f"; {names_of(left)} may go either way." if left else "."
    else:
        text += "neither sooner nor later by more than chance on any probe."
    for race in races:
        if race.score == MEAN:
            never = math.isinf(race.other.value)
            text += f" On the suite's mean it is {'not there' if never else f'{_speed(race)} times as fast'}"
            text += " within the longest run." if never else "."
    return text


def races_table(rows: Sequence[Row]) -> Table:
    """Return BERT's budget and score on each task, and what both spend until a share of it."""
    header = ["probe", "BERT's budget", "its score"]
    for share in SHARES:
        header += [f"BERT to {share:.0%}", "ELECTRA", "times as fast"]
    found = {score: [race_to(rows, score, share, "BERT", "ELECTRA") for share in SHARES] for score in scores_of(rows)}
    first, last = (curves(rows, "BERT", MEAN)[0][i] for i in (0, -1))
    table = [header]
    for score, both in found.items():
        line = [named(score), _tflop(both[0].budget, first, last), _short(both[0].target / both[0].share)]
        for race in both:
            line += [_tflop(race.reference, first, last), _tflop(race.other.value, first, last), _speed(race)]
        if both[0].budget <= first:
            line[3:] = ["–"] * (len(header) - 3)
        table.append(line)
    return table


def leaders(rows: Sequence[Row], score: str = MEAN) -> str:
    """Say which arm has the highest mean at each budget."""
    arms = arms_of(rows)
    means = {arm: curves(rows, arm, score)[1].mean(0) for arm in arms}
    budgets = sorted({row["tflop"] for row in rows})
    best = [(max(arms, key=lambda arm: float(means[arm][i])), budget) for i, budget in enumerate(budgets)]
    parts = [(arm, [budget for _, budget in some]) for arm, some in groupby(best, key=lambda each: each[0])]
    if len(parts) == 1:
        return f"{best[0][0]!r} has the highest {WORDS[score]} at every budget."
    spans = [(arm, f"at {some[0]:g}{f' to {some[-1]:g}' if len(some) > 1 else ''} TFLOP") for arm, some in parts]
    (first, when), *later = spans
    return (
        ", ".join([f"{first!r} has the highest {WORDS[score]} {when}", *(f"{arm!r} {then}" for arm, then in later)])
        + "."
    )


def ahead(rows: Sequence[Row], score: str = MEAN) -> str:
    """Say which arm is ahead at the last budget, and which others are behind it by more than chance."""
    (best, first), *others = ranking(rows, score)
    where = WORDS.get(score) or f"{named(score)} probe"
    text = f"At {max(row['tflop'] for row in rows):g} TFLOP {best!r} is ahead in the {where}: {written(first)}."
    if first.n == 1 or not others:
        return f"{text} It is one run of each, so that chance is not known." if first.n == 1 else text
    behind = [(name, difference(rows, best, name, score)) for name, _ in others]
    sure = [f"{name!r} ({_short(gap.value)})" for name, gap in behind if gap.low > 0]
    open_ = [f"{name!r} ({_short(gap.value)})" for name, gap in behind if gap.low <= 0]
    parts = [f"Behind by more than chance: {', '.join(sure)}."] * bool(sure)
    parts += [f"Behind by what may be chance: {', '.join(open_)}."] * bool(open_)
    return " ".join([text, *parts])


def ends_table(rows: Sequence[Row], shows: Sequence[str] = ()) -> Table:
    """Return every arm's probe scores at the last budget, and the columns `shows`; the mean with its interval."""
    others = scores_of(rows)[:-1]
    table = [["", WORDS[MEAN], *map(named, others), *(WORDS[name] for name in shows)]]
    last = max(row["tflop"] for row in rows)
    for arm, mean in ranking(rows):
        mine = [row for row in rows if row["arm"] == arm and row["tflop"] == last]
        values = [[row[name] for row in mine if row[name] is not None] for name in (*others, *shows)]
        table.append([arm, written(mean), *(_short(fmean(some)) if some else "–" for some in values)])
    return table


def throughout(rows: Sequence[Row], score: str = MEAN) -> str:
    """Say which arms have the highest mean over all budgets, which is how a search chooses, and where the rest ends."""
    means = {arm: mean_interval(curves(rows, arm, score)[1].mean(1).tolist()) for arm in arms_of(rows)}
    order = sorted(means, key=lambda arm: -means[arm].value)
    best = "; ".join(f"{arm!r} {means[arm].value:.3f}" for arm in order[:4])
    n = means[order[0]].n
    return (
        f"Of {len(order)} settings, the highest mean probe score over all budgets ({n} seed{'s' * (n > 1)}): {best}. "
        f"The lowest: {order[-1]!r} {means[order[-1]].value:.3f}."
    )


def ranking(rows: Sequence[Row], score: str = MEAN) -> list[tuple[str, Interval]]:
    """Return every arm with its mean and interval at the last budget, the best first."""
    ends = [(arm, mean_interval(curves(rows, arm, score)[1][:, -1].tolist())) for arm in arms_of(rows)]
    return sorted(ends, key=lambda end: -end[1].value)


def difference(rows: Sequence[Row], one: str, other: str, score: str = MEAN) -> Interval:
    """Return how far one arm is above another at the last budget, over paired seeds."""
    ends = [curves(rows, arm, score)[1][:, -1] for arm in (one, other)]
    return mean_interval((ends[0] - ends[1]).tolist())


def labels_saved(rows: Sequence[Row], scratch: str = "from scratch") -> list[str]:
    """Say with how many labels each arm scores what a network from scratch scores with the most."""
    if scratch not in arms_of(rows):
        return ["No network from scratch finished: how many labels the others save is not known."]
    labels = np.array(sorted({row["labels_per_class"] for row in rows}), dtype=float)

    def curve(arm: str) -> Array:
        return np.array([fmean(after(rows, arm, int(n))) for n in labels])

    goal = float(curve(scratch)[-1])
    found = [f"What a network from scratch scores with {labels[-1]:g} labels per class ({_short(goal)}):"]
    for arm in arms_of(rows):
        if arm != scratch:
            needed = crossing(labels, curve(arm), goal)
            many = "not with as many" if math.isinf(needed) else f"with {needed:.0f}"
            found.append(f"{arm} {many},")
    return [" ".join(found).removesuffix(",") + "."]


def labels_table(rows: Sequence[Row]) -> Table:
    """Return each arm's mean score over the tasks, after fine-tuning with so many labels."""
    labels = sorted({row["labels_per_class"] for row in rows})
    return [
        ["labels per class", *map(str, labels)],
        *([arm, *(written(mean_interval(after(rows, arm, n))) for n in labels)] for arm in arms_of(rows)),
    ]


def after(rows: Sequence[Row], arm: str, labels: int, task: str | None = None) -> list[float]:
    """Return the scores after fine-tuning, one per seed: of a task, or the mean over all."""
    mine = [row for row in rows if row["arm"] == arm and row["labels_per_class"] == labels]
    seeds = sorted({row["seed"] for row in mine})
    return [
        fmean(row["score"] for row in mine if row["seed"] == seed and task in (None, row["task"])) for seed in seeds
    ]


def named(score: str) -> str:
    """Return a probe's column as words: "probe_subject_number" is "subject number"."""
    return "suite's mean" if score == MEAN else score.removeprefix("probe_").replace("_", " ")


def written(interval: Interval) -> str:
    """Write a mean with its interval, ".81 [.79–.83]"; of one seed the mean alone."""
    if interval.n == 1:
        return _short(interval.value)
    return f"{_short(interval.value)} [{_short(interval.low)}–{_short(interval.high)}]"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _short(value: float) -> str:
    """Write two decimals, without the zero before the point: ".05", "-.05", "1.20"."""
    text = f"{value:.2f}"
    text = "0.00" if text == "-0.00" else text
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def _tflop(flops: float, first: float, last: float) -> str:
    """Write FLOPs in TFLOP; what was there at the first budget may have been sooner, and what never came is later."""
    if math.isinf(flops):
        return f"> {last / TFLOP:.2f}"
    return f"{'≤ ' if flops <= first else ''}{flops / TFLOP:.2f}"


def _speed(race: Race) -> str:
    if math.isinf(race.other.value):
        return "not within the longest run"
    speed = race.speedup
    bracket = "" if speed.n == 1 else f" [{speed.low:.2f}–{speed.high:.2f}]"
    return f"{speed.value:.2f}{bracket}"

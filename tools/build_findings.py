"""Write docs/findings.md and its figures anew from the records in the package: `python tools/build_findings.py`.

What is found stands there in sentences that the numbers write; the paper's finding and the remark come from the
experiment's definition, so that a record that is made again changes the page and nothing is edited by hand.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from electra_edu.experiments import (
    Experiment,
    Record,
    Row,
    curves,
    load_experiment,
    load_record,
    mean_interval,
    record_names,
)
from electra_edu.experiments.experiment import called
from electra_edu.experiments.findings import (
    MEAN,
    WORDS,
    Table,
    after,
    arms_of,
    findings,
    named,
    scores_of,
    tables,
)
from electra_edu.plots import DISCRIMINATOR, arm_curves
from electra_edu.plots.arms import draw_arm

DOCS = Path(__file__).resolve().parents[1] / "docs"
OPENING = """# Findings

What this course claims about ELECTRA in miniature, measured. Each section is a record of the package: its table lies
in `electra_edu/experiments/recorded`, and its command makes it again. Probe scores are what a linear classifier reads
off frozen features (`electra_edu.probes`), those of the last block where nothing else is said; FLOPs are counted by
`electra_edu.efficiency`. This page is written by `tools/build_findings.py` from the records.

Brackets are 95 % intervals over seeds. Of means and differences they are Student's; arms are compared seed by seed. How
many times as fast ELECTRA reaches a score has none that simple: there it is a bootstrap over pairs of seeds, which is
too narrow when seeds are few (of a mean it would hold the truth 90 % of the time with 10 seeds, 73 % with 3), and 0
where a resample never gets there. "≤": already there when first looked at; ">": not within the longest run.
"""
WIDEST_LEGEND = 100  # characters beside each other
ORDER = (
    "headline-toy", "layers", "headline-docs", "docs-long", "first-seconds", "ladder", "generator-size", "starving",
    "lambda", "mask-rate", "sharing", "schemes", "fine-tuning", "recipe", "search-toy-bert", "search-toy-electra",
    "search-docs-bert", "search-docs-electra", "search-docs-final",
)  # fmt: skip


def main(folder: Path = DOCS) -> int:
    """Write the page and one figure for each record."""
    pictures = folder / "findings"
    pictures.mkdir(parents=True, exist_ok=True)
    names = [*(name for name in ORDER if name in record_names()), *sorted(set(record_names()) - set(ORDER))]
    parts = [OPENING, *(f"- [{one.title}](#{one.name})" for one in map(load_experiment, names)), ""]
    for name in names:
        record = load_record(name)
        figure = drawn(record)
        figure.savefig(pictures / f"{name}.png", dpi=100)
        plt.close(figure)
        parts.append(section(record))
    (folder / "findings.md").write_text("\n".join(parts), encoding="utf-8")
    return 0


def section(record: Record) -> str:
    """Return the Markdown of a record."""
    about, experiment = record.about, load_experiment(record.name)
    minutes = about["training_seconds"] / 60
    made = about["hardware"]
    tabled = "".join(f"\n{markdown(table)}\n" for table in tables(record, experiment.shows))
    remark = f"\n{experiment.remark.strip()}\n" if experiment.remark else ""
    seeds = len(about["seeds"])
    return f"""
<a id="{record.name}"></a>

## {experiment.title}

**{experiment.question}**

*The paper:* {experiment.paper}

*Here* ({about["corpus"]["name"]}, {seeds} seed{"s" * (seeds > 1)}): {" ".join(findings(record))}
{remark}
![{experiment.title}: {experiment.question}](findings/{record.name}.png)
{tabled}
`{about["command"]}` · {len(about["arms"])} arms · {minutes:.0f} minutes of training in all, one thread each ·
{made["cpu"]}, torch {made["torch"]} · {about["dates"][0][:10]}
"""


def markdown(table: Table) -> str:
    """Return a table as Markdown, numbers to the right."""
    header, *lines = table
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *lines])


def drawn(record: Record) -> Figure:
    """Return the figure of a record: the probe suite over the FLOPs spent, scores over labels, or a search's ranks."""
    if record.kind == "labels":
        return labels_figure(record)
    if record.kind == "search":
        return search_figure(record)
    experiment = load_experiment(record.name)
    return curves_figure(record, experiment) if experiment.over is None else setting_figure(record, experiment)


def search_figure(record: Record) -> Figure:
    """Draw each setting's mean probe score over all budgets, the best on top, with a line from seed to seed."""
    found = {arm: curves(record.rows, arm, MEAN)[1].mean(1) for arm in arms_of(record.rows)}
    order = sorted(found, key=lambda arm: float(found[arm].mean()))
    figure, axes = plt.subplots(figsize=(10, 0.24 * len(order) + 0.9), layout="constrained")
    axes.plot([found[arm].mean() for arm in order], range(len(order)), "o", color=DISCRIMINATOR)
    axes.hlines(range(len(order)), [found[a].min() for a in order], [found[a].max() for a in order], DISCRIMINATOR)
    axes.set_yticks(range(len(order)), order, fontsize=8)
    axes.set_xlabel("mean probe score over all budgets (line: from seed to seed)")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def curves_figure(record: Record, experiment: Experiment) -> Figure:
    """Draw over the FLOPs spent, one small chart each: the probes' mean, every probe, and what the experiment shows."""
    figure, charts = charts_of(record.rows, experiment)
    for score, axes in charts.items():
        arm_curves(axes, record.rows, score)
        axes.set_xlabel("TFLOP", fontsize=9)
    return with_legend(figure, next(iter(charts.values())))


def setting_figure(record: Record, experiment: Experiment) -> Figure:
    """Draw the same at the last budget over one setting, a line for each value of the other."""
    setting = experiment.over or ""
    last = [row for row in record.rows if row["tflop"] == max(experiment.budgets) / 1e12]
    (other,) = {name for arm in experiment.arms for name in arm.changes if len({r[name] for r in last}) > 1} - {setting}
    values = sorted({row[setting] for row in last})
    lines = list(dict.fromkeys(called(other, row[other]) for row in last))
    figure, charts = charts_of(last, experiment)
    for score, axes in charts.items():
        for line in lines:
            mine = [row for row in last if called(other, row[other]) == line and row[score] is not None]
            there = [value for value in values if any(row[setting] == value for row in mine)]
            found = [mean_interval([row[score] for row in mine if row[setting] == value]) for value in there]
            draw_arm(axes, [values.index(value) for value in there], found, line, lines)
        axes.set_xticks(range(len(values)), [f"{value:g}" for value in values])
        axes.set_xlabel(called(setting, "").strip(), fontsize=9)
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return with_legend(figure, next(iter(charts.values())))


def charts_of(rows: Sequence[Row], experiment: Experiment) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a titled chart for each score that there is."""
    scores = [MEAN, *scores_of(rows)[:-1], *experiment.shows]
    shown = [score for score in scores if any(row[score] is not None for row in rows)]
    n_rows = -(-len(shown) // 3)
    figure, grid = plt.subplots(n_rows, 3, figsize=(10, 2.5 * n_rows + 0.9), layout="constrained", squeeze=False)
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_axis_off()
    for axes, score in zip(grid.flat, shown, strict=False):
        axes.set_title(WORDS.get(score, f"probe: {named(score)}"), fontsize=10, loc="left")
    return figure, dict(zip(shown, grid.flat, strict=False))


def with_legend(figure: Figure, axes: Axes) -> Figure:
    """Add the names of the lines below all charts."""
    handles, names = axes.get_legend_handles_labels()
    n_columns = max(1, min(4, len(names), WIDEST_LEGEND // max(map(len, names))))
    figure.legend(handles, names, loc="outside lower center", ncols=n_columns, frameon=False, fontsize=9)
    return figure


def labels_figure(record: Record) -> Figure:
    """Draw the score after fine-tuning over the labels given, one chart for each task and one for their mean."""
    tasks = list(dict.fromkeys(row["task"] for row in record.rows))
    labels = sorted({row["labels_per_class"] for row in record.rows})
    figure, grid = plt.subplots(1, len(tasks) + 1, figsize=(11, 3.2), layout="constrained", sharey=True)
    arms = arms_of(record.rows)
    for axes, task in zip(grid, [None, *tasks], strict=True):
        for arm in arms:
            found = [mean_interval(after(record.rows, arm, n, task)) for n in labels]
            draw_arm(axes, labels, found, arm, arms)
        axes.set_xscale("log")
        axes.set_xticks(labels, [str(n) for n in labels])
        axes.minorticks_off()
        axes.set_title("mean of the tasks" if task is None else named(task), fontsize=10, loc="left")
        axes.set_xlabel("labels per class")
        axes.grid(axis="y", alpha=0.3)
    grid[0].set_ylabel("test score")
    grid[0].legend(frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    sys.exit(main())

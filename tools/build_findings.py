"""Write docs/findings.md and its figures anew from the records in the package: `python tools/build_findings.py`.

What is found stands there in sentences that the numbers write; the paper's finding and the remark come from the
experiment's definition, so that a record that is made again changes the page and nothing is edited by hand.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from electra_edu.experiments import Record, curves, load_experiment, load_record, mean_interval, record_names
from electra_edu.experiments.findings import MANY, MEAN, after, arms_of, findings, named, scores_of
from electra_edu.plots import DISCRIMINATOR, arm_curves
from electra_edu.plots.arms import draw_arm

DOCS = Path(__file__).resolve().parents[1] / "docs"
OPENING = """# Findings

What this course claims about ELECTRA in miniature, measured. Each section is a record of the package: its table lies
in `electra_edu/experiments/recorded`, and its command makes it again. A bracket holds 95 % of the means that resampled
seeds give. Probe scores are what a linear classifier reads off frozen features (`electra_edu.probes`); FLOPs are
counted by `electra_edu.efficiency`. A method that does not reach a score in some of the resamples is 0 times as fast
there. This page is written by `tools/build_findings.py` from the records.
"""
ORDER = (
    "headline-toy", "headline-docs", "first-seconds", "ladder", "generator-size", "lambda", "mask-rate", "sharing",
    "schemes", "fine-tuning", "recipe", "docs-long", "search-toy-bert", "search-toy-electra",
)  # fmt: skip


def main(folder: Path = DOCS) -> int:
    """Write the page and one figure for each record."""
    pictures = folder / "findings"
    pictures.mkdir(parents=True, exist_ok=True)
    parts = [OPENING]
    for name in [*(name for name in ORDER if name in record_names()), *sorted(set(record_names()) - set(ORDER))]:
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
    sentences = "\n".join(f"- {sentence}" for sentence in findings(record))
    remark = f"\n{experiment.remark}\n" if experiment.remark else ""
    return f"""
## {experiment.title}

**{experiment.question}**

*The paper:* {experiment.paper}

*Here* ({about["corpus"]["name"]}, {len(about["seeds"])} seeds):

{sentences}
{remark}
![{experiment.title}: {experiment.question}](findings/{record.name}.png)

`{about["command"]}` · {len(about["arms"])} arms · {minutes:.0f} minutes of training in all, one thread each ·
{made["cpu"]}, torch {made["torch"]} · {about["dates"][0][:10]}
"""


def drawn(record: Record) -> Figure:
    """Return the figure of a record: the probe suite over the FLOPs spent, scores over labels, or a search's ranks."""
    if "score" in record.rows[0]:
        return labels_figure(record)
    return search_figure(record) if len(arms_of(record.rows)) > MANY else curves_figure(record)


def search_figure(record: Record) -> Figure:
    """Draw each setting's mean probe score over all budgets, the best on top."""
    found = {arm: mean_interval(curves(record.rows, arm, MEAN)[1].mean(1).tolist()) for arm in arms_of(record.rows)}
    order = sorted(found, key=lambda arm: found[arm].value)
    figure, axes = plt.subplots(figsize=(10, 0.24 * len(order) + 0.9), layout="constrained")
    axes.plot([found[arm].value for arm in order], range(len(order)), "o", color=DISCRIMINATOR)
    axes.hlines(range(len(order)), [found[a].low for a in order], [found[a].high for a in order], color=DISCRIMINATOR)
    axes.set_yticks(range(len(order)), order, fontsize=8)
    axes.set_xlabel("mean probe score over all budgets (line: from seed to seed)")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def curves_figure(record: Record) -> Figure:
    """Draw every probe of the suite and its mean, and what the two networks score, one small chart each."""
    scores = [MEAN, *scores_of(record.rows)[:-1], "train_mlm_loss", "auc", "recall"]
    shown = [score for score in scores if any(row[score] is not None for row in record.rows)]
    rows = -(-len(shown) // 3)
    figure, grid = plt.subplots(rows, 3, figsize=(10, 2.5 * rows + 0.9), layout="constrained", squeeze=False)
    titles = {
        MEAN: "mean probe score", "train_mlm_loss": "MLM loss in training (nats)", "auc": "AUC on the fixed exam",
        "recall": "recall on its own fakes",
    }  # fmt: skip
    for axes, score in zip(grid.flat, shown, strict=False):
        arm_curves(axes, record.rows, score)
        axes.set_title(titles.get(score, f"probe: {named(score)}"), fontsize=10, loc="left")
        axes.set_xlabel("TFLOP", fontsize=9)
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_axis_off()
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)), frameon=False, fontsize=9)
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

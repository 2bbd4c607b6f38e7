"""`electra-edu race`: runs a race and prints its results as tables."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from electra_edu.errors import ElectraEduError
from electra_edu.experiments import RACES, race, summary
from electra_edu.experiments.race import Row

GENERATOR = {"mlm_loss": "MLM loss", "mlm_accuracy": "right", "sampled_accuracy": "right, drawn", "entropy": "entropy"}
DISCRIMINATOR = {"auc": "AUC, exam", "live_auc": "AUC, own fakes", "recall": "recall", "replaced_rate": "replaced"}


def run(name: str, corpus: str, tflop: float, seeds: int, jobs: int | None, out: Path | None) -> None:
    """Run the race with a progress bar, print what came out, and write the rows to `out` as JSON lines."""
    console = Console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("time left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        total = seeds * len(RACES.get(name, ()))
        task = progress.add_task(f"{name} on {corpus}, {tflop:g} TFLOP each", total=total)
        rows = race(
            name,
            corpus=corpus,
            flops=tflop * 1e12,
            seeds=seeds,
            jobs=jobs,
            on_row=lambda _row: progress.advance(task),
        )
    if out is not None:
        _write(rows, out)
    for table in tables(rows):
        console.print(table)
    console.print(
        "Mean over the seeds, and below it the least and the greatest. Probes: what a linear classifier reads off "
        "the frozen features of the network that is kept; losses and entropy in nats."
    )


def tables(rows: Sequence[Row]) -> list[Table]:
    """Return the tables: what each contender cost, its probe suite, its generator, its discriminator."""
    found = summary(rows)
    probes = {task: task.replace("_", " ") for row in rows for task in row["probes"]}
    cost = Table(title="What it cost")
    for column in ("", "runs", "steps", "TFLOP", "seconds each"):
        cost.add_column(column, justify="right" if column else "left")
    for contender in found:
        mine = [row for row in rows if row["contender"] == contender]
        cost.add_row(
            contender,
            str(len(mine)),
            f"{mine[0]['steps']:,}",
            f"{mine[0]['flops'] / 1e12:.3f}",
            f"{sum(row['seconds'] for row in mine) / len(mine):.1f}",
        )
    parts = (("Probe suite", probes), ("Generator", GENERATOR), ("Discriminator", DISCRIMINATOR))
    return [cost, *(_scores(title, found, names) for title, names in parts if names)]


def _scores(title: str, found: dict[str, dict[str, tuple[float, float, float]]], names: dict[str, str]) -> Table:
    table = Table(title=title, show_lines=True)
    table.add_column("")
    for label in names.values():
        table.add_column(label, justify="right", min_width=9)
    for contender, scores in found.items():
        cells = ["–" if name not in scores else "{:.2f}\n{:.2f}–{:.2f}".format(*scores[name]) for name in names]
        table.add_row(contender, *cells)
    return table


def _write(rows: Sequence[Row], out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    except OSError as error:
        raise ElectraEduError(f"--out {out}: cannot be written ({error}). Choose another file.") from error

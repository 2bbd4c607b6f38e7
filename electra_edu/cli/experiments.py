"""`electra-edu race`, `sweep` and `record`: run experiments with a progress bar, keep their tables, print them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from electra_edu.config import ElectraConfig
from electra_edu.errors import ElectraEduError, nearest
from electra_edu.experiments import (
    Experiment,
    Outcome,
    estimate,
    experiment_names,
    grid,
    load_experiment,
    race_of,
    record_names,
    run_experiment,
    summary,
    write_record,
)
from electra_edu.experiments.cells import Row
from electra_edu.experiments.findings import named, scores_of
from electra_edu.experiments.plan import TFLOP

GENERATOR = {"mlm_loss": "MLM loss", "mlm_accuracy": "right", "sampled_accuracy": "right, drawn", "entropy": "entropy"}
DISCRIMINATOR = {"auc": "AUC, exam", "live_auc": "AUC, own fakes", "recall": "recall", "replaced_rate": "replaced"}


def race(name: str, corpus: str, tflop: float, seeds: int, jobs: int | None, out: Path, retry: bool) -> None:
    """Run a race and print what came out."""
    experiment = race_of(name, corpus=corpus, flops=tflop * TFLOP, seeds=seeds)
    command = f"electra-edu race {name} --corpus {corpus} --tflop {tflop:g} --seeds {seeds}"
    _report(_run(experiment, command, out, jobs, retry, Console()), Console())


def sweep(
    settings: Sequence[str], corpus: str, tflop: Sequence[float], seeds: int, jobs: int | None, out: Path, retry: bool
) -> None:
    """Run every combination of the settings ("rtd_weight=1,10,50") on some seeds and print what came out."""
    choices = dict(_setting(each) for each in settings)
    if not choices:
        raise ElectraEduError("Name at least one setting and its values, for example: sweep rtd_weight=1,10,50")
    marks = tuple(sorted(TFLOP * mark for mark in tflop))
    experiment = Experiment("sweep", corpus, grid(choices), tuple(range(seeds)), marks)
    budgets = " ".join(f"--tflop {mark:g}" for mark in tflop)
    command = f"electra-edu sweep {' '.join(settings)} --corpus {corpus} {budgets} --seeds {seeds}"
    _report(_run(experiment, command, out, jobs, retry, Console()), Console())


def record(names: Sequence[str], every: bool, out: Path, jobs: int | None, retry: bool) -> None:
    """Run experiments of the package, the estimate first, and write their tables."""
    experiments = [load_experiment(name) for name in (experiment_names() if every else names)]
    if not experiments:
        raise ElectraEduError("Name an experiment, or --all; --list shows what there is.")
    console = Console()
    left = {one.name: estimate(one, _cells(out, one), jobs) for one in experiments}
    for name, seconds in left.items():
        console.print(f"{name}: about {_time(seconds)} left", highlight=False)
    if len(left) > 1:
        console.print(f"together about {_time(sum(left.values()))}", highlight=False)
    for experiment in experiments:
        outcome = _run(experiment, f"electra-edu record {experiment.name}", out, jobs, retry, console)
        console.print(f"{len(outcome.rows)} rows in {out / experiment.name}.jsonl", highlight=False)


def listing() -> Table:
    """Return a table of the package's experiments: what each asks, its size, and whether it is recorded."""
    table = Table(title="Experiments: electra-edu record NAME")
    for column in ("name", "asks", "corpus", "runs", "recorded"):
        table.add_column(column, justify="right" if column == "runs" else "left")
    recorded = record_names()
    for name in experiment_names():
        one = load_experiment(name)
        runs = str(len(one.arms) * len(one.seeds))
        table.add_row(name, one.question, one.corpus, runs, "yes" if name in recorded else "")
    return table


def tables(rows: Sequence[Row]) -> list[Table]:
    """Return the tables: what each arm cost, its probe suite, its generator, its discriminator."""
    found = summary(rows)
    probes = {score: named(score) for score in scores_of(rows)}
    cost = Table(title="What it cost")
    for column in ("", "runs", "steps", "TFLOP", "seconds each"):
        cost.add_column(column, justify="right" if column else "left")
    last = max(row["tflop"] for row in rows)
    for arm in found:
        mine = [row for row in rows if row["arm"] == arm and row["tflop"] == last]
        cost.add_row(
            arm,
            str(len(mine)),
            f"{mine[0]['step']:,}",
            f"{mine[0]['flops'] / TFLOP:.3f}",
            f"{sum(row['seconds'] for row in mine) / len(mine):.1f}",
        )
    parts = (("Probe suite", probes), ("Generator", GENERATOR), ("Discriminator", DISCRIMINATOR))
    return [cost, *(_scores(title, found, names) for title, names in parts if names)]


def _run(experiment: Experiment, command: str, out: Path, jobs: int | None, retry: bool, console: Console) -> Outcome:
    """Run an experiment with a progress bar, write its table into `out`, and name the runs that failed."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("time left"), TimeRemainingColumn(elapsed_when_finished=False),
    )  # fmt: skip
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(experiment.name, total=None)
            outcome = run_experiment(
                experiment,
                _cells(out, experiment),
                jobs=jobs,
                retry=retry,
                on_cell=lambda done, of: progress.update(task, completed=done, total=of),
            )
    except KeyboardInterrupt:
        console.print("Stopped. What is finished is kept; the same command goes on from here.")
        raise
    write_record(experiment, outcome, out, command)
    if outcome.failed:
        console.print(f"{len(outcome.failed)} of {outcome.cells} runs failed; --retry tries them again:", style="red")
        for name, error in outcome.failed.items():
            console.print(f"  {name}: {error}", highlight=False)
    return outcome


def _report(outcome: Outcome, console: Console) -> None:
    if not outcome.rows:
        raise ElectraEduError("No run succeeded.")
    for table in tables(outcome.rows):
        console.print(table)
    console.print(
        "Mean over the seeds, and below it the least and the greatest. Probes: what a linear classifier reads off "
        "the frozen features of the network that is kept; losses and entropy in nats."
    )


def _scores(
    title: str, found: Mapping[str, Mapping[str, tuple[float, float, float]]], names: Mapping[str, str]
) -> Table:
    table = Table(title=title, show_lines=True)
    table.add_column("")
    for label in names.values():
        table.add_column(label, justify="right", min_width=9)
    for arm, scores in found.items():
        cells = ["–" if name not in scores else "{:.2f}\n{:.2f}–{:.2f}".format(*scores[name]) for name in names]
        table.add_row(arm, *cells)
    return table


def _setting(text: str) -> tuple[str, list[Any]]:
    """Read "rtd_weight=1,10,50": a field of the config and its values."""
    name, is_there, values = text.partition("=")
    fields = ElectraConfig.__dataclass_fields__
    if name not in fields:
        raise ElectraEduError(f"{name!r} is not a setting.{nearest(name, fields)} Settings: {', '.join(fields)}.")
    if not is_there or not values:
        raise ElectraEduError(f"{text!r}: give the values after an equals sign, for example {name}=1,2")
    return name, [_value(value) for value in values.split(",")]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _cells(out: Path, experiment: Experiment) -> Path:
    return out / f"{experiment.name}.cells"


def _time(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes / 60:.1f} h" if minutes >= 90 else f"{minutes:.0f} min" if minutes >= 2 else f"{seconds:.0f} s"

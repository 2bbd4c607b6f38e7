"""`electra-edu race`, `sweep` and `record`: run experiments with a progress bar, keep their tables, print them."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from electra_edu.cli.terminal import complain, say, writable
from electra_edu.config import ElectraConfig
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
from electra_edu.experiments.comparison import scores_of
from electra_edu.experiments.experiment import TFLOP, Kind, number
from electra_edu.experiments.findings import named
from electra_edu.experiments.records import MOST_ARMS, check_table
from electra_edu.experiments.trials import Row
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError, nearest

GENERATOR = {"mlm_loss": "MLM loss", "mlm_accuracy": "right", "sampled_accuracy": "right, drawn", "entropy": "entropy"}
DISCRIMINATOR = {"auc": "AUC, exam", "live_auc": "AUC, own fakes", "recall": "recall", "replaced_rate": "replaced"}


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, and what it means for the results, in a sentence."""


def race(
    name: str, corpus: str, tflop: float, seeds: int, jobs: int | None, out: Path, retry: bool, replace: bool
) -> None:
    """Run a race and print what came out."""
    arguments.finite_number("--tflop", tflop)
    experiment = race_of(name, corpus=corpus, flops=tflop * TFLOP, seeds=seeds)
    command = _command("race", name, "--corpus", corpus, "--tflop", number(tflop), "--seeds", str(seeds))
    _prepare(experiment, out, replace)
    _report(_run(experiment, command, out, jobs, retry, replace))


def sweep(
    settings: Sequence[str],
    corpus: str,
    tflop: Sequence[float],
    seeds: int,
    jobs: int | None,
    out: Path,
    retry: bool,
    replace: bool,
) -> None:
    """Run every combination of the settings ("rtd_weight=1,10,50") on some seeds and print what came out."""
    choices = _choices(settings)
    budgets = tuple(sorted(TFLOP * budget for budget in tflop))
    arms = grid(choices)
    kind: Kind = "search" if len(arms) > MOST_ARMS else "grid"
    experiment = Experiment("sweep", corpus, arms, tuple(range(seeds)), budgets, kind=kind)
    words = [word for budget in tflop for word in ("--tflop", number(budget))]
    command = _command("sweep", *settings, "--corpus", corpus, *words, "--seeds", str(seeds))
    _prepare(experiment, out, replace)
    _report(_run(experiment, command, out, jobs, retry, replace))


def record(names: Sequence[str], every: bool, out: Path, jobs: int | None, retry: bool, replace: bool) -> None:
    """Run experiments of the package, the estimate first, and write their tables."""
    experiments = [load_experiment(name) for name in dict.fromkeys(experiment_names() if every else names)]
    if not experiments:
        raise ElectraEduError("Name an experiment, or --all; --list shows what there is.")
    for experiment in experiments:
        _prepare(experiment, out, replace)
    console = Console()
    left = {one.name: estimate(one, _trials(out, one), jobs) for one in experiments}
    for name, seconds in left.items():
        console.print(f"{name}: about {_time(seconds)} left", highlight=False)
    if len(left) > 1:
        console.print(f"together about {_time(sum(left.values()))}", highlight=False)
    incomplete = []
    for experiment in experiments:
        try:
            outcome = _run(experiment, _command("record", experiment.name), out, jobs, retry, replace)
        except ElectraEduError as error:  # the others have still to run
            complain(str(error))
            incomplete.append(experiment.name)
            continue
        say(f"{len(outcome.rows)} rows in {out / experiment.name}.jsonl")
        incomplete += [experiment.name] * bool(outcome.failed)
    if incomplete:
        raise ElectraEduError(f"Not all runs succeeded of: {', '.join(incomplete)}. --retry tries them again.")


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


def _prepare(experiment: Experiment, out: Path, replace: bool) -> None:
    """Refuse before anything is trained what cannot be trained, and a folder that cannot take the results."""
    experiment.check()
    arguments.path("--out", out)
    if not replace:
        check_table(experiment, out)
    writable(out)


def _run(experiment: Experiment, command: str, out: Path, jobs: int | None, retry: bool, replace: bool) -> Outcome:
    """Run an experiment with a progress bar, write its table into `out`, and name the runs that failed."""
    console = Console()
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("time left"), TimeRemainingColumn(elapsed_when_finished=False),
    )  # fmt: skip
    outcome: Outcome | None = None
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(experiment.name, total=None)
            outcome = run_experiment(
                experiment,
                _trials(out, experiment),
                jobs=jobs,
                retry=retry,
                on_trial=lambda done, of: progress.update(task, completed=done, total=of),
            )
            write_record(experiment, outcome, out, command, replace=replace)  # before a full pipe or disk can stop it
    except KeyboardInterrupt:
        raise Interrupted("Stopped. What is finished is kept; the same command goes on from here.") from None
    finally:
        for name, error in outcome.failed.items() if outcome is not None else ():
            complain(f"{name}: {error}")
    return outcome


def _report(outcome: Outcome) -> None:
    """Print the tables of what succeeded; raise ElectraEduError where not all did."""
    console = Console()
    for table in tables(outcome.rows):
        console.print(table)
    console.print(
        "Mean over the seeds, and below it the least and the greatest. Probes: what a linear classifier reads off "
        "the frozen features of the network that is kept; losses and entropy in nats."
    )
    if outcome.failed:
        raise ElectraEduError(f"{len(outcome.failed)} of {outcome.trials} runs failed. --retry tries them again.")


def _scores(
    title: str, found: Mapping[str, Mapping[str, tuple[float, float, float]]], names: Mapping[str, str]
) -> Table:
    table = Table(title=title, show_lines=True)
    table.add_column("")
    for label in names.values():
        table.add_column(label, justify="right", min_width=9)
    for arm, scores in found.items():
        entries = ["–" if name not in scores else "{:.2f}\n{:.2f}–{:.2f}".format(*scores[name]) for name in names]
        table.add_row(arm, *entries)
    return table


def _choices(settings: Sequence[str]) -> dict[str, list[Any]]:
    """Read all settings; raises ElectraEduError for one that is named twice, or has a value twice."""
    choices: dict[str, list[Any]] = {}
    for name, values in map(_setting, settings):
        if name in choices:
            raise ElectraEduError(f"{name} is named twice. Give all its values at once: {name}=1,2")
        for i, value in enumerate(values):
            if value in values[:i]:  # 1 and 1.0 too: the same run
                raise ElectraEduError(f"{name}: the value {value} is there twice. Name it once.")
        choices[name] = values
    if not choices:
        raise ElectraEduError("Name at least one setting and its values, for example: sweep rtd_weight=1,10,50")
    return choices


def _setting(text: str) -> tuple[str, list[Any]]:
    """Read "rtd_weight=1,10,50": a field of the config and its values."""
    name, is_there, values = text.partition("=")
    fields = ElectraConfig.__dataclass_fields__
    if name not in fields:
        raise ElectraEduError(f"{name!r} is not a setting.{nearest(name, fields)} Settings: {', '.join(fields)}.")
    if not is_there or not all(value.strip() for value in values.split(",")):
        raise ElectraEduError(f"{text!r}: give the values after an equals sign, for example {name}=1,2")
    return name, [_value(value.strip()) for value in values.split(",")]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _command(*words: str) -> str:
    """Return a command line that a shell reads as these words."""
    return shlex.join(["electra-edu", *words])


def _trials(out: Path, experiment: Experiment) -> Path:
    """Return the folder of the finished trials; older versions called it NAME.cells."""
    older = out / f"{experiment.name}.cells"
    return older if older.is_dir() else out / f"{experiment.name}.trials"


def _time(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes / 60:.1f} h" if minutes >= 90 else f"{minutes:.0f} min" if minutes >= 2 else f"{seconds:.0f} s"

"""Recorded experiments: a table of readings and how it came about, two small files that the package carries."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from electra_edu.errors import ElectraEduError, nearest
from electra_edu.experiments.benchmark.hardware import hardware
from electra_edu.experiments.cells import CHANCE, THREADS, Row
from electra_edu.experiments.plan import TFLOP, Experiment, corpus_named
from electra_edu.experiments.runner import Outcome
from electra_edu.files import write_whole


@dataclass(frozen=True)
class Record:
    """An experiment that was run: its rows, one for each arm, seed and mark, and how it came about."""

    name: str
    rows: tuple[Row, ...]
    about: dict[
        str, Any
    ]  # command, corpus, settings of each arm, hardware, versions, dates; what it asks: the definition


def record_names() -> list[str]:
    """List the records that the package carries."""
    return sorted(file.name.removesuffix(".jsonl") for file in _recorded().iterdir() if file.name.endswith(".jsonl"))


def load_record(name: str, folder: Path | None = None) -> Record:
    """Read a record of the package, or of a folder; raises ElectraEduError where there is none or it is damaged."""
    place = folder or _recorded()
    try:
        table = (place / f"{name}.jsonl").read_text(encoding="utf-8")
        about = json.loads((place / f"{name}.json").read_text(encoding="utf-8"))
        return Record(name, tuple(json.loads(line) for line in table.splitlines()), about)
    except FileNotFoundError as error:
        known = [] if folder else record_names()
        hint = f"{nearest(name, known)} There are: {', '.join(known)}." if known else f" {folder} has none."
        raise ElectraEduError(f"There is no record {name!r}.{hint}") from error
    except ValueError as error:
        raise ElectraEduError(f"The record {name!r} is damaged ({error}). Install the package again.") from error


def network_folder(name: str) -> Path:
    """Return the folder of the networks that a record of the package keeps, "generator" and "discriminator".

    `from_transformers(network_folder("docs-long") / "discriminator")` reads one. Raises ElectraEduError for a record
    that is not there and for one that keeps none.
    """
    load_record(name)
    folder = Path(str(_recorded() / name))
    if not folder.is_dir():
        raise ElectraEduError(f'The record {name!r} keeps no network: its definition has no keep = "ARM".')
    return folder


def write_record(experiment: Experiment, outcome: Outcome, folder: Path, command: str) -> Path:
    """Write the table and how it came about into `folder`, each file whole, and return the table's path.

    Networks that the experiment keeps go into a folder of its name there.

    `command` is what runs it again. Raises ElectraEduError where it cannot be written.
    """
    corpus = corpus_named(experiment.corpus)
    dates = sorted(row["date"] for row in outcome.rows)
    about = {
        "command": command,
        "corpus": {"name": corpus.name, "sha256": corpus.sha256},
        "seeds": list(experiment.seeds),
        "tflop": [mark / TFLOP for mark in experiment.marks],
        "arms": {arm.name: arm.config(corpus, experiment.marks[-1]).to_dict() for arm in experiment.arms},
        "threads": THREADS,
        "dates": [dates[0], dates[-1]] if dates else [],
        "training_seconds": round(sum(_last_seconds(outcome.rows).values())),
        "hardware": hardware(torch.device("cpu")),
        "failed": outcome.failed,
    }
    table = folder / f"{experiment.name}.jsonl"
    try:
        write_whole(table, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in outcome.rows))
        write_whole(folder / f"{experiment.name}.json", json.dumps(about, indent=1, ensure_ascii=False) + "\n")
        if outcome.network is not None:
            shutil.copytree(outcome.network, folder / experiment.name, dirs_exist_ok=True)
    except OSError as error:
        raise ElectraEduError(f"{folder} cannot be written ({error}). Choose another folder.") from error
    return table


def comparable(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without what may differ between two runs of the same thing: seconds, date, host, versions."""
    return [{name: value for name, value in row.items() if name not in CHANCE} for row in rows]


def arm_of(row: Row) -> str:
    """Return the arm that a row is about, without the layer that was probed."""
    arm = str(row["arm"])
    return arm.rpartition(", ")[0] if "layer" in row else arm


def _last_seconds(rows: Iterable[Row]) -> dict[tuple[str, int], float]:
    seconds: dict[tuple[str, int], float] = {}
    for row in rows:
        run = arm_of(row), row["seed"]
        seconds[run] = max(seconds.get(run, 0.0), row["seconds"])
    return seconds


def _recorded() -> Any:
    return files("electra_edu.experiments") / "recorded"

"""Recorded experiments: a table of results and how it came about, two small files that the package carries."""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from electra_edu.experiments.code_version import code_version
from electra_edu.experiments.experiment import TFLOP, Experiment, Kind, corpus_named
from electra_edu.experiments.hardware import hardware
from electra_edu.experiments.runner import Outcome
from electra_edu.experiments.trials import MACHINE_COLUMNS, THREADS, Row
from electra_edu.support.errors import ElectraEduError, nearest
from electra_edu.support.files import atomic_write

MOST_ARMS = 11  # with more of them an experiment is a search for settings


@dataclass(frozen=True)
class Record:
    """An experiment that was run: its rows, one for each arm, seed and budget, and how it came about."""

    name: str
    rows: tuple[Row, ...]
    about: dict[str, Any]  # command, kind, corpus, settings of each arm, hardware, versions, dates

    @property
    def kind(self) -> Kind:
        """The kind of the experiment; read off the rows of a table that was written before tables said it."""
        if "kind" in self.about:
            kind: Kind = self.about["kind"]
            return kind
        if self.rows and "score" in self.rows[0]:
            return "labels"
        return "search" if len({row["arm"] for row in self.rows}) > MOST_ARMS else "race"


def record_names() -> list[str]:
    """List the records that the package carries."""
    return sorted(file.name.removesuffix(".jsonl") for file in _recorded().iterdir() if file.name.endswith(".jsonl"))


def load_record(name: str, folder: Path | None = None) -> Record:
    """Read a record of the package, or of a folder; raises ElectraEduError where there is none or it is damaged."""
    place = folder or _recorded()
    try:
        table = (place / f"{name}.jsonl").read_text(encoding="utf-8")
        about = json.loads((place / f"{name}.json").read_text(encoding="utf-8"))
        return Record(name, tuple(map(json.loads, filter(None, table.split("\n")))), about)
    except FileNotFoundError as error:
        known = [] if folder else record_names()
        hint = f"{nearest(name, known)} There are: {', '.join(known)}." if known else f" {folder} has none."
        raise ElectraEduError(f"There is no record {name!r}.{hint}") from error
    except (ValueError, RecursionError) as error:
        remedy = "Run its command again." if folder else "Install the package again."
        raise ElectraEduError(f"The record {name!r} is damaged ({error}). {remedy}") from error


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


def write_record(
    experiment: Experiment, outcome: Outcome, folder: Path, command: str, *, replace: bool = False
) -> Path:
    """Write the table and how it came about into `folder`, each file whole, and return the table's path.

    Networks that the experiment keeps go into a folder of its name there. `command` is what runs it again.

    A table that is there is replaced only by one that has all its runs, unless `replace`. Raises ElectraEduError, and
    leaves what is there, where no run succeeded, where the table holds runs that `outcome` lacks, and where nothing can
    be written.
    """
    table = folder / f"{experiment.name}.jsonl"
    if not outcome.rows:
        raise ElectraEduError(f"No run of {experiment.name!r} succeeded: no table was written. {_first(outcome)}")
    if not replace:
        check_table(experiment, folder)
        held = load_record(experiment.name, folder).rows if table.exists() else ()
        lost = {_identity(row) for row in held} - {_identity(row) for row in outcome.rows}
        if lost:
            raise ElectraEduError(
                f"{table} stays as it is: it holds runs that failed now. {_first(outcome)} To write what there is over "
                "it: --replace."
            )
    dates = sorted(row["date"] for row in outcome.rows)
    about = {
        "command": command,
        **_asked(experiment),
        "threads": THREADS,
        "dates": [dates[0], dates[-1]],
        "training_seconds": round(sum(_last_seconds(outcome.rows).values())),
        "hardware": hardware(torch.device("cpu")),
        "failed": outcome.failed,
    }
    try:
        atomic_write(folder / f"{experiment.name}.json", _json(about, indent=1) + b"\n")
        atomic_write(table, b"".join(_json(row) + b"\n" for row in outcome.rows))
        if outcome.network is not None:
            shutil.copytree(outcome.network, folder / experiment.name, dirs_exist_ok=True)
    except OSError as error:
        raise ElectraEduError(f"{folder} cannot be written ({error}). Choose another folder.") from error
    return table


def check_table(experiment: Experiment, folder: Path) -> None:
    """Raise ElectraEduError where the experiment's table in `folder` would take the place of other results.

    It may where the experiment has all that the table holds: the same corpus, arms, seeds and budgets, or more.
    """
    about, table = folder / f"{experiment.name}.json", folder / f"{experiment.name}.jsonl"
    networks = [folder / experiment.name] * bool(experiment.keep)
    there = [path for path in (about, table, *networks) if path.exists() or path.is_symlink()]
    if not there:
        return
    remedy = "Name another folder with --out, move it away, or write over it with --replace."
    try:
        record = load_record(experiment.name, folder)
        held = record.about
        others = _differences(held, _asked(experiment)) if record.rows else []
    except (ElectraEduError, OSError, AttributeError, KeyError, TypeError) as error:
        names = " and ".join(map(str, there))
        raise ElectraEduError(f"{names}: this is no table of an experiment. {remedy}") from error
    if others:
        raise ElectraEduError(
            f"{table} holds the results of another experiment, {held.get('command', 'of another program')!r}: it has "
            f"{', '.join(others)}. {remedy}"
        )


def _asked(experiment: Experiment) -> dict[str, Any]:
    """Return what an experiment asks for: its corpus, seeds, budgets (TFLOP), settings of each arm, and code."""
    corpus, tuning = corpus_named(experiment.corpus), experiment.fine_tuning
    return {
        "kind": experiment.kind,
        "corpus": {"name": corpus.name, "sha256": corpus.sha256},
        "seeds": list(experiment.seeds),
        "tflop": [budget / TFLOP for budget in experiment.budgets],
        "arms": {arm.name: arm.config(corpus, experiment.budgets[-1]).to_dict() for arm in experiment.arms},
        "untrained": [arm.name for arm in experiment.arms if not arm.is_trained],
        "layers": list(experiment.layers),
        "fine_tuning": tuning and {"tasks": list(tuning.tasks), "labels_per_class": list(tuning.labels_per_class)},
        "code": code_version(),
    }


def _differences(held: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Say what a table holds that an experiment does not ask for; empty where it asks for all of it, or more."""
    found = []
    if held["corpus"]["sha256"] != asked["corpus"]["sha256"]:
        found.append(f"the corpus {held['corpus']['name']!r} of other text")
    for what, name in (("the seeds", "seeds"), ("the budgets (TFLOP)", "tflop")):
        more = [value for value in held[name] if value not in asked[name]]
        if more:
            found.append(f"{what} {', '.join(map(str, more))}")
    arms = [name for name, config in held["arms"].items() if not _is_held(config, asked["arms"].get(name))]
    if arms:
        found.append(f"the arms {', '.join(map(repr, arms))}")
    named = {"untrained": "untrained arms", "layers": "layers", "fine_tuning": "fine-tuning"}
    return found + [  # tables of older versions do not say
        f"other {words}" for name, words in named.items() if name in held and held[name] != asked[name]
    ]


def _is_held(config: Mapping[str, Any], asked: Mapping[str, Any] | None) -> bool:
    """Whether an arm asks for these settings; one that a newer version added counts as the same."""
    return asked is not None and all(asked[name] == value for name, value in config.items() if name in asked)


def _identity(row: Row) -> tuple[Any, ...]:
    """Return what identifies a row in its table."""
    return tuple(row.get(name) for name in ("arm", "seed", "tflop", "task", "labels_per_class"))


def _first(outcome: Outcome) -> str:
    """Name the first run that failed, and the remedy."""
    name, error = next(iter(outcome.failed.items()), ("", ""))
    return f"{name}: {error}. Mend that, and try again with --retry." if name else ""


def _json(value: Any, indent: int | None = None) -> bytes:
    """Return JSON as UTF-8; half of a surrogate pair, as in the name of a file that is no text, as its escape."""
    return json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8", "backslashreplace")


def comparable(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without what may differ between two runs of the same thing: seconds, date, host, versions."""
    return [{name: value for name, value in row.items() if name not in MACHINE_COLUMNS} for row in rows]


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

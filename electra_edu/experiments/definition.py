"""The experiments that the package defines: TOML files, read strictly."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.resources import files
from typing import Any

from electra_edu.experiments.experiment import TFLOP, Arm, Experiment, FineTuning, Kind, grid
from electra_edu.support.errors import ElectraEduError, nearest
from electra_edu.support.validation import Strict, validated


def experiment_names() -> list[str]:
    """List the experiments that the package defines."""
    return sorted(file.name.removesuffix(".toml") for file in _definitions().iterdir() if file.name.endswith(".toml"))


def load_experiment(name: str) -> Experiment:
    """Read a definition of the package; raises ElectraEduError for a name that is not there or a slip in the file."""
    names = experiment_names()
    if name not in names:
        raise ElectraEduError(f"There is no experiment {name!r}.{nearest(name, names)} There are: {', '.join(names)}.")
    return parse(name, (_definitions() / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Definition(Strict):
    """The TOML of an experiment; see `Experiment` for what its fields say.

    The arms are `arm`, tables with a `name` and settings (`head_start` and `is_trained` too), or `grid`, tables of
    settings whose values are combined. `shared` holds for all. `tflop` are the budgets.
    """

    kind: Kind
    title: str
    question: str
    paper: str
    corpus: str
    seeds: tuple[int, ...]
    tflop: tuple[float, ...]
    arm: tuple[dict[str, Any], ...] = ()
    grid: tuple[dict[str, Any], ...] = ()
    shared: dict[str, Any] = field(default_factory=dict)
    remark: str = ""
    fine_tuning: FineTuning | None = None
    keep: str = ""
    shows: tuple[str, ...] = Experiment.shows
    over: str | None = None
    layers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.arm) == bool(self.grid):
            raise ValueError("give the arms as [[arm]], or as [[grid]] of settings to combine.")
        if (self.kind == "labels") != (self.fine_tuning is not None):
            raise ValueError(f'kind={self.kind!r}: "labels" needs [fine_tuning], and no other kind has it.')
        if not all(self.shows):
            raise ValueError("shows must list columns, not empty texts.")


@dataclass(frozen=True)
class _ArmHead(Strict):
    """What an arm's table says beside its settings."""

    name: str
    head_start: float = 0.0
    is_trained: bool = True


def parse(name: str, text: str) -> Experiment:
    """Build an experiment from the TOML of its `Definition`; raises ElectraEduError naming the file and the field."""
    where = f"{name}.toml"
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ElectraEduError(f"{where}: {error}") from error
    found = validated(Definition, table, where)
    arms = [_arm(each, found.shared, f"{where}, arm {i}") for i, each in enumerate(found.arm, 1)]
    arms += [arm for choices in found.grid for arm in grid(choices, found.shared)]
    return Experiment(
        name=name,
        corpus=found.corpus,
        arms=tuple(arms),
        seeds=found.seeds,
        budgets=tuple(TFLOP * budget for budget in found.tflop),
        title=found.title,
        question=found.question,
        paper=found.paper,
        remark=found.remark,
        fine_tuning=found.fine_tuning,
        keep=found.keep,
        shows=found.shows,
        over=found.over,
        layers=found.layers,
        kind=found.kind,
    )


def _arm(table: Mapping[str, Any], shared: Mapping[str, Any], where: str) -> Arm:
    known = {each.name for each in fields(_ArmHead)}
    head = validated(_ArmHead, {key: value for key, value in table.items() if key in known}, where)
    settings = {key: value for key, value in table.items() if key not in known}
    return Arm(head.name, {**shared, **settings}, head.head_start, head.is_trained)


def _definitions() -> Any:
    return files("electra_edu.experiments") / "definitions"

"""The architecture, as one table: a room imports only from the rooms above it, and no modules form a circle."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "electra_edu"
ROOMS = (  # from the bottom: a room imports from itself and from the rooms above it in this list
    "support",
    "config",
    "corpora",
    "model",
    "metrics",
    "efficiency",
    "training",
    "evaluation",
    "interop",
    "experiments",
    "course",
    "plots",
    "widgets",
    "cli",
    "__init__",  # the names a lesson types
    "__main__",
)
FLOORS = {  # inside a room with rooms of its own: the same rule again
    "model": ("masking", "encoder", "generator", "discriminator", "losses", "electra"),
    "evaluation": ("encoders", "tasks", "probes", "finetuning", "detection"),
    "widgets": ("assets", "charts", "parts", "panels", "lesson", "__init__"),
}
ONLY = {  # library -> who may import it: a room, or one file
    "ipywidgets": ("widgets",),
    "anywidget": ("widgets",),
    "matplotlib": ("plots", "widgets/charts/pictures.py"),
    "transformers": ("interop",),
    "datasets": ("corpora/hub.py",),
    "typer": ("cli",),
    "electra_pytorch": (),
    "jupyterlab": (),  # run as a program of its own
}
NEVER = {
    "efficiency": ("torch",),
    "support/arguments.py": ("torch",),
    "plots": ("torch",),
    "course": ("ipywidgets", "anywidget", "IPython"),
}
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def place_of(module: str) -> tuple[str, str]:
    """Return the room and what lies in it: ("training", "run") of "training/run.py"."""
    room, _, rest = module.removeprefix("electra_edu.").removesuffix(".py").replace("/", ".").partition(".")
    return room, rest.split(".")[0] or "__init__"


def is_above(imported: tuple[str, str], importing: tuple[str, str]) -> bool:
    """Whether a module that lies at `imported` may be imported by one at `importing`."""
    if imported[0] != importing[0]:
        return imported[0] in ROOMS[: ROOMS.index(importing[0])]
    floors = FLOORS.get(imported[0], ())
    if imported[1] == importing[1] or importing[1] not in floors or imported[1] not in floors:
        return True
    return floors.index(imported[1]) < floors.index(importing[1])


def imports(source: str) -> Iterator[str]:
    """List everything a module imports, inside functions too, as full dotted names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def faults(module: str, source: str) -> list[str]:
    """Say which imports of a module break the rules."""
    here, found = place_of(module), []
    for name in imports(source):
        library, _, rest = name.partition(".")
        if library == "electra_edu":
            there = place_of(name) if rest else ("__init__", "__init__")
            if not is_above(there, here):
                found.append(f"{name}: {'/'.join(there)} is not above {'/'.join(here)}")
        elif library in ONLY and not any(place in (here[0], module) for place in ONLY[library]):
            found.append(f"{name}: only for {ONLY[library]}")
        elif library in (*NEVER.get(here[0], ()), *NEVER.get(module, ())):
            found.append(f"{name}: never in {module}")
    return found


def test_every_module_lies_in_a_room() -> None:
    assert MODULES
    assert {place_of(module)[0] for module in MODULES} == set(ROOMS)
    for room, floors in FLOORS.items():
        assert {place_of(module)[1] for module in MODULES if place_of(module)[0] == room} <= {*floors, "__init__"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    assert not faults(module, (PACKAGE / module).read_text(encoding="utf-8"))


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {module.removesuffix(".py").removesuffix("/__init__").replace("/", "."): module for module in MODULES}
    graph: dict[str, set[str]] = {}
    for name, module in names.items():
        wanted = (one.removeprefix("electra_edu.") for one in imports((PACKAGE / module).read_text(encoding="utf-8")))
        graph[name] = {one if one in names else one.rpartition(".")[0] for one in wanted} & names.keys() - {name}
    TopologicalSorter({name: needed for name, needed in graph.items() if name != "__init__"}).prepare()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("model/masking.py", "from electra_edu.training import TrainingRun"),
        ("model/masking.py", "def f():\n    from electra_edu import widgets"),
        ("model/masking.py", "from electra_edu.model.electra import Electra"),
        ("widgets/charts/block_view.py", "from electra_edu.widgets.panels.stepper import Stepper"),
        ("cli/app.py", "import electra_edu as edu"),
        ("config/presets.py", "from electra_edu.unknown import x"),
        ("plots/curves.py", "import torch"),
        ("training/run.py", "import matplotlib.pyplot as plt"),
        ("widgets/lesson/quiz.py", "from matplotlib.figure import Figure"),
        ("course/quiz.py", "from ipywidgets import HBox"),
        ("efficiency/official.py", "from torch import nn"),
        ("support/arguments.py", "import torch"),
        ("experiments/runner.py", "import transformers"),
        ("interop/hub.py", "import electra_pytorch"),
    ],
)
def test_a_breach_is_found(module: str, source: str) -> None:
    assert len(faults(module, source)) == 1


def test_what_is_allowed_is_not_a_breach() -> None:
    assert not faults(
        "widgets/charts/pictures.py", "from matplotlib.figure import Figure\nfrom electra_edu import plots"
    )
    assert not faults("training/run.py", "from electra_edu.training.records import StepRecord\nimport torch")
    assert not faults("model/electra.py", "from electra_edu.model import masking")

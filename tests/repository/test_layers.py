"""The architecture, as one table: a module imports only from the lines above its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "electra_edu"
LAYERS = (
    "errors",
    "arguments",
    "tensors",
    "fields",
    "files",
    "user_state",
    "objectives",
    "config",
    "corpora",
    "masking",
    "encoder",
    "generator",
    "discriminator",
    "losses",
    "electra",
    "metrics",
    "efficiency",
    "optim",
    "training",
    "tasks",
    "probes",
    "finetuning",
    "detection",
    "interop",
    "experiments",
    "plots",
    "course",
    "widgets",
    "doctor",
    "cli",
    "__init__",  # the names a lesson types
    "__main__",
)
LEVEL = {name: level for level, name in enumerate(LAYERS)}
ONLY = {  # library -> who may import it: a layer, or one file
    "ipywidgets": ("widgets",),
    "anywidget": ("widgets",),
    "matplotlib": ("plots", "widgets/_figure.py"),
    "transformers": ("interop", "experiments/benchmark/peers.py"),
    "electra_pytorch": ("experiments/benchmark/peers.py",),
    "datasets": ("corpora/hub.py",),
    "typer": ("cli",),
    "jupyterlab": (),  # run as a program of its own
}
NEVER = {
    "efficiency": ("torch",),
    "arguments": ("torch",),
    "plots": ("torch",),
    "course": ("ipywidgets", "anywidget", "IPython"),
}
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def layer_of(module: str) -> str:
    """Return the layer of "training/run.py" or "electra_edu.training.run": "training"."""
    return module.removeprefix("electra_edu.").replace(".py", "").replace("/", ".").split(".")[0]


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
    layer, found = layer_of(module), []
    for name in imports(source):
        library, _, rest = name.partition(".")
        if library == "electra_edu":
            imported = layer_of(name) if rest else "__init__"
            if LEVEL.get(imported, len(LAYERS)) >= LEVEL[layer] and imported != layer:
                found.append(f"{name}: {imported} is not above {layer}")
        elif library in ONLY and not any(place in (layer, module) for place in ONLY[library]):
            found.append(f"{name}: only for {ONLY[library]}")
        elif library in NEVER.get(layer, ()):
            found.append(f"{name}: never in {layer}")
    return found


def test_every_module_has_a_layer() -> None:
    assert MODULES
    assert {layer_of(module) for module in MODULES} <= set(LAYERS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    assert not faults(module, (PACKAGE / module).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("masking.py", "from electra_edu.training import TrainingRun"),
        ("masking.py", "def f():\n    from electra_edu import widgets"),
        ("cli/app.py", "import electra_edu as edu"),
        ("config.py", "from electra_edu.unknown import x"),
        ("plots/curves.py", "import torch"),
        ("training/run.py", "import matplotlib.pyplot as plt"),
        ("widgets/quiz.py", "from matplotlib.figure import Figure"),
        ("course/quiz.py", "from ipywidgets import HBox"),
        ("efficiency.py", "from torch import nn"),
        ("experiments/benchmark/growth.py", "import transformers"),
        ("interop/hub.py", "import electra_pytorch"),
    ],
)
def test_a_breach_is_found(module: str, source: str) -> None:
    assert len(faults(module, source)) == 1


def test_what_is_allowed_is_not_a_breach() -> None:
    assert not faults("widgets/_figure.py", "from matplotlib.figure import Figure\nfrom electra_edu import plots")
    assert not faults("training/run.py", "from electra_edu.training.records import StepRecord\nimport torch")
    assert not faults("electra.py", "from electra_edu import masking")

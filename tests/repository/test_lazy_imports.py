"""`import electra_edu` loads nothing heavy: each name brings its module with it when it is first used."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import electra_edu as edu

ROOT = Path(__file__).resolve().parents[2]
DISPLAY = {"matplotlib", "IPython", "ipywidgets", "anywidget"}
HEAVY = {*DISPLAY, "pydantic", "sklearn", "scipy", "jupyter_core", "typer", "rich"}


def loaded_by(*steps: str) -> list[set[str]]:
    """Return which modules a fresh Python has loaded after each of these lines of code."""
    report = "print(json.dumps(sorted(sys.modules)))"
    script = "\n".join(["import json, sys", *(line for step in steps for line in (step, report))])
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
    return [set(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.fault(
    "Surroundings", seen="`import electra_edu` took 0.9 s beyond PyTorch: it loaded pyplot and ipywidgets"
)
def test_a_name_loads_only_what_it_needs() -> None:
    """What is loaded is counted, not timed: a list of modules is the same on every computer."""
    package, config, training, plots = loaded_by(
        "import electra_edu as edu",
        "edu.preset('toy'), edu.ElectraConfig, edu.ElectraEduError",
        "edu.TrainingRun, edu.load_corpus('toy'), edu.detect, edu.course, edu.efficiency, edu.interop, edu.metrics",
        "edu.plots.mlm_loss",
    )
    assert package.isdisjoint({"torch", "numpy", "tokenizers", *HEAVY})
    assert config.isdisjoint({"torch", *HEAVY})
    assert "torch" in training
    assert training.isdisjoint(HEAVY)
    assert "matplotlib" in plots
    assert plots.isdisjoint({"matplotlib.pyplot", "IPython", "ipywidgets", "anywidget", "sklearn"})


def test_every_name_is_there_and_listed() -> None:
    assert set(edu.__all__) <= set(dir(edu))
    for name in edu.__all__:
        assert getattr(edu, name) is getattr(edu, name), name


def test_type_checkers_see_what_is_there_at_run_time() -> None:
    """Imports under TYPE_CHECKING are for editors and mypy; at run time a table does their work."""
    tree = ast.parse((ROOT / "electra_edu" / "__init__.py").read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    typed: dict[str, object] = {}
    exec(compile(ast.Module(block.body, []), "electra_edu/__init__.py", "exec"), typed)
    del typed["__builtins__"]
    assert typed == {name: getattr(edu, name) for name in edu.__all__}


def test_names_mean_the_same_however_they_are_reached() -> None:
    """`check`, `machine` and `growth` are functions, and modules of the same names hold them."""
    loaded_by(
        "import electra_edu.widgets.lesson.check, electra_edu.plots.machine, electra_edu.training.run",
        "import electra_edu as edu, electra_edu.widgets as w",
        "from electra_edu import *",
        "from electra_edu.widgets import TrainingLab",
        "assert callable(check) and check is edu.check is edu.widgets.check",
        "assert callable(plots.machine) and callable(plots.growth) and w.TrainingLab is TrainingLab",
    )


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Elektra'"):
        edu.Elektra  # noqa: B018
    with pytest.raises(ImportError):
        from electra_edu import Elektra  # type: ignore[attr-defined] # noqa: F401

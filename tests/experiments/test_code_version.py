"""A finished trial is used again only by the code that computed it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from electra_edu import efficiency
from electra_edu.config import preset
from electra_edu.experiments import Arm, Experiment, run_experiment
from electra_edu.experiments import code_version as code_module
from electra_edu.experiments.code_version import PACKAGE, digest, modules
from electra_edu.experiments.experiment import FineTuning
from electra_edu.experiments.trials import run_trial

STEP = 1.01 * efficiency.flops(preset("toy"))["total"]
SMALL = Experiment("x", "toy", (Arm("a"),), (0,), (2 * STEP,))
KEYS = """
import json
from electra_edu.experiments import Arm, Experiment
print(json.dumps([trial.key for trial in Experiment("x", "toy", (Arm("a"),), (0,), (MARK,)).trials()]))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the package that a test may change."""
    target = tmp_path / "source" / "electra_edu"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__", "recorded"))
    return target


def keys() -> set[str]:
    return {trial.key for trial in SMALL.trials()}


@pytest.mark.fault("Experiments", seen="a trial that older code had finished was used again after that code changed")
def test_a_trial_finished_by_other_code_has_another_key(copy: Path) -> None:
    with (copy / "model" / "masking.py").open("a", encoding="utf-8") as file:
        file.write("\nMORE = 1\n")
    environment = os.environ | {"PYTHONPATH": str(copy.parent)}
    command = [sys.executable, "-c", KEYS.replace("MARK", repr(2 * STEP))]
    ran = subprocess.run(command, env=environment, cwd=copy.parent, check=True, capture_output=True, text=True)
    found = set(json.loads(ran.stdout))
    assert len(found) == len(keys()) == 1
    assert found.isdisjoint(keys())


@pytest.mark.fault("Experiments", seen="results of another version of the code were used again without a word")
def test_results_of_another_version_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[int, int]] = []
    run_experiment(SMALL, tmp_path, jobs=1)
    for version in ("the next", "the next"):
        monkeypatch.setattr("electra_edu.experiments.experiment.code_version", lambda version=version: version)
        run_experiment(SMALL, tmp_path, jobs=1, on_trial=lambda *done: heard.append(done))
    assert heard == [(0, 1), (1, 1), (1, 1)]


def test_every_module_that_takes_part_counts_and_nothing_else(copy: Path) -> None:
    whole = digest(copy)
    assert whole == digest(PACKAGE)
    taking_part = set(modules(copy).values())
    for path in set(copy.rglob("*.py")) - taking_part:
        path.write_text("MORE = 1\n", encoding="utf-8")
    assert digest(copy) == whole
    for path in sorted(taking_part)[::30]:
        before = path.read_text(encoding="utf-8")
        path.write_text(f"{before}\nMORE = 1\n", encoding="utf-8")
        assert digest(copy) != whole, path
        path.write_text(before, encoding="utf-8")
    names = {path.relative_to(copy).as_posix() for path in taking_part}
    assert {
        "model/masking.py",
        "model/losses.py",
        "corpora/toy/grammar.py",
        "training/exam.py",
        "evaluation/finetuning/loop.py",
    } <= names
    assert not {name for name in names if name.startswith(("widgets", "course", "cli", "plots"))}


def test_words_about_the_code_do_not_count(copy: Path) -> None:
    whole = digest(copy)
    for path in modules(copy).values():
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('"""', '"""More words. ', 1) + "\n\n# a remark\n", encoding="utf-8")
    assert digest(copy) == whole


def test_the_libraries_that_compute_count(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = digest(PACKAGE)
    for library in ("torch", "numpy", "scikit-learn", "tokenizers"):
        monkeypatch.setattr(code_module, "_version", lambda name, new=library: "0" if name == new else real(name))
        assert digest(PACKAGE) != whole


def real(library: str) -> str:
    return code_module.version(library)


@contextmanager
def code_that_runs() -> Iterator[set[Path]]:
    """Collect the files whose functions are called in the block."""
    files: set[str] = set()

    def called(frame: FrameType, _event: str, _argument: Any) -> None:
        files.add(frame.f_code.co_filename)

    found: set[Path] = set()
    sys.setprofile(called)
    try:
        yield found
    finally:
        sys.setprofile(None)
        found |= {Path(file) for file in files}


def test_all_code_that_runs_while_a_trial_is_computed_takes_part(tmp_path: Path) -> None:
    """What is imported by name at run time, and so escapes a reader of import statements, would be missed."""
    trials = [
        *replace(SMALL, keep="a", layers=(0, 2)).trials(),
        *replace(SMALL, fine_tuning=FineTuning(("agreement",), (1,))).trials(),
    ]
    with code_that_runs() as files:
        for trial in trials:
            assert run_trial(trial, tmp_path)
    ran = {path for path in files if PACKAGE in path.parents and path.name != "code_version.py"}
    assert len(ran) > 20
    assert ran <= {*modules(PACKAGE).values()}

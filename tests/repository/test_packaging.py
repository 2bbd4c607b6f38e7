"""What is installed: the pins, the conda environment, the wheel and the commands around them agree."""

import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import electra_edu

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def direct_requirements() -> Iterator[Requirement]:
    """List what pyproject.toml asks for, in every extra, the package's own extras left out."""
    groups = (
        PROJECT["dependencies"],
        *PROJECT["optional-dependencies"].values(),
        PYPROJECT["build-system"]["requires"],
    )
    for requirement in (Requirement(line) for group in groups for line in group):
        if requirement.name != PROJECT["name"]:
            yield requirement


def pins() -> dict[str, str]:
    """Return the pinned version of each package, by its normalised name."""
    requirements = [Requirement(line) for line in CONSTRAINTS if not line.startswith("#")]
    return {normal(pin.name): str(pin.specifier).removeprefix("==") for pin in requirements}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_direct_dependency_is_pinned_within_its_range() -> None:
    pinned = pins()
    for requirement in direct_requirements():
        assert normal(requirement.name) in pinned
        assert requirement.specifier.contains(pinned[normal(requirement.name)]), requirement


def test_pins_are_exact_and_for_any_computer() -> None:
    lines = [line for line in CONSTRAINTS if not line.startswith("#")]
    assert lines == sorted(set(lines), key=str.lower)
    for line in lines:
        assert re.fullmatch(r"[\w.-]+==[\w.]+(; \w+ == '\w+')?", line), f"{line}: not one public version"
    assert pins()["torch"].startswith("2.")


def test_what_is_installed_here_is_what_is_pinned() -> None:
    """The tests speak for the pinned versions only where they run with them."""
    pinned = pins()
    for name in ("torch", "jupyterlab", "ipywidgets", "anywidget", "matplotlib", "tokenizers", "pytest", "nbval"):
        assert importlib.metadata.version(name).split("+")[0] == pinned[name]


def test_conda_installs_this_package_with_the_pins() -> None:
    pip = next(entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))
    assert pip == ["-c constraints.txt", "-e ."]
    assert "pip" in ENVIRONMENT["dependencies"]


def test_python_versions_agree() -> None:
    conda = next(entry for entry in ENVIRONMENT["dependencies"] if str(entry).startswith("python=")).split("=")[1]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert SpecifierSet(PROJECT["requires-python"]).contains(conda)
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert PYPROJECT["tool"]["mypy"]["python_version"] == oldest
    assert f"Programming Language :: Python :: {oldest}" in PROJECT["classifiers"]


def test_versions_agree() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    newest = re.search(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert citation["version"] == newest[1] == electra_edu.__version__


def test_wheel_holds_the_package_and_the_lessons(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        texts = {name.rsplit("/")[-1]: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}
    hidden = re.compile(r"(^|/)(__pycache__|\.)")
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "electra_edu").rglob("*") if path.is_file()}
    lessons = {f"electra_edu/lessons/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert held == {name for name in package if not hidden.search(name)} | lessons
    assert "electra-edu = electra_edu.cli:app" in texts["entry_points.txt"]
    assert f"Version: {electra_edu.__version__}" in texts["METADATA"]
    assert "Permission is hereby granted" in texts["LICENSE"]


def test_make_lists_its_targets() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert set(re.findall(r"make (\w+)", listed)) == {"lab", "test", "check", "soak", "gpu", "lessons", "clean"}


def test_make_says_which_python_is_missing(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.1\nexit 1\n')
    old.chmod(0o755)
    for python, sentence in (("nopython", "There is no 'nopython' here"), (str(old), "too old: Python 3.8.1")):
        command = ["make", "lab", f"PYTHON={python}"]
        made = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        assert made.returncode != 0
        assert sentence in made.stdout


def test_the_ci_script_is_sound() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    lines = script.read_text().splitlines()
    assert "set -euo pipefail" in lines
    assert lines[-2:] == ["make test", "make check"]


class Installer:
    """tools/environment.py in a folder of its own, with pip and venv replaced by notes of what was asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.asked: list[Any] = []
        (folder / "tools").mkdir()
        for name in ("pyproject.toml", "constraints.txt", "tools/environment.py"):
            (folder / name).write_bytes((ROOT / name).read_bytes())
        self.module = load(folder / "tools" / "environment.py")
        monkeypatch.setattr(self.module, "venv_works", lambda: self.module.PYTHON.exists())
        monkeypatch.setattr(self.module, "make_venv", self._make_venv)
        monkeypatch.setattr(self.module, "install", self.asked.append)

    def _make_venv(self) -> None:
        self.asked.append("venv")
        self.module.PYTHON.parent.mkdir(parents=True)
        self.module.PYTHON.touch()

    def run(self, *extras: str) -> list[Any]:
        self.asked.clear()
        self.module.main(set(extras))
        return list(self.asked)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_second_make_installs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = Installer(tmp_path, monkeypatch)
    assert installer.run() == ["venv", set()]
    assert installer.run() == []
    assert installer.run("test") == [{"test"}]
    assert installer.run("test") == []
    assert installer.run() == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_installs_again(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = Installer(tmp_path, monkeypatch)
    installer.run("test")
    with (tmp_path / name).open("a") as file:
        file.write("# changed\n")
    assert installer.run() == [set()]


@pytest.mark.parametrize("stamp", ["", "[]", "{}", json.dumps({"key": "old", "extras": []})])
def test_a_damaged_stamp_installs_again(stamp: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = Installer(tmp_path, monkeypatch)
    installer.run()
    installer.module.STAMP.write_text(stamp)
    assert installer.run() == [set()]


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = Installer(tmp_path, monkeypatch).module
    fresh = load(tmp_path / "tools" / "environment.py")
    monkeypatch.setattr(fresh.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SystemExit, match=r"sudo apt install python3\.\d+-venv"):
        fresh.make_venv()
    assert not module.VENV.exists()


def test_a_failed_installation_says_why_and_leaves_no_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = Installer(tmp_path, monkeypatch)
    fresh = load(tmp_path / "tools" / "environment.py")
    monkeypatch.setattr(installer.module, "install", fresh.install)
    monkeypatch.setattr(fresh.subprocess, "run", lambda *_args, **_options: subprocess.CompletedProcess([], 1))
    with pytest.raises(SystemExit, match="no network"):
        installer.module.main(set())
    assert not installer.module.STAMP.exists()

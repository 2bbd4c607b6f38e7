"""The commands around the package: `make`, .ci/run, and tools/environment.py, which makes .venv."""

import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
needs_make = pytest.mark.skipif(os.name == "nt", reason="Make does not exist on Windows")


@needs_make
def test_make_lists_its_targets() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert set(re.findall(r"make (\w+)", listed)) == {"lab", "test", "check", "soak", "gpu", "lessons", "clean"}


@needs_make
def test_make_says_which_python_is_missing(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.1\nexit 1\n')
    old.chmod(0o755)
    for python, sentence in (("nopython", "There is no 'nopython' here"), (str(old), "too old: Python 3.8.1")):
        command = ["make", "lab", f"PYTHON={python}"]
        made = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        assert made.returncode != 0
        assert sentence in made.stdout


@needs_make
def test_the_ci_script_is_sound() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    lines = script.read_text().splitlines()
    assert "set -euo pipefail" in lines
    assert lines[-2:] == ["make test", "make check"]


class Installer:
    """tools/environment.py in a folder of its own; calls of pip and venv are listed in `calls` and not made."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.calls: list[Any] = []
        (folder / "tools").mkdir()
        for name in ("pyproject.toml", "constraints.txt", "tools/environment.py"):
            (folder / name).write_bytes((ROOT / name).read_bytes())
        self.module = load(folder / "tools" / "environment.py")
        monkeypatch.setattr(self.module, "venv_works", lambda: self.module.PYTHON.exists())
        monkeypatch.setattr(self.module, "make_venv", self._make_venv)
        monkeypatch.setattr(self.module, "install", self.calls.append)

    def _make_venv(self) -> None:
        self.calls.append("venv")
        self.module.PYTHON.parent.mkdir(parents=True)
        self.module.PYTHON.touch()

    def run(self, *extras: str) -> list[Any]:
        self.calls.clear()
        self.module.main(set(extras))
        return list(self.calls)


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

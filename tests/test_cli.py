"""The command line: the learner's folder is never harmed, JupyterLab starts as promised, faults are sentences."""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from electra_edu.cli import app, lab, lessons
from electra_edu.cli.lessons import LessonsError, lay_out


def notebook(*sources: str, output: str | None = None) -> str:
    """Return a notebook of code cells as JSON; with `output`, as if it had been run."""
    outputs = [] if output is None else [{"output_type": "stream", "name": "stdout", "text": output}]
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1 if outputs else None, "outputs": outputs}
    return json.dumps({"cells": [{**cell, "source": source} for source in sources], "metadata": {}, "nbformat": 4})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a folder with two lessons as they are shipped: executed."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in ("00_start.ipynb", "01_next.ipynb"):
        (folder / name).write_text(notebook("1 + 1", output="2"))
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "mine"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def cells(path: Path) -> list[str]:
    return [cell["source"] for cell in json.loads(path.read_text())["cells"]]


class TestLayOut:
    def test_copies_have_no_outputs(self, source: Path, target: Path) -> None:
        laid = lay_out(source, target)
        assert laid.added == laid.lessons == ("00_start.ipynb", "01_next.ipynb")
        cell = json.loads((target / "00_start.ipynb").read_text())["cells"][0]
        assert (cell["outputs"], cell["execution_count"], cell["source"]) == ([], None, "1 + 1")

    def test_a_second_time_changes_nothing(self, source: Path, target: Path) -> None:
        lay_out(source, target)
        before = {name: (target / name).stat().st_mtime_ns for name in names(target)}
        laid = lay_out(source, target)
        assert (laid.added, laid.updated, laid.beside) == ((), (), ())
        assert before == {name: (target / name).stat().st_mtime_ns for name in names(target)}

    def test_a_copy_that_was_only_run_is_updated(self, source: Path, target: Path) -> None:
        lay_out(source, target)
        (target / "00_start.ipynb").write_text(notebook("1 + 1", output="2"))
        (source / "00_start.ipynb").write_text(notebook("2 + 2"))
        laid = lay_out(source, target)
        assert laid.updated == ("00_start.ipynb",)
        assert cells(target / "00_start.ipynb") == ["2 + 2"]

    def test_a_changed_copy_stays_and_the_newer_lesson_lies_beside(self, source: Path, target: Path) -> None:
        lay_out(source, target)
        (target / "00_start.ipynb").write_text(notebook("my answer"))
        assert lay_out(source, target).beside == ()
        (source / "00_start.ipynb").write_text(notebook("2 + 2"))
        assert lay_out(source, target).beside == (("00_start.ipynb", "00_start.new.ipynb"),)
        assert cells(target / "00_start.ipynb") == ["my answer"]
        assert cells(target / "00_start.new.ipynb") == ["2 + 2"]
        assert lay_out(source, target).beside == ()

    def test_a_changed_new_copy_stays_too(self, source: Path, target: Path) -> None:
        lay_out(source, target)
        (target / "00_start.ipynb").write_text(notebook("my answer"))
        for version in ("second", "third", "fourth"):
            (source / "00_start.ipynb").write_text(notebook(version))
            lay_out(source, target)
            if version == "third":
                (target / "00_start.new.ipynb").write_text(notebook("my second answer"))
        assert cells(target / "00_start.ipynb") == ["my answer"]
        assert cells(target / "00_start.new.ipynb") == ["my second answer"]
        assert cells(target / "00_start.new2.ipynb") == ["fourth"]

    def test_a_removed_copy_comes_back(self, source: Path, target: Path) -> None:
        lay_out(source, target)
        (target / "01_next.ipynb").unlink()
        assert lay_out(source, target).added == ("01_next.ipynb",)

    @pytest.mark.parametrize("damage", ["", "[]", "{", '"x"', "\x00"])
    def test_a_damaged_manifest_costs_no_work(self, damage: str, source: Path, target: Path) -> None:
        lay_out(source, target)
        (target / "00_start.ipynb").write_text(notebook("my answer"))
        (target / lessons.STATE / lessons.MANIFEST).write_text(damage)
        lay_out(source, target)
        assert cells(target / "00_start.ipynb") == ["my answer"]
        assert names(target) == ["00_start.ipynb", "00_start.new.ipynb", "01_next.ipynb"]

    @pytest.mark.parametrize("content", [b"not a notebook", b"\xff\xfe", b"[1]", b'{"cells": [{}]}'])
    def test_a_file_that_is_no_notebook_is_left_alone(self, content: bytes, source: Path, target: Path) -> None:
        target.mkdir()
        (target / "00_start.ipynb").write_bytes(content)
        assert lay_out(source, target).beside == (("00_start.ipynb", "00_start.new.ipynb"),)
        assert (target / "00_start.ipynb").read_bytes() == content

    def test_nothing_half_written_stays(self, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lay_out(source, target)
        before = (target / "00_start.ipynb").read_bytes()
        (source / "00_start.ipynb").write_text(notebook("2 + 2"))

        def full(_self: Path, _target: Path) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", full)
            with pytest.raises(LessonsError, match="No space left"):
                lay_out(source, target)
        assert (target / "00_start.ipynb").read_bytes() == before
        assert lay_out(source, target).updated == ("00_start.ipynb",)

    def test_the_lessons_themselves_are_refused(self, source: Path) -> None:
        with pytest.raises(LessonsError, match="--dir"):
            lay_out(source, source)

    def test_a_folder_that_cannot_be_made_is_a_sentence(self, source: Path, target: Path) -> None:
        target.write_text("a file")
        with pytest.raises(LessonsError, match="cannot be used: File exists"):
            lay_out(source, target)


Started = list[tuple[str, list[str], dict[str, str]]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, source: Path, tmp_path: Path) -> Started:
    """Return what would have become of this process; lessons and working folder are the test's."""
    calls: Started = []

    def exec_and_end(program: str, arguments: list[str], environment: dict[str, str]) -> None:
        calls.append((program, arguments, environment))
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", exec_and_end)
    monkeypatch.setattr(lessons, "lessons_folder", lambda: source)
    monkeypatch.chdir(tmp_path)
    return calls


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


class TestLab:
    def test_starts_this_python_on_the_first_lesson(self, started: Started, tmp_path: Path) -> None:
        assert run("lab", "--no-browser", "--", "--allow-root", "--ServerApp.x=1").exit_code == 0
        [(program, arguments, environment)] = started
        folder = tmp_path / "electra_lessons"
        assert names(folder) == ["00_start.ipynb", "01_next.ipynb"]
        assert arguments[:3] == [program, "-m", "jupyterlab"]
        assert program == sys.executable
        assert "--LabApp.default_url=/lab/tree/00_start.ipynb" in arguments
        assert "--ServerApp.ip=localhost" in arguments
        assert "--ServerApp.open_browser=False" in arguments
        assert arguments[-2:] == ["--allow-root", "--ServerApp.x=1"]
        assert not any("token" in argument for argument in arguments)
        assert Path(environment["JUPYTER_CONFIG_DIR"]).is_relative_to(folder)

    def test_its_kernel_is_this_python(self, started: Started) -> None:
        run("lab", "--", "--allow-root")
        data = Path(started[0][2]["JUPYTER_PATH"].split(os.pathsep)[0])
        kernel = json.loads((data / "kernels" / "python3" / "kernel.json").read_text())
        assert kernel["argv"][0] == sys.executable

    @pytest.mark.parametrize(
        ("cores", "asked", "threads"), [(1, None, "1"), (2, None, "1"), (8, None, "7"), (8, "3", "3")]
    )
    def test_its_kernel_leaves_a_core_to_the_browser(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, asked: str | None, threads: str
    ) -> None:
        monkeypatch.setattr(lab, "usable_cores", lambda: cores)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if asked is not None:
            monkeypatch.setenv("OMP_NUM_THREADS", asked)
        lab.prepare(tmp_path)
        kernel = json.loads((tmp_path / "data" / "kernels" / "python3" / "kernel.json").read_text())
        assert kernel["env"] == {"OMP_NUM_THREADS": threads}

    def test_a_layout_of_the_learner_is_kept(self, tmp_path: Path) -> None:
        lab.prepare(tmp_path)
        [workspace] = tmp_path.rglob("*.jupyterlab-workspace")
        workspace.write_text("the learner's")
        lab.prepare(tmp_path)
        assert workspace.read_text() == "the learner's"

    def test_says_where_a_newer_lesson_lies(self, started: Started, source: Path, tmp_path: Path) -> None:
        run("lab", "--", "--allow-root")
        (tmp_path / "electra_lessons" / "00_start.ipynb").write_text(notebook("my answer"))
        for name in ("00_start.ipynb", "01_next.ipynb"):
            (source / name).write_text(notebook("2 + 2"))
        result = run("lab", "--", "--allow-root")
        assert "You changed 00_start.ipynb, so it stays as it is" in result.output
        assert "Brought up to date: 01_next.ipynb" in result.output
        assert len(started) == 2

    def test_a_taken_port_is_a_sentence(self, started: Started, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            result = run("lab", "--port", str(port), "--", "--allow-root")
        assert result.exit_code == 1
        assert f"port={port}: another program uses it" in result.output
        assert not started
        assert not (tmp_path / "electra_lessons").exists()

    def test_root_is_warned(self, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        result = run("lab")
        assert result.exit_code == 1
        assert "electra-edu lab -- --allow-root" in result.output
        assert not started

    def test_a_missing_jupyterlab_is_a_sentence(self, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lab.importlib.util, "find_spec", lambda _name: None)
        result = run("lab", "--", "--allow-root")
        assert result.exit_code == 1
        assert "JupyterLab is not installed" in result.output
        assert not started

    def test_a_folder_in_the_way_is_a_sentence(self, started: Started, tmp_path: Path) -> None:
        (tmp_path / "electra_lessons").write_text("a file")
        result = run("lab", "--", "--allow-root")
        assert result.exit_code == 1
        assert "cannot be used" in result.output
        assert not started

    def test_elsewhere_it_waits_for_jupyterlab(self, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_args: Any, **_options: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(lab, "POSIX", False)
        monkeypatch.setattr(lab.subprocess, "run", interrupted)
        assert run("lab").exit_code == 0
        assert not started


def test_help_names_the_commands() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "lab" in result.output
    assert "doctor" in result.output


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    result = run("docter")
    assert result.exit_code == 2
    assert "doctor" in result.output

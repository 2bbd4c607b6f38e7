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

    @pytest.mark.parametrize("damage", ["", "[]", "{", '"x"', "\x00", "[" * 100_000])
    def test_a_damaged_manifest_costs_no_work(self, damage: str, source: Path, target: Path) -> None:
        lay_out(source, target)
        (target / "00_start.ipynb").write_text(notebook("my answer"))
        (lessons.state_of(target) / lessons.MANIFEST).write_text(damage)
        lay_out(source, target)
        assert cells(target / "00_start.ipynb") == ["my answer"]
        assert names(target) == ["00_start.ipynb", "00_start.new.ipynb", "01_next.ipynb"]

    @pytest.mark.fault("Errors", seen="a deeply nested notebook in the folder ended `electra-edu lab` with a traceback")
    @pytest.mark.parametrize(
        "content", [b"not a notebook", b"\xff\xfe", b"[1]", b'{"cells": [{}]}', b"[" * 100_000, b'{"cells": 7}']
    )
    def test_a_file_that_is_no_notebook_is_left_alone(self, content: bytes, source: Path, target: Path) -> None:
        target.mkdir()
        (target / "00_start.ipynb").write_bytes(content)
        assert lay_out(source, target).beside == (("00_start.ipynb", "00_start.new.ipynb"),)
        assert (target / "00_start.ipynb").read_bytes() == content

    @pytest.mark.fault("Security", seen="a list inside the folder said which of a learner's files may be written over")
    def test_a_list_inside_the_folder_is_not_believed(self, source: Path, target: Path) -> None:
        target.mkdir()
        (target / "00_start.ipynb").write_text(notebook("my answer"))
        planted = {
            "00_start.ipynb": lessons.fingerprint(json.loads(notebook("my answer"))),
            "../outside.ipynb": "x",
        }
        (target / lessons.FORMER_STATE).mkdir()
        (target / lessons.FORMER_STATE / lessons.MANIFEST).write_text(json.dumps(planted))
        laid = lay_out(source, target)
        assert laid.ignored == target / lessons.FORMER_STATE
        assert cells(target / "00_start.ipynb") == ["my answer"]
        assert names(target) == ["00_start.ipynb", "00_start.new.ipynb", "01_next.ipynb"]
        assert not (target.parent / "outside.ipynb").exists()

    def test_what_is_remembered_belongs_to_one_folder(self, source: Path, target: Path) -> None:
        lay_out(source, target)
        assert sorted(path.name for path in target.iterdir()) == ["00_start.ipynb", "01_next.ipynb"]
        assert lessons.state_of(target) != lessons.state_of(source)
        (target / "link").symlink_to(target)
        assert lessons.state_of(target / "link") == lessons.state_of(target)

    @pytest.mark.fault("Security", seen="a pipe under a lesson's name made `electra-edu lab` wait for ever")
    def test_a_pipe_or_a_link_in_the_place_of_a_lesson_does_no_harm(self, source: Path, target: Path) -> None:
        target.mkdir()
        outside = target.parent / "thesis.ipynb"
        outside.write_text(notebook("my thesis"))
        os.mkfifo(target / "00_start.ipynb")
        (target / "01_next.ipynb").symlink_to(outside)
        laid = lay_out(source, target)
        assert [newer for _, newer in laid.beside] == ["00_start.new.ipynb", "01_next.new.ipynb"]
        assert cells(outside) == ["my thesis"]

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
        calls.append((program, arguments, environment | {"working folder": os.getcwd()}))  # noqa: PTH109
        os.chdir(tmp_path)
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
        assert arguments[:4] == [program, "-P", "-m", "jupyterlab"]
        assert program == sys.executable
        assert "--LabApp.default_url=/lab/tree/00_start.ipynb" in arguments
        assert "--ServerApp.ip=localhost" in arguments
        assert "--ServerApp.open_browser=False" in arguments
        assert arguments[-2:] == ["--allow-root", "--ServerApp.x=1"]
        assert not any("token" in argument for argument in arguments)
        assert Path(environment["JUPYTER_CONFIG_DIR"]).is_relative_to(lessons.state_of(folder))

    @pytest.mark.fault("Security", seen="the server ran in the folder of lessons and read settings and templates there")
    def test_runs_outside_the_lessons_with_settings_outside(self, started: Started, tmp_path: Path) -> None:
        run("lab", "--dir", ".", "--", "--allow-root")
        environment = started[0][2]
        assert environment["working folder"] == str(lessons.state_of(tmp_path))
        for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_PATH"):
            assert not Path(environment[variable].split(os.pathsep)[0]).is_relative_to(tmp_path)
        assert not (tmp_path / lessons.FORMER_STATE).exists()

    @pytest.mark.fault(
        "Security", seen="an empty entry of PYTHONPATH let files beside a notebook stand in for libraries"
    )
    def test_a_python_path_never_means_the_folder_of_a_notebook(
        self, started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "own", "/elsewhere", ""]))
        run("lab", "--", "--allow-root")
        assert started[0][2]["PYTHONPATH"].split(os.pathsep) == [str(tmp_path / "own"), "/elsewhere"]

    def test_says_that_settings_inside_the_folder_are_not_read(self, started: Started, tmp_path: Path) -> None:
        assert "is not read" not in run("lab", "--", "--allow-root").output
        former = tmp_path / "electra_lessons" / lessons.FORMER_STATE
        former.mkdir()
        assert f"{former.relative_to(tmp_path)} is of an older version" in run("lab", "--", "--allow-root").output

    def test_its_kernel_is_this_python(self, started: Started) -> None:
        run("lab", "--", "--allow-root")
        data = Path(started[0][2]["JUPYTER_PATH"].split(os.pathsep)[0])
        kernel = json.loads((data / "kernels" / "python3" / "kernel.json").read_text())
        assert kernel["argv"][0] == sys.executable
        assert kernel["env"]["PYTHONSAFEPATH"] == "1"

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
        assert kernel["env"]["OMP_NUM_THREADS"] == threads

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

    @pytest.mark.fault("Errors", seen="a folder for settings that cannot be written ended with a traceback")
    @pytest.mark.parametrize("mode", [0o000, 0o500, 0o777], ids=["closed", "read-only", "open to others"])
    @pytest.mark.parametrize("below", ["", "lab"])
    @pytest.mark.usefixtures("permissions_bind")
    def test_settings_that_cannot_be_kept_are_a_sentence(
        self, started: Started, tmp_path: Path, mode: int, below: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = tmp_path / "state"
        (state / below).mkdir(parents=True, mode=0o700)
        monkeypatch.setenv("ELECTRA_EDU_STATE", str(state))
        (state / below).chmod(mode)
        result = run("lab", "--", "--allow-root")
        (state / below).chmod(0o700)
        assert result.exit_code == 1
        assert "Set ELECTRA_EDU_STATE to the full path" in result.output
        assert isinstance(result.exception, SystemExit)
        assert not started
        monkeypatch.setenv("ELECTRA_EDU_STATE", str(tmp_path / "another"))  # the remedy works
        assert run("lab", "--", "--allow-root").exit_code == 0
        assert started

    @pytest.mark.parametrize("mode", [0o000, 0o500, 0o600], ids=["closed", "read-only", "not to be entered"])
    @pytest.mark.usefixtures("permissions_bind")
    def test_a_closed_folder_is_a_sentence(self, started: Started, tmp_path: Path, mode: int) -> None:
        closed = tmp_path / "closed"
        closed.mkdir()
        closed.chmod(mode)
        results = [run("lab", "--dir", str(folder), "--", "--allow-root") for folder in (closed, closed / "deeper")]
        closed.chmod(0o700)
        for result in results:
            assert result.exit_code == 1
            assert "with --dir" in result.output
        assert not started

    @pytest.mark.fault("Errors", seen="`electra-edu lab` in a folder that was deleted ended with a traceback")
    def test_a_folder_that_is_gone_is_a_sentence(self, started: Started, tmp_path: Path) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()
        result = run("lab", "--", "--allow-root")
        assert result.exit_code == 1
        assert "as a full path" in result.output
        os.chdir(tmp_path)
        (tmp_path / "circle").symlink_to("circle")
        result = run("lab", "--dir", "circle", "--", "--allow-root")
        assert result.exit_code == 1
        assert "cannot be used" in result.output

    @pytest.mark.fault("Errors", seen="JupyterLab ended with a traceback where the home folder could not be read")
    @pytest.mark.usefixtures("permissions_bind")
    def test_a_closed_home_needs_no_more_than_the_remedy(
        self, started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tmp_path / "home"
        home.mkdir(mode=0)
        monkeypatch.setenv("HOME", str(home))
        for variable in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "XDG_DATA_HOME"):
            monkeypatch.delenv(variable, raising=False)
        assert run("lab", "--", "--allow-root").exit_code == 0
        home.chmod(0o700)
        state = lessons.state_of(tmp_path / "electra_lessons")
        for variable in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            assert Path(started[0][2][variable]).parent == state
        run("lab", "--", "--allow-root")
        assert "IPYTHONDIR" not in started[1][2]

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

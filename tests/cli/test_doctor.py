"""`electra-edu doctor`: what is wrong is found and named with its remedy."""

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from electra_edu.cli import app, doctor
from electra_edu.support.errors import ElectraEduError


def problem_of(check: doctor.Check) -> str:
    assert check.problem is not None
    return check.problem


def version_of_ours(version: Callable[[str], str]) -> Callable[[str], str]:
    """Return `metadata.version` as it is where electra-edu is installed."""
    return lambda name: "0.1.0" if name == "electra-edu" else version(name)


def test_names_versions_device_and_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _name: ["torch>=2.6", "typer>=0.12", 'x; extra == "test"'])
    monkeypatch.setattr(metadata, "version", lambda _name: "3.0")
    found = {check.name for check in doctor.checks()}
    assert found >= {"Python", "electra-edu", "torch", "typer", "device", "cache folder", "this folder"}
    assert "x" not in found


def test_a_version_out_of_range_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _name: ["ipywidgets<9,>=8.1"])
    monkeypatch.setattr(metadata, "version", lambda _name: "7.8")
    problem = problem_of(doctor.check_versions()[1])
    assert problem == 'ipywidgets 7.8 is outside <9,>=8.1. Mend: pip install "ipywidgets<9,>=8.1"'


def test_a_missing_package_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _name: ["no-such-package>=1"])
    monkeypatch.setattr(metadata, "version", version_of_ours(metadata.version))
    assert "no-such-package is missing" in problem_of(doctor.check_versions()[1])


def test_an_uninstalled_checkout_is_named() -> None:
    [check] = doctor.check_versions("no-such-distribution")
    assert "pip install" in problem_of(check)


def test_the_widgets_front_end_here_is_right() -> None:
    for distribution, extension in doctor.FRONT_ENDS.items():
        assert doctor.check_front_end(distribution, extension).problem is None


def test_a_stale_front_end_that_hides_the_right_one_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = tmp_path / "labextensions" / "anywidget" / "package.json"
    stale.parent.mkdir(parents=True)
    stale.write_text('{"version": "0.1.0"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    check = doctor.check_front_end("anywidget", "anywidget")
    assert check.value.startswith("0.1.0 instead of ")
    assert f"delete the folder {stale.parent}" in problem_of(check)


def test_a_missing_front_end_is_found() -> None:
    assert "pip install" in problem_of(doctor.check_front_end("anywidget", "no-such-extension"))


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in problem_of(doctor.check_folder("cache folder", tmp_path / "file" / "cache"))
    assert doctor.check_folder("cache folder", tmp_path / "new").problem is None


@pytest.mark.fault("Errors", seen="`electra-edu doctor` ended with a traceback where the home folder could not be read")
@pytest.mark.parametrize("mode", [0o000, 0o500, 0o600], ids=["closed", "read-only", "not to be entered"])
@pytest.mark.usefixtures("permissions_bind")
def test_a_closed_home_is_named_with_the_remedy(mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(mode)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")  # the home folder before Python's own
    for variable in ("CACHE", "PROGRESS", "STATE"):
        monkeypatch.delenv(f"ELECTRA_EDU_{variable}", raising=False)
    for variable in ("CACHE", "DATA", "STATE"):
        monkeypatch.delenv(f"XDG_{variable}_HOME", raising=False)
    result = CliRunner().invoke(app, ["doctor", "--no-speed"])
    home.chmod(0o700)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    for variable in ("CACHE", "PROGRESS", "STATE"):
        assert f"et ELECTRA_EDU_{variable} to" in result.output
    assert doctor.check_front_end("anywidget", "anywidget").problem is None


@pytest.mark.fault("Errors", seen="`electra-edu doctor` in a folder that was deleted ended with a traceback")
def test_a_folder_that_is_gone_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "(cd)" in problem_of(doctor.check_this_folder())
    assert CliRunner().invoke(app, ["doctor", "--no-speed"]).exit_code == 1


@pytest.mark.fault("Errors", seen="`electra-edu doctor` ended with a traceback where nobody knows the home folder")
def test_an_unknown_home_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_name: str) -> list[str]:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(doctor, "jupyter_path", unknown)
    assert "Set HOME" in problem_of(doctor.check_front_end("anywidget", "anywidget"))
    assert "set X" in problem_of(doctor.check_folder("cache folder", Path("~/.cache"), "set X"))
    assert not Path("~").exists()


@pytest.mark.parametrize(("seconds", "slow"), [(0.01, False), (0.5, True)])
def test_speed_is_measured(seconds: float, slow: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    class Run:
        def __init__(self, *_args: Any, **_options: Any) -> None: ...

        def advance(self, steps: int) -> None:
            clock[0] += steps * seconds

    monkeypatch.setattr(doctor, "TrainingRun", Run)
    monkeypatch.setattr(doctor.time, "perf_counter", lambda: clock[0])
    check = doctor.check_speed()
    assert check.value.startswith(f"{1 / seconds:.0f} training steps a second")
    assert (check.problem is not None) == slow


def test_training_that_fails_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise ElectraEduError("no")

    monkeypatch.setattr(doctor, "TrainingRun", fail)
    assert problem_of(doctor.check_speed()) == "The toy model cannot be trained here: no"


def test_the_toy_model_trains_here() -> None:
    assert "training steps a second" in doctor.check_speed().value


def test_the_command_says_what_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [doctor.Check("a", "1"), doctor.Check("b", "2", "do this")]
    monkeypatch.setattr(doctor, "checks", lambda: list(found))
    assert doctor.problems() == ["do this"]
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "do this" in result.output
    assert "1 thing to mend" in result.output
    found.pop()
    assert CliRunner().invoke(app, ["doctor", "--no-speed"]).output.splitlines()[-1] == "All is well."

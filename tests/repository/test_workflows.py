"""The workflows of GitHub agree with the project: Python versions, commands, permissions, pinned actions."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS: dict[str, dict[str, Any]] = {
    path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))
}
# The permissions that a job may have beyond reading the repository.
WRITING = {("release.yml", "pypi"): {"id-token": "write"}, ("release.yml", "github"): {"contents": "write"}}
# Modules that are run with `python -m` and come from no extra of pyproject.toml.
INSTALLED_BY_THE_WORKFLOW = {"pip", "build", "twine"}


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List every job with its workflow and its name."""
    for file, workflow in WORKFLOWS.items():
        for name, job in workflow["jobs"].items():
            yield file, name, job


def steps(kind: str) -> list[str]:
    """List the `run` or `uses` of every step."""
    return [step[kind] for _, _, job in jobs() for step in job.get("steps", ()) if kind in step]


def commands() -> list[list[str]]:
    """List the commands of all steps, each split into its words."""
    return [shlex.split(line) for script in steps("run") for line in script.splitlines() if line.strip()]


def python_versions() -> tuple[str, str]:
    """Return the oldest and the newest Python that pyproject.toml names."""
    prefix = "Programming Language :: Python :: "
    classifiers = PYPROJECT["project"]["classifiers"]
    versions = [line.removeprefix(prefix) for line in classifiers if line.startswith(prefix)]
    minors = [int(version.partition(".")[2]) for version in versions]
    assert minors == list(range(min(minors), max(minors) + 1)), "the classifiers leave a version out"
    return PYPROJECT["project"]["requires-python"].removeprefix(">="), versions[-1]


def test_there_are_three_workflows() -> None:
    assert set(WORKFLOWS) == {"test.yml", "wheel.yml", "release.yml"}


def test_the_matrix_is_the_oldest_and_the_newest_python_on_three_systems() -> None:
    oldest, newest = python_versions()
    for file, job in (("test.yml", "unit"), ("wheel.yml", "install")):
        assert WORKFLOWS[file]["jobs"][job]["strategy"]["matrix"] == {
            "system": ["ubuntu-latest", "macos-latest", "windows-latest"],
            "python": [oldest, newest],
        }


def test_jobs_without_a_matrix_use_the_oldest_python() -> None:
    chosen = [
        step["with"]["python-version"]
        for _, _, job in jobs()
        for step in job.get("steps", ())
        if "setup-python" in step.get("uses", "")
    ]
    assert set(chosen) == {python_versions()[0], "${{ matrix.python }}"}


def test_every_gate_of_the_makefile_is_run() -> None:
    """Both list the same commands, since Make does not exist on Windows."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(WORKERS)", "2")
    gates = re.findall(r"^(?:test|check): .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert len(gates) == 2
    wanted = [shlex.split(line.replace("$(BIN)/", "python -m ")) for gate in gates for line in gate.splitlines()]
    assert len(wanted) == 7
    run = commands()
    assert [command for command in wanted if command not in run] == []


def test_commands_name_what_exists() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    tools = {re.split(r"[<>=!~]", line)[0] for line in extras["test"]} | INSTALLED_BY_THE_WORKFLOW
    for command in commands():
        if command[0] == "python":
            if command[1] == "-m":
                assert command[2] in tools, command
            else:
                assert (ROOT / command[1]).is_file(), command
        else:
            assert command[0] in ("electra-edu", "gh", "npx"), command
        for word in command[3:]:
            if re.fullmatch(r"[a-z]+(/[a-z]+)*|[\w./]+\.(py|txt|toml)", word) and command[2] == "pytest":
                assert (ROOT / word).exists() or word in ("loadfile", "slow"), command
            if extra := re.fullmatch(r"\.\[(\w+)\]", word):
                assert extra[1] in extras, command
        if "-c" in command:
            assert (ROOT / command[command.index("-c") + 1]).is_file(), command


def test_files_that_steps_hand_over_exist() -> None:
    paths = [
        step["with"][key]
        for _, _, job in jobs()
        for step in job.get("steps", ())
        for key in ("path", "cache-dependency-path")
        if key in step.get("with", {}) and "download-artifact" not in step["uses"]
    ]
    made_by_the_workflow = {"dist/", "notes.md"}
    assert {path for path in paths if not (ROOT / path).exists()} <= made_by_the_workflow


def test_a_called_workflow_can_be_called() -> None:
    called = [job["uses"] for _, _, job in jobs() if "uses" in job]
    assert called == ["./.github/workflows/test.yml", "./.github/workflows/wheel.yml"]
    for path in called:
        # YAML 1.1 reads the key `on` as True.
        assert "workflow_call" in WORKFLOWS[Path(path).name][True]


def test_nothing_is_published_before_all_is_tested() -> None:
    jobs = WORKFLOWS["release.yml"]["jobs"]
    assert jobs["pypi"]["needs"] == ["test", "wheel"]
    assert jobs["github"]["needs"] == "pypi"
    assert jobs["test"]["needs"] == jobs["wheel"]["needs"] == "notes"


@pytest.mark.parametrize("file", WORKFLOWS)
def test_permissions_are_the_least_and_runs_are_bounded(file: str) -> None:
    assert WORKFLOWS[file]["permissions"] == {"contents": "read"}
    assert WORKFLOWS[file]["concurrency"]["group"]
    for name, job in WORKFLOWS[file]["jobs"].items():
        assert job.get("permissions") == WRITING.get((file, name))
        assert "uses" in job or job["timeout-minutes"] <= 60


def test_actions_are_pinned_and_leave_no_credentials() -> None:
    for action in steps("uses"):
        assert re.search(r"@(v\d+|release/v\d+|[0-9a-f]{40})$", action), action
    for _, _, job in jobs():
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False

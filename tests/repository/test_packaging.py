"""What is installed: the pins, the conda environment, the wheel and the commands around them agree."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

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


def test_pins_accept_the_oldest_python() -> None:
    """Also its first release: Debian 12 has Python 3.11.2."""
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    for name, version in pins().items():
        try:
            installed = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system
        accepted = SpecifierSet(installed["Requires-Python"] or "")
        assert installed["Version"].split("+")[0] != version or accepted.contains(oldest), (
            f"{name}=={version}: {accepted}"
        )


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


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and the source distribution; return their folder."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True, capture_output=True
    )
    return folder


def test_commands_of_the_wheel_need_no_checkout(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "installed")
    (tmp_path / "elsewhere").mkdir()
    # An editable install makes a checkout importable everywhere; None in sys.modules hides what only a checkout has.
    hidden = "import sys; sys.modules['benchmarks'] = None"
    shown = "from electra_edu import cli; print(cli.__file__); cli.app(['--help'])"
    command = [sys.executable, "-c", f"{hidden}; {shown}"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(
        command, cwd=tmp_path / "elsewhere", env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "installed"))
    asked = subprocess.run(
        [sys.executable, "-c", f"{hidden}; from electra_edu.cli import app; app(['bench', 'step'])"],
        cwd=tmp_path / "elsewhere",
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert asked.returncode == 1
    assert "not part of the installed package" in " ".join((asked.stdout + asked.stderr).split())


def test_wheel_holds_the_package_and_the_lessons(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        texts = {name.rsplit("/")[-1]: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}
    # Beside hidden files: the finished trials of a record, which Git ignores too.
    hidden = re.compile(r"(^|/)(__pycache__|\.|[\w-]+\.(cells|trials)/)")
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "electra_edu").rglob("*") if path.is_file()}
    lessons = {f"electra_edu/lessons/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert held == {name for name in package if not hidden.search(name)} | lessons
    assert "electra-edu = electra_edu.cli:app" in texts["entry_points.txt"]
    assert f"Version: {electra_edu.__version__}" in texts["METADATA"]
    assert "Permission is hereby granted" in texts["LICENSE"]


def test_source_distribution_holds_what_git_does(built: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    assert tracked - held == set()

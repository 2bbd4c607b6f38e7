"""Checks of this computer and this installation, with remedies, for `electra-edu doctor` and lesson 00."""

import json
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch
from jupyter_core.paths import jupyter_path
from packaging.requirements import Requirement

from electra_edu.config import preset
from electra_edu.corpora import load_corpus
from electra_edu.corpora.cache import FOLDER_VARIABLE as CACHE_VARIABLE
from electra_edu.corpora.cache import cache_folder
from electra_edu.course.progress import Progress
from electra_edu.course.progress_folder import FOLDER_VARIABLE as PROGRESS_VARIABLE
from electra_edu.support.errors import ElectraEduError
from electra_edu.support.user_state import FOLDER_VARIABLE as STATE_VARIABLE
from electra_edu.support.user_state import StateError, state_folder
from electra_edu.training import TrainingRun

SLOW = 5.0  # training steps a second on the toy preset; below this, lessons take many times as long
# Distribution -> the name of its JupyterLab extension, the half that runs in the browser.
FRONT_ENDS = {
    "jupyterlab_widgets": "@jupyter-widgets/jupyterlab-manager",
    "anywidget": "anywidget",
}


@dataclass(frozen=True)
class Check:
    """One check: its name, the value found, and the remedy where something is wrong."""

    name: str
    value: str
    problem: str | None = None


def problems() -> list[str]:
    """Return a sentence for every problem (speed is not measured); empty when there is none."""
    return [check.problem for check in checks() if check.problem]


def checks() -> list[Check]:
    """Check versions, the device, the widgets' front end and the folders; takes a fraction of a second."""
    return [
        Check("Python", f"{sys.version.split()[0]} ({sys.executable})"),
        *check_versions(),
        check_device(),
        *(check_front_end(distribution, extension) for distribution, extension in FRONT_ENDS.items()),
        check_folder("cache folder", cache_folder(), f"set {CACHE_VARIABLE} to a folder of yours"),
        check_folder("progress folder", Progress().folder, f"set {PROGRESS_VARIABLE} to a folder of yours"),
        check_state_folder(),
        check_this_folder(),
    ]


def check_versions(distribution: str = "electra-edu") -> list[Check]:
    """Compare the version of everything that `distribution` needs with the range it accepts."""
    try:
        found = [Check(distribution, metadata.version(distribution))]
    except metadata.PackageNotFoundError:
        remedy = "It runs from a folder without being installed: pip install -c constraints.txt -e . in that folder."
        return [Check(distribution, "not installed", remedy)]
    needed = map(Requirement, metadata.requires(distribution) or [])
    here = (each for each in needed if each.marker is None or each.marker.evaluate({"extra": ""}))
    return found + [_check_version(requirement) for requirement in here]


def usable_cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_device() -> Check:
    """Say what training would run on."""
    cores = usable_cores()
    parts = [f"{cores} CPU core{'s' if cores > 1 else ''}, {torch.get_num_threads()} used by PyTorch"]
    if torch.cuda.is_available():
        parts.append(f"CUDA: {torch.cuda.get_device_name()}")
    if torch.backends.mps.is_available():
        parts.append("Apple GPU")
    return Check("device", "; ".join(parts))


def check_front_end(distribution: str, extension: str) -> Check:
    """Compare the browser half of the widgets that JupyterLab will load with the one that is installed.

    A copy left by another Python or an older version is found first and hides the right one: every widget then
    reads "Error displaying widget".
    """
    name = f"{distribution} in the browser"
    try:
        loaded = _first_package(extension)
    except (OSError, RuntimeError) as error:  # of Jupyter, which does not find the home folder
        return Check(name, "unknown", f"Jupyter's folders cannot be found ({error}). Set HOME to a folder of yours.")
    if loaded is None:
        return Check(name, "missing", f"Widgets will not appear. Mend: pip install --force-reinstall {distribution}")
    own = _own_package(distribution, extension)
    if own is not None and _version_of(own) != _version_of(loaded):
        remedy = f"JupyterLab finds another copy first: delete the folder {loaded.parent}, then restart JupyterLab."
        return Check(name, f"{_version_of(loaded)} instead of {_version_of(own)}", remedy)
    return Check(name, _version_of(loaded))


def check_folder(name: str, folder: Path, remedy: str = "choose a folder of yours") -> Check:
    """Try to write a file into `folder`, which is made where it does not exist."""
    if not folder.is_absolute():
        return Check(name, f"{folder}: no full path", f"Where {folder} is depends on where a program runs: {remedy}.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        return Check(name, f"{folder}: {reason}", f"{folder} cannot be written: {remedy}.")
    return Check(name, str(folder))


def check_state_folder() -> Check:
    """Look at the folder for what `electra-edu lab` remembers: only this user may be able to write to it."""
    name = "settings folder"
    try:
        return check_folder(name, state_folder(), f"set {STATE_VARIABLE} to a folder of yours")
    except StateError as error:
        return Check(name, "cannot be used", str(error))


def check_this_folder() -> Check:
    """Look at the folder in which this program runs."""
    name, remedy = "this folder", "go to a folder of yours first (cd)"
    try:
        return check_folder(name, Path.cwd(), remedy)
    except OSError as error:  # it was deleted, or may not be entered
        return Check(name, error.strerror or str(error), f"This folder is gone or closed to you: {remedy}.")


def check_speed(steps: int = 5) -> Check:
    """Train the toy preset for `steps` steps, after one that warms up, and time them."""
    try:
        run = TrainingRun(preset("toy"), load_corpus("toy"), seed=0, device="auto")
        run.advance(1)
        start = time.perf_counter()
        run.advance(steps)
    except (ElectraEduError, RuntimeError) as error:  # PyTorch's own faults, a broken GPU among them, are RuntimeError
        return Check("speed", "training failed", f"The toy model cannot be trained here: {error}")
    rate = steps / (time.perf_counter() - start)
    value = f"{rate:.0f} training steps a second, {100 / rate:.0f} s for a hundred"
    remedy = f"Slower than {SLOW:.0f} a second: close other programs, plug in the laptop, or choose smaller settings."
    return Check("speed", value, remedy if rate < SLOW else None)


def _check_version(requirement: Requirement) -> Check:
    accepted = str(requirement.specifier)
    remedy = f'pip install "{requirement.name}{accepted}"'
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return Check(requirement.name, "not installed", f"{requirement.name} is missing. Mend: {remedy}")
    if requirement.specifier.contains(version, prereleases=True):
        return Check(requirement.name, version)
    wrong = f"{requirement.name} {version} is outside {accepted}. Mend: {remedy}"
    return Check(requirement.name, version, wrong)


def _first_package(extension: str) -> Path | None:
    """Return the package.json that JupyterLab finds first for a browser extension."""
    candidates = (Path(folder, extension, "package.json") for folder in jupyter_path("labextensions"))
    return next((path for path in candidates if os.path.isfile(path)), None)  # noqa: PTH113 (Path's raises in a closed folder)


def _own_package(distribution: str, extension: str) -> Path | None:
    """Return the package.json that came with the installed distribution."""
    for file in metadata.files(distribution) or ():
        if re.search(rf"labextensions/{re.escape(extension)}/package\.json$", file.as_posix()):
            return Path(str(file.locate()))
    return None


def _version_of(package: Path) -> str:
    try:
        return str(json.loads(package.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return "unreadable"

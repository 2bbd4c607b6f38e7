"""Starts JupyterLab for the course, with this Python and its own settings; nothing is fetched from the network.

The folder of lessons may come from somebody else, so nothing in it configures the server or is imported by it.
Settings, kernels and layouts lie in this user's own state folder. The server runs there too: Jupyter and its extensions
look for templates and programs in the folder that they are started in.
"""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ipykernel.kernelspec import get_kernel_dict
from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir

from electra_edu.cli.doctor import check_folder, usable_cores
from electra_edu.cli.lessons import state_of
from electra_edu.support.errors import ElectraEduError
from electra_edu.support.files import atomic_write
from electra_edu.support.user_state import unusable_folder

POSIX = os.name == "posix"  # Linux, macOS

# Defaults that a learner can change in JupyterLab: no question about news, no check for updates.
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}

# How JupyterLab looks the first time: only the lesson, the file browser folded away.
FOLDED: dict[str, object] = {"collapsed": True, "visible": True, "current": None, "widgets": []}
WORKSPACE = {
    "metadata": {"id": "default"},
    "data": {"layout-restorer:data": {"left": FOLDED, "right": FOLDED, "relativeSizes": [0, 1, 0]}},
}


class LabError(ElectraEduError):
    """JupyterLab cannot be started as asked."""


def start(folder: Path, first: str, *, port: int | None, browser: bool, extra: Sequence[str] = ()) -> int:
    """Run JupyterLab in `folder`, open on the lesson `first`, until it ends; return its exit code.

    The server is bound to this computer and asks for a token. Its settings lie in a state folder of this user's own;
    those of other Jupyters are neither read nor changed, nor anything in `folder`. On Linux and macOS JupyterLab
    takes this process over, so that Ctrl-C and signals are its own. Call `check` first: it reports what would keep it
    from starting. Raises StateError where the state folder cannot be used.
    """
    state = state_of(folder)
    prepare(state)
    # -P: neither this folder nor the state folder stands in for a library
    arguments = [sys.executable, "-P", "-m", "jupyterlab", *options(folder, first, port, browser), *extra]
    variables = environment(state)
    if POSIX:
        os.chdir(state)
        os.execve(sys.executable, arguments, variables)
    try:
        return subprocess.run(arguments, env=variables, cwd=state, check=False).returncode
    except KeyboardInterrupt:
        return 0


def environment(state: Path) -> dict[str, str]:
    """Return the environment of the server: this one, with its settings in `state`.

    Relative entries of PYTHONPATH, an empty one among them, would mean the lessons' folder to a kernel: they are taken
    as they stand where the command runs, and the empty ones are left out.
    """
    python_path = [str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    jupyter_path = [str(state / "data"), *filter(None, os.environ.get("JUPYTER_PATH", "").split(os.pathsep))]
    return os.environ | {
        "JUPYTER_CONFIG_DIR": str(state / "jupyter"),
        "JUPYTER_PATH": os.pathsep.join(jupyter_path),
        "PYTHONPATH": os.pathsep.join(python_path),
        **_substitutes(state),
    }


def options(folder: Path, first: str, port: int | None, browser: bool) -> list[str]:
    """Return the command-line options of JupyterLab; without `port` it takes the first free one from 8888."""
    return [
        f"--ServerApp.root_dir={folder.resolve()}",
        f"--LabApp.default_url=/lab/tree/{first}",
        "--ServerApp.ip=localhost",
        *([] if port is None else [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]),
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.answer_yes=True",  # Ctrl-C ends without a question
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",  # the other kind looks up packages on the web
        "--ServerApp.log_level=ERROR",  # what remains is the address to open, and faults
        "--LabApp.log_level=ERROR",
    ]


def prepare(state: Path) -> None:
    """Write JupyterLab's defaults, the first layout and a kernel that is this Python into the state folder.

    Raises StateError where it cannot be written.
    """
    _write_json(state / "jupyter" / "labconfig" / "default_setting_overrides.json", SETTINGS)
    workspaces = state / "jupyter" / "lab" / "workspaces"
    if not any(workspaces.glob("*")):  # later on, the layout is the learner's
        _write_json(workspaces / "default-37a8.jupyterlab-workspace", WORKSPACE)
    kernel = get_kernel_dict()  # a `python3` of the user's could be another Python, without this package
    kernel["metadata"].pop("debugger", None)  # the debugger's traffic slows a kernel that trains
    # One core stays free for the browser: threads that wait for a busy core make a training step four times slower.
    threads = os.environ.get("OMP_NUM_THREADS", str(max(1, usable_cores() - 1)))
    # Safe path: a numpy.py beside a notebook stands in for NumPy neither in the kernel nor in the workers it starts.
    kernel["env"] = {"OMP_NUM_THREADS": threads, "PYTHONSAFEPATH": "1"}
    kernel["argv"].append("--InteractiveShellApp.ignore_cwd=True")  # IPython before 9.7 adds the folder all the same
    _write_json(state / "data" / "kernels" / "python3" / "kernel.json", kernel)


def check(port: int | None, extra: Sequence[str]) -> None:
    """Raise LabError where JupyterLab is missing, `port` is taken, or root did not say --allow-root."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise LabError(
            f"JupyterLab is not installed for {sys.executable}. Install the course again: pip install electra-edu"
        )
    if POSIX and os.geteuid() == 0 and "--allow-root" not in extra:
        raise LabError(
            "You are root, and JupyterLab would let notebooks do anything on this computer. Use an ordinary account, "
            "or in a container: electra-edu lab -- --allow-root"
        )
    if port is not None and _taken(port):
        raise LabError(f"port={port}: another program uses it, or you may not. Name another, or leave --port out.")


def _substitutes(state: Path) -> dict[str, str]:
    """Return folders in `state` for those of Jupyter and IPython that lie in a home folder which cannot be used."""
    folders: dict[str, Callable[[], str | Path]] = {
        "JUPYTER_DATA_DIR": jupyter_data_dir,
        "JUPYTER_RUNTIME_DIR": jupyter_runtime_dir,
        "IPYTHONDIR": lambda: os.environ.get("IPYTHONDIR") or Path.home() / ".ipython",
    }
    found: dict[str, str] = {}
    for variable, default in folders.items():
        try:
            problem = check_folder(variable, Path(default())).problem
        except RuntimeError:  # nobody knows where the home folder is
            problem = "unknown"
        if problem:
            found[variable] = str(state / variable.lower())
    return found


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        if POSIX:  # elsewhere this option lets two programs share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _write_json(path: Path, value: object) -> None:
    try:
        atomic_write(path, json.dumps(value, indent=1) + "\n")
    except OSError as error:
        raise unusable_folder(path.parent, error.strerror or str(error)) from error

"""Make .venv with the pinned versions, or do nothing if it already agrees with pyproject.toml and constraints.txt.

The Makefile runs it with the interpreter of your choice: `python tools/environment.py [EXTRA ...]`. It needs the
standard library only.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
# What is installed in .venv: {"key": …, "extras": […]}.
STAMP = VENV / "electra-edu.json"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def key() -> str:
    """Return a hash of all that .venv depends on: the requirements, this Python, and the path of the checkout."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def installed_extras() -> set[str] | None:
    """Return the extras that .venv has, or None if it has to be installed again."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return set(stamp["extras"]) if stamp["key"] == key() and PYTHON.exists() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def venv_works() -> bool:
    """Return whether .venv has a Python of this version that starts and has pip."""
    code = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return subprocess.run([PYTHON, "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_venv() -> None:
    """Create .venv from scratch; exit with the remedy if this Python cannot."""
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        sys.exit(
            f"{sys.executable} cannot make a virtual environment: its venv module is missing.\n"
            f"Debian, Ubuntu: sudo apt install python3.{sys.version_info[1]}-venv (or python3-venv). "
            "Another Python: make … PYTHON=/path/to/python3"
        )
    if VENV.exists():
        print("Making .venv again: the present one is damaged or belongs to another Python.", flush=True)
        shutil.rmtree(VENV)
    if subprocess.run([sys.executable, "-m", "venv", VENV], check=False).returncode:
        sys.exit(f"{sys.executable} -m venv failed; the lines above say why.")


def install(extras: set[str]) -> None:
    """Install the package from this folder, editable, with the pinned versions; exit with the remedy on failure."""
    package = f".[{','.join(sorted(extras))}]" if extras else "."
    print("Installing the pinned versions into .venv: a few minutes the first time, 1.5 GB and more.", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    command = [*pip, "-c", "constraints.txt", "-e", package]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(
            "\nInstalling failed; pip's last lines above say why. The usual reasons:\n"
            "- no network, or a proxy that pip does not know: the packages come from Python's package index;\n"
            "- a full disk: about 4 GB are needed, more where pip takes PyTorch's CUDA build;\n"
            "- a Python for which a pinned version has no build yet: make … PYTHON=python3.11"
        )


def main(wanted: set[str]) -> None:
    """Install the wanted extras into .venv; those that it already has stay."""
    extras = installed_extras()
    if extras is not None and wanted <= extras:
        return
    wanted |= extras or set()
    if not venv_works():
        make_venv()
    STAMP.unlink(missing_ok=True)
    install(wanted)
    STAMP.write_text(json.dumps({"key": key(), "extras": sorted(wanted)}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(set(sys.argv[1:]))

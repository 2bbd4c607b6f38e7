"""Make .venv with the pinned versions, or do nothing where it is already as pyproject.toml and constraints.txt say.

Run by the Makefile with the interpreter of your choice: `python tools/environment.py [EXTRA ...]`. It needs the
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
STAMP = VENV / "electra-edu.json"  # what is installed in .venv: {"key": …, "extras": […]}
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def key() -> str:
    """Return a hash of all that .venv depends on: what is asked for, this Python, and where the checkout lies."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def installed_extras() -> set[str] | None:
    """Return the extras that .venv already has, or None where it must be installed anew."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return set(stamp["extras"]) if stamp["key"] == key() and PYTHON.exists() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def venv_works() -> bool:
    """Tell whether .venv has a Python of this version that starts and has pip."""
    code = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return subprocess.run([PYTHON, "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_venv() -> None:
    """Create .venv afresh; exit with the remedy where this Python cannot."""
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        sys.exit(
            f"{sys.executable} cannot make a virtual environment: its venv module is missing.\n"
            f"Debian, Ubuntu: sudo apt install python3.{sys.version_info[1]}-venv (or python3-venv). "
            "Another Python: make … PYTHON=/path/to/python3"
        )
    if VENV.exists():
        print("Making .venv anew: the one there is damaged or another Python's.", flush=True)
        shutil.rmtree(VENV)
    if subprocess.run([sys.executable, "-m", "venv", VENV], check=False).returncode:
        sys.exit(f"{sys.executable} -m venv failed; the lines above say why.")


def install(extras: set[str]) -> None:
    """Install the package from this folder, editable, with the pinned versions; exit with the remedy on failure."""
    package = f".[{','.join(sorted(extras))}]" if extras else "."
    print("Installing the pinned versions into .venv: a few minutes the first time, 1.5 GB and more.", flush=True)
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-c", "constraints.txt", "-e", package]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(
            "\nInstalling failed; pip's last lines above say why. The usual reasons:\n"
            "- no network, or a proxy that pip does not know: the packages come from Python's package index;\n"
            "- a full disk: about 4 GB are needed, more where pip takes PyTorch's CUDA build;\n"
            "- a Python for which a pinned version has no build yet: make … PYTHON=python3.11"
        )


def main(wanted: set[str]) -> None:
    """Bring .venv to what is wanted; extras that are already there stay."""
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

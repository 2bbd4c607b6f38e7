"""Runs on disk: a folder with run.safetensors, which has everything, and run.json, the part of it that people read.

Nothing is pickled. run.safetensors is replaced in one piece, so that a run is saved as a whole or not at all; then
run.json is written after it. Where a kill came between the two, the older run.json is known by its digest.
"""

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from electra_edu.support.errors import CheckpointError
from electra_edu.support.files import PART, DamagedFileError, atomic_write, read_tensors, write_tensors
from electra_edu.training.checkpoint.older_formats import from_second_format, read_first_format
from electra_edu.training.checkpoint.saved_run import SavedRun

FORMAT = 3
TENSORS, ABOUT = "run.safetensors", "run.json"
ABANDONED = 3600.0  # seconds after which a file that is still being written belongs to a save that was killed
PATIENCE = 0.5  # seconds to wait for another process that is saving


def write(saved: SavedRun, directory: Path) -> None:
    """Write a run into `directory`; of what is there, only the two files of an older run are replaced."""
    try:
        older = _older(directory)
        directory.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(directory)
        text = json.dumps({"format": FORMAT, **saved.to_dict()}, indent=1, allow_nan=False)
        write_tensors(directory / TENSORS, saved.to_tensors(), {"about": text, "replaces": _sha256(older)})
        while (text := _about(directory)) != _text(directory / ABOUT):  # again where another process saved here too
            atomic_write(directory / ABOUT, text)
    except CheckpointError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a number that JSON has not
        raise CheckpointError(f"The run could not be saved to {directory}: {error}. Choose another folder.") from error


def _older(directory: Path) -> str | None:
    """Return what run.json says in a folder that may be written to; None where it has none.

    Raises CheckpointError for a folder of other things, whose files are not ours to replace.
    """
    if not directory.exists():
        return None
    is_free = directory.is_dir() and all(path.name.endswith(PART) for path in directory.iterdir())
    # Looked at afterwards, so that a run which another process saves meanwhile is seen by one of the two.
    text = _text(directory / ABOUT) if directory.is_dir() else None
    has_run = _looks_like_a_run(text) or ((directory / TENSORS).is_file() and _about(directory) != "")
    if not has_run and not is_free:
        raise CheckpointError(f"{directory} exists and is not a saved run: choose another folder.")
    return text


def _looks_like_a_run(text: str | None) -> bool:
    try:
        about = json.loads(text or "null")
    except (ValueError, RecursionError):
        return False
    return isinstance(about, dict) and {"format", "config", "seed", "corpus"} <= about.keys()


def _remove_abandoned(directory: Path) -> None:
    """Remove what saves that were killed have left."""
    for part in directory.glob(f".run.*{PART}"):
        with suppress(FileNotFoundError):  # its save has just ended
            if part.is_file() and time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()


def _about(directory: Path) -> str:
    """Return what run.safetensors says about the run, "" where it is none of ours."""
    try:
        with safe_open(directory / TENSORS, framework="pt") as file:
            return str((file.metadata() or {}).get("about", ""))
    except SafetensorError:
        return ""


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None


def _sha256(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def read(directory: Path) -> SavedRun:
    """Read and check a saved run; raises CheckpointError with what is wrong."""
    for name in (ABOUT, TENSORS):
        try:
            with (directory / name).open("rb"):
                pass
        except (FileNotFoundError, NotADirectoryError):
            raise CheckpointError(
                f"{directory} holds no saved run ({ABOUT} and {TENSORS}): save one with run.save(…)."
            ) from None
        except OSError as error:
            raise CheckpointError(f"{directory / name} cannot be read: {error.strerror}.") from error
    try:
        about, tensors = _read_both(directory)
        return SavedRun.of(about, tensors)
    except CheckpointError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"The run in {directory} is damaged ({error}). Use a copy, or train it again.") from error


def _read_both(directory: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return both files' content, of one save; waits for another process that is between its two files."""
    deadline = time.monotonic() + PATIENCE
    while _about(directory):
        tensors, metadata = read_tensors(directory / TENSORS)
        text = _text(directory / ABOUT)
        if text == metadata["about"] or _sha256(text) == metadata["replaces"]:
            about = json.loads(metadata["about"])
            _check_format(about, directory)
            if about["format"] == 2:
                return about, from_second_format(tensors)
            if about["format"] != FORMAT:
                raise DamagedFileError(f"format={about['format']!r}")
            return about, tensors
        if time.monotonic() > deadline:
            _check_format(json.loads(text or "{}"), directory)
            raise DamagedFileError(f"{ABOUT} was changed, or belongs to another run than {TENSORS}")
        time.sleep(0.01)
    about, tensors = read_first_format(directory / ABOUT, directory / TENSORS)
    _check_format(about, directory)
    return about, tensors


def _check_format(about: Any, directory: Path) -> None:
    if isinstance(about, dict) and isinstance(about.get("format"), int) and about["format"] > FORMAT:
        raise CheckpointError(
            f"{directory} has format {about['format']}; this version reads up to {FORMAT}. Update electra_edu."
        )

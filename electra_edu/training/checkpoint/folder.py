"""The folder of a saved run: run.safetensors, which has everything, and run.json, the part of it that people read.

Nothing is pickled. run.safetensors is replaced in one piece, so that a run is saved as a whole or not at all, and
run.json is written after it. If the process is killed between the two, run.json is still the older run's. Such a pair
is recognised as undamaged by the digest of the older run.json, which run.safetensors has too.
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
from electra_edu.training.checkpoint.older_formats import from_format_2, read_format_1
from electra_edu.training.checkpoint.saved_run import SavedRun

FORMAT = 3
TENSORS, ABOUT = "run.safetensors", "run.json"
ABANDONED = 3600.0  # seconds after which an unfinished file is taken to be of a save that was killed
PATIENCE = 0.5  # seconds to wait for another process that is saving


def write(saved: SavedRun, directory: Path) -> None:
    """Write a run into `directory`; of what is there, only the two files of an older run are replaced."""
    try:
        older = _replaceable_text(directory)
        directory.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(directory)
        text = json.dumps({"format": FORMAT, **saved.to_dict()}, indent=1, allow_nan=False)
        write_tensors(directory / TENSORS, saved.to_tensors(), {"about": text, "replaces": _sha256(older)})
        # Repeated where another process saves here too: the text is that of the tensors that are there in the end.
        while (text := _embedded_text(directory)) != _read_text(directory / ABOUT):
            atomic_write(directory / ABOUT, text)
    except CheckpointError:
        raise
    except (OSError, ValueError) as error:  # ValueError: JSON has no infinite numbers
        raise CheckpointError(f"The run could not be saved to {directory}: {error}. Choose another folder.") from error


def _replaceable_text(directory: Path) -> str | None:
    """Return the text of the run.json that a save would replace; None where there is none.

    Raises CheckpointError for a folder with anything else in it, whose files are not ours to replace.
    """
    if not directory.exists():
        return None
    is_free = directory.is_dir() and all(path.name.endswith(PART) for path in directory.iterdir())
    # Read after the listing, so that a run which another process saves meanwhile is seen by one of the two.
    text = _read_text(directory / ABOUT) if directory.is_dir() else None
    has_run = _looks_like_a_run(text) or ((directory / TENSORS).is_file() and _embedded_text(directory) != "")
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
    """Remove the unfinished files of saves that were killed."""
    for part in directory.glob(f".run.*{PART}"):
        with suppress(FileNotFoundError):  # its save has just finished
            if part.is_file() and time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()


def _embedded_text(directory: Path) -> str:
    """Return the text of run.json that is stored in run.safetensors; "" where the file is none of ours."""
    try:
        with safe_open(directory / TENSORS, framework="pt") as file:
            return str((file.metadata() or {}).get("about", ""))
    except SafetensorError:
        return ""


def _read_text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None


def _sha256(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def read(directory: Path) -> SavedRun:
    """Read and check a saved run. Raises CheckpointError that says what is wrong."""
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
    """Return the content of both files, of the same save; wait for a process that has written only the first."""
    deadline = time.monotonic() + PATIENCE
    while _embedded_text(directory):
        tensors, metadata = read_tensors(directory / TENSORS)
        text = _read_text(directory / ABOUT)
        if text == metadata["about"] or _sha256(text) == metadata["replaces"]:
            about = json.loads(metadata["about"])
            _check_format(about, directory)
            if about["format"] == 2:
                return from_format_2(about, tensors)
            if about["format"] != FORMAT:
                raise DamagedFileError(f"format={about['format']!r}")
            return about, tensors
        if time.monotonic() > deadline:
            _check_format(json.loads(text or "{}"), directory)
            raise DamagedFileError(f"{ABOUT} was changed, or belongs to another run than {TENSORS}")
        time.sleep(0.01)
    about, tensors = read_format_1(directory / ABOUT, directory / TENSORS)
    _check_format(about, directory)
    return about, tensors


def _check_format(about: Any, directory: Path) -> None:
    if isinstance(about, dict) and isinstance(about.get("format"), int) and about["format"] > FORMAT:
        raise CheckpointError(
            f"{directory} has format {about['format']}; this version reads up to {FORMAT}. Update electra_edu."
        )

"""The learner's copies of the lessons: copied without outputs and updated; a changed copy is never overwritten.

The record of what was written into a folder of lessons lies in this user's own state folder, not in the folder itself.
That folder may come from somebody else (an archive, a shared drive), who could otherwise say which of its files may be
overwritten.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from electra_edu.support.errors import ElectraEduError
from electra_edu.support.files import atomic_write
from electra_edu.support.user_state import StateError, state_folder, unusable_folder

MANIFEST = "lessons.json"  # in the state of a folder: file name -> fingerprint of what we wrote under it
FORMER_STATE = ".electra_edu"  # where version 0.1.0 kept this, in the folder itself
MOST_BYTES = 50_000_000  # of a notebook that is compared with ours; a larger file is not ours


class LessonsError(ElectraEduError, OSError):
    """The lessons cannot be found, or the working folder cannot be written."""


@dataclass(frozen=True)
class Laid:
    """What `lay_out` did: file names, in order."""

    lessons: tuple[str, ...]  # all lessons of this version, under their own names
    added: tuple[str, ...]
    updated: tuple[str, ...]
    beside: tuple[tuple[str, str], ...]  # (the learner's changed copy, where the newer lesson now lies)
    ignored: Path | None = None  # settings inside the folder, which are neither used nor read


def state_of(folder: Path) -> Path:
    """Return this user's own folder for the settings kept for `folder`; raises StateError where it is unusable."""
    return state_folder("lab", hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16])


def lessons_folder() -> Path:
    """Return where the lessons of this installation are; raise LessonsError where it has none."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "lessons", package.parent / "notebooks"):  # from a wheel; from a source checkout
        if any(folder.glob("*.ipynb")):
            return folder
    raise LessonsError(f"No lessons were found beside {package}. Reinstall electra-edu.")


def lay_out(source: Path, target: Path) -> Laid:
    """Copy the lessons of `source` into the folder `target`, outputs removed, and return what changed.

    A copy that the learner has not changed is updated; beside a changed one a newer lesson is laid as
    `NAME.new.ipynb`. Running a lesson does not count as a change: only the text of its cells does. Which copies are
    unchanged is remembered outside `target` (`state_of`). Raises LessonsError where `target` cannot be written or is
    `source` itself, StateError where nothing can be remembered.
    """
    added: list[str] = []
    updated: list[str] = []
    beside: list[tuple[str, str]] = []
    try:
        if target.resolve() == source.resolve():
            raise LessonsError(f"{target} holds the lessons themselves; name another folder with --dir.")
        target.mkdir(parents=True, exist_ok=True)
        manifest = state_of(target) / MANIFEST
        written = _read_manifest(manifest)
        lessons = sorted(source.glob("*.ipynb"))
        for lesson in lessons:
            notebook = without_outputs(json.loads(lesson.read_text(encoding="utf-8")))
            name, exists, changed = _destination(target, lesson.name, fingerprint(notebook), written)
            if not changed:
                continue
            atomic_write(target / name, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
            written[name] = fingerprint(notebook)
            if name != lesson.name:
                beside.append((lesson.name, name))
            else:
                (updated if exists else added).append(name)
        _write_manifest(manifest, written)
        former = target / FORMER_STATE
        ignored = former if os.path.lexists(former) else None
    except (LessonsError, StateError):
        raise
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise LessonsError(
            f"The folder {target} cannot be used: {reason}. Name one that you may write to with --dir, as a full path."
        ) from error
    return Laid(tuple(lesson.name for lesson in lessons), tuple(added), tuple(updated), tuple(beside), ignored)


def without_outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook without outputs, execution counts and widget state."""
    cells = [
        {**cell, "outputs": [], "execution_count": None} if cell["cell_type"] == "code" else cell
        for cell in notebook["cells"]
    ]
    metadata = {name: value for name, value in notebook.get("metadata", {}).items() if name != "widgets"}
    return {**notebook, "cells": cells, "metadata": metadata}


def fingerprint(notebook: dict[str, Any]) -> str:
    """Return a hash of what a learner can edit: the kind and the text of every cell."""
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _destination(target: Path, name: str, new: str, written: dict[str, str]) -> tuple[str, bool, bool]:
    """Find where a lesson with fingerprint `new` goes: (file name, is there one already, must it be written)."""
    stem, number = name.removesuffix(".ipynb"), 0
    while True:
        candidate = stem + {0: ".ipynb", 1: ".new.ipynb"}.get(number, f".new{number}.ipynb")
        path = target / candidate
        if not path.exists():
            return candidate, False, True
        present = _fingerprint_of(path)
        if new in (present, written.get(candidate)):  # the same lesson, perhaps with the learner's changes
            written[candidate] = new
            return candidate, True, False
        if present is not None and present == written.get(candidate):  # an older one, as we wrote it
            return candidate, True, True
        number += 1


def _fingerprint_of(path: Path) -> str | None:
    """Return the fingerprint of a learner's file, None where it is no notebook: a pipe, a huge file, damaged."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        return fingerprint(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, RecursionError, PermissionError):
        return None


def _read_manifest(path: Path) -> dict[str, str]:
    """Return the manifest; an absent or damaged one counts as empty, and every differing copy as the learner's own."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in entries.items()}
    except (FileNotFoundError, ValueError, AttributeError, RecursionError):
        return {}


def _write_manifest(path: Path, written: dict[str, str]) -> None:
    try:
        atomic_write(path, json.dumps(written, indent=1) + "\n")
    except OSError as error:
        raise unusable_folder(path.parent, error.strerror or str(error)) from error

"""A folder of small JSON files in which progress is saved: safe with many kernels, damaged files and no rights."""

import json
import os
import re
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from electra_edu.course.build_mode import is_building_lessons
from electra_edu.support import arguments
from electra_edu.support.files import atomic_write

FOLDER_VARIABLE = "ELECTRA_EDU_PROGRESS"  # environment variable that names another folder
LOCK_TIMEOUT = 5.0  # seconds to wait for another kernel that writes the same file
FORM = 1  # of the files; a file of another form is set aside
MAX_BYTES = 10_000_000  # of a file; a whole course is some kilobytes

Content = dict[str, Any]


class ProgressFolder:
    """The files of the progress, one for each name.

    Many kernels may write at once: each change reads, changes and replaces one file under a lock. A damaged file is
    renamed, and its lesson begins afresh. Where nothing can be written, `problem` says so and the lesson goes on.

    While lessons are built nothing is saved, and nothing that was saved before is read: it would get into the outputs.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Use `folder`, else ELECTRA_EDU_PROGRESS, else the user's data folder on this system."""
        if folder is not None:
            self.folder = arguments.path("folder", folder)
        elif override := os.environ.get(FOLDER_VARIABLE):
            self.folder = Path(override)
        else:
            self.folder = user_data_path("electra_edu", appauthor=False) / "progress"
        self.problem = ""  # why nothing is saved, in a sentence
        self.notes: list[str] = []  # damaged files that were found and renamed

    def path(self, name: str) -> Path:
        """Return where a file lies; raises ElectraEduError for a name that could lead out of the folder."""
        if not isinstance(name, str) or not re.fullmatch(r"[\w-]+", name):
            arguments.refuse("lesson", name, "the number of a lesson, for example '06'")
        return self.folder / f"{name}.json"

    def load(self, name: str) -> Content:
        """Return the content of a file, {} where there is none; a damaged one is renamed and counts as none."""
        path = self.path(name)
        if is_building_lessons():
            return {}
        try:
            content = json.loads(_read(path))
            if not isinstance(content, dict) or content.pop("form", None) != FORM:
                raise ValueError("not of this form")
            self.check(name, content)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (ValueError, RecursionError):  # RecursionError: nested too deeply
            self._set_aside(path)
            return {}
        except OSError as error:
            self.problem = (
                f"Progress is not saved: {path} cannot be read ({error.strerror or error}). Set {FOLDER_VARIABLE} to a "
                "folder that can."
            )
            return {}
        return content

    def check(self, name: str, content: Content) -> None:
        """Raise ValueError where the content of a file is not of its form; to be overridden."""

    def change(self, name: str, change: Callable[[Content], Content]) -> None:
        """Read, change and replace one file, while no other kernel does."""
        path = self.path(name)
        if is_building_lessons():
            return
        try:
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            with FileLock(self.folder / f".{name}.lock", timeout=LOCK_TIMEOUT):
                write_json(path, with_form(change(self.load(name))))
        except Timeout:
            self.problem = f"Progress is not saved: another program holds {self.folder}. Run this cell again later."
        except OSError as error:
            self.problem = (
                f"Progress is not saved: {self.folder} cannot be written ({error.strerror or error}). Set "
                f"{FOLDER_VARIABLE} to a folder that can."
            )
        else:
            self.problem = ""

    def _set_aside(self, path: Path) -> None:
        aside = path.with_name(f"{path.stem}.damaged-{time.time_ns()}")
        try:
            path.rename(aside)
            self.notes.append(f"{path.name} was damaged. It is now called {aside.name}, and that lesson begins afresh.")
        except OSError:
            pass  # another kernel was quicker, or nothing can be written, which `change` will say


def with_form(content: Content) -> Content:
    """Return what a file holds: its content and the version of its form."""
    return {**content, "form": FORM}


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a file that others cannot write to. JSON's escapes let it hold text that UTF-8 cannot."""
    atomic_write(path, json.dumps(data, indent=1), mode=0o644)


def _read(path: Path) -> str:
    """Return the text of a file; raises ValueError where it is too large, OSError where it is a pipe or the like."""
    without_waiting = getattr(os, "O_NONBLOCK", 0)  # for somebody who writes into a pipe
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | without_waiting)) as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode):
            raise OSError("it is not an ordinary file")
        if info.st_size > MAX_BYTES:
            raise ValueError("too large")
        return file.read().decode()

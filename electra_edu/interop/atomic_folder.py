"""Replace a network's folder atomically: a kill at any moment leaves the old network or the new one, never a mixture.

The new files are written into a hidden folder inside the network's. Renaming the hidden folder to READY commits them.
If the writer is killed after that, the next process that reads or writes the folder moves the files into place. While
they are being moved there is no config.json, so that nothing, transformers included, loads a mixture.
"""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from electra_edu.interop.file_names import CONFIG, EXPORTED
from electra_edu.support.files import atomic_write

READY, WRITING = ".electra_edu-ready", ".electra_edu-writing-"
# Two more files in a hidden folder: the list of the new files, and the lock of the process at work on them.
_LIST, _LOCK = "files", "lock"


@dataclass(frozen=True)
class StagedFiles:
    """New files in a hidden folder inside the network's, where nothing reads them yet; the writer holds `lock`."""

    hidden: Path
    lock: FileLock

    def commit(self) -> None:
        """Make these files the folder's network. Raises OSError."""
        folder = self.hidden.parent
        finish(folder)  # an earlier commit, whose writer was killed
        self.lock.release()
        self.hidden.rename(folder / READY)
        finish(folder)
        for left in folder.glob(f"{WRITING}*"):
            # A timeout means that its writer is still at work.
            with suppress(OSError, Timeout), FileLock(left / _LOCK, timeout=0):
                shutil.rmtree(left, ignore_errors=True)

    def discard(self) -> None:
        """Remove the files unless they were committed, and the network's folder if it is empty then."""
        self.lock.release()
        shutil.rmtree(self.hidden, ignore_errors=True)
        with suppress(OSError):
            self.hidden.parent.rmdir()


def stage(folder: Path, files: Mapping[str, str | bytes]) -> StagedFiles:
    """Write `files`, by name, into a hidden folder inside `folder`. Raises OSError, leaving nothing behind."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder / f"{WRITING}{uuid4().hex}"
    staged = StagedFiles(hidden, FileLock(hidden / _LOCK))
    try:
        hidden.mkdir()
        staged.lock.acquire()
        for name, data in files.items():
            atomic_write(hidden / name, data)
        atomic_write(hidden / _LIST, "\n".join(files))
    except BaseException:
        staged.discard()
        raise
    return staged


def finish(folder: Path) -> None:
    """Move the files of a committed network into place, if there are any. Raises OSError."""
    ready = folder / READY
    if not ready.is_dir():
        return
    with FileLock(ready / _LOCK):
        # config.json is moved last, so if it is gone the rest has been moved.
        if (ready / CONFIG).is_file():
            new = (ready / _LIST).read_text(encoding="utf-8").split("\n")
            (folder / CONFIG).unlink(missing_ok=True)
            for name in EXPORTED.difference(new):
                (folder / name).unlink(missing_ok=True)
            for name in EXPORTED.intersection(new) - {CONFIG}:
                if (ready / name).is_file():
                    (ready / name).replace(folder / name)
            (ready / CONFIG).replace(folder / CONFIG)
        shutil.rmtree(ready, ignore_errors=True)
    # Windows does not remove a lock file that is open.
    if ready.is_dir() and not (ready / CONFIG).is_file():
        shutil.rmtree(ready, ignore_errors=True)


def list_names(folder: Path) -> set[str]:
    """Return the names of the files in `folder`, without the hidden folders of writers."""
    return {path.name for path in folder.iterdir() if path.name != READY and not path.name.startswith(WRITING)}

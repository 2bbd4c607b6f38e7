"""A network's folder, written so that a kill at any moment leaves the old network or the new one, never half of each.

The new files are written into a hidden folder inside it. Renaming that one to READY is the moment at which the new
network counts; whoever comes next, writer or reader, moves its files in if the writer was killed before it could. While
they are moved there is no config.json, so that nothing, transformers included, loads a mixture.
"""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from electra_edu.interop.architectures import CONFIG, HEAD, WEIGHTS
from electra_edu.interop.model_card import FILE as README
from electra_edu.interop.tokenizer_writing import FILES as TOKENIZER_FILES
from electra_edu.support.files import atomic_write

OURS = frozenset((CONFIG, WEIGHTS, HEAD, README, *TOKENIZER_FILES))  # all that is ever written, replaced or removed
READY, WRITING = ".electra_edu-ready", ".electra_edu-writing-"
_LIST, _LOCK = "files", "lock"  # beside the new files: their names, and that somebody is at work on them


@dataclass(frozen=True)
class Staged:
    """New files in a hidden folder inside the network's, where nothing reads them yet; `lock` says by whom."""

    hidden: Path
    lock: FileLock

    def commit(self) -> None:
        """Make them the network of their folder. Raises OSError."""
        folder = self.hidden.parent
        finish(folder)  # what a killed writer left
        self.lock.release()
        self.hidden.rename(folder / READY)
        finish(folder)
        for left in folder.glob(f"{WRITING}*"):
            with suppress(OSError, Timeout), FileLock(left / _LOCK, timeout=0):  # else its writer is still at work
                shutil.rmtree(left, ignore_errors=True)

    def discard(self) -> None:
        """Remove what was not committed, and the network's folder if nothing else is in it."""
        self.lock.release()
        shutil.rmtree(self.hidden, ignore_errors=True)
        with suppress(OSError):
            self.hidden.parent.rmdir()


def stage(folder: Path, files: Mapping[str, str | bytes]) -> Staged:
    """Write `files`, by name, into a hidden folder inside `folder`. Raises OSError, and leaves nothing then."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder / f"{WRITING}{uuid4().hex}"
    staged = Staged(hidden, FileLock(hidden / _LOCK))
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
    """Move the files of a committed network into place; nothing happens where there are none. Raises OSError."""
    ready = folder / READY
    if not ready.is_dir():
        return
    with FileLock(ready / _LOCK):
        if (ready / CONFIG).is_file():  # it is moved last
            new = (ready / _LIST).read_text(encoding="utf-8").split("\n")
            (folder / CONFIG).unlink(missing_ok=True)
            for name in OURS.difference(new):
                (folder / name).unlink(missing_ok=True)
            for name in OURS.intersection(new) - {CONFIG}:
                if (ready / name).is_file():
                    (ready / name).replace(folder / name)
            (ready / CONFIG).replace(folder / CONFIG)
        shutil.rmtree(ready, ignore_errors=True)
    if ready.is_dir() and not (ready / CONFIG).is_file():  # Windows keeps a lock that is open
        shutil.rmtree(ready, ignore_errors=True)


def contents(folder: Path) -> set[str]:
    """Return the names of what is in `folder`, leaving out what a killed writer left."""
    return {path.name for path in folder.iterdir() if path.name != READY and not path.name.startswith(WRITING)}

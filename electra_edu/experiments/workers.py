"""The processes that run trials beside each other: they end with the one that started them, however that one ends."""

import multiprocessing
import os
import signal
import threading
import time
from typing import Any

EVERY = 0.5  # seconds between two looks at the runner


def settings() -> dict[str, Any]:
    """Return what joblib's `Parallel` has to know so that its workers watch over this process.

    Nothing where the user chose another backend than joblib's own: a cluster looks after its workers.
    """
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()
    is_own = type(backend).__name__ == "LokyBackend"
    return {"initializer": watch, "initargs": (os.getpid(),)} if is_own else {}


def watch(runner: int) -> None:
    """Begin, in a worker, to watch the process `runner` that started it: when it is gone, the worker ends at once.

    Without this a worker outlives a killed runner by the rest of its trial and five idle minutes. Ctrl-C goes to the
    whole group of a terminal; a worker leaves it to the runner, which ends its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(runner,), name="watch over the runner", daemon=True).start()


def _end_with(runner: int) -> None:
    while _is_there(runner):
        time.sleep(EVERY)
    os._exit(1)  # like a kill: what is on disk was written whole


def _is_there(runner: int) -> bool:
    if os.name == "posix":
        return os.getppid() == runner  # an orphan gets another parent
    parent = multiprocessing.parent_process()  # elsewhere a process keeps its parent's id, and has a handle of it
    return parent is None or parent.is_alive()

"""ProcessLock: one thread at a time, and only in the process that made it."""

import os
import threading

from electra_edu.support.errors import ElectraEduError


class ProcessLock:
    """A re-entrant lock that a forked process cannot take: a fork copies neither threads nor what they were doing."""

    def __init__(self) -> None:
        """Belong to the process that is running."""
        self._lock = threading.RLock()
        self.process = os.getpid()

    def of_this_process(self) -> threading.RLock:
        """Return the lock itself, for a `with` statement; raises ElectraEduError in a forked process.

        A context manager of our own could be interrupted between taking the lock and entering the block, and would
        then leave it locked; Python's lock cannot.
        """
        if os.getpid() != self.process:
            raise ElectraEduError(
                f"This run belongs to process {self.process}, and a forked process cannot go on with it. Save it "
                "there and load it here, or start processes with multiprocessing's 'spawn'."
            )
        return self._lock

"""Player: repeats a piece of work in a background thread until it is paused, so that every button keeps answering."""

import threading
from collections.abc import Callable
from typing import ClassVar


class Player:
    """Calls `work()` again and again in the background until it returns False, raises, or `pause` is called.

    Only one player of a process plays at a time: learners have few cores, and two trainings at once would halve the
    speed of both. Starting one pauses the other. The thread never prints; what it raises goes to `on_end`.
    """

    _turn: ClassVar[threading.Lock] = threading.Lock()
    _playing: ClassVar["Player | None"] = None

    def __init__(self, work: Callable[[], bool], on_end: Callable[[Exception | None], None]) -> None:
        """Take the work and what to call, in the same thread, once it has ended (with its exception, if any)."""
        self._work, self._on_end = work, on_end
        # The newest thread's; each thread has its own, so that starting the next one takes no pause back
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_playing(self) -> bool:
        """Whether the work is going on now."""
        return self._thread is not None and self._thread.is_alive()

    def play(self) -> None:
        """Start the work, after pausing whichever player plays now; does nothing when this one plays already.

        Where a pause was asked for and the work has not ended yet, it begins anew once it has.
        """
        with Player._turn:
            if self.is_playing and not self._stop.is_set():
                return
            if Player._playing is not None and Player._playing is not self:
                Player._playing.pause()
            Player._playing = self
            before, self._stop = self._thread, threading.Event()
            self._thread = threading.Thread(
                target=self._play, args=(self._stop, before), name="electra_edu player", daemon=True
            )
            self._thread.start()

    def pause(self, wait: bool = True) -> None:
        """Ask the work to end and, with `wait`, return once it has; safe at any time, from the work itself too."""
        self._stop.set()
        thread = self._thread
        if wait and thread is not None and thread is not threading.current_thread():
            thread.join()

    def close(self) -> None:
        """Pause for good: nothing keeps the work alive any more."""
        self.pause()
        with Player._turn:
            if Player._playing is self:
                Player._playing = None

    @classmethod
    def pause_all(cls) -> None:
        """Pause whichever player plays; a new panel calls this, so that a re-run cell leaves no thread."""
        with cls._turn:
            if cls._playing is not None:
                cls._playing.pause()
                cls._playing = None

    def _play(self, stop: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            # Its `on_end` may still be running
            before.join()
        error: Exception | None = None
        try:
            while not stop.is_set() and self._work():
                pass
        except Exception as raised:
            # The panel shows it: a thread's traceback would land in whichever cell runs
            error = raised
        self._on_end(error)

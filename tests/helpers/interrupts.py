"""Interrupt a call at a chosen moment: an exception, or the end of the process, at the n-th line that it executes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import electra_edu

PACKAGE = str(Path(electra_edu.__file__).parent)


@contextmanager
def each(event_name: str, within: str, notice: Callable[[], None]) -> Iterator[None]:
    """Within the block, call `notice` at every "line" or "opcode" that is executed of the files in a folder."""

    def local(_frame: FrameType, event: str, _arg: object) -> Any:
        if event == event_name:
            notice()
        return local

    def enter(frame: FrameType, _event: str, _arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(within):
            return None
        frame.f_trace_opcodes = event_name == "opcode"
        return local

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def at_line(
    n: int, act: Callable[[], None], *, each_instruction: bool = False, within: str = PACKAGE
) -> Iterator[None]:
    """Within the block, call `act` at the n-th line (or instruction) that is executed of the files in a folder."""
    left = n

    def notice() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            sys.settrace(None)
            act()

    with each("opcode" if each_instruction else "line", within, notice):
        yield


def raising(error: type[BaseException]) -> Callable[[], None]:
    """Return an action that raises `error`."""

    def act() -> None:
        raise error

    return act


def count(call: Callable[[], object], *, each_instruction: bool = False, within: str = PACKAGE) -> int:
    """Count the lines (or instructions) of the files in a folder that a call executes."""
    lines = 0

    def notice() -> None:
        nonlocal lines
        lines += 1

    with each("opcode" if each_instruction else "line", within, notice):
        call()
    return lines


def moments(total: int, every: int, first: int = 1) -> Iterator[int]:
    """Yield every n-th line of a call that runs about `total`, and some past its end."""
    yield from range(first, total + 3 * every, every)

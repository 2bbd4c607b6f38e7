"""Interrupt a call at a chosen moment: an exception, or the end of the process, at the n-th line it runs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import electra_edu

PACKAGE = str(Path(electra_edu.__file__).parent)


@contextmanager
def at_line(
    n: int, act: Callable[[], None], *, each_instruction: bool = False, within: str = PACKAGE
) -> Iterator[None]:
    """In the block, call `act` at the n-th line (or bytecode instruction) that is run of the files in a folder."""
    left = n
    event_name = "opcode" if each_instruction else "line"

    def local(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal left
        if event == event_name:
            left -= 1
            if left == 0:
                sys.settrace(None)
                act()
        return local

    def enter(frame: FrameType, _event: str, _arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(within) or left <= 0:
            return None
        frame.f_trace_opcodes = each_instruction
        return local

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)


def raising(error: type[BaseException]) -> Callable[[], None]:
    """Return something to do at a line: raise this."""

    def act() -> None:
        raise error

    return act


def count(call: Callable[[], object], *, each_instruction: bool = False, within: str = PACKAGE) -> int:
    """Return how many lines (or instructions) of the files in a folder a call runs."""
    lines = 0

    def one_more(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal lines
        lines += event == ("opcode" if each_instruction else "line")
        return one_more

    def enter(frame: FrameType, _event: str, _arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(within):
            return None
        frame.f_trace_opcodes = each_instruction
        return one_more

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines

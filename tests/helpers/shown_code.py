"""For the tests of *Show code*: execute the code that a panel shows, and count its lines."""

import ast
import contextlib
import io
from typing import Any

from electra_edu.training import TrainingRun

MOST_LINES = 12


def execute(code: str, **names: Any) -> tuple[dict[str, Any], str]:
    """Execute shown code with these names defined; return its namespace and what it printed."""
    assert statements(code) <= MOST_LINES, code
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "<shown code>", "exec"), names)
    return names, printed.getvalue()


def run_again(code: str, **names: Any) -> TrainingRun:
    """Execute shown code and return its run."""
    run = execute(code, **names)[0]["run"]
    assert isinstance(run, TrainingRun)
    return run


def statements(code: str) -> int:
    """Count the lines of code, comments and blank lines included; a list wrapped in a `for` statement counts as one."""
    wrapped = sum(
        node.iter.end_lineno - node.iter.lineno  # type: ignore[operator]
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.For)
    )
    return len(code.splitlines()) - wrapped

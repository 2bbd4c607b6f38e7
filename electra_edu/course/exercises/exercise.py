"""Exercises: a learner's function is called with small inputs; the feedback says what was seen, and why."""

import ast
import inspect
import io
import math
import textwrap
import traceback
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

State = Literal["untouched", "wrong", "right"]


class Fault(Exception):
    """What is wrong with a learner's function: the symptom on a small input, and its cause or usual cause."""

    def __init__(self, symptom: str, cause: str) -> None:
        super().__init__(symptom)
        self.symptom, self.cause = symptom, cause


@dataclass(frozen=True)
class Exercise:
    """A function to write or to repair.

    `examine` calls the learner's function through `LearnerFunction` and raises the first `Fault` that it finds.
    """

    name: str
    lesson: str
    title: str
    starter: str  # the source as the lesson gives it
    hint: str
    examine: "Callable[[LearnerFunction], None]"
    reference: Callable[..., Any]  # the library's own solution, with the same signature

    @property
    def call(self) -> str:
        """How the function is called, "draw(logits, temperature, rng)", read from the starter."""
        first = next(node for node in ast.parse(self.starter).body if isinstance(node, ast.FunctionDef))
        return f"{first.name}({ast.unparse(first.args)})"


@dataclass(frozen=True)
class Feedback:
    """The result of an examination; `source` is that of the function, "" where it cannot be had."""

    exercise: Exercise
    state: State
    fault: Fault | None = None
    source: str = ""


class NotWritten(Exception):
    """The function returned `...` or None: nobody has written it yet, or its return line is missing."""


class LearnerFunction:
    """A learner's function, made safe to call: it prints nothing, gets copies, and whatever it raises is a `Fault`."""

    def __init__(self, function: Callable[..., Any], call: str = "") -> None:
        """Wrap `function`; `call` says how it should be called, for a learner who changed its first line."""
        self._function, self._call = function, call

    def __call__(self, *arguments: Any) -> Any:
        """Call it; raises NotWritten or Fault, never anything else."""
        given = [_copied(argument) for argument in arguments]
        before = [_copied(argument) for argument in arguments]
        try:
            with redirect_stdout(io.StringIO()):
                result = self._function(*given)
        except (Exception, SystemExit) as error:  # exit() in a cell would end the kernel
            raise _of_exception(error, self._function, self._call) from error
        if result is None:
            raise NotWritten("It returns None: is its return line missing?")
        if result is ...:
            raise NotWritten
        if any(_differs(one, other) for one, other in zip(given, before, strict=True)):
            raise Fault(
                "After the call, one of the tensors that you were given has changed.",
                "Your function writes into its input; whoever called it still needs that. Build a new tensor "
                "instead, for example with torch.where or .clone().",
            )
        return result

    def tensor(self, *arguments: Any, shape: Iterable[int], what: str = "result") -> Tensor:
        """Call it and check that a tensor of this shape comes back."""
        return expect_tensor(self(*arguments), shape, what)


def expect_tensor(result: Any, shape: Iterable[int], what: str = "result") -> Tensor:
    """Return `result` if it is a tensor of this shape; raises a Fault that says what it is instead."""
    wanted = tuple(shape)
    if not isinstance(result, Tensor):
        raise Fault(f"The {what} is of the type {type(result).__name__}.", f"It must be a tensor of shape {wanted}.")
    if tuple(result.shape) != wanted:
        raise Fault(
            f"The {what} has the shape {tuple(result.shape)}.",
            f"It must have the shape {wanted}: {'one entry per place' if wanted else 'a single number'}.",
        )
    return result


def expect_parts(result: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the parts of a tuple result; raises a Fault where there are more or fewer than `names`."""
    if not isinstance(result, tuple | list) or len(result) != len(names):
        raise Fault(f"The result is {_described(result)}.", f"It must be {len(names)} things: {', '.join(names)}.")
    return tuple(result)


def cause_of(value: float, mistakes: Iterable[tuple[float | Tensor, str]], otherwise: str, rel_tol: float = 0.0) -> str:
    """Return the cause of the first known mistake that gives this wrong value, or `otherwise`."""
    for wrong, cause in mistakes:
        if math.isclose(value, float(wrong), rel_tol=rel_tol, abs_tol=1e-4):
            return cause
    return otherwise


def examine(exercise: Exercise, function: object) -> Feedback:
    """Try a learner's function; never raises, whatever it is given."""
    if not callable(function):
        if function is None or function is ...:
            return Feedback(exercise, "untouched")
        given = f"What was passed is {_described(function)}, no function."
        return Feedback(
            exercise, "wrong", Fault(given, f"Pass the function itself, without brackets: {exercise.name}.")
        )
    source = source_of(function)
    if source and _same_code(source, exercise.starter):
        return Feedback(exercise, "untouched", source=source)
    try:
        exercise.examine(LearnerFunction(function, exercise.call))
    except NotWritten as reason:
        seen = Fault(str(reason), f"{exercise.call} must return a result.") if str(reason) else None
        return Feedback(exercise, "untouched", seen, source)
    except Fault as fault:
        # Without its traceback, whose frames would keep the learner's tensors
        return Feedback(exercise, "wrong", fault.with_traceback(None), source)
    except Exception as error:  # a result so odd that the examination itself fails
        unusable = Fault(
            f"The result could not be used: {type(error).__name__}: {_one_line(error)}",
            "Compare the kind of your result, its shape and its type, with the line under the function's name.",
        )
        return Feedback(exercise, "wrong", unusable, source)
    return Feedback(exercise, "right", source=source)


def source_of(function: object) -> str:
    """Return the source of a function that was written in a cell or a file; "" where it cannot be had."""
    try:
        return textwrap.dedent(inspect.getsource(function))  # type: ignore[arg-type]
    except (OSError, TypeError):
        return ""


def _copied(value: Any) -> Any:
    """Copy a tensor, so that a function that writes into it does no harm; pass on anything else.

    A tensor with a gradient is passed on too: its copy would be cut off from the graph that an examination looks at.
    """
    return value.clone() if isinstance(value, Tensor) and not value.requires_grad else value


def _differs(one: Any, other: Any) -> bool:
    return isinstance(one, Tensor) and not (one.shape == other.shape and bool((one == other).all()))


def _same_code(one: str, other: str) -> bool:
    """Tell whether two sources differ only in comments, blanks and the layout of docstrings."""
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(textwrap.dedent(other)))
    except SyntaxError:
        return one.strip() == other.strip()


def _of_exception(error: BaseException, function: Callable[..., Any], call: str) -> Fault:
    """Turn an exception in the learner's code into a fault that names their line."""
    code = getattr(function, "__code__", None)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if code and frame.filename == code.co_filename
    ]
    line = f" in the line “{frames[-1].line}”" if frames and frames[-1].line else ""
    if isinstance(error, TypeError) and not frames:
        return Fault(
            f"Calling it raises TypeError: {_one_line(error)}",
            f"It is called as {call or 'the lesson gives it'}: keep the function's first line as it was.",
        )
    return Fault(
        f"It raises {type(error).__name__}{line}: {_one_line(error) or 'without a message.'}",
        "Read the message, then look at the shapes and types of what that line combines.",
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _described(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # an object of the learner's may do anything
        text = ""
    return text if 0 < len(text) < 60 else f"an object of the type {type(value).__name__}"

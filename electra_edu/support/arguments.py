"""Checks of arguments: each returns a plain value, or raises an ElectraEduError that names the argument and a remedy.

A NumPy scalar, or a tensor or array without dimensions, counts as the number that it holds. True and False do not count
as numbers, because they are passed by mistake. This module does not import torch, so that `config` and `efficiency` can
use it without; tensors are checked by `electra_edu.support.tensors`.
"""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from electra_edu.support.errors import ElectraEduError, nearest

MAX_SHOWN = 80  # characters of a wrong value that an error repeats
MAX_INT64 = 2**63 - 1  # PyTorch counts in 64 bits
Kind = TypeVar("Kind")


def shown(value: object) -> str:
    """Return a short text of one line for any wrong value, to be repeated in an error message."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a whole number of more digits than Python prints, or a class whose repr fails
        return f"<{type(value).__name__}>"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def refuse(name: str, value: object, what: str) -> NoReturn:
    """Raise ElectraEduError: the argument `name` must be `what`."""
    raise ElectraEduError(f"{name}={shown(value)}: must be {what}.")


def plain(value: Any) -> Any:
    """Return a NumPy scalar, or a tensor or array without dimensions, as the Python value that it holds."""
    if isinstance(value, int | float | str | None) or getattr(value, "shape", None) != ():
        return value
    try:
        return value.item()
    except (AttributeError, RuntimeError, TypeError, ValueError):  # a tensor on the device "meta" holds no value
        return value


def whole_number(name: str, value: object, least: int | None = None, most: int | None = None) -> int:
    """Return a whole number from `least` to `most` as an int; None stands for no bound."""
    number = as_whole(value)
    if number is None or (least is not None and number < least) or (most is not None and number > most):
        refuse(name, value, f"a whole number{_bounds(least, most)}")
    return number


def finite_number(name: str, value: object, least: float | None = None, most: float | None = None) -> float:
    """Return a finite number from `least` to `most`: whole numbers as int, others as float."""
    number = as_number(value)
    if number is None or (least is not None and number < least) or (most is not None and number > most):
        refuse(name, value, f"a finite number{_bounds(least, most)}")
    return number


def as_whole(value: object) -> int | None:
    """Return `value` as an int; None where it is not a whole number."""
    number = plain(value)
    return int(number) if _is(number, Integral) else None


def as_number(value: object) -> float | None:
    """Return `value` as an int or a float; None where it is not a finite number."""
    number = plain(value)
    if not _is(number, Real):
        return None
    try:
        if not math.isfinite(number):
            return None
    except OverflowError:  # a whole number that no float can hold
        return None
    return int(number) if _is(number, Integral) else float(number)


def flag(name: str, value: object) -> bool:
    """Return True or False; NumPy's count as well."""
    truth = plain(value)
    if not isinstance(truth, bool):
        refuse(name, value, "True or False")
    return truth


def seed(name: str, value: object) -> int:
    """Return the seed of a random generator: a whole number that fits into 64 bits."""
    number = as_whole(value)
    if number is None or not -MAX_INT64 - 1 <= number <= MAX_INT64:
        refuse(name, value, "a whole number, for example 0 (of at most 63 bits)")
    return number


def path(name: str, value: object) -> Path:
    """Return the path of a file or folder, which need not exist."""
    if not isinstance(value, str | os.PathLike):
        refuse(name, value, "a path: a string or a pathlib.Path")
    try:
        found = os.fspath(value)
        if not isinstance(found, str) or not found or "\0" in found:
            refuse(name, value, "a path: a string that is not empty and has no NUL character")
        os.fsencode(found)
    except UnicodeEncodeError:
        refuse(name, value, "a path that this computer can write: it holds half of a surrogate pair")
    return Path(found)


def text(name: str, value: object) -> str:
    """Return a string that can be written as UTF-8; half of a surrogate pair cannot."""
    if not isinstance(value, str):
        raise ElectraEduError(f"{name}: must be a string, not {type(value).__name__}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ElectraEduError(
            f"{name}: character {error.start} is half of a surrogate pair ({value[error.start]!r}), which is not text. "
            'Drop such characters: text.encode(errors="ignore").decode().'
        ) from error
    return value


def one_of(name: str, value: object, choices: Sequence[Any]) -> Any:
    """Return `value` if it is one of `choices`, strings and perhaps None; the error suggests the nearest choice."""
    if (value is None or isinstance(value, str)) and value in choices:
        return value
    words = [choice for choice in choices if isinstance(choice, str)]
    known = ", ".join(map(repr, words)) + " or None" * (None in choices)
    raise ElectraEduError(f"{name}={shown(value)}: must be one of {known}.{nearest(value, words)}")


def items(name: str, value: object, example: str) -> tuple[Any, ...]:
    """Return the items of a list or another iterable, strings and mappings excepted."""
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping):
        refuse(name, value, f"a list, for example {example}")
    if getattr(value, "shape", None) == () or str(getattr(value, "device", "")) == "meta":
        refuse(name, value, f"a list, for example {example}")
    return tuple(value)


def instance(name: str, value: object, kind: type[Kind] | tuple[type[Kind], ...], example: str) -> Kind:
    """Return `value` if it is an instance of `kind`; `example` is a call that makes one, for the error."""
    if isinstance(value, kind):
        return value
    kinds = kind if isinstance(kind, tuple) else (kind,)
    names = " or ".join(each.__name__ for each in kinds)
    raise ElectraEduError(f"{name}: must be of the type {names}, not {type(value).__name__}; for example {example}.")


def _is(number: object, kind: type) -> bool:
    return isinstance(number, kind) and not isinstance(number, bool)


def _bounds(least: float | None, most: float | None) -> str:
    if most == MAX_INT64:
        most = None  # nobody comes near it
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" of at least {least}"
    return "" if most is None else f" of at most {most}"

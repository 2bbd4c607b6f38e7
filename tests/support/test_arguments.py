"""Checks of arguments return plain values, and name wrong ones in an error that is short and printable."""

import math
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


NOT_NUMBERS: list[Any] = [
    None,
    "a",
    "\ud800",
    True,
    np.True_,
    math.nan,
    math.inf,
    1j,
    [],
    [1],
    {},
    Unprintable(),
    np.array([1, 2]),
    np.float32("nan"),
    torch.tensor(True),
    torch.ones(2),
    torch.ones((), device="meta"),
]


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3), torch.tensor(3), torch.tensor(3).short()])
def test_whole_numbers_become_plain_ones(value: object) -> None:
    for check in (arguments.whole_number, arguments.finite_number, arguments.seed):
        number = check("n", value)
        assert number == 3
        assert type(number) is int


@pytest.mark.parametrize(
    "value", [0.5, np.float16(0.5), np.float64(0.5), np.array(0.5), torch.tensor(0.5), Fraction(1, 2)]
)
def test_other_numbers_become_floats(value: object) -> None:
    number = arguments.finite_number("x", value)
    assert number == 0.5
    assert type(number) is float
    with pytest.raises(ElectraEduError, match=r"x=.*: must be a whole number\."):
        arguments.whole_number("x", value)


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda value: arguments.shown(value).replace("\\", ""))
def test_other_values_are_refused_in_one_short_line(value: object) -> None:
    for check in (arguments.whole_number, arguments.finite_number, arguments.seed):
        with pytest.raises(ElectraEduError, match=r"^n=.*: must be a ") as caught:
            check("n", value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value).encode()) < 250


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: arguments.whole_number("n", 0, 1), "n=0: must be a whole number of at least 1."),
        (lambda: arguments.whole_number("n", 9, 1, 8), "n=9: must be a whole number from 1 to 8."),
        (lambda: arguments.whole_number("n", 9, most=8), "n=9: must be a whole number of at most 8."),
        (lambda: arguments.finite_number("x", -0.5, 0, 1), "x=-0.5: must be a finite number from 0 to 1."),
        (lambda: arguments.flag("on", 1), "on=1: must be True or False."),
        (
            lambda: arguments.one_of("trained", "generater", ("generator", None)),
            "trained='generater': must be one of 'generator' or None. Did you mean 'generator'?",
        ),
        (
            lambda: arguments.instance("corpus", "toy", Path, "Path('x')"),
            "corpus: must be of the type Path, not str; for example Path('x').",
        ),
    ],
)
def test_an_error_names_the_argument_the_value_and_the_remedy(check: Any, message: str) -> None:
    with pytest.raises(ElectraEduError) as caught:
        check()
    assert str(caught.value) == message


@pytest.mark.parametrize("huge", [10**400, -(10**400), 10**5000], ids=["400", "-400", "5000"])
def test_a_number_of_hundreds_of_digits_is_refused_where_it_does_not_fit(huge: int) -> None:
    for check in (arguments.finite_number, arguments.seed):
        with pytest.raises(ElectraEduError) as caught:
            check("n", huge)
        assert len(str(caught.value)) < 250
    assert arguments.whole_number("n", huge) == huge


@pytest.mark.parametrize("value", [None, 5, b"run", "", "a\0b", "\ud800", [], Path])
def test_an_invalid_path_is_refused(value: object) -> None:
    with pytest.raises(ElectraEduError, match=r"^directory=.*: must be a path"):
        arguments.path("directory", value)


def test_paths_come_back_as_paths(tmp_path: Path) -> None:
    class Place(os.PathLike[str]):
        def __fspath__(self) -> str:
            return str(tmp_path)

    assert arguments.path("directory", "möhre/run") == Path("möhre/run")
    assert arguments.path("directory", Place()) == tmp_path


@given(st.text(max_size=50))
def test_half_a_surrogate_pair_is_not_text(value: str) -> None:
    assert arguments.text("text", value) == value
    with pytest.raises(ElectraEduError, match=f"text: character {len(value)} is half of a surrogate pair"):
        arguments.text("text", f"{value}\udfff")


@pytest.mark.parametrize("value", [None, 5, [], b"on", {}, np.array(["on"]), torch.ones(2), "ON "])
def test_an_invalid_choice_is_refused(value: object) -> None:
    with pytest.raises(ElectraEduError, match=r"^switch=.*: must be one of 'on', 'off'\."):
        arguments.one_of("switch", value, ("on", "off"))


def test_bools_of_other_libraries_become_plain_ones() -> None:
    assert arguments.flag("on", np.True_) is True
    assert arguments.flag("on", torch.tensor(False)) is False

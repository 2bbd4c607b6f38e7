"""What examines a learner's function: nothing gets past it, whatever the learner wrote."""

import functools
from pathlib import Path

import pytest
import torch
from exercise_feedback import written

from electra_edu.course.exercises import Exercise, Fault, LearnerFunction, examine, exercise
from electra_edu.support.errors import ElectraEduError

STARTER = '''
def twice(x, rng=None):
    """Return 2 · x: a tensor of the same shape."""
    return ...  # your lines
'''


def examine_twice(function: LearnerFunction) -> None:
    found = function.tensor(torch.tensor([1.0, 2.0]), shape=(2,))
    if found.tolist() != [2.0, 4.0]:
        raise Fault(f"twice([1, 2]) gives {found.tolist()}.", "It is [2, 4].")


TWICE = Exercise("twice", "00", "Double it", STARTER, "Add it to itself.", examine_twice, lambda x, rng=None: 2 * x)


def state_and_words(function: object) -> tuple[str, str]:
    feedback = examine(TWICE, function)
    return feedback.state, f"{feedback.fault.symptom} {feedback.fault.cause}" if feedback.fault else ""


class Odd:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


class NeedsNothing:
    pass


def test_the_call_is_read_from_the_starter() -> None:
    assert TWICE.call == "twice(x, rng=None)"
    assert exercise("choose_positions").call == "choose_positions(ordinary, mask_prob, rng)"


def test_right_and_wrong() -> None:
    assert state_and_words(lambda x: x + x) == ("right", "")
    assert state_and_words(lambda x: x) == ("wrong", "twice([1, 2]) gives [1.0, 2.0]. It is [2, 4].")


@pytest.mark.parametrize("nothing", [None, ..., lambda x: ...])
def test_untouched(nothing: object) -> None:
    assert state_and_words(nothing) == ("untouched", "")


def test_untouched_is_seen_in_the_source_before_anything_runs(tmp_path: Path) -> None:
    """A function to repair returns something, and a starter with another comment or layout is a starter still."""

    def never(_function: LearnerFunction) -> None:
        raise AssertionError("it ran")

    faulty = 'def half(x):\n    """Return x / 2."""\n    return x * 2\n'
    repair = Exercise("half", "00", "Halve it", f"\n{faulty}", "Divide.", never, lambda x: x / 2)
    assert examine(repair, written(tmp_path, faulty.replace("x * 2", "x*2   # hm"), "half")).state == "untouched"
    seen = examine(repair, written(tmp_path, faulty.replace("x * 2", "x * 3"), "half"))
    assert seen.state == "wrong"
    assert seen.fault is not None
    assert "it ran" in seen.fault.symptom


def test_a_forgotten_return_is_untouched_but_told() -> None:
    def forgot(x: torch.Tensor) -> None:
        x + x

    assert state_and_words(forgot) == (
        "untouched",
        "It returns None: is its return line missing? twice(x, rng=None) must return a result.",
    )


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (3, "What was passed is 3, no function. Pass the function itself, without brackets: twice."),
        (torch.ones(2), "tensor([1., 1.])"),
        (Odd(), "an object of the type Odd"),
        (NeedsNothing, "It is called as twice(x, rng=None): keep the function's first line as it was."),
        (lambda: 1, "takes 0 positional arguments but 1 was given It is called as twice(x, rng=None)"),
        (functools.partial(lambda: 1), "It is called as twice(x, rng=None)"),
        (len, "The result is of the type int. It must be a tensor of shape (2,)."),
        (lambda x: Odd(), "The result is of the type Odd"),
        (lambda x: "two", "The result is of the type str."),
        (lambda x: x[:1], "has the shape (1,)"),
        (lambda x: x.to(torch.complex64), "gives [(1+0j), (2+0j)]"),
        (lambda x: x / "2", "It raises TypeError in the line"),
        (lambda x: {}[0], "It raises KeyError"),
        (lambda x: exit(), "It raises SystemExit"),
        (lambda x: next(iter(())), "StopIteration"),
        (lambda x: x.mul_(2), "one of the tensors that you were given has changed"),
    ],
)
def test_whatever_it_is_becomes_a_fault(function: object, words: str) -> None:
    state, seen = state_and_words(function)
    assert state == "wrong"
    assert words in seen


def test_an_exception_names_the_learners_line_and_not_ours(tmp_path: Path) -> None:
    source = "def twice(x):\n    y = x + 1\n    return torch.cat([y, y[0]])  # the culprit\n"
    fault = examine(TWICE, written(tmp_path, source, "twice")).fault
    assert fault is not None
    assert fault.symptom.startswith(
        "It raises RuntimeError in the line “return torch.cat([y, y[0]])  # the culprit”: zero-dimensional"
    )


def test_prints_are_silenced_and_inputs_are_copies(capsys: pytest.CaptureFixture[str]) -> None:
    given = torch.tensor([1.0, 2.0])

    def loud(x: torch.Tensor) -> torch.Tensor:
        print("here", x)  # noqa: T201
        return x.zero_()

    with pytest.raises(Fault) as raised:
        LearnerFunction(loud)(given)
    assert "has changed" in str(raised.value)
    assert given.tolist() == [1.0, 2.0]
    assert capsys.readouterr().out == ""


def test_an_unknown_exercise_names_the_nearest() -> None:
    with pytest.raises(ElectraEduError, match="Did you mean 'rtd_loss'"):
        exercise("rtd_los")

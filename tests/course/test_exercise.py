"""What examines a learner's function: nothing gets past it, whatever the learner wrote."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from electra_edu.course import parts
from electra_edu.course.exercises import EXERCISES, Exercise, Fault, Feedback, LearnerFunction, examine, exercise
from electra_edu.course.progress import FOLDER_VARIABLE, Progress
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.lesson.check import as_html, as_text, check

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


def written(folder: Path, source: str, name: str) -> Callable[..., Any]:
    """Define a function from a file, as a cell does: its source can be read."""
    place = folder / f"cell_{len(list(folder.iterdir()))}.py"
    place.write_text(source)
    namespace: dict[str, Any] = {"torch": torch}
    exec(compile(source, str(place), "exec"), namespace)
    function: Callable[..., Any] = namespace[name]
    return function


# parts()

RIGHT = "def fill_in(tokens, is_masked, guesses):\n    new = torch.where(is_masked, guesses, tokens)\n"
RIGHT += "    return new, new != tokens\n"


def test_parts_are_ours_until_the_learner_has_written_one(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    found = parts(progress)
    assert found.yours == ()
    assert found.functions == {name: EXERCISES[name].reference for name in found.functions}
    assert str(found) == "0 of 6 parts are yours."
    progress.record_exercise("04", "fill_in", RIGHT)
    found = parts(progress)
    assert found.yours == ("fill_in",)
    assert found.functions["fill_in"].__code__.co_filename == "<your fill_in>"
    assert str(found) == "1 of 6 parts are yours: fill_in."
    assert found.fill_in is found.functions["fill_in"]
    assert found.draw is EXERCISES["draw"].reference


@pytest.mark.parametrize(
    ("source", "note"),
    [
        (RIGHT.replace("torch.where", "np.where"), "Your fill_in does not pass its check by itself: ours is used."),
        (RIGHT.replace("!=", "=="), "Your fill_in does not pass its check by itself: ours is used."),
        ("import nowhere_to_be_found\n" + RIGHT, "Your fill_in needs something that is not here"),
        (RIGHT.replace("fill_in", "other"), "Your fill_in needs something that is not here"),
        ("def fill_in(:", "Your fill_in needs something that is not here"),
        ("exit()", "Your fill_in needs something that is not here"),
        ("fill_in = 3", "fill_in is no function"),
    ],
)
def test_a_part_that_does_not_load_is_ours_with_a_note(tmp_path: Path, source: str, note: str) -> None:
    progress = Progress(tmp_path)
    progress.record_exercise("04", "fill_in", source)
    found = parts(progress)
    assert found.yours == ()
    assert found.functions["fill_in"] is EXERCISES["fill_in"].reference
    assert len(found.notes) == 1
    assert note in found.notes[0]
    assert note in str(found)


# check()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    """Collect what check() displays, as (HTML, text); progress is kept in `tmp_path`."""
    seen: list[tuple[str, str]] = []
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(
        "electra_edu.widgets.parts.saved_text.show_text", lambda markup, plain: seen.append((markup, plain))
    )
    return seen


def test_check_says_what_is_wrong_and_hides_the_hint(shown: list[tuple[str, str]], tmp_path: Path) -> None:
    check("fill_in", lambda tokens, is_masked, guesses: 1 / 0)
    [(markup, plain)] = shown
    assert plain.startswith("✗ Not yet: ")
    assert "ZeroDivisionError" in plain
    assert "Why: " in plain
    assert "<details><summary>Hint</summary>" in markup
    assert Progress(tmp_path).read("04").exercises == {}


def test_check_keeps_the_source_of_what_passes(shown: list[tuple[str, str]], tmp_path: Path) -> None:
    check("fill_in", written(tmp_path, RIGHT, "fill_in"))
    assert shown[0][1].startswith("✓ Right: ")
    assert Progress(tmp_path).read("04").exercises == {"fill_in": RIGHT}
    assert parts().yours == ("fill_in",)


def test_check_escapes_what_the_learner_wrote(shown: list[tuple[str, str]]) -> None:
    def hostile(*_: object) -> None:
        raise ValueError("<script>alert(1)</script>")

    check("fill_in", hostile)
    assert "<script>" not in shown[0][0]
    assert "&lt;script&gt;" in shown[0][0]


def test_check_says_that_nothing_was_tried(shown: list[tuple[str, str]]) -> None:
    check("fill_in", None)
    check("fill_in", lambda *_: None)
    assert shown[0][1].startswith("· Not tried yet: ")
    assert "is its return line missing?" in shown[1][1]
    assert "is its return line missing?" in shown[1][0]


def test_every_state_has_words_and_a_colour_of_its_own() -> None:
    fault = Fault("seen", "because")
    feedbacks = [Feedback(TWICE, "untouched"), Feedback(TWICE, "wrong", fault), Feedback(TWICE, "right")]
    assert len({as_text(each)[0] for each in feedbacks}) == 3
    assert len({as_html(each).split("border-left:")[1].split(";")[0] for each in feedbacks}) == 3
    assert all("background:" in as_html(each) and ";color:" in as_html(each) for each in feedbacks)

"""check(): the feedback on a learner's function as text and HTML, and the source that is saved."""

from pathlib import Path

import pytest
from exercise_feedback import written

from electra_edu.course import Progress, exercise, parts
from electra_edu.course.exercises import Fault, Feedback
from electra_edu.course.progress_folder import FOLDER_VARIABLE
from electra_edu.widgets.lesson.check import as_html, as_text, check

EXERCISE = exercise("fill_in")
RIGHT = "def fill_in(tokens, is_masked, guesses):\n    new = torch.where(is_masked, guesses, tokens)\n"
RIGHT += "    return new, new != tokens\n"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    """Collect what check() displays, as (HTML, text); progress is saved in `tmp_path`."""
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


def test_check_saves_the_source_of_what_passes(shown: list[tuple[str, str]], tmp_path: Path) -> None:
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
    feedbacks = [Feedback(EXERCISE, "untouched"), Feedback(EXERCISE, "wrong", fault), Feedback(EXERCISE, "right")]
    assert len({as_text(each)[0] for each in feedbacks}) == 3
    assert len({as_html(each).split("border-left:")[1].split(";")[0] for each in feedbacks}) == 3
    assert all("background:" in as_html(each) and ";color:" in as_html(each) for each in feedbacks)

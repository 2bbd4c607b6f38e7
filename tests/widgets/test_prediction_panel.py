"""Prediction without a browser: in any order the result waits for the guess, and both are described plainly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from electra_edu.course.lessons import read_lesson
from electra_edu.course.progress import FOLDER_VARIABLE, Guess, Progress
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets import Prediction
from electra_edu.widgets.lesson.outcome import COVER

DATA = {
    "title": "A lesson",
    "part": "I",
    "file": "98_a_lesson",
    "question": "why?",
    "predictions": {
        "order": {"question": "Which <b>first</b>?", "options": ["the left one", "the <i> one", "neither"]},
        "share": {"question": "How much?", "low": 0, "high": 100, "step": 5, "unit": "%"},
        "size": {"question": "How wide?", "low": 0.5, "high": 2, "step": 0.25, "unit": "m"},
    },
}


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Lesson 98 exists, progress goes to `tmp_path`, and what is displayed is collected."""
    found, seen = read_lesson("98", DATA), []
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.delenv("ELECTRA_EDU_BUILD", raising=False)
    monkeypatch.setattr("electra_edu.widgets.lesson.prediction.lesson", lambda _number: found)
    Prediction._outcomes.clear()
    for module in ("lesson.prediction", "parts.saved_text", "charts.pictures"):
        monkeypatch.setattr(f"electra_edu.widgets.{module}.display", lambda what, **_options: seen.append(what))
    return seen


def words(guess: Prediction) -> str:
    """Read what stands in the place of the result."""
    assert guess.outcome is not None
    return str(guess.outcome.words.value)


def test_the_result_waits_until_the_guess_is_locked() -> None:
    guess = Prediction("98", "order")
    guess.reveal("b", "Since it is <narrow>.")
    assert words(guess) == COVER
    guess.choice.value = "a"
    assert words(guess) == COVER
    guess.lock_button.click()
    assert "It is (b) the &lt;i&gt; one." in words(guess)
    assert "You predicted (a) the left one. ✗ Surprised?" in words(guess)
    assert "Since it is &lt;narrow&gt;." in words(guess)
    assert guess.choice.disabled


def test_locked_first_and_revealed_later() -> None:
    guess = Prediction("98", "order")
    guess.choice.value = "b"
    guess.lock_button.click()
    guess.reveal("b", "So it is.")
    assert "✓ as you said" in words(guess)
    guess.reveal("c", "It came out otherwise this time.")  # the cell is run again
    assert "You predicted (b) the &lt;i&gt; one. ✗" in words(guess)


def test_a_question_asked_anew_opens_the_result_below_it() -> None:
    first = Prediction("98", "order")
    first.reveal("a", "So it is.")
    second = Prediction("98", "order")  # its cell is run again, that of the result is not
    second.choice.value = "a"
    second.lock_button.click()
    assert "✓ as you said" in words(first)


def test_lock_without_a_choice_asks_for_one(tmp_path: Path) -> None:
    guess = Prediction("98", "order")
    guess.reveal("a", "So it is.")
    guess.lock_button.click()
    assert "Choose one first, or skip." in guess.state.value
    assert words(guess) == COVER
    assert Progress(tmp_path).read("98").guesses == {}


def test_skip_shows_the_result_without_a_word_about_guesses(tmp_path: Path) -> None:
    guess = Prediction("98", "order")
    guess.reveal("a", "So it is.")
    guess.skip_button.click()
    assert "It is (a) the left one." in words(guess)
    assert "predicted" not in words(guess)
    assert Progress(tmp_path).read("98").guesses == {"order": Guess(None)}
    again = Prediction("98", "order")
    assert again.is_locked
    assert again.choice.value is None
    assert "At an earlier visit. Skipped." in again.state.value


def test_predict_again_covers_the_result_and_keeps_the_new_guess(tmp_path: Path) -> None:
    guess = Prediction("98", "order")
    guess.reveal("c", "So it is.")
    guess.choice.value = "a"
    guess.lock()
    assert guess.lock_button.description == "Predict again"
    guess.lock_button.click()
    assert words(guess) == COVER
    assert not guess.choice.disabled
    assert guess.lock_button.description == "Lock in"
    guess.choice.value = "c"
    guess.lock_button.click()
    assert "✓ as you said" in words(guess)
    assert Progress(tmp_path).read("98").guesses == {"order": Guess("c")}


def test_a_locked_guess_stands_there_after_a_restart() -> None:
    guess = Prediction("98", "share")
    guess.choice.value = 35
    guess.lock()
    again = Prediction("98", "share")
    assert again.is_locked
    assert again.choice.value == 35
    assert "At an earlier visit. Locked in: 35%." in again.state.value
    again.reveal(52.0, "So it is.")
    assert "You predicted 35%, 17% away." in words(again)


@pytest.mark.parametrize(("name", "saved"), [("order", "d"), ("order", 3.0), ("share", 37.0), ("share", "a")])
def test_a_guess_that_is_no_choice_any_more_is_forgotten(tmp_path: Path, name: str, saved: str | float) -> None:
    Progress(tmp_path).record_guess("98", name, saved)
    guess = Prediction("98", name)
    assert not guess.is_locked
    guess.reveal("a" if name == "order" else 40.0, "So it is.")
    assert words(guess) == COVER


@pytest.mark.parametrize(
    ("value", "answer", "said"),
    [
        (50, 52.34, "It is 52.34%.</b> You predicted 50%: ✓ close."),
        (50, 55.0, "✓ close."),
        (50, 55.1, "You predicted 50%, 5.1% away."),
        (0, np.float32(12.5), "It is 12.5%.</b> You predicted 0%, 12.5% away."),
        (100, torch.tensor(99), "It is 99%.</b> You predicted 100%: ✓ close."),
    ],
)
def test_a_number_says_how_far_off_it_is(value: float, answer: Any, said: str) -> None:
    guess = Prediction("98", "share")
    guess.choice.value = value
    guess.lock()
    guess.reveal(answer, "So it is.")
    assert said in words(guess)


def test_a_slider_has_every_step_and_its_unit() -> None:
    size = Prediction("98", "size").choice
    assert [label for label, _ in size.options] == ["0.5 m", "0.75 m", "1 m", "1.25 m", "1.5 m", "1.75 m", "2 m"]
    assert size.value == 1.25


@pytest.mark.parametrize("answer", ["d", "B", "", "ab", 1, None, ["a"]])
def test_an_answer_that_is_no_letter_is_refused(answer: Any) -> None:
    with pytest.raises(
        ElectraEduError, match="prediction 'order' of lesson 98 is answered by a letter, one of a, b, c"
    ):
        Prediction("98", "order").reveal(answer, "So it is.")


@pytest.mark.parametrize("answer", ["a", "50", True, None, float("nan"), [1, 2], torch.ones(2)])
def test_an_answer_that_is_no_number_is_refused(answer: Any) -> None:
    with pytest.raises(ElectraEduError, match="is answered by a number"):
        Prediction("98", "share").reveal(answer, "So it is.")


def test_a_figure_that_is_none_is_refused() -> None:
    with pytest.raises(ElectraEduError, match="must be a matplotlib Figure"):
        Prediction("98", "order").reveal("a", "So it is.", figure="plot.png")  # type: ignore[arg-type]


def test_an_unknown_prediction_names_the_nearest() -> None:
    with pytest.raises(ElectraEduError, match="Did you mean 'order'"):
        Prediction("98", "ordre")


def test_a_figure_is_covered_with_the_result(shown: list[Any]) -> None:
    guess = Prediction("98", "order")
    guess.reveal("a", "A line that rises.", Figure())
    assert guess.outcome is not None
    picture = guess.outcome.picture
    assert picture.layout.display == "none"
    guess.skip()
    assert picture.layout.display == ""
    assert picture.value.startswith('<img alt="A line that rises." src="data:image/png;base64,iVBORw0KGgo')
    panel, twin, text = shown
    assert panel is guess.outcome.panel
    assert twin["text/plain"] == "A line that rises."
    assert text["text/plain"] == "It is (a) the left one. A line that rises."
    guess.unlock()
    assert picture.layout.display == "none"


def test_a_built_lesson_shows_question_and_result_plainly(
    monkeypatch: pytest.MonkeyPatch, shown: list[Any], tmp_path: Path
) -> None:
    monkeypatch.setenv("ELECTRA_EDU_BUILD", "1")
    guess = Prediction("98", "order")
    guess._ipython_display_()
    guess.reveal("a", "A line that <rises>.", Figure())
    question, picture, result = shown
    assert question["text/plain"] == "Predict: Which <b>first</b>?\n(a) the left one\n(b) the <i> one\n(c) neither"
    assert "&lt;b&gt;first" in question["text/html"]
    assert set(picture) == {"image/png", "text/plain"}
    assert result["text/plain"] == "It is (a) the left one. A line that <rises>."
    assert "&lt;rises&gt;" in result["text/html"]
    assert "predicted" not in result["text/html"]
    assert list(tmp_path.iterdir()) == []


def test_the_living_question_comes_before_its_twin(shown: list[Any]) -> None:
    guess = Prediction("98", "share")
    guess._ipython_display_()
    assert shown[0] is guess.panel
    assert 'class="edu-saved-copy"' in shown[1]["text/html"]

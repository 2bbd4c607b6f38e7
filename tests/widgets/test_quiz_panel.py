"""Quiz without a browser: order, check, explanation, what is kept, and what a reader without a kernel sees."""

from pathlib import Path
from typing import Any

import pytest

from electra_edu.course.lessons import Lesson, lesson, lessons, read_lesson
from electra_edu.course.progress import Answer, Progress
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets import Quiz
from electra_edu.widgets.lesson.quiz import shuffled

DATA = {
    "title": "A lesson",
    "part": "I",
    "file": "98_a_lesson",
    "question": "why?",
    "quiz": [
        {
            "id": "one",
            "question": "Is <b>1</b> & 2 'three'?",
            "instrument": True,
            "options": [
                {"text": "yes <i>", "right": True, "why": "since 1 & 2"},
                {"text": "no", "why": "no is <script>"},
                {"text": "maybe", "why": "maybe is not enough"},
            ],
        },
        {
            "id": "two",
            "question": "And now?",
            "options": [{"text": "a", "why": "wrong a"}, {"text": "b", "right": True, "why": "right b"}],
        },
    ],
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Lesson:
    """A lesson of our own, known to the panels."""
    found = read_lesson("98", DATA)
    monkeypatch.setattr("electra_edu.widgets.lesson.quiz.lesson", lambda _number: found)
    return found


def choose(quiz: Quiz, question: int, text: str, check: bool = True) -> str:
    """Choose the option with this text, press Check, and return the reply."""
    panel = quiz.questions[question]
    panel.choice.value = [option.text for option in panel.options].index(text)
    if check:
        panel.button.click()
    return str(panel.reply.value)


@pytest.mark.usefixtures("made")
def test_each_option_has_its_own_explanation(tmp_path: Path) -> None:
    quiz = Quiz("98", Progress(tmp_path))
    assert "Not quite." in choose(quiz, 0, "maybe")
    assert "✗" in quiz.questions[0].reply.value
    assert "maybe is not enough" in quiz.questions[0].reply.value
    assert "since 1" not in quiz.questions[0].reply.value
    assert "0 of 2 right" in quiz.score.value
    reply = choose(quiz, 0, "yes <i>")
    assert "✓ Right." in reply
    assert "since 1 &amp; 2" in reply
    assert "1 of 2 right" in quiz.score.value
    choose(quiz, 1, "b")
    assert "2 of 2 right. That is all of them." in quiz.score.value


@pytest.mark.usefixtures("made")
def test_check_without_a_choice_asks_for_one(tmp_path: Path) -> None:
    quiz = Quiz("98", Progress(tmp_path))
    quiz.questions[1].button.click()
    assert "Choose an answer first." in quiz.questions[1].reply.value
    assert Progress(tmp_path).read("98").answers == {}


@pytest.mark.usefixtures("made")
def test_another_choice_takes_the_reply_away(tmp_path: Path) -> None:
    quiz = Quiz("98", Progress(tmp_path))
    choose(quiz, 0, "no")
    assert choose(quiz, 0, "maybe", check=False) == ""


def test_the_first_answer_is_kept_and_restored(made: Lesson, tmp_path: Path) -> None:
    quiz = Quiz("98", Progress(tmp_path))
    choose(quiz, 0, "maybe")
    choose(quiz, 0, "yes <i>")
    assert Progress(tmp_path).read(made.number).answers == {"one": Answer(2, False)}  # its place in the content file
    again = Quiz("98", Progress(tmp_path))
    panel = again.questions[0]
    assert panel.options[panel.choice.value].text == "maybe"
    assert "Your first answer, from before. maybe is not enough" in panel.reply.value
    assert "0 of 2 right" in again.score.value
    assert again.questions[1].choice.value is None


@pytest.mark.parametrize("place", [-1, 3])
def test_an_answer_that_is_no_option_any_more_is_passed_over(made: Lesson, tmp_path: Path, place: int) -> None:
    Progress(tmp_path).record_answer(made.number, "one", place, True)
    Progress(tmp_path).record_answer(made.number, "gone", 0, True)
    quiz = Quiz("98", Progress(tmp_path))
    assert quiz.questions[0].choice.value is None
    assert "0 of 2 right" in quiz.score.value


@pytest.mark.usefixtures("made")
def test_content_is_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiz = Quiz("98", Progress(tmp_path))
    assert "Is &lt;b&gt;1&lt;/b&gt; &amp; 2" in quiz.questions[0].heading.value
    assert "(use the panel above)" in quiz.questions[0].heading.value
    assert "(use the panel above)" not in quiz.questions[1].heading.value
    assert "&lt;script&gt;" in choose(quiz, 0, "no")
    [(_, data)] = displayed(quiz, monkeypatch)
    assert "yes &lt;i&gt;" in data["text/html"]
    assert "<b>1</b>" not in data["text/html"]


@pytest.mark.usefixtures("made")
def test_without_a_kernel_the_questions_stand_there_without_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELECTRA_EDU_BUILD", "1")
    [(panels, data)] = displayed(Quiz("98", Progress(tmp_path)), monkeypatch)
    assert panels == 0
    for kind in ("text/html", "text/plain"):
        assert "And now?" in data[kind]
        assert "maybe" in data[kind]
        assert "why" not in data[kind]
        assert "since 1" not in data[kind]
        assert "✓" not in data[kind]


@pytest.mark.usefixtures("made")
def test_the_living_panel_comes_before_its_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELECTRA_EDU_BUILD", raising=False)
    [(panels, data)] = displayed(Quiz("98", Progress(tmp_path)), monkeypatch)
    assert panels == 1
    assert 'class="edu-saved-copy"' in data["text/html"]


def test_the_order_is_always_the_same_and_not_the_files() -> None:
    questions = [(number, question) for number, each in lessons().items() for question in each.quiz]
    assert questions
    places = []
    for number, question in questions:
        options = shuffled(question, number)
        assert options == shuffled(question, number)
        assert sorted(options, key=question.options.index) == list(question.options)
        places.append([option.right for option in options].index(True))
    assert len(set(places)) > 1  # the right one is not always in the same place
    assert any(shuffled(question, number) != list(question.options) for number, question in questions)


@pytest.mark.parametrize(("number", "words"), [("99", "Did you mean"), (6, "Did you mean '06'"), (None, "There are:")])
def test_an_unknown_lesson_is_refused_with_the_nearest(number: Any, words: str) -> None:
    with pytest.raises(ElectraEduError, match=words):
        Quiz(number)


def test_lesson_00_has_a_quiz(tmp_path: Path) -> None:
    assert len(Quiz("00", Progress(tmp_path)).questions) == len(lesson("00").quiz) >= 3


def displayed(quiz: Quiz, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, dict[str, str]]]:
    """Display a quiz; returns (panels shown so far, its text) for each text."""
    panels, texts = [], []

    def display(what: Any, **_options: Any) -> None:
        if isinstance(what, dict):
            texts.append((len(panels), what))
        else:
            panels.append(what)

    monkeypatch.setattr("electra_edu.widgets.lesson.quiz.display", display)
    monkeypatch.setattr("electra_edu.widgets.parts.saved_text.display", display)
    quiz._ipython_display_()
    return texts

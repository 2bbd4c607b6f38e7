"""The course's content files: their form, and that a slip in one is named."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from electra_edu import plots
from electra_edu.course import claims, content_files, glossary, lesson, lessons
from electra_edu.course.exercises import EXERCISES
from electra_edu.course.glossary import LEVELS, LINK, explanation, with_titles
from electra_edu.course.lessons import read_lesson
from electra_edu.plots.machine import PARTS
from electra_edu.support.errors import ElectraEduError
from electra_edu.support.validation import ContentError

WRITTEN = [number for number, each in lessons().items() if each.is_written]


def content(**changes: Any) -> dict[str, Any]:
    """Return the content of a small, right lesson."""
    options = [{"text": "yes", "why": "it is", "right": True}, {"text": "no", "why": "it is not"}]
    return {
        "title": "A title",
        "part": "I",
        "file": "01_a_title",
        "question": "why?",
        "predictions": {"share": {"question": "How much?", "low": 0, "high": 10, "step": 5, "unit": "%"}},
        "quiz": [{"id": "q", "question": "Is it?", "options": options}],
        **changes,
    }


def test_there_are_sixteen_lessons_in_three_parts() -> None:
    assert list(lessons()) == [f"{i:02}" for i in range(16)]
    assert [each.part for each in lessons().values()] == ["I"] * 6 + ["II"] * 5 + ["III"] * 5
    assert len({each.title for each in lessons().values()}) == 16


@pytest.mark.parametrize("number", WRITTEN)
def test_a_written_lesson_is_complete(number: str) -> None:
    each = lesson(number)
    assert 10 <= each.minutes <= 30
    assert 2 <= len(each.goals) <= 4
    assert each.lit
    assert set(each.lit) <= set(PARTS)
    assert each.predictions
    assert all(EXERCISES[name].lesson == number for name in each.exercises)
    assert [name for name, exercise in EXERCISES.items() if exercise.lesson == number] == list(each.exercises)


@pytest.mark.parametrize("number", WRITTEN)
def test_a_quiz_is_fair(number: str) -> None:
    quiz = lesson(number).quiz
    assert 3 <= len(quiz) <= 5
    assert any(question.instrument for question in quiz)
    for question in quiz:
        lengths = [len(option.text) for option in question.options]
        assert 3 <= len(lengths) <= 4, question.id
        assert max(lengths) <= 2 * min(lengths), f"{question.id}: the options differ in length"
        assert all(len(option.why) > 30 for option in question.options), f"{question.id}: a reason is too short"
        assert len({option.why for option in question.options}) == len(lengths)


def test_right_options_are_not_told_by_their_length() -> None:
    """Over the course the right option is about as often the longest as any other: one in three or four."""
    questions = [question for number in WRITTEN for question in lesson(number).quiz]
    longest = sum(max(question.options, key=lambda option: len(option.text)).right for question in questions)
    assert longest / len(questions) < 0.5


def test_terms_and_claims_are_explained_in_a_few_words() -> None:
    for name, term in glossary().items():
        assert term.level in LEVELS
        assert 20 < len(term.text) < 300, name
    for name, claim in claims().items():
        assert claim.source, name
        assert claim.says, name
        assert bool(claim.how) or claim.kind in ("paper", "code"), name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": 3}, "'title' cannot be 3"),
        ({"titel": "x"}, "no field 'titel'"),
        ({"part": "IV"}, "'part' cannot be 'IV': input should be 'I', 'II' or 'III'"),
        ({"file": "02_x"}, "must begin with 01_"),
        ({"minutes": True}, "'minutes' cannot be True"),
        ({"goals": [3]}, r"'goals\[0\]' cannot be 3"),
        ({"goals": [""]}, "goals and exercises must list texts"),
        ({"predictions": {"p": {"question": "?", "low": 2, "high": 1}}}, "low must lie below high"),
        ({"predictions": {"p": {"question": "?", "options": ["one"]}}}, "predictions.p: give two to 6 options"),
        (
            {"quiz": [{"id": "q", "question": "?", "options": []}]},
            r"quiz\[0\]: exactly one option of 'q' must be right",
        ),
        ({"quiz": [{"id": "q", "options": []}]}, r"the field 'quiz\[0\].question' is missing"),
        ({"quiz": [*content()["quiz"], *content()["quiz"]]}, "the same id"),
        ({"quiz": [1]}, r"'quiz\[0\]' cannot be 1: input should be an object"),
    ],
)
def test_a_slip_in_a_lesson_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContentError, match=words) as caught:
        read_lesson("01", content(**changes))
    assert "lesson 01" in str(caught.value)


def test_two_right_options_or_two_alike_are_refused() -> None:
    right = {"text": "yes", "why": "it is", "right": True}
    for options, words in (
        ([right, {**right, "text": "also"}], "exactly one option"),
        ([right, {"text": "yes", "why": "x"}], "same"),
    ):
        with pytest.raises(ContentError, match=words):
            read_lesson("01", content(quiz=[{"id": "q", "question": "?", "options": options}]))


def test_a_right_file_is_read() -> None:
    each = read_lesson("01", content(minutes=20, goals=["do it"], lit=["mask"]))
    assert each.is_written
    assert each.quiz[0].options[0].right
    assert each.prediction("share").step == 5
    with pytest.raises(ElectraEduError, match=r"There is no prediction of lesson 01: 'shares'\. Did you mean 'share'"):
        each.prediction("shares")


@pytest.fixture
def files_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty content folder in the place of the course's own."""
    folder = tmp_path / "content"
    for name in ("claims", "glossary", "lessons"):
        (folder / name).mkdir(parents=True)
    caches = (content_files.entries, glossary, claims, lessons)
    for each in caches:
        each.cache_clear()
    monkeypatch.setattr(content_files, "files", lambda _package: tmp_path)
    yield folder
    monkeypatch.undo()
    for each in caches:
        each.cache_clear()


CLAIM = '"x": {"value": "1", "says": "one", "source": "me", "kind": '


@pytest.mark.parametrize(
    ("kind", "texts", "words"),
    [
        ("claims", ["{" + CLAIM + '"paper"}}'] * 2, "claims/02.json: 'x' is in another file too"),
        ("claims", ["{" + CLAIM + '"paper", "kind": "code"}}'], "claims/01.json: the field 'kind' is there twice"),
        ("claims", ["{" + CLAIM + '"paper"}, ' + CLAIM + '"paper"}}'], "the field 'x' is there twice"),
        ("claims", ["{" + CLAIM + '"computed"}}'], "claim 'x': it is computed, so `how` must name the call"),
        ("claims", ["{" + CLAIM + '"measured", "how": ""}}'], "claim 'x': it is measured, so `how` must name the call"),
        (
            "claims",
            ["{" + CLAIM + '"rumour"}}'],
            "claim 'x': 'kind' cannot be 'rumour': input should be 'paper', 'code'",
        ),
        ("claims", ["{" + CLAIM + "3}}"], "claim 'x': 'kind' cannot be 3"),
        ("claims", ["{"], "claims/01.json: Expecting property name"),
        (
            "glossary",
            ['{"x": {"term": "x", "level": "guru", "text": "t"}}'],
            "glossary 'x': 'level' cannot be 'guru': input should be 'curious'",
        ),
        ("glossary", ['{"x": {"term": "x", "level": "expert"}}'], "glossary 'x': the field 'text' is missing"),
        ("glossary", ['{"x": "a word"}'], "glossary 'x': input should be an object"),
        ("lessons", ["[]"], "lesson 01: input should be an object"),
    ],
)
def test_a_slip_in_a_file_is_named(files_of: Path, kind: str, texts: list[str], words: str) -> None:
    for i, text in enumerate(texts, start=1):
        (files_of / kind / f"{i:02}.json").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        {"claims": claims, "glossary": glossary, "lessons": lessons}[kind]()
    assert words in str(caught.value)


@pytest.mark.fault(
    "Errors", seen="a deeply nested glossary, or a list in its place, ended with RecursionError or TypeError"
)
@pytest.mark.parametrize("kind", ["claims", "glossary", "lessons"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"x":' * 100_000, "nested too deeply"),
        ('{"x": {"title": ' + "[" * 800 + "]" * 800 + "}}", "'x'|lesson 01"),
        ('["x"]', "be an object"),
        ("7", "be an object"),
    ],
    ids=["lists", "objects", "a value", "a list", "a number"],
)
def test_hostile_content_is_a_sentence(files_of: Path, kind: str, text: str, words: str) -> None:
    (files_of / kind / "01.json").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=words) as caught:
        {"claims": claims, "glossary": glossary, "lessons": lessons}[kind]()
    assert len(str(caught.value)) < 300


def test_names_that_are_not_there_are_answered_with_the_nearest() -> None:
    for find, words in (
        (lambda: lesson("6"), "There is no lesson '6'. Did you mean '0?6'"),
        (lambda: explanation("term", "generater"), "Did you mean 'generator'"),
        (lambda: explanation("claim", "table5-bart"), "Did you mean 'table5-bert'"),
    ):
        with pytest.raises(ElectraEduError, match=words):
            find()


def test_titles_are_filled_in_and_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = "a <a class='edu-term' href='#term-generator' title=''>**generator**</a> x"
    filled = with_titles(bare)
    assert f"title='{glossary()['generator'].text}'" in filled
    assert with_titles(filled) == filled
    assert LINK.findall(filled)[0][3] == "**generator**"
    monkeypatch.setattr(sys.modules["electra_edu.course.glossary"], "explanation", lambda *_: "it's <b>")
    assert "title='it&#x27;s &lt;b&gt;'" in with_titles(bare)


def test_the_content_lies_in_the_package() -> None:
    folder = Path(plots.__file__).parents[1] / "course" / "content"
    for path in folder.rglob("*.json"):
        assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    assert len(list(folder.rglob("*.json"))) >= 16

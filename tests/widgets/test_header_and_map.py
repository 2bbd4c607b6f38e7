"""The header and the map without a browser: what they say about a learner's progress, and what stays in a notebook."""

from pathlib import Path
from typing import Any

import pytest

from electra_edu.course import lesson, lessons
from electra_edu.course.lessons import PARTS
from electra_edu.course.progress import LessonProgress, Progress
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.lesson.course_map import Map, state
from electra_edu.widgets.lesson.header import Header


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect everything that is displayed."""
    collected: list[dict[str, Any]] = []

    def display(what: Any, **_: Any) -> None:
        collected.append(what if isinstance(what, dict) else {"widget": what})

    for module in ("lesson.header", "lesson.course_map", "parts.saved_text", "charts.pictures"):
        monkeypatch.setattr(f"electra_edu.widgets.{module}.display", display)
    return collected


class TestHeader:
    def test_says_what_has_been_done(self, progress: Progress) -> None:
        header = Header("05", progress)
        assert header.about == "05 · The objective · about 25 minutes"
        assert header.done == "quiz 0 of 4 · exercises 0 of 2 · predictions 0 of 2"
        progress.record_answer("05", "every", 0, True)
        progress.record_answer("05", "no such question", 0, True)
        progress.record_exercise("05", "rtd_loss", "…")
        assert header.done.startswith("quiz 0")
        Header.refresh_all()
        assert header.done == "quiz 1 of 4 · exercises 1 of 2 · predictions 0 of 2"
        assert progress.read("05").opened

    def test_keeps_the_level(self, progress: Progress) -> None:
        Header("05", progress).level = "expert"
        assert Header("01", progress).level == "expert"

    def test_says_where_nothing_can_be_kept(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert "Progress is not saved" in Header("05", Progress(tmp_path / "file" / "x")).done

    def test_explains_every_term_and_source(self, progress: Progress) -> None:
        header = Header("05", progress)
        assert header.explanations["term-generator"].startswith("The smaller network")
        assert header.explanations["claim-table5-bert"] == "Source: Clark et al. 2020, Table 5 (GLUE dev)"
        assert header.levels["generator"] == "curious"

    def test_an_unknown_lesson_is_refused(self) -> None:
        with pytest.raises(ElectraEduError, match="There is no lesson '99'"):
            Header("99")

    @pytest.mark.parametrize("building", ["0", "1"])
    def test_leaves_its_line_and_the_machine(
        self, progress: Progress, shown: list[dict[str, Any]], building: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ELECTRA_EDU_BUILD", building)
        Header("05", progress)._ipython_display_()
        views = [each for each in shown if "application/vnd.jupyter.widget-view+json" in each]
        assert len(views) == (building == "0")
        assert shown[-2]["text/plain"] == "05 · The objective · about 25 minutes"
        assert shown[-1]["image/png"].startswith(b"\x89PNG")
        assert "Lit here: sample, label, discriminator, rtd loss" in shown[-1]["text/plain"]


class TestMap:
    def test_names_the_written_lessons_with_their_state(self, progress: Progress) -> None:
        progress.record_answer("05", "every", 0, True)
        progress.record_answer("05", "one", 1, False)
        table = Map(progress).table.value
        for each in lessons().values():
            assert (f"{each.number} · {each.title}" in table) == each.is_written
        assert "quiz 2 of 4, 1 right at once · exercises 0 of 2 · predictions 0 of 2" in table
        assert table.count("not begun") == sum(each.is_written for each in lessons().values()) - 1
        assert PARTS["II"] in table

    def test_exports_beside_the_lesson_and_overwrites_nothing(
        self, progress: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        course_map = Map(progress)
        course_map.export_button.click()
        course_map.export_button.click()
        assert sorted(path.name for path in Path.cwd().iterdir()) == ["my_progress.json", "my_progress_2.json"]
        assert "my_progress_2.json" in course_map.notes.value

    def test_asks_before_it_forgets(self, progress: Progress) -> None:
        progress.record_answer("05", "every", 0, True)
        course_map = Map(progress)
        assert course_map.confirm_button.layout.display == "none"
        course_map.reset_button.click()
        assert course_map.confirm_button.layout.display == ""
        assert progress.read("05").answers
        course_map.refresh_button.click()
        assert course_map.confirm_button.layout.display == "none"
        course_map.reset_button.click()
        course_map.confirm_button.click()
        assert progress.read("05") == LessonProgress()
        assert "quiz" not in course_map.table.value
        assert "Forgotten" in course_map.notes.value

    def test_says_what_was_damaged(self, progress: Progress) -> None:
        progress.open("05")
        (progress.folder / "05.json").write_text("{")
        assert "05.json was damaged" in Map(progress).notes.value

    def test_a_visit_counts_as_begun(self) -> None:
        assert state(lesson("00"), LessonProgress()) == "not begun"
        assert state(lesson("00"), LessonProgress(opened="2026")).startswith("quiz 0 of 4")
        assert state(lesson("07"), LessonProgress(opened="2026")) == "begun"

    def test_leaves_a_line(
        self, progress: Progress, shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Map(progress)._ipython_display_()
        assert len(shown) == 2
        monkeypatch.setenv("ELECTRA_EDU_BUILD", "1")
        Map(progress)._ipython_display_()
        assert len(shown) == 3
        assert "run this cell" in shown[-1]["text/plain"]

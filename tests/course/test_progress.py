"""Progress: first answers stay, writers at once lose nothing, damage and full disks never stop a lesson."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electra_edu.course.progress import Answer, Guess, LessonProgress, Progress, ProgressError
from electra_edu.support.errors import ElectraEduError

NAMES = st.text(min_size=1, max_size=12)


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path / "progress")


def test_nothing_was_done_at_first(progress: Progress) -> None:
    assert progress.read("06") == LessonProgress()
    assert progress.level == "curious"
    assert not progress.folder.exists()  # reading makes no folder


def test_keeps_the_first_answer_the_last_guess_and_the_last_source(progress: Progress) -> None:
    progress.open("06")
    opened = progress.read("06").opened
    progress.open("06")
    progress.record_answer("06", "floor", 2, False)
    progress.record_answer("06", "floor", 1, True)
    progress.record_guess("06", "order", "b")
    progress.record_guess("06", "order", None)
    progress.record_exercise("06", "joint_step", "def joint_step(): ...")
    progress.record_exercise("06", "joint_step", "def joint_step(): return 1")
    assert progress.read("06") == LessonProgress(
        opened,
        {"floor": Answer(2, False)},
        {"order": Guess(None)},
        {"joint_step": "def joint_step(): return 1"},
    )
    assert progress.read("05") == LessonProgress()


@given(
    st.dictionaries(NAMES, st.integers(0, 5)), st.dictionaries(NAMES, st.none() | st.floats(-1e6, 1e6) | NAMES), NAMES
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    answers: dict[str, int],
    guesses: dict[str, float | str | None],
    source: str,
) -> None:
    progress = Progress(tmp_path_factory.mktemp("progress"))
    for name, option in answers.items():
        progress.record_answer("01", name, option, option == 0)
    for name, value in guesses.items():
        progress.record_guess("01", name, value)
    progress.record_exercise("01", "x", source)
    done = Progress(progress.folder).read("01")
    assert {name: answer.option for name, answer in done.answers.items()} == answers
    assert {name: guess.value for name, guess in done.guesses.items()} == guesses
    assert done.exercises == {"x": source}


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from electra_edu.course.progress import Progress\n"
        "for i in range(20): Progress(Path(sys.argv[1])).record_answer('01', f'{sys.argv[2]}-{i}', i, True)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(who)]) for who in range(3)]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    assert set(Progress(tmp_path).read("01").answers) == {f"{who}-{i}" for who in range(3) for i in range(20)}


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"form": 2}',
        '{"form": 1, "answers": {"a": {"option": "1", "right": true}}}',
        '{"form": 1, "answers": {"a": 1}}',
        '{"form": 1, "guesses": {"a": {}}}',
        '{"form": 1, "exercises": {"a": 1}}',
        '{"form": 1, "other": 1}',
    ],
)
def test_a_damaged_file_is_kept_aside_and_the_lesson_begins_afresh(progress: Progress, damage: str) -> None:
    progress.record_answer("02", "a", 0, True)
    progress.record_answer("01", "a", 0, True)
    (progress.folder / "01.json").write_text(damage, encoding="utf-8")
    assert progress.read("01") == LessonProgress()
    assert len(progress.notes) == 1
    assert "01.json was damaged" in progress.notes[0]
    aside = [path for path in progress.folder.iterdir() if "damaged" in path.name]
    assert [path.read_text(encoding="utf-8") for path in aside] == [damage]
    progress.record_answer("01", "b", 1, False)
    assert set(progress.read("01").answers) == {"b"}
    assert set(progress.read("02").answers) == {"a"}
    assert not progress.problem


def test_where_nothing_can_be_written_the_lesson_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    progress = Progress(tmp_path / "file" / "progress")
    progress.open("01")
    progress.record_answer("01", "a", 0, True)
    progress.level = "expert"
    assert progress.read("01") == LessonProgress()
    assert "Progress is not saved" in progress.problem
    assert "ELECTRA_EDU_PROGRESS" in progress.problem
    with pytest.raises(ProgressError, match="cannot be written"):
        progress.export(tmp_path / "file" / "mine.json")


def test_a_writer_that_dies_leaves_the_old_file(progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    progress.record_answer("01", "a", 0, True)

    def die(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", die)
    progress.record_answer("01", "b", 0, True)
    assert "No space left" in progress.problem
    monkeypatch.undo()
    assert set(progress.read("01").answers) == {"a"}
    assert sorted(path.name for path in progress.folder.iterdir()) == [".01.lock", "01.json"]
    progress.record_answer("01", "b", 0, True)
    assert not progress.problem


def test_a_build_writes_nothing_and_knows_nothing(progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who builds the lessons may have answered in them: that must not stand in the outputs."""
    progress.level = "expert"
    progress.record_guess("01", "reach", "b")
    before = {path.name: path.read_bytes() for path in progress.folder.iterdir()}
    monkeypatch.setenv("ELECTRA_EDU_BUILD", "1")
    assert progress.read("01") == LessonProgress()
    assert progress.level == "curious"
    progress.open("01")
    progress.level = "student"
    monkeypatch.delenv("ELECTRA_EDU_BUILD")
    assert {path.name: path.read_bytes() for path in progress.folder.iterdir()} == before


def test_tests_leave_the_learners_own_progress_alone(tmp_path: Path) -> None:
    assert Progress().folder.parent == tmp_path.parent
    assert Progress().folder != tmp_path
    assert not Progress().folder.exists()


def test_the_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELECTRA_EDU_PROGRESS", str(tmp_path))
    assert Progress().folder == tmp_path
    monkeypatch.delenv("ELECTRA_EDU_PROGRESS")
    assert Progress().folder.parts[-2:] == ("electra_edu", "progress")


def test_the_level_is_kept_and_checked(progress: Progress) -> None:
    progress.level = "expert"
    assert Progress(progress.folder).level == "expert"
    with pytest.raises(ElectraEduError, match="curious, student, expert"):
        progress.level = "guru"  # type: ignore[assignment]
    (progress.folder / "settings.json").write_text('{"form": 1, "level": "guru"}')
    assert progress.level == "curious"


def test_export_holds_everything_and_reset_forgets_it_but_the_level(progress: Progress, tmp_path: Path) -> None:
    progress.level = "student"
    for lesson in ("01", "02"):
        progress.record_guess(lesson, "share", 40.0)
    everything = json.loads(progress.export(tmp_path / "mine.json").read_text(encoding="utf-8"))
    assert everything["01"]["guesses"] == {"share": {"value": 40.0}}
    assert set(everything) == {"01", "02", "settings"}
    progress.reset("01")
    assert (progress.read("01"), set(progress.read("02").guesses)) == (LessonProgress(), {"share"})
    progress.reset()
    assert progress.read("02") == LessonProgress()
    assert progress.level == "student"

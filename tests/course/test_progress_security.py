"""Progress files that somebody else wrote: they are read, but no source in them runs, and none ends a lesson."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from electra_edu.course import EXERCISES, parts
from electra_edu.course.progress import Progress
from electra_edu.widgets import Header, Map, Prediction, Quiz

RIGHT = "def fill_in(tokens, is_masked, guesses):\n    new = torch.where(is_masked, guesses, tokens)\n"
RIGHT += "    return new, new != tokens\n"
Spoil = Callable[[Path], object]


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    """Return the progress of a learner who has solved an exercise."""
    progress = Progress(tmp_path / "progress")
    progress.record_exercise("04", "fill_in", RIGHT)
    return progress


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    """Return a solution that leaves a file when it is run."""
    return f"open({str(tmp_path / 'ran')!r}, 'w').close()\n{RIGHT}"


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit a progress file as another program does."""
    data = json.loads(path.read_text(encoding="utf-8"))
    edit(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def assert_not_run(progress: Progress, tmp_path: Path, why: str) -> None:
    found = parts(progress)
    assert not (tmp_path / "ran").exists()
    assert found.yours == ()
    assert found.fill_in is EXERCISES["fill_in"].reference
    [note] = found.notes
    assert why in note
    assert "fill_in" in note
    assert progress.read("04").exercises  # nothing is lost


SEEN = "source in a progress file that somebody else wrote was executed by parts()"


@pytest.mark.fault("Security", seen=SEEN)
def test_source_that_was_written_elsewhere_is_not_run(progress: Progress, tmp_path: Path, hostile: str) -> None:
    """Progress files of version 0.1.0 have no seal: they count as written elsewhere."""
    path = progress.folder / "04.json"
    change(path, lambda data: data["exercises"].update(fill_in=hostile))
    assert_not_run(progress, tmp_path, "it was not checked by you on this computer: run the cell")
    path.write_text(json.dumps({"form": 1, "exercises": {"fill_in": hostile}}), encoding="utf-8")
    assert_not_run(progress, tmp_path, "it was not checked by you on this computer: run the cell")
    progress.record_exercise("04", "fill_in", RIGHT)  # what the note asks for
    assert parts(progress).yours == ("fill_in",)


@pytest.mark.fault("Security", seen=SEEN)
@pytest.mark.parametrize("seal", ["", "0" * 64, "ß", "another's", "fill_in's"])
def test_a_seal_of_another_key_or_another_source_is_none(
    progress: Progress, tmp_path: Path, hostile: str, seal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = progress.folder / "04.json"
    own = json.loads(path.read_text(encoding="utf-8"))["seals"]["fill_in"]
    with monkeypatch.context() as patch:
        patch.setenv("ELECTRA_EDU_STATE", str(tmp_path / "another"))
        Progress(tmp_path / "theirs").record_exercise("04", "fill_in", hostile)
        theirs = json.loads((tmp_path / "theirs" / "04.json").read_text(encoding="utf-8"))["seals"]["fill_in"]
    seal = {"another's": theirs, "fill_in's": own}.get(seal, seal)
    change(path, lambda data: data.update(exercises={"fill_in": hostile}, seals={"fill_in": seal}))
    assert_not_run(progress, tmp_path, "lesson 04")


def test_a_seal_holds_for_one_exercise(progress: Progress) -> None:
    """Else a source that passed one check would be run in the place of another."""
    path = progress.folder / "04.json"
    seal = json.loads(path.read_text(encoding="utf-8"))["seals"]["fill_in"]
    stolen = {"form": 1, "exercises": {"draw": RIGHT}, "seals": {"draw": seal}}
    lesson = EXERCISES["draw"].lesson
    (progress.folder / f"{lesson}.json").write_text(json.dumps(stolen), encoding="utf-8")
    assert parts(progress).yours == ("fill_in",)


@pytest.mark.fault("Security", seen=SEEN)
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "04.json").chmod(0o664), "others may write to"),
        (lambda folder: (folder / "04.json").chmod(0o646), "others may write to"),
        (lambda folder: folder.chmod(0o775), "others may write to"),
        (lambda folder: folder.chmod(0o757), "others may write to"),
        (lambda folder: (folder / "04.json").rename(folder.parent / "elsewhere"), "is a link"),
    ],
    ids=["file: group", "file: world", "folder: group", "folder: world", "a link"],
)
def test_source_that_others_could_have_written_is_not_run(
    progress: Progress, tmp_path: Path, spoil: Spoil, why: str
) -> None:
    spoil(progress.folder)
    if not (progress.folder / "04.json").exists():
        (progress.folder / "04.json").symlink_to(tmp_path / "elsewhere")
    assert_not_run(progress, tmp_path, why)


@pytest.mark.fault("Security", seen="source in a progress file of another user was executed by parts()")
def test_source_in_the_file_of_another_user_is_not_run(
    progress: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert_not_run(progress, tmp_path, "belongs to another user")


def test_without_a_key_nothing_is_run_and_nothing_lost(
    tmp_path: Path, hostile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELECTRA_EDU_STATE", "no/full/path")
    progress = Progress(tmp_path / "progress")
    progress.record_exercise("04", "fill_in", hostile)
    assert not progress.problem
    assert_not_run(progress, tmp_path, "Set ELECTRA_EDU_STATE")


def test_files_are_never_writable_by_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        progress = Progress(tmp_path / "progress")
        progress.record_exercise("04", "fill_in", RIGHT)
    finally:
        os.umask(before)
    assert parts(progress).yours == ("fill_in",)


@pytest.mark.fault("Errors", seen="a deeply nested progress file ended every lesson with RecursionError")
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"form": 1, "answers": ' + b'{"a":' * 100_000,
        b'{"form": 1, "guesses": {"a": {"value": ' + b"[" * 800 + b"]" * 800 + b"}}}",
        b'{"form": 1, "opened": "' + b"x" * 20_000_000 + b'"}',
        b'{"form": 1, "answers": {"a": {"option": ' + b"9" * 5000 + b', "right": true}}}',
        b"\xff\xfe{",
    ],
    ids=["lists", "objects", "a value", "huge", "a huge number", "not UTF-8"],
)
def test_hostile_content_is_kept_aside(progress: Progress, content: bytes) -> None:
    path = progress.folder / "04.json"
    path.write_bytes(content)
    assert progress.read("04").exercises == {}
    assert "04.json was damaged" in progress.notes[0]
    assert [place.stat().st_size for place in progress.folder.glob("04.damaged-*")] == [len(content)]
    progress.record_answer("04", "a", 0, True)
    assert not progress.problem


@pytest.mark.fault("Errors", seen="a pipe under the name of a progress file made a lesson wait for ever")
def test_what_is_no_file_is_not_waited_for(progress: Progress) -> None:
    os.mkfifo(progress.folder / "05.json")
    assert progress.read("05").answers == {}
    assert "not an ordinary file" in progress.problem


def test_a_link_in_the_place_of_a_lock_empties_no_file(progress: Progress, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("a year of work", encoding="utf-8")
    (progress.folder / ".05.lock").symlink_to(tmp_path / "thesis.tex")
    progress.record_answer("05", "a", 0, True)
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "a year of work"


@pytest.mark.fault("Errors", seen="an escaped half of a surrogate pair in a progress file ended the next answer")
def test_text_that_utf_8_has_not_is_kept(progress: Progress) -> None:
    path = progress.folder / "04.json"
    path.write_text('{"form": 1, "guesses": {"\\ud800": {"value": "\\udfff"}}}', encoding="utf-8")
    progress.record_answer("04", "a", 0, True)
    assert not progress.problem
    assert set(progress.read("04").guesses) == {"\ud800"}


@pytest.mark.fault("Errors", seen="Reset deleted every .json file of the folder, also those that were not progress")
def test_other_files_of_the_folder_are_left_alone(progress: Progress, tmp_path: Path) -> None:
    foreign = progress.folder / "package.json"
    foreign.write_text("{}", encoding="utf-8")
    assert set(json.loads(progress.export(tmp_path / "mine.json").read_text(encoding="utf-8"))) == {"04"}
    progress.reset()
    assert foreign.read_text(encoding="utf-8") == "{}"
    assert not (progress.folder / "04.json").exists()
    assert not progress.notes


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NESTED = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner))
IDS = st.sampled_from(["every", "floor", "order", "fill_in", "rtd_loss"]) | st.text(max_size=3)
ENTRY = st.fixed_dictionaries({}, optional={"option": VALUES, "right": VALUES, "value": VALUES | NESTED})
FIELD = st.dictionaries(IDS, ENTRY | VALUES) | NESTED
FILES = st.fixed_dictionaries(
    {},
    optional={
        "form": st.just(1) | VALUES,
        "opened": VALUES,
        "answers": FIELD,
        "guesses": FIELD,
        "exercises": FIELD,
        "seals": FIELD,
        "level": NESTED,
    },
)


@settings(max_examples=30)
@given(FILES | NESTED)
def test_no_content_ends_a_lesson(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    folder = tmp_path_factory.mktemp("progress")
    for name in ("04", "05", "settings"):
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    progress = Progress(folder)
    Header("05", progress)
    Map(progress)
    Quiz("05", progress)
    Prediction("05", "who", progress)
    assert parts(progress).yours == ()
    progress.record_answer("05", "every", 0, True)
    assert progress.read("05").answers["every"]

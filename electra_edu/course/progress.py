"""What a learner has done, kept on this computer only: one small JSON file per lesson."""

import json
import os
import re
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from electra_edu.course.build_mode import is_building_lessons
from electra_edu.course.glossary import LEVELS, Level
from electra_edu.course.lessons import lessons
from electra_edu.course.signatures import is_signed, sign
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError
from electra_edu.support.fields import ContentError, Fields
from electra_edu.support.files import write_whole
from electra_edu.support.user_state import StateError, doubt_about

FOLDER_VARIABLE = "ELECTRA_EDU_PROGRESS"  # environment variable that names another folder
PATIENCE = 5.0  # seconds to wait for another kernel that writes the same file
SETTINGS = "settings"
FORM = 1  # of the files; a file of another form is kept aside
MOST_BYTES = 10_000_000  # of a file; a whole course is some kilobytes


class ProgressError(ElectraEduError, OSError):
    """Progress cannot be exported or reset."""


@dataclass(frozen=True)
class Answer:
    """The first answer to a question: which option, by its place in the content file, and whether it was right."""

    option: int
    right: bool


@dataclass(frozen=True)
class Guess:
    """A prediction: a letter or a number; None where it was skipped."""

    value: str | float | None


@dataclass(frozen=True)
class LessonProgress:
    """What was done in one lesson."""

    opened: str = ""  # date and time of the first visit, UTC
    answers: Mapping[str, Answer] = field(default_factory=dict)  # by question
    guesses: Mapping[str, Guess] = field(default_factory=dict)  # by prediction
    exercises: Mapping[str, str] = field(default_factory=dict)  # those that passed, with the source that did
    seals: Mapping[str, str] = field(default_factory=dict, compare=False)  # of these sources


@dataclass(frozen=True)
class KeptSource:
    """The source of a function that passed its check, as a progress file has it."""

    text: str
    doubt: str  # why it is not run, and what to do; "" where this user wrote it on this computer


class Progress:
    """The folder in which progress is kept.

    Many kernels may write at once: each change reads, changes and replaces one file under a lock. A damaged file is
    kept aside and begun afresh. Where nothing can be written, `problem` says so and the lesson goes on without.
    A file is read for what it says, whoever wrote it; `source` tells which functions in it may be run.
    While lessons are built nothing is kept, and nothing known of what was done before: it would stand in their outputs.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Use `folder`, else ELECTRA_EDU_PROGRESS, else the user's data folder on this system."""
        override = os.environ.get(FOLDER_VARIABLE)
        self.folder = (
            arguments.path("folder", folder)
            if folder is not None
            else Path(override)
            if override
            else user_data_path("electra_edu", appauthor=False) / "progress"
        )
        self.problem = ""  # why nothing is kept, in a sentence
        self.notes: list[str] = []  # what was found damaged and kept aside

    def read(self, lesson: str) -> LessonProgress:
        """Return what was done in a lesson."""
        return _lesson_progress(self._load(lesson))

    def open(self, lesson: str) -> None:
        """Note that a lesson was visited."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._change(lesson, lambda done: done if done.opened else replace(done, opened=now))

    def record_answer(self, lesson: str, question: str, option: int, right: bool) -> None:
        """Keep the first answer to a question; later ones change nothing."""
        question = arguments.text("question", question)
        answer = Answer(arguments.whole_number("option", option, most=arguments.MANY), arguments.flag("right", right))
        self._change(lesson, lambda done: replace(done, answers={question: answer, **done.answers}))

    def record_guess(self, lesson: str, prediction: str, value: str | float | None) -> None:
        """Keep a prediction, in place of an earlier one."""
        prediction = arguments.text("prediction", prediction)
        if value is not None:
            is_text = isinstance(value, str)
            value = arguments.text("value", value) if is_text else arguments.finite_number("value", value)
        self._change(lesson, lambda done: replace(done, guesses={**done.guesses, prediction: Guess(value)}))

    def record_exercise(self, lesson: str, exercise: str, source: str) -> None:
        """Keep the source of a function that passed, in place of an earlier one, under a seal of this user's."""
        exercise, source = arguments.text("exercise", exercise), arguments.text("source", source)
        self._path(lesson)
        try:
            signature = sign(lesson, exercise, source)
        except StateError:
            signature = ""  # kept all the same; `source` says why it is not run
        self._change(
            lesson,
            lambda done: replace(
                done, exercises={**done.exercises, exercise: source}, seals={**done.seals, exercise: signature}
            ),
        )

    def source(self, lesson: str, exercise: str) -> KeptSource | None:
        """Return the source that passed the check of an exercise, and whether it may be run; None where there is none.

        It may where this user alone can write to the folder and the file, and where its seal says that it passed in a
        kernel of this user's on this computer.
        """
        done = self.read(lesson)
        if exercise not in done.exercises:
            return None
        text = done.exercises[exercise]
        return KeptSource(text, self._doubt(lesson, exercise, text, done.seals.get(exercise, "")))

    @property
    def level(self) -> Level:
        """The reading level that the learner chose; "curious" until then, which explains most."""
        level = self._load(SETTINGS).get("level")
        return level if level in LEVELS else "curious"

    @level.setter
    def level(self, level: Level) -> None:
        if not isinstance(level, str) or level not in LEVELS:
            arguments.refuse("level", level, f"one of {', '.join(LEVELS)}")
        self._replace(SETTINGS, lambda settings: {**settings, "level": level})

    def export(self, path: Path) -> Path:
        """Write everything into one JSON file and return its path; raises ProgressError where that is impossible."""
        path = arguments.path("path", path)
        everything = {name: data for name in (*lessons(), SETTINGS) if (data := self._load(name))}
        try:
            _write(path, everything)
        except OSError as error:
            raise ProgressError(f"{path} cannot be written: {error.strerror or error}. Name another file.") from error
        return path

    def reset(self, lesson: str | None = None) -> None:
        """Forget what was done in a lesson, or in all; the reading level stays. Raises ProgressError on failure."""
        try:
            for name in lessons() if lesson is None else [lesson]:
                self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise ProgressError(f"{self.folder} cannot be changed: {error.strerror or error}.") from error

    def _path(self, name: str) -> Path:
        if not isinstance(name, str) or not re.fullmatch(r"[\w-]+", name):  # else it could lead out of the folder
            arguments.refuse("lesson", name, "the number of a lesson, for example '06'")
        return self.folder / f"{name}.json"

    def _load(self, name: str) -> dict[str, Any]:
        """Return the content of a file, {} where there is none; a damaged one is kept aside under another name."""
        path = self._path(name)
        if is_building_lessons():
            return {}
        try:
            data = json.loads(_text_of(path))
            if not isinstance(data, dict) or data.get("form") != FORM:
                raise ValueError("not of this form")
            if name != SETTINGS:
                _lesson_progress(data)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (ValueError, RecursionError):  # ContentError among them; RecursionError: nested too deeply
            self._keep_aside(path)
            return {}
        except OSError as error:
            self.problem = (
                f"Progress is not kept: {path} cannot be read ({error.strerror or error}). Set {FOLDER_VARIABLE} to a "
                "folder that can."
            )
            return {}
        return data

    def _doubt(self, lesson: str, exercise: str, source: str, mark: str) -> str:
        """Say why a source is not run, and what to do; "" where it may be run."""
        path, again = self._path(lesson), f"run the cell of its exercise in lesson {lesson} again"
        try:
            if doubt := doubt_about(self.folder, self.folder.stat()):
                return f"{doubt}; or set {FOLDER_VARIABLE} to a folder of yours and {again}"
            if path.is_symlink():
                return f"{path} is a link to another file: {again}"
            if doubt := doubt_about(path, path.stat()):
                return f"{doubt}: {again}"
            if not is_signed(lesson, exercise, source, mark):
                return f"it was not checked by you on this computer: {again}"
        except OSError as error:  # StateError among them
            return str(error).removesuffix(".")
        return ""

    def _keep_aside(self, path: Path) -> None:
        aside = path.with_name(f"{path.stem}.damaged-{time.time_ns()}")
        try:
            path.rename(aside)
            self.notes.append(f"{path.name} was damaged; it is kept as {aside.name}, and that lesson begins afresh.")
        except OSError:
            pass  # another kernel was quicker, or nothing can be written: `_replace` will say so

    def _change(self, lesson: str, change: Callable[[LessonProgress], LessonProgress]) -> None:
        self._replace(lesson, lambda data: asdict(change(_lesson_progress(data))))

    def _replace(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Read, change and replace one file, alone."""
        path = self._path(name)
        if is_building_lessons():
            return
        try:
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            with FileLock(self.folder / f".{name}.lock", timeout=PATIENCE):
                _write(path, {**change(self._load(name)), "form": FORM})
        except Timeout:
            self.problem = f"Progress is not kept: another program holds {self.folder}."
        except OSError as error:
            self.problem = (
                f"Progress is not kept: {self.folder} cannot be written ({error.strerror or error}). Set "
                f"{FOLDER_VARIABLE} to a folder that can."
            )
        else:
            self.problem = ""


def progress_or_default(progress: Progress | None) -> Progress:
    """Return the progress that was passed, or the learner's own where it is None."""
    if progress is None:
        return Progress()
    return arguments.instance("progress", progress, Progress, "edu.course.Progress()")


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """Write a file that others cannot write to; escapes let it hold text that UTF-8 cannot."""
    write_whole(path, json.dumps(data, indent=1), mode=0o644)


def _text_of(path: Path) -> str:
    """Return the text of a file; raises ValueError where it is too large, OSError where it is no file, but a pipe."""
    at_once = getattr(os, "O_NONBLOCK", 0)  # a pipe is not waited for
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | at_once)) as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode):
            raise OSError("it is not an ordinary file")
        if info.st_size > MOST_BYTES:
            raise ValueError("too large")
        return file.read().decode()


def _lesson_progress(data: dict[str, Any]) -> LessonProgress:
    """Read what `asdict` wrote; raises ContentError where it is something else."""
    fields = Fields("progress", {name: value for name, value in data.items() if name != "form"})
    answers = fields.take("answers", dict, {})
    guesses = fields.take("guesses", dict, {})
    done = LessonProgress(
        fields.take("opened", str, ""),
        {name: _answer(each) for name, each in answers.items()},
        {
            name: Guess(Fields("guess", each).take("value", (str, int, float, type(None))))
            for name, each in guesses.items()
        },
        fields.take("exercises", dict, {}),
        fields.take("seals", dict, {}),
    )
    fields.end()
    if not all(isinstance(text, str) for text in (*done.exercises.values(), *done.seals.values())):
        raise ContentError("progress: exercises and seals must be texts.")
    return done


def _answer(data: Any) -> Answer:
    fields = Fields("answer", data)
    return Answer(fields.take("option", int), fields.take("right", bool))

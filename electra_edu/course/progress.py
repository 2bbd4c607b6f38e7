"""What a learner has done in all lessons, saved on this computer only, and which saved solutions may be run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from electra_edu.course.glossary import LEVELS, Level
from electra_edu.course.lesson_progress import Answer, Guess, LessonProgress, from_json, to_json
from electra_edu.course.lessons import lessons
from electra_edu.course.progress_folder import FOLDER_VARIABLE, Content, ProgressFolder, with_form, write_json
from electra_edu.course.signatures import is_signed, sign
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError
from electra_edu.support.user_state import StateError, why_untrusted

SETTINGS = "settings"


class ProgressError(ElectraEduError, OSError):
    """Progress cannot be exported or reset."""


@dataclass(frozen=True)
class SavedSource:
    """The source of a function that passed its check, as a progress file has it."""

    text: str
    problem: str  # why it is not run, and what to do; "" where this user wrote it on this computer


class Progress(ProgressFolder):
    """A learner's progress: one file for each lesson, and one for the settings.

    A file is read for what it says, whoever wrote it. `source` tells which functions in it may be run.
    """

    def read(self, lesson: str) -> LessonProgress:
        """Return what was done in a lesson."""
        return from_json(self.load(lesson))

    def open(self, lesson: str) -> None:
        """Note that a lesson was visited."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._update(lesson, lambda done: done if done.opened else replace(done, opened=now))

    def record_answer(self, lesson: str, question: str, option: int, right: bool) -> None:
        """Save the first answer to a question; later ones change nothing."""
        question = arguments.text("question", question)
        answer = Answer(
            arguments.whole_number("option", option, most=arguments.MAX_INT64), arguments.flag("right", right)
        )
        self._update(lesson, lambda done: replace(done, answers={question: answer, **done.answers}))

    def record_guess(self, lesson: str, prediction: str, value: str | float | None) -> None:
        """Save a prediction, in place of an earlier one."""
        prediction = arguments.text("prediction", prediction)
        if value is not None:
            is_text = isinstance(value, str)
            value = arguments.text("value", value) if is_text else arguments.finite_number("value", value)
        self._update(lesson, lambda done: replace(done, guesses={**done.guesses, prediction: Guess(value)}))

    def record_exercise(self, lesson: str, exercise: str, source: str) -> None:
        """Save and sign the source of a function that passed its check, in place of an earlier one."""
        exercise, source = arguments.text("exercise", exercise), arguments.text("source", source)
        self.path(lesson)  # refuses a wrong lesson before anything is signed
        try:
            signature = sign(lesson, exercise, source)
        except StateError:
            signature = ""  # it is saved all the same; `source` says why it is not run
        self._update(
            lesson,
            lambda done: replace(
                done,
                exercises={**done.exercises, exercise: source},
                signatures={**done.signatures, exercise: signature},
            ),
        )

    def source(self, lesson: str, exercise: str) -> SavedSource | None:
        """Return the source that passed the check of an exercise, and whether it may be run; None where there is none.

        It may be run if only this user can write to the folder and the file, and if its signature says that it passed
        in a kernel of this user's on this computer.
        """
        done = self.read(lesson)
        if exercise not in done.exercises:
            return None
        text, signature = done.exercises[exercise], done.signatures.get(exercise, "")
        return SavedSource(text, self._problem_with(lesson, exercise, text, signature))

    @property
    def level(self) -> Level:
        """The reading level that the learner chose; "curious" until then, which explains most."""
        level = self.load(SETTINGS).get("level")
        return level if level in LEVELS else "curious"

    @level.setter
    def level(self, level: Level) -> None:
        if not isinstance(level, str) or level not in LEVELS:
            arguments.refuse("level", level, f"one of {', '.join(LEVELS)}")
        self.change(SETTINGS, lambda settings: {**settings, "level": level})

    def export(self, path: Path) -> Path:
        """Write everything into one JSON file and return its path; raises ProgressError where that is impossible."""
        path = arguments.path("path", path)
        everything = {name: with_form(content) for name in (*lessons(), SETTINGS) if (content := self.load(name))}
        try:
            write_json(path, everything)
        except OSError as error:
            raise ProgressError(f"{path} cannot be written: {error.strerror or error}. Name another file.") from error
        return path

    def reset(self, lesson: str | None = None) -> None:
        """Forget what was done in a lesson, or in all; the reading level stays. Raises ProgressError on failure."""
        try:
            for name in lessons() if lesson is None else [lesson]:
                self.path(name).unlink(missing_ok=True)
        except OSError as error:
            raise ProgressError(
                f"{self.folder} cannot be changed: {error.strerror or error}. Delete its files by hand."
            ) from error

    def check(self, name: str, content: Content) -> None:
        """Raise ValueError where the content of a lesson's file is not of its form."""
        if name != SETTINGS:
            from_json(content)

    def _update(self, lesson: str, change: Callable[[LessonProgress], LessonProgress]) -> None:
        self.change(lesson, lambda content: to_json(change(from_json(content))))

    def _problem_with(self, lesson: str, exercise: str, source: str, signature: str) -> str:
        """Say why a source is not run, and what to do; "" where it may be run."""
        path, again = self.path(lesson), f"run the cell of its exercise in lesson {lesson} again"
        try:
            if doubt := why_untrusted(self.folder, self.folder.stat()):
                return f"{doubt}; or set {FOLDER_VARIABLE} to a folder of yours and {again}"
            if path.is_symlink():
                return f"{path} is a link to another file: {again}"
            if doubt := why_untrusted(path, path.stat()):
                return f"{doubt}: {again}"
            if not is_signed(lesson, exercise, source, signature):
                return f"it was not checked by you on this computer: {again}"
        except OSError as error:  # StateError among them
            return str(error).removesuffix(".")
        return ""


def progress_or_default(progress: Progress | None) -> Progress:
    """Return the progress that was passed, or the learner's own where it is None."""
    if progress is None:
        return Progress()
    return arguments.instance("progress", progress, Progress, "edu.course.Progress()")

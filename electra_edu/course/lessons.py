"""The lessons as data: titles, what each lets the learner do, its predictions, its quiz."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from electra_edu.course.content_files import content, missing
from electra_edu.support.fields import ContentError, Fields

PARTS = {"I": "The idea", "II": "Training it", "III": "Using and judging it"}
LETTERS = "abcdef"


@dataclass(frozen=True)
class Option:
    """One answer to a question, and what is right or wrong about it."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question of a quiz with exactly one right option."""

    id: str
    question: str
    options: tuple[Option, ...]
    instrument: bool = False  # whether it can only be answered by using the lesson's panel


@dataclass(frozen=True)
class PredictionTask:
    """Something to guess before it is shown: one of the `options` (a, b, c …) or, without options, a number."""

    id: str
    question: str
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 100.0
    step: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class Lesson:
    """A lesson of the course; one that is not written yet has only a title and a question."""

    number: str
    title: str
    part: str
    file: str  # of the notebook, without ".ipynb"
    question: str
    lit: tuple[str, ...] = ()
    minutes: int = 0
    can: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()
    predictions: tuple[PredictionTask, ...] = ()
    quiz: tuple[Question, ...] = ()

    @property
    def is_written(self) -> bool:
        """Whether there is a notebook."""
        return self.minutes > 0

    def prediction(self, name: str) -> PredictionTask:
        """Return a prediction; raises ElectraEduError where the lesson has none of this name."""
        known = {task.id: task for task in self.predictions}
        if not isinstance(name, str) or name not in known:
            raise missing(f"prediction of lesson {self.number}:", name, known)
        return known[name]


@cache
def lessons() -> dict[str, Lesson]:
    """Return all lessons by their numbers, "00" to "15"; raises ContentError where a file breaks the form."""
    return {
        name.removesuffix(".json"): read_lesson(name.removesuffix(".json"), data) for name, data in content("lessons")
    }


def lesson(number: str) -> Lesson:
    """Return a lesson, for example "06"; raises ElectraEduError where there is none."""
    if not isinstance(number, str) or number not in lessons():
        raise missing("lesson", number, lessons())
    return lessons()[number]


def read_lesson(number: str, data: Any) -> Lesson:
    """Read a lesson's content file; raises ContentError where it breaks the form."""
    fields = Fields(f"lesson {number}", data)
    found = Lesson(
        number,
        title=fields.take("title", str),
        part=fields.take("part", str),
        file=fields.take("file", str),
        question=fields.take("question", str),
        lit=fields.texts("lit", ()),
        minutes=fields.take("minutes", int, 0),
        can=fields.texts("can", ()),
        exercises=fields.texts("exercises", ()),
        predictions=tuple(
            _prediction(f"lesson {number}, prediction {name!r}", name, each)
            for name, each in fields.take("predictions", dict, {}).items()
        ),
        quiz=tuple(
            _question(f"lesson {number}, question {i}", each) for i, each in enumerate(fields.take("quiz", list, []), 1)
        ),
    )
    fields.end()
    if found.part not in PARTS:
        raise ContentError(f"lesson {number}: part must be one of {', '.join(PARTS)}.")
    if not found.file.startswith(f"{number}_"):
        raise ContentError(f"lesson {number}: its file {found.file!r} must begin with {number}_.")
    if len({question.id for question in found.quiz}) < len(found.quiz):
        raise ContentError(f"lesson {number}: two questions of the quiz have the same id.")
    return found


def _prediction(where: str, name: str, data: Any) -> PredictionTask:
    fields = Fields(where, data)
    question, options = fields.take("question", str), fields.texts("options", ())
    number = (int, float)
    low, high, step = (
        float(fields.take(field, number, default)) for field, default in (("low", 0), ("high", 100), ("step", 1))
    )
    task = PredictionTask(name, question, options, low, high, step, fields.take("unit", str, ""))
    fields.end()
    if options and not 2 <= len(options) <= len(LETTERS):
        raise ContentError(f"{where}: two to {len(LETTERS)} options, or none for a number.")
    if not (low < high and 0 < step <= high - low):
        raise ContentError(f"{where}: low must lie below high, and step between them.")
    return task


def _question(where: str, data: Any) -> Question:
    fields = Fields(where, data)
    name, question = fields.take("id", str), fields.take("question", str)
    options = tuple(
        _option(f"{where} ({name}), option {i}", each) for i, each in enumerate(fields.take("options", list), 1)
    )
    found = Question(name, question, options, fields.take("instrument", bool, False))
    fields.end()
    if sum(option.right for option in options) != 1:
        raise ContentError(f"{where} ({name}): exactly one option must be right.")
    if len({option.text for option in options}) < len(options):
        raise ContentError(f"{where} ({name}): two options say the same.")
    return found


def _option(where: str, data: Any) -> Option:
    fields = Fields(where, data)
    option = Option(fields.take("text", str), fields.take("why", str), fields.take("right", bool, False))
    fields.end()
    return option

"""The lessons as data: their titles, goals, predictions and quizzes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from electra_edu.course.content_files import content, unknown_name
from electra_edu.support.validation import ContentError, Strict, validated

PARTS = {"I": "The idea", "II": "Training it", "III": "Using and judging it"}
LETTERS = "abcdef"


@dataclass(frozen=True)
class Option(Strict):
    """One answer to a question, and what is right or wrong about it."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question(Strict):
    """A question of a quiz with exactly one right option."""

    id: str
    question: str
    options: tuple[Option, ...]
    instrument: bool = False  # whether it can only be answered by using the lesson's panel

    def __post_init__(self) -> None:
        if sum(option.right for option in self.options) != 1:
            raise ValueError(f"exactly one option of {self.id!r} must be right.")
        if len({option.text for option in self.options}) < len(self.options):
            raise ValueError(f"two options of {self.id!r} say the same.")


@dataclass(frozen=True)
class PredictionTask(Strict):
    """Something to guess before it is shown: one of the `options` (a, b, c …) or, without options, a number."""

    question: str
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 100.0
    step: float = 1.0
    unit: str = ""

    def __post_init__(self) -> None:
        if self.options and not 2 <= len(self.options) <= len(LETTERS):
            raise ValueError(f"give two to {len(LETTERS)} options, or none for a number.")
        if not (self.low < self.high and 0 < self.step <= self.high - self.low):
            raise ValueError("low must lie below high, and step must fit between them.")

    @property
    def choices(self) -> dict[str, str | float]:
        """What can be guessed: a letter or a number for each text that a panel shows."""
        if self.options:
            return {self.describe(letter): letter for letter in LETTERS[: len(self.options)]}
        count = round((self.high - self.low) / self.step) + 1
        values = (round(self.low + i * self.step, 10) for i in range(count))
        return {f"{value:g}{self._unit}": value for value in values}

    def describe(self, value: str | float) -> str:
        """Write a guess or an answer: "(a) the left one", "35%"."""
        if isinstance(value, str):
            return f"({value}) {self.options[LETTERS.index(value)]}"
        return f"{value:.4g}{self._unit}"

    @property
    def _unit(self) -> str:
        return self.unit if self.unit == "%" else f" {self.unit}".rstrip()


@dataclass(frozen=True)
class Lesson(Strict):
    """A lesson of the course; one that is not written yet has only a title and a question."""

    title: str
    part: Literal["I", "II", "III"]
    file: str  # of the notebook, without ".ipynb"
    question: str
    lit: tuple[str, ...] = ()  # parts of the machine's picture that the lesson is about
    minutes: int = 0
    goals: tuple[str, ...] = ()  # what the learner can do afterwards
    exercises: tuple[str, ...] = ()
    predictions: Mapping[str, PredictionTask] = field(default_factory=dict)  # by the names that notebooks ask for
    quiz: tuple[Question, ...] = ()

    def __post_init__(self) -> None:
        if len({question.id for question in self.quiz}) < len(self.quiz):
            raise ValueError("two questions of the quiz have the same id.")
        if not all((*self.lit, *self.goals, *self.exercises)):
            raise ValueError("lit, goals and exercises must list texts that are not empty.")

    @property
    def number(self) -> str:
        """The number that the notebook's name begins with, for example "06"."""
        return self.file.partition("_")[0]

    @property
    def is_written(self) -> bool:
        """Whether there is a notebook."""
        return self.minutes > 0

    def prediction(self, name: str) -> PredictionTask:
        """Return a prediction; raises ElectraEduError where the lesson has none of this name."""
        if not isinstance(name, str) or name not in self.predictions:
            raise unknown_name(f"prediction of lesson {self.number}:", name, self.predictions)
        return self.predictions[name]


@cache
def lessons() -> dict[str, Lesson]:
    """Return all lessons by their numbers, "00" to "15"; raises ContentError where a file breaks the form."""
    return {
        name.removesuffix(".json"): read_lesson(name.removesuffix(".json"), data) for name, data in content("lessons")
    }


def lesson(number: str) -> Lesson:
    """Return a lesson, for example "06"; raises ElectraEduError where there is none."""
    if not isinstance(number, str) or number not in lessons():
        raise unknown_name("lesson", number, lessons())
    return lessons()[number]


def read_lesson(number: str, data: Any) -> Lesson:
    """Read a lesson's content file; raises ContentError where it breaks the form."""
    found = validated(Lesson, data, f"lesson {number}")
    if found.number != number:
        raise ContentError(f"lesson {number}: its file {found.file!r} must begin with {number}_.")
    return found

"""What a learner has done in one lesson, and its form in a file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from electra_edu.course.lessons import Lesson

FIELDS = {"opened", "answers", "guesses", "exercises", "seals"}  # of a file


@dataclass(frozen=True)
class Answer:
    """The first answer to a question: which option, by its index in the content file, and whether it was right."""

    option: int
    right: bool

    def __post_init__(self) -> None:
        _require(type(self.option) is int and type(self.right) is bool)


@dataclass(frozen=True)
class Guess:
    """A prediction: a letter or a number; None where it was skipped."""

    value: str | float | None

    def __post_init__(self) -> None:
        _require(self.value is None or type(self.value) in (str, int, float))


@dataclass(frozen=True)
class LessonProgress:
    """What was done in one lesson."""

    opened: str = ""  # date and time of the first visit, UTC
    answers: Mapping[str, Answer] = field(default_factory=dict)  # by question
    guesses: Mapping[str, Guess] = field(default_factory=dict)  # by prediction
    exercises: Mapping[str, str] = field(default_factory=dict)  # source of those that passed
    signatures: Mapping[str, str] = field(default_factory=dict, compare=False)  # of these sources

    def __post_init__(self) -> None:
        texts = [self.opened, *self.exercises.values(), *self.signatures.values()]
        _require(all(isinstance(text, str) for text in texts))


def to_json(progress: LessonProgress) -> dict[str, Any]:
    """Return the content of a file that `from_json` reads. The signatures are called seals there, as ever."""
    data = asdict(progress)
    return data | {"seals": data.pop("signatures")}


def from_json(data: Mapping[str, Any]) -> LessonProgress:
    """Read the content of a file; raises ValueError where it is not of the form that `to_json` gives it.

    By hand, since pydantic refuses texts with half of a surrogate pair. One in an answer would cost all the others.
    """
    _require(data.keys() <= FIELDS)
    try:
        return LessonProgress(
            opened=data.get("opened", ""),
            answers={name: Answer(**each) for name, each in data.get("answers", {}).items()},
            guesses={name: Guess(**each) for name, each in data.get("guesses", {}).items()},
            exercises=data.get("exercises", {}),
            signatures=data.get("seals", {}),
        )
    except (TypeError, AttributeError) as error:  # a list or a number in the place of an object
        raise ValueError("not the progress of a lesson") from error


def completion(lesson: Lesson, done: LessonProgress) -> list[tuple[str, int, int]]:
    """Return (kind, done, all) of what the lesson has, such as ("quiz", 2, 4). What it has none of is left out."""
    kinds = (
        ("quiz", done.answers, [question.id for question in lesson.quiz]),
        ("exercises", done.exercises, lesson.exercises),
        ("predictions", done.guesses, lesson.predictions),
    )
    return [(kind, sum(each in finished for each in known), len(known)) for kind, finished, known in kinds if known]


def _require(is_valid: bool) -> None:
    if not is_valid:
        raise ValueError("not the progress of a lesson")

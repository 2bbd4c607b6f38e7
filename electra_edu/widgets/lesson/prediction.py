"""Prediction: a guess before the result, locked in, and shown beside what came out."""

import html
import math
from typing import ClassVar
from weakref import WeakValueDictionary

import ipywidgets as widgets
from IPython.display import display

from electra_edu.course.build_mode import is_building_lessons
from electra_edu.course.lessons import LETTERS, PredictionTask, lesson
from electra_edu.course.progress import Progress, progress_or_default
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.charts.pictures import Figure, show
from electra_edu.widgets.lesson.course_style import CourseStyle
from electra_edu.widgets.lesson.header import Header
from electra_edu.widgets.lesson.outcome import Outcome
from electra_edu.widgets.parts import saved_text
from electra_edu.widgets.parts.knobs import Button, Slider


class Prediction:
    """A question to be answered before the result is shown; `reveal` shows the result once it is, or was skipped.

    The two may run in any order and again. What was locked in is saved as progress and is there at the next visit.
    """

    # A question whose cell is run again must open the result that is still shown further down
    _outcomes: ClassVar["WeakValueDictionary[tuple[str, str], Outcome]"] = WeakValueDictionary()

    def __init__(self, number: str, name: str, progress: Progress | None = None) -> None:
        """Ask the prediction `name` of a lesson; raises ElectraEduError where there is none."""
        self.lesson, self.name, self.task = lesson(number), name, lesson(number).prediction(name)
        self._progress = progress_or_default(progress)
        self.outcome = self._outcomes.get((number, name))
        self.value: str | float | None = None  # the guess: a letter or a number
        self.is_locked = False
        self.choice = _choice(self.task)
        self.lock_button = Button("Lock in", "Lock in your prediction and see the result", self._toggle, "primary")
        self.skip_button = Button("Skip", "See the result without a prediction", self.skip)
        self.state = widgets.HTML(layout=widgets.Layout(margin="2px 2px 2px 10px"))
        question = f"<p><b>Predict: {html.escape(self.task.question)}</b></p>"
        row = widgets.HBox([self.lock_button, self.skip_button, self.state])
        self.panel = widgets.VBox([CourseStyle(), widgets.HTML(question), self.choice, row])
        self.panel.add_class("edu-prediction")
        self._restore()
        self._refresh()

    def lock(self) -> None:
        """Lock in what is chosen, and show the result if it is known."""
        if self.choice.value is None:
            self.state.value = "<p role='status'>Choose one first, or skip.</p>"
            return
        self._lock_in(self.choice.value)
        self._save()

    def skip(self) -> None:
        """Show the result without a prediction."""
        self._lock_in(None)
        self._save()

    def unlock(self) -> None:
        """Allow another guess; the result is covered again."""
        self.is_locked = False
        self.choice.disabled = False
        self.skip_button.layout.display = ""
        self.lock_button.description, self.lock_button.button_style = "Lock in", "primary"
        self.state.value = ""
        self._refresh()

    def reveal(self, answer: str | float, text: str, figure: Figure | None = None) -> None:
        """Give the result: the right letter or number, a sentence or two, perhaps a figure. Shown once locked.

        Raises ElectraEduError where `answer` is none of the options, or no number for a question that asks for one.
        """
        if not isinstance(figure, Figure | None):
            raise ElectraEduError(f"figure={figure!r}: must be a matplotlib Figure, for example of plt.subplots().")
        answer = self._checked(answer)
        sentence = self._sentence(answer)
        if is_building_lessons():
            if figure is not None:
                show(figure, text)
            saved_text.show_text(
                f"<p><b>{html.escape(sentence)}</b></p><p>{html.escape(text)}</p>", f"{sentence} {text}"
            )
            return
        self.outcome = self._outcomes[self.lesson.number, self.name] = Outcome(answer, text, figure)
        self._refresh()
        display(self.outcome.panel)
        if figure is not None:
            show(figure, text)
        saved_text.show_saved_copy(f"<p>{html.escape(text)}</p>", f"{sentence} {text}")

    def _toggle(self) -> None:
        if self.is_locked:
            self.unlock()
        else:
            self.lock()

    def _save(self) -> None:
        self._progress.record_guess(self.lesson.number, self.name, self.value)
        Header.refresh_all()

    def _restore(self) -> None:
        """Lock in the guess of an earlier visit; one that is no longer among the choices is forgotten."""
        earlier = self._progress.read(self.lesson.number).guesses.get(self.name)
        if earlier is None:
            return
        if earlier.value is not None:
            if earlier.value not in self.task.choices.values():
                return
            self.choice.value = earlier.value
        self._lock_in(earlier.value, "At an earlier visit. ")

    def _lock_in(self, value: str | float | None, when: str = "") -> None:
        self.value, self.is_locked = value, True
        self.choice.disabled = True
        self.skip_button.layout.display = "none"
        self.lock_button.description, self.lock_button.button_style = "Predict again", ""
        words = "Skipped." if value is None else f"Locked in: {self._described(value)}."
        self.state.value = f"<p role='status'>{when}{html.escape(words)}</p>"
        self._refresh()

    def _refresh(self) -> None:
        """Show the result where the guess is locked in, else cover it."""
        if self.outcome is None:
            return
        if self.is_locked:
            self.outcome.show(self._comparison(self.outcome.answer))
        else:
            self.outcome.cover()

    def _comparison(self, answer: str | float) -> str:
        """Say what came out and what was guessed, as HTML."""
        came_out = f"<b>{html.escape(self._sentence(answer))}</b>"
        if self.value is None:
            return came_out
        guessed = f"{came_out} You predicted {html.escape(self._described(self.value))}"
        if isinstance(answer, str):
            return f"{guessed}: ✓ as you said." if self.value == answer else f"{guessed}. ✗ Surprised?"
        away = abs(float(self.value) - answer)
        return f"{guessed}: ✓ close." if away <= self.task.step else f"{guessed}, {self.task.describe(away)} away."

    def _sentence(self, answer: str | float) -> str:
        return f"It is {self._described(answer)}."

    def _described(self, value: str | float) -> str:
        """Describe a guess or an answer inside a sentence, which ends with a full stop of its own."""
        return self.task.describe(value).rstrip(".")

    def _checked(self, answer: str | float) -> str | float:
        where = f"answer={answer!r}: prediction {self.name!r} of lesson {self.lesson.number}"
        if self.task.options:
            letters = LETTERS[: len(self.task.options)]
            if not isinstance(answer, str) or len(answer) != 1 or answer not in letters:
                raise ElectraEduError(f"{where} is answered by a letter, one of {', '.join(letters)}.")
            return answer
        try:
            number = math.nan if isinstance(answer, str | bool) else float(answer)
        except (TypeError, ValueError, RuntimeError):  # None, a list, a tensor of several numbers
            number = math.nan
        if not math.isfinite(number):
            raise ElectraEduError(f"{where} is answered by a number.")
        return number

    def _ipython_display_(self) -> None:
        """Show the question and, in an output of its own, its text for readers without a kernel."""
        if not is_building_lessons():
            display(self.panel)
        question = f"Predict: {self.task.question}"
        options = list(self.task.choices) if self.task.options else []
        listed = "".join(f"<li>{html.escape(option)}</li>" for option in options)
        markup = f"<p><b>{html.escape(question)}</b></p>" + (f"<ul>{listed}</ul>" if listed else "")
        saved_text.show_saved_copy(markup, "\n".join([question, *options]))


def _choice(task: PredictionTask) -> widgets.Widget:
    labels, values = list(task.choices), list(task.choices.values())
    if task.options:
        options = list(zip(labels, values, strict=True))
        return widgets.RadioButtons(options=options, value=None, layout=widgets.Layout(width="auto"))
    by_value = dict(zip(values, labels, strict=True))
    return Slider("your guess", values, values[len(values) // 2], by_value.__getitem__, width="420px")

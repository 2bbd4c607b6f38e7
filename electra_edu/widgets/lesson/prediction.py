"""Prediction: a guess before the result, locked in, and shown beside what came out."""

import html
import math
from base64 import b64encode
from typing import ClassVar
from weakref import WeakValueDictionary

import ipywidgets as widgets
from IPython.display import display

from electra_edu.course.build_mode import is_building_lessons
from electra_edu.course.lessons import LETTERS, PredictionTask, lesson
from electra_edu.course.progress import Progress, progress_or_default
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.charts.pictures import Figure, figure_png, show
from electra_edu.widgets.lesson.course_style import CourseStyle
from electra_edu.widgets.lesson.header import Header
from electra_edu.widgets.parts import saved_text
from electra_edu.widgets.parts.knobs import button, choices

COVER = (
    "<p class='edu-note'>Your prediction first: lock it in above, or press <b>Skip</b>. The result is waiting here.</p>"
)


class Prediction:
    """A question to be answered before the result is shown; `reveal` shows the result once it is, or was skipped.

    The two may run in any order and again. What was locked in is kept as progress and stands there at the next visit.
    """

    # So that a question asked anew, its cell run again, opens the result that still stands further down
    _shown: ClassVar["WeakValueDictionary[tuple[str, str], _Outcome]"] = WeakValueDictionary()

    def __init__(self, number: str, name: str, progress: Progress | None = None) -> None:
        """Ask the prediction `name` of a lesson; raises ElectraEduError where there is none."""
        self.lesson, self.name, self.task = lesson(number), name, lesson(number).prediction(name)
        self._progress = progress_or_default(progress)
        self._outcome = self._shown.get((number, name))
        self.value: str | float | None = None  # the guess: a letter or a number
        self.is_locked = False
        self.choice = _choice(self.task)
        self.lock_button = button("Lock in", "Lock in your prediction and see the result", self._press, "primary")
        self.skip_button = button("Skip", "See the result without a prediction", self.skip)
        self.state = widgets.HTML(layout=widgets.Layout(margin="2px 2px 2px 10px"))
        question = f"<p><b>Predict: {html.escape(self.task.question)}</b></p>"
        row = widgets.HBox([self.lock_button, self.skip_button, self.state])
        self.panel = widgets.VBox([CourseStyle(), widgets.HTML(question), self.choice, row])
        self.panel.add_class("edu-prediction")
        before = self._progress.read(number).guesses.get(name)
        if before is not None:
            self._restore(before.value)
        self._tell()

    def lock(self) -> None:
        """Lock in what is chosen, and show the result if it is known."""
        if self.choice.value is None:
            self.state.value = "<p role='status'>Choose one first, or skip.</p>"
            return
        self._settle(self.choice.value)
        self._keep()

    def skip(self) -> None:
        """Show the result without a prediction."""
        self._settle(None)
        self._keep()

    def unlock(self) -> None:
        """Allow another guess; the result is covered again."""
        self.is_locked = False
        self.choice.disabled = False
        self.skip_button.layout.display = ""
        self.lock_button.description, self.lock_button.button_style = "Lock in", "primary"
        self.state.value = ""
        self._tell()

    def reveal(self, answer: str | float, text: str, figure: Figure | None = None) -> None:
        """Give the result: the right letter or number, a sentence or two, perhaps a figure. Shown once locked.

        Raises ElectraEduError where `answer` is none of the options, or no number for a question that asks for one.
        """
        if not isinstance(figure, Figure | None):
            raise ElectraEduError(f"figure={figure!r}: must be a matplotlib Figure, for example of plt.subplots().")
        self._outcome = _Outcome(self._checked(answer), text, figure)
        if is_building_lessons():
            if figure is not None:
                show(figure, text)
            saved_text.show_text(
                f"<p>{self._outcome_words()}</p><p>{html.escape(text)}</p>", f"{self._answer_words()} {text}"
            )
            return
        self._shown[self.lesson.number, self.name] = self._outcome
        self._tell()
        display(self._outcome.panel)
        if figure is not None:
            show(figure, text)
        saved_text.show_twin(f"<p>{html.escape(text)}</p>", f"{self._answer_words()} {text}")

    def _keep(self) -> None:
        self._progress.record_guess(self.lesson.number, self.name, self.value)
        Header.refresh_all()

    def _press(self) -> None:
        if self.is_locked:
            self.unlock()
        else:
            self.lock()

    def _restore(self, value: str | float | None) -> None:
        """Stand as locked at an earlier visit; a guess that is no longer among the choices is forgotten."""
        if value is not None:
            if value not in [option for _, option in self.choice.options]:
                return
            self.choice.value = value
        self._settle(value, "At an earlier visit. ")

    def _settle(self, value: str | float | None, before: str = "") -> None:
        self.value, self.is_locked = value, True
        self.choice.disabled = True
        self.skip_button.layout.display = "none"
        self.lock_button.description, self.lock_button.button_style = "Predict again", ""
        words = "Skipped." if value is None else f"Locked in: {self._written(value)}."
        self.state.value = f"<p role='status'>{before}{html.escape(words)}</p>"
        self._tell()

    def _tell(self) -> None:
        """Show the result, or cover it."""
        if self._outcome is None:
            return
        if self.is_locked:
            self._outcome.show(f"<p role='status'>{self._outcome_words()}</p><p>{html.escape(self._outcome.text)}</p>")
        else:
            self._outcome.cover()

    def _answer_words(self) -> str:
        assert self._outcome is not None
        return f"It is {self._written(self._outcome.answer)}."

    def _outcome_words(self) -> str:
        """Say what was guessed and what came out, as HTML."""
        assert self._outcome is not None
        answer = self._outcome.answer
        came = f"<b>{html.escape(self._answer_words())}</b>"
        if self.value is None:
            return came
        yours = f"You predicted {html.escape(self._written(self.value))}"
        if isinstance(answer, str):
            return f"{came} {yours}{': ✓ as you said.' if self.value == answer else '. ✗ Surprised?'}"
        away = abs(float(self.value) - answer)
        close = away <= self.task.step
        return f"{came} {yours}{': ✓ close.' if close else f', {self._number(away)} away.'}"

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

    def _written(self, value: str | float) -> str:
        if isinstance(value, str):
            return f"({value}) {self.task.options[LETTERS.index(value)]}".rstrip(".")
        return self._number(value)

    def _number(self, value: float) -> str:
        unit = self.task.unit
        return f"{value:.4g}{unit if unit == '%' else f' {unit}'.rstrip()}"

    def _ipython_display_(self) -> None:
        """Show the question and, in an output of its own, its text for readers without a kernel."""
        if not is_building_lessons():
            display(self.panel)
        question = f"Predict: {self.task.question}"
        options = [f"({letter}) {text}" for letter, text in zip(LETTERS, self.task.options, strict=False)]
        listed = "".join(f"<li>{html.escape(option)}</li>" for option in options)
        markup = f"<p><b>{html.escape(question)}</b></p>" + (f"<ul>{listed}</ul>" if listed else "")
        saved_text.show_twin(markup, "\n".join([question, *options]))


class _Outcome:
    """A result: what it is, and the place in the cell that computed it."""

    def __init__(self, answer: str | float, text: str, figure: Figure | None) -> None:
        self.answer, self.text = answer, text
        self._words = widgets.HTML(COVER)
        self._picture = widgets.HTML(layout=widgets.Layout(display="none"))
        if figure is not None:  # no widgets.Image: that one has no alternative text
            data = b64encode(figure_png(figure)).decode()
            self._picture.value = f'<img alt="{html.escape(text)}" src="data:image/png;base64,{data}">'
        self.panel = widgets.VBox([CourseStyle(), self._words, self._picture])
        self.panel.add_class("edu-prediction")
        self.panel.add_class("edu-outcome")

    def show(self, markup: str) -> None:
        self._words.value = markup
        self._picture.layout.display = "" if self._picture.value else "none"

    def cover(self) -> None:
        self._words.value = COVER
        self._picture.layout.display = "none"


def _choice(task: PredictionTask) -> widgets.Widget:
    if task.options:
        options = [(f"({letter}) {text}", letter) for letter, text in zip(LETTERS, task.options, strict=False)]
        return widgets.RadioButtons(options=options, value=None, layout=widgets.Layout(width="auto"))
    count = round((task.high - task.low) / task.step) + 1
    values = [round(task.low + i * task.step, 10) for i in range(count)]
    unit = task.unit if task.unit == "%" else f" {task.unit}".rstrip()
    label = f"{{:g}}{unit}".format
    return choices("your guess", values, values[count // 2], label, width="420px")

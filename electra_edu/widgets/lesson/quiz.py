"""Quiz: a lesson's questions, each with an explanation for every answer."""

import html
import random
from collections.abc import Callable, Sequence

import ipywidgets as widgets
from IPython.display import display

from electra_edu.course.build_mode import is_building_lessons
from electra_edu.course.lessons import Option, Question, lesson
from electra_edu.course.progress import Progress, progress_or_default
from electra_edu.widgets.lesson.course_style import CourseStyle
from electra_edu.widgets.lesson.header import Header
from electra_edu.widgets.parts import saved_text
from electra_edu.widgets.parts.knobs import Button

SIGNS = {True: ("✓", "Right."), False: ("✗", "Not quite.")}


class Quiz:
    """The quiz of one lesson: choose an option, press Check, read why; a wrong answer may be tried again.

    `questions` are the panels in order. The first answer to each is saved as progress.
    """

    def __init__(self, number: str, progress: Progress | None = None) -> None:
        """Build the quiz of the lesson with this number; raises ElectraEduError where there is none."""
        self.lesson = lesson(number)
        self._progress = progress_or_default(progress)
        earlier = self._progress.read(number).answers
        self.questions = [
            QuestionPanel(question, i, shuffled(question, number), self._answered)
            for i, question in enumerate(self.lesson.quiz, start=1)
        ]
        for panel in self.questions:
            if panel.question.id in earlier:
                panel.restore(earlier[panel.question.id].option)
        self.score = widgets.HTML()
        self.score.add_class("edu-quiz-score")
        self.panel = widgets.VBox([CourseStyle(), *(each.panel for each in self.questions), self.score])
        self.panel.add_class("edu-quiz")
        self._count()

    def _answered(self, panel: "QuestionPanel", option: Option) -> None:
        index = panel.question.options.index(option)
        self._progress.record_answer(self.lesson.number, panel.question.id, index, option.right)
        Header.refresh_all()
        self._count()

    def _count(self) -> None:
        right = sum(panel.is_right for panel in self.questions)
        left = "" if right < len(self.questions) else " That is all of them."
        self.score.value = f"<p role='status'>{right} of {len(self.questions)} right.{left}</p>"

    def _ipython_display_(self) -> None:
        """Show the quiz and, in an output of its own, the questions without answers for readers without a kernel."""
        if not is_building_lessons():
            display(self.panel)
        parts, plain = [], []
        for panel in self.questions:
            options = [option.text for option in panel.options]
            parts.append(
                f"<p><b>{panel.number}. {html.escape(panel.question.question)}</b></p><ul>"
                + "".join(f"<li>{html.escape(text)}</li>" for text in options)
                + "</ul>"
            )
            plain += [f"{panel.number}. {panel.question.question}", *(f"   ○ {text}" for text in options)]
        hint = "Run this cell in JupyterLab to answer."
        saved_text.show_saved_copy("".join(parts) + f"<p><i>{hint}</i></p>", "\n".join([*plain, hint]))


class QuestionPanel:
    """One question, its options as radio buttons, and the reply to the chosen one."""

    def __init__(
        self,
        question: Question,
        number: int,
        options: Sequence[Option],
        on_answer: Callable[["QuestionPanel", Option], None],
    ) -> None:
        """Show `options` in this order; `on_answer(panel, option)` is called at every check."""
        self.question, self.number, self.options = question, number, list(options)
        self.is_right = False
        self._on_answer = on_answer
        instrument = " <span class='edu-note'>(use the panel above)</span>" if question.instrument else ""
        self.heading = widgets.HTML(f"<p><b>{number}. {html.escape(question.question)}</b>{instrument}</p>")
        self.choice = widgets.RadioButtons(
            options=[(option.text, i) for i, option in enumerate(self.options)],
            value=None,
            layout=widgets.Layout(width="auto"),
        )
        self.button = Button("Check", f"Check the answer to question {number}", self.check, width="90px")
        self.reply = widgets.HTML()
        self.choice.observe(lambda _change: self._say(""), "value")
        self.panel = widgets.VBox([self.heading, self.choice, self.button, self.reply])
        self.panel.add_class("edu-question")

    def check(self) -> None:
        """Say whether the chosen option is right, and why."""
        if self.choice.value is None:
            self._say("<p>Choose an answer first.</p>")
            return
        option = self.options[self.choice.value]
        self._explain(option)
        self._on_answer(self, option)

    def restore(self, index: int) -> None:
        """Show the answer of an earlier visit: the option with this index in the content file."""
        if 0 <= index < len(self.question.options):
            option = self.question.options[index]
            self.choice.value = self.options.index(option)
            self._explain(option, "Your first answer, from before. ")

    def _explain(self, option: Option, when: str = "") -> None:
        self.is_right = option.right
        sign, verdict = SIGNS[option.right]
        kind = "right" if option.right else "wrong"
        self._say(f"<p class='edu-reply edu-reply-{kind}'><b>{sign} {verdict}</b> {when}{html.escape(option.why)}</p>")

    def _say(self, markup: str) -> None:
        self.reply.value = f"<div role='status'>{markup}</div>" if markup else ""


def shuffled(question: Question, number: str) -> list[Option]:
    """Return the options in a fixed order of their own: content files tend to begin with the right one."""
    options = list(question.options)
    random.Random(f"{number}/{question.id}").shuffle(options)
    return options

"""Map: the lessons of the course and what has been done in each, on this computer."""

import html
from pathlib import Path

import ipywidgets as widgets
from IPython.display import display

from electra_edu.course.build_mode import is_building_lessons
from electra_edu.course.lesson_progress import LessonProgress, completion
from electra_edu.course.lessons import PARTS, Lesson, lessons
from electra_edu.course.progress import Progress, progress_or_default
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.lesson.course_style import CourseStyle
from electra_edu.widgets.parts import saved_text
from electra_edu.widgets.parts.knobs import Button

EXPORT = "my_progress.json"


class Map:
    """A table of the lessons with their state, and buttons to refresh, export and reset it."""

    def __init__(self, progress: Progress | None = None) -> None:
        """Read the learner's progress and show it."""
        self._progress = progress_or_default(progress)
        self.table = widgets.HTML()
        self.notes = widgets.HTML()
        self.refresh_button = Button("Refresh", "Read again what has been done", self.refresh)
        self.export_button = Button("Export", f"Write everything into {EXPORT}, beside this lesson", self.export)
        self.reset_button = Button(
            "Reset …", "Forget all answers, predictions and exercises on this computer", self._ask_to_reset
        )
        self.confirm_button = Button("Yes, forget everything", "This cannot be undone", self.reset, "danger")
        self.confirm_button.layout.display = "none"
        row = widgets.HBox([self.refresh_button, self.export_button, self.reset_button, self.confirm_button])
        self.panel = widgets.VBox([CourseStyle(), self.table, row, self.notes])
        self.panel.add_class("edu-map")
        self.refresh()

    def refresh(self) -> None:
        """Read again what has been done."""
        self._show_confirmation(False)
        rows = "".join(
            f"<tr><th scope='row'>{each.number} · {html.escape(each.title)}</th><td>{PARTS[each.part]}</td>"
            f"<td>{state(each, self._progress.read(each.number))}</td></tr>"
            for each in lessons().values()
            if each.is_written
        )
        head = "<tr><th scope='col'>lesson</th><th scope='col'>part</th><th scope='col'>what you have done</th></tr>"
        self.table.value = f"<table class='edu-map-table'><thead>{head}</thead><tbody>{rows}</tbody></table>"
        messages = [*self._progress.notes, *filter(None, [self._progress.problem])]
        self._say(" ".join(messages) or f"Saved in {self._progress.folder}, and nowhere else.")

    def export(self) -> None:
        """Write everything into one file beside the lesson, under a name that is free."""
        path, number = Path(EXPORT), 1
        while path.exists():
            number += 1
            path = Path(EXPORT).with_stem(f"{Path(EXPORT).stem}_{number}")
        try:
            self._say(f"Written to {self._progress.export(path.absolute())}.")
        except ElectraEduError as error:
            self._say(str(error))

    def reset(self) -> None:
        """Forget what was done in all lessons; the reading level stays."""
        try:
            self._progress.reset()
        except ElectraEduError as error:
            self._say(str(error))
            return
        self.refresh()
        self._say("Forgotten. Run a lesson's cells again to begin afresh.")

    def _ask_to_reset(self) -> None:
        self._show_confirmation(True)
        self._say("This forgets every answer, prediction and exercise on this computer. Export keeps a copy.")

    def _show_confirmation(self, is_shown: bool) -> None:
        self.confirm_button.layout.display = "" if is_shown else "none"

    def _say(self, text: str) -> None:
        self.notes.value = f"<p role='status'>{html.escape(text)}</p>"

    def _ipython_display_(self) -> None:
        """Show the map and, in an output of its own, a line for readers without a kernel."""
        if not is_building_lessons():
            display(self.panel)
        text = "Your progress: run this cell in JupyterLab to see what you have done."
        saved_text.show_saved_copy(f"<p><i>{text}</i></p>", text)


def state(lesson: Lesson, done: LessonProgress) -> str:
    """Say what has been done in a lesson: "not begun", or how much of its quiz, exercises and predictions."""
    if not (done.opened or done.answers or done.guesses or done.exercises):
        return "not begun"
    right = sum(done.answers[question.id].right for question in lesson.quiz if question.id in done.answers)
    parts = [
        f"{kind} {n} of {of}" + (f", {right} right at once" if kind == "quiz" else "")
        for kind, n, of in completion(lesson, done)
    ]
    return " · ".join(parts) or "begun"

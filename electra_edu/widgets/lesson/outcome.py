"""The result of a prediction, shown in the cell that computed it once the guess is locked in."""

import html
from base64 import b64encode

import ipywidgets as widgets

from electra_edu.widgets.charts.pictures import Figure, figure_png
from electra_edu.widgets.lesson.course_style import CourseStyle

COVER = (
    "<p class='edu-note'>Your prediction first: lock it in above, or press <b>Skip</b>. The result is waiting here.</p>"
)


class Outcome:
    """A right answer with its explanation and perhaps a figure, covered until `show` is called."""

    def __init__(self, answer: str | float, text: str, figure: Figure | None) -> None:
        """Take the right letter or number, a sentence or two, and the figure."""
        self.answer, self.text = answer, text
        self.words = widgets.HTML(COVER)
        # As HTML, since widgets.Image has no alternative text
        self.picture = widgets.HTML(layout=widgets.Layout(display="none"))
        if figure is not None:
            data = b64encode(figure_png(figure)).decode()
            self.picture.value = f'<img alt="{html.escape(text)}" src="data:image/png;base64,{data}">'
        self.panel = widgets.VBox([CourseStyle(), self.words, self.picture])
        self.panel.add_class("edu-prediction")
        self.panel.add_class("edu-outcome")

    def show(self, comparison: str) -> None:
        """Show the result; `comparison` says as HTML what came out and what was guessed."""
        self.words.value = f"<p role='status'>{comparison}</p><p>{html.escape(self.text)}</p>"
        self.picture.layout.display = "" if self.picture.value else "none"

    def cover(self) -> None:
        """Hide the result again."""
        self.words.value = COVER
        self.picture.layout.display = "none"

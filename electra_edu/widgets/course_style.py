"""CourseStyle: the style sheet of quizzes, predictions and checks, as a widget without a picture."""

from pathlib import Path

import anywidget

STATIC = Path(__file__).parent / "static"


class CourseStyle(anywidget.AnyWidget):
    """Brings static/course.css to the page; shows nothing. Core widgets have no style sheet of their own."""

    _esm = "export default { render({ el }) { el.style.display = 'none'; } };"
    _css = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in ("palette.css", "course.css"))

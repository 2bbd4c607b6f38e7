"""CourseStyle: the style sheet and the arrow keys of quizzes and predictions, as a widget without a picture."""

from pathlib import Path

import anywidget

STATIC = Path(__file__).parent / "static"


class CourseStyle(anywidget.AnyWidget):
    """Brings static/course.css and course.js to the page, for the core widgets of a panel; shows nothing itself."""

    _esm = STATIC / "course.js"
    _css = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in ("palette.css", "course.css"))

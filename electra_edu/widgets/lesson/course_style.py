"""CourseStyle: the style sheet and the arrow keys of quizzes and predictions, as a widget without a picture."""

import anywidget

from electra_edu.widgets.assets import joined


class CourseStyle(anywidget.AnyWidget):
    """Brings static/course.css and course.js to the page, for the core widgets of a panel; shows nothing itself."""

    _esm = joined("course.js", "radio_keys.js", "names.js")
    _css = joined("palette.css", "course.css")

"""Header: opens a lesson with the reading level, the progress, and the machine with the lesson's part lit."""

import html
from typing import Any, ClassVar
from weakref import WeakSet

import anywidget
import traitlets
from IPython.display import display

from electra_edu.course.build_mode import is_building_lessons
from electra_edu.course.glossary import LEVELS, claims, explanation, glossary
from electra_edu.course.lesson_progress import completion
from electra_edu.course.lessons import lesson
from electra_edu.course.progress import Progress, progress_or_default
from electra_edu.widgets.assets import joined
from electra_edu.widgets.charts.pictures import machine
from electra_edu.widgets.parts import saved_text


class Header(anywidget.AnyWidget):
    """One line at the top of a lesson; its script explains the terms and sources in the text below.

    Links of class edu-term and edu-claim show `explanations` when pointed at or focused. `level` decides which terms
    are underlined and whether the fine print (details.edu-expert) stands open.
    """

    _esm = joined("header.js", "radio_keys.js")
    _css = joined("palette.css", "header.css")
    _instances: ClassVar["WeakSet[Header]"] = WeakSet()
    # "term-…" or "claim-…" -> text
    explanations = traitlets.Dict().tag(sync=True)
    # term -> the most advanced reader for whom it is underlined
    levels = traitlets.Dict().tag(sync=True)
    level = traitlets.Enum(LEVELS, "curious").tag(sync=True)
    about = traitlets.Unicode().tag(sync=True)  # "06 · Joint training and λ · about 25 minutes"
    done = traitlets.Unicode().tag(sync=True)  # "quiz 2 of 4 · …"

    def __init__(self, number: str, progress: Progress | None = None) -> None:
        """Open the lesson with this number; raises ElectraEduError where there is none."""
        self.lesson = lesson(number)
        self._progress = progress_or_default(progress)
        self._progress.open(number)
        super().__init__(
            explanations={f"term-{name}": explanation("term", name) for name in glossary()}
            | {f"claim-{name}": explanation("claim", name) for name in claims()},
            levels={name: term.level for name, term in glossary().items()},
            level=self._progress.level,
            about=f"{number} · {self.lesson.title} · about {self.lesson.minutes} minutes",
        )
        self.refresh()
        self.observe(self._save_level, "level")
        self._instances.add(self)

    def refresh(self) -> None:
        """Read the progress again."""
        done = self._progress.read(self.lesson.number)
        parts = [f"{kind} {n} of {of}" for kind, n, of in completion(self.lesson, done)]
        self.done = self._progress.problem or " · ".join(parts)

    @classmethod
    def refresh_all(cls) -> None:
        """Let every header of this kernel read the progress again."""
        for header in list(cls._instances):
            header.refresh()

    def _save_level(self, change: Any) -> None:
        self._progress.level = change["new"]
        self.refresh()

    def _ipython_display_(self) -> None:
        """Show the line, its text for readers without a kernel, and the picture of the machine."""
        if not is_building_lessons():
            data, metadata = self._repr_mimebundle_() or ({}, {})
            display(data, metadata=metadata, raw=True)
        saved_text.show_saved_copy(f"<p><i>{html.escape(self.about)}</i></p>", self.about)
        machine(self.lesson.lit or None)

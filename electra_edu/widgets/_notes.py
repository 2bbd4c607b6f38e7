"""Small texts that a panel leaves in a notebook: HTML that works in both themes, and the same as plain text."""

import html
import os
from typing import Any

from IPython.display import display

HIDE = "edu-twin"  # class of a text that is not needed beside its living panel (static/course.css)


def is_building() -> bool:
    """Whether lessons are being built: panels then leave only what a reader without a kernel can see."""
    return os.environ.get("ELECTRA_EDU_BUILD") == "1"


def show_text(markup: str, plain: str) -> None:
    """Display HTML, with the same as plain text for readers that cannot show it."""
    display({"text/html": markup, "text/plain": plain}, raw=True)


class TextTwin:
    """The text that remains of a panel in a saved notebook, in an output of its own."""

    def __init__(self, markup: str, plain: str) -> None:
        """Display it; `update` replaces it."""
        self._handle: Any = display(_bundle(markup, plain), raw=True, display_id=True)

    def update(self, markup: str, plain: str) -> None:
        """Put other words there; may be called from any thread."""
        self._handle.update(_bundle(markup, plain), raw=True)


def escape(text: str) -> str:
    """Escape text for HTML."""
    return html.escape(text)


def _bundle(markup: str, plain: str) -> dict[str, str]:
    return {"text/html": f'<div class="{HIDE}">{markup}</div>', "text/plain": plain}

"""Small texts that a panel leaves in a notebook: HTML that works in both themes, and the same as plain text."""

from IPython.display import display

# The class of a text that the style sheets hide beside its live panel (static/course.css)
SAVED_COPY = "edu-saved-copy"


def show_text(markup: str, plain: str) -> None:
    """Display HTML, with the same as plain text for readers that cannot show it."""
    display({"text/html": markup, "text/plain": plain}, raw=True)


def show_saved_copy(markup: str, plain: str) -> None:
    """Display the text that remains of a panel in a saved notebook, in an output of its own."""
    show_text(f'<div class="{SAVED_COPY}">{markup}</div>', plain)

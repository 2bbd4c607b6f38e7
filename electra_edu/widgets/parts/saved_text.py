"""Small texts that a panel leaves in a notebook: HTML that works in both themes, and the same as plain text."""

from IPython.display import display

HIDE = "edu-twin"  # class of a text that is not needed beside its living panel (static/course.css)


def show_text(markup: str, plain: str) -> None:
    """Display HTML, with the same as plain text for readers that cannot show it."""
    display({"text/html": markup, "text/plain": plain}, raw=True)


def show_twin(markup: str, plain: str) -> None:
    """Display the text that remains of a panel in a saved notebook, in an output of its own."""
    show_text(f'<div class="{HIDE}">{markup}</div>', plain)

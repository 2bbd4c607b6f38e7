"""check: says whether a learner's function does what its exercise asks, and if not, what to look at."""

import html

from electra_edu.course.exercises import Feedback, examine, exercise
from electra_edu.course.progress import Progress
from electra_edu.widgets.lesson.header import Header
from electra_edu.widgets.parts import saved_text

# Both are set: a host may know neither of the two variables
BACKGROUND = "var(--jp-layout-color1, #fff)"
INK = "var(--jp-content-font-color1, #1f2328)"
# Readable on light and dark backgrounds: only the edge is coloured, and the sign and the words say it too
EDGES = {
    "untouched": "var(--jp-border-color1, #9aa0a6)",
    "wrong": "var(--jp-error-color1, #b3261e)",
    "right": "var(--jp-success-color1, #0b7a5b)",
}


def check(name: str, function: object) -> None:
    """Examine `function` as the exercise `name` and show the feedback; a function that passes is saved as progress.

    Never raises because of what `function` does. Raises ElectraEduError where there is no such exercise.
    """
    feedback = examine(exercise(name), function)
    if feedback.state == "right" and feedback.source:
        Progress().record_exercise(feedback.exercise.lesson, name, feedback.source)
        Header.refresh_all()
    saved_text.show_text(as_html(feedback), as_text(feedback))


def as_text(feedback: Feedback) -> str:
    """Write the feedback as plain text."""
    title = feedback.exercise.title
    if feedback.state == "untouched":
        return f"· Not tried yet: {title}.{_symptom(feedback)}"
    if feedback.state == "right" or feedback.fault is None:
        return f"✓ Right: {title}. This part is yours now."
    fault = feedback.fault
    return f"✗ Not yet: {title}.\n{fault.symptom}\nWhy: {fault.cause}\nHint: {feedback.exercise.hint}"


def as_html(feedback: Feedback) -> str:
    """Write the feedback as HTML that works in both themes without a style sheet; the hint is closed until opened."""
    title, state = html.escape(feedback.exercise.title), feedback.state
    box = f"max-width:820px;padding:6px 14px;border-left:4px solid {EDGES[state]};background:{BACKGROUND};color:{INK}"
    hint = f"<details><summary>Hint</summary><p>{html.escape(feedback.exercise.hint)}</p></details>"
    if state == "untouched":
        symptom = html.escape(_symptom(feedback))
        inner = f"<p>· <b>Not tried yet:</b> {title}.{symptom} Write your lines in the cell and run it again.</p>{hint}"
    elif feedback.fault is None:
        inner = f"<p>✓ <b>Right:</b> {title}. This part is yours now.</p>"
    else:
        fault = feedback.fault
        inner = (
            f"<p>✗ <b>Not yet:</b> {title}.</p><p>{html.escape(fault.symptom)}</p>"
            f"<p><b>Why:</b> {html.escape(fault.cause)}</p>{hint}"
        )
    return f'<div class="edu-check" role="status" style="{box}">{inner}</div>'


def _symptom(feedback: Feedback) -> str:
    """Return what a function that is not written yet did, where that says something, after a space."""
    return f" {feedback.fault.symptom}" if feedback.fault else ""

"""A sentence as the discriminator sees it: every token with the probability that it was replaced."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import FancyBboxPatch

from electra_edu.plots.checks import check_axes
from electra_edu.plots.mathtext import literal
from electra_edu.plots.palette import DISCRIMINATOR, NEUTRAL
from electra_edu.support.arguments import items, refuse, whole_number

THRESHOLD = 0.5
INK = "#1F2328"


def token_strip(
    axes: Axes, tokens: Sequence[tuple[str, float]], originals: Sequence[str | None] = (), per_row: int = 10
) -> Axes:
    """Draw [(token, probability that it was replaced), …] as boxes, `per_row` in a row, tinted by the probability.

    `originals[i]` is the true word where token i was replaced, None where it is the original; with it each token is
    signed: ✓ found, ○ missed, ✗ wrongly accused.
    """
    check_axes(axes)
    per_row = whole_number("per_row", per_row, 1, 1000)
    tokens = [_token(each) for each in items("tokens", tokens, "[('cook', 0.3)]")]
    originals = items("originals", originals, "[None, 'cook']")
    if len(originals) not in (0, len(tokens)) or not all(isinstance(word, str | None) for word in originals):
        refuse("originals", originals, f"a list of {len(tokens)} words, with None for a token that is the original")
    rows = max(1, -(-len(tokens) // per_row))
    for i, (token, probability) in enumerate(tokens):
        row, column = divmod(i, per_row)
        x, y = column, rows - 1 - row
        original = originals[i] if originals else None
        sign = _sign(probability > THRESHOLD, original is not None) if originals else ""
        axes.add_patch(
            FancyBboxPatch(
                (x + 0.06, y + 0.08),
                0.88,
                0.8,
                boxstyle="round,pad=0,rounding_size=0.08",
                facecolor=to_rgba(DISCRIMINATOR, 0.45 * probability),
                edgecolor=NEUTRAL,
                linewidth=0.6,
            )
        )
        axes.text(x + 0.5, y + 0.64, literal(token), ha="center", va="center", fontsize=11, color=INK)
        axes.text(
            x + 0.5, y + 0.40, f"{probability:.0%} {sign}".strip(), ha="center", va="center", fontsize=9, color=INK
        )
        if original is not None:
            axes.text(x + 0.5, y + 0.19, literal(f"was: {original}"), ha="center", va="center", fontsize=8, color=INK)
    axes.set(xlim=(0, per_row), ylim=(0, rows))
    axes.set_axis_off()
    return axes


def _token(each: Any) -> tuple[str, float]:
    """Return a token and its probability; NaN is one that was not judged."""
    is_pair = isinstance(each, tuple | list) and len(each) == 2
    if not is_pair or not isinstance(each[0], str) or not isinstance(each[1], Real):
        refuse("tokens", each, "a list of (token, probability) pairs, as edu.detect returns")
    return each[0], float(each[1])


def _sign(accused: bool, replaced: bool) -> str:
    if replaced:
        return "✓" if accused else "○"
    return "✗" if accused else ""

"""The picture of the machine that every lesson opens with, its own part lit."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from electra_edu.plots.checks import check_axes
from electra_edu.plots.palette import DISCRIMINATOR, GENERATOR, NEUTRAL
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError, nearest

INK, FAINT_INK, FAINT_EDGE = "#1F2328", "#6B727C", "#D5D9DE"
ROWS = (30.0, 24.8, 19.6, 14.4, 9.2)  # heights of the five words, in a plane of 100 × 40
TOP, BOTTOM = 33.0, 6.4


@dataclass(frozen=True)
class _Part:
    """One column of the picture (or a loss below it): its centre, width, heading, colour, and the words in its rows."""

    x: float
    width: float
    heading: str
    color: str
    words: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()  # the rows that this part is about


_PARTS = {
    "mask": _Part(9, 16, "1 mask", NEUTRAL, ("the", "[MASK]", "cooked", "the", "[MASK]"), (1, 4)),
    "generator": _Part(30, 17, "2 generator", GENERATOR, ("", "chef? cook? …", "", "", "soup? boat? …"), (1, 4)),
    "sample": _Part(51, 16, "3 sample", NEUTRAL, ("the", "chef", "cooked", "the", "boat"), (1, 4)),
    "label": _Part(67, 9, "4 label", NEUTRAL, ("0", "0", "0", "0", "1"), (4,)),
    "discriminator": _Part(87, 22, "5 discriminator", DISCRIMINATOR, ("replaced?",) * 5, (0, 1, 2, 3, 4)),
}
_LOSSES = {
    "mlm_loss": _Part(30, 27, "MLM loss: masked words only", GENERATOR),
    "rtd_loss": _Part(87, 24, "RTD loss: every word", DISCRIMINATOR),
}
PARTS = (*_PARTS, *_LOSSES)


def machine(axes: Axes, lit: Collection[str] | None = None) -> Axes:
    """Draw ELECTRA in one picture: mask → generator → sample → label → discriminator → two losses.

    `lit` names the parts in full colour ("mask", "generator", "sample", "label", "discriminator", "mlm_loss",
    "rtd_loss"); None lights all of them. Raises ElectraEduError for an unknown part.
    """
    check_axes(axes)
    lit = PARTS if lit is None else arguments.items("lit", lit, "['mask', 'generator']")
    for name in lit:
        if name not in PARTS:
            raise ElectraEduError(
                f"lit: the machine has no part {arguments.shown(name)}.{nearest(name, PARTS)} "
                f"Parts: {', '.join(PARTS)}."
            )
    for name, part in _PARTS.items():
        _column(axes, part, name in lit, is_network=name in ("generator", "discriminator"))
    for left, right in pairwise(_PARTS.values()):
        _arrow(axes, (left.x + left.width / 2 + 0.6, ROWS[2]), (right.x - right.width / 2 - 0.6, ROWS[2]), NEUTRAL)
    for name, part in _LOSSES.items():
        color = part.color if name in lit else FAINT_INK
        _arrow(axes, (part.x, BOTTOM - 0.4), (part.x, 3.2), color)
        axes.text(part.x, 1.5, part.heading, ha="center", va="center", fontsize=11, color=color, fontweight="bold")
    axes.set(xlim=(0, 100), ylim=(-0.5, 38.5))
    axes.set_axis_off()
    return axes


def _column(axes: Axes, part: _Part, is_lit: bool, is_network: bool) -> None:
    color, ink = (part.color, INK) if is_lit else (FAINT_INK, FAINT_INK)
    axes.text(part.x, 36.2, part.heading, ha="center", va="center", fontsize=12.5, fontweight="bold", color=color)
    if is_network:
        _box(
            axes,
            part.x,
            (TOP + BOTTOM) / 2,
            part.width,
            TOP - BOTTOM,
            color if is_lit else FAINT_EDGE,
            fill=color if is_lit else "#FFFFFF",
            alpha=0.10,
        )
    for row, (y, word) in enumerate(zip(ROWS, part.words, strict=True)):
        explained = row in part.rows
        if not is_network:
            _box(
                axes,
                part.x,
                y,
                part.width,
                4.2,
                color if is_lit and explained else FAINT_EDGE,
                fill="#E9ECEF" if is_lit and explained else "#FFFFFF",
            )
        axes.text(
            part.x,
            y,
            word,
            ha="center",
            va="center_baseline",
            fontsize=11,
            color=ink,
            fontweight="bold" if explained and not is_network else "normal",
        )


def _box(axes: Axes, x: float, y: float, width: float, height: float, edge: str, fill: str, alpha: float = 1.0) -> None:
    for face, line, opacity in ((fill, "none", alpha), ("none", edge, 1.0)):
        axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.9",
                facecolor=face,
                edgecolor=line,
                linewidth=1.4,
                alpha=opacity,
            )
        )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=13, color=color, linewidth=1.6, shrinkA=0, shrinkB=0
        )
    )

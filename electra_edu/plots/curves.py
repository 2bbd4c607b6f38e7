"""Curves of a run over its steps: losses with their floors, what is learnt, and who pulls on the shared embeddings."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from electra_edu.plots.checks import check_axes, listed
from electra_edu.plots.mathtext import literal
from electra_edu.plots.palette import DISCRIMINATOR, GENERATOR, NEUTRAL, PROBE
from electra_edu.plots.series import smooth
from electra_edu.support import arguments
from electra_edu.training import Evaluation, StepRecord

HALF_LIFE = 8.0  # steps over which the bold line averages


def mlm_loss(axes: Axes, history: Sequence[StepRecord], unigram_entropy: float | None = None) -> Axes:
    """Draw the generator's loss in nats; the dashed line is what knowing word frequencies alone would give."""
    _check(axes, history)
    _curve(axes, history, "mlm_loss", GENERATOR)
    if unigram_entropy is not None:
        _level(axes, arguments.finite_number("unigram_entropy", unigram_entropy), "word frequencies only")
    return _labelled(axes, "generator loss\n(nats)", GENERATOR)


def rtd_loss(axes: Axes, history: Sequence[StepRecord]) -> Axes:
    """Draw the discriminator's loss in nats; dashed: H(p), a constant guess at each step's replaced rate p."""
    _check(axes, history)
    _curve(axes, history, "rtd_loss", DISCRIMINATOR)
    steps = [record.step for record in history]
    floor = smooth([record.rtd_floor for record in history], HALF_LIFE)
    axes.plot(steps, _floats(floor), "--", color=NEUTRAL, linewidth=1.2)
    if history:
        axes.annotate(
            "H(p): constant guess",
            (steps[-1], floor[-1]),
            xytext=(-4, 4),
            ha="right",
            textcoords="offset points",
            color=NEUTRAL,
            fontsize=9,
        )
    return _labelled(axes, "RTD loss\n(nats)", DISCRIMINATOR)


def learning(
    axes: Axes,
    history: Sequence[StepRecord],
    evaluations: Sequence[Evaluation] = (),
    probes: Mapping[int, float] | None = None,
    task: str = "topic",
) -> Axes:
    """Draw the scores between 0 and 1: AUC on the fixed exam, recall on today's fakes, and a `task` probe (by step)."""
    _check(axes, history)
    listed("evaluations", evaluations, Evaluation, "run.evaluations")
    if probes is not None:
        arguments.instance("probes", probes, Mapping, "{100: 0.8}, a score by step")
    task = arguments.text("task", task)
    steps = [record.step for record in history]
    lines = [
        ("AUC, fixed exam", [e.step for e in evaluations], [e.auc for e in evaluations], DISCRIMINATOR, "-", 2.0),
        ("recall, today's fakes", steps, smooth([r.recall for r in history], HALF_LIFE), DISCRIMINATOR, ":", 1.6),
        (f"{task} probe", list(probes or {}), list((probes or {}).values()), PROBE, "-", 2.0),
    ]
    for name, x, y, color, style, width in lines:
        if x:
            axes.plot(x, _floats(y), style, color=color, linewidth=width, label=literal(name))
    axes.set_ylim(0, 1.02)
    if axes.lines:
        axes.legend(loc="best", frameon=False, fontsize=9)
    return _labelled(axes, "score (0 to 1)", NEUTRAL)


def generator_scores(axes: Axes, history: Sequence[StepRecord]) -> Axes:
    """Draw how often the generator is right: with its most likely token, and with the token it draws."""
    _check(axes, history)
    steps = [record.step for record in history]
    for name, field, style in (("most likely token", "mlm_accuracy", "-"), ("drawn token", "sampled_accuracy", ":")):
        values = smooth([getattr(record, field) for record in history], HALF_LIFE)
        axes.plot(steps, _floats(values), style, color=GENERATOR, linewidth=1.8, label=name)
    axes.set_ylim(0, 1.02)
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return _labelled(axes, "generator accuracy (0 to 1)", GENERATOR)


def gradient_shares(axes: Axes, history: Sequence[StepRecord]) -> Axes:
    """Draw the MLM loss's share of the two gradients on the token embeddings; the rest is λ times the RTD loss's."""
    _check(axes, history)
    steps = [record.step for record in history]
    share = _floats(smooth([record.mlm_grad_share for record in history], HALF_LIFE))
    axes.fill_between(steps, 0, share, color=GENERATOR, alpha=0.8, linewidth=0, label="MLM")
    axes.fill_between(steps, share, 1, color=DISCRIMINATOR, alpha=0.8, linewidth=0, label="λ · RTD")
    axes.set_ylim(0, 1)
    axes.legend(loc="upper right", fontsize=9)
    return _labelled(axes, "share of the gradient norm", NEUTRAL)


def _check(axes: Axes, history: Sequence[StepRecord]) -> None:
    check_axes(axes)
    listed("history", history, StepRecord, "run.history")


def _curve(axes: Axes, history: Sequence[StepRecord], field: str, color: str) -> None:
    steps, values = [record.step for record in history], [getattr(record, field) for record in history]
    axes.plot(steps, values, color=color, linewidth=0.8, alpha=0.3)
    axes.plot(steps, _floats(smooth(values, HALF_LIFE)), color=color, linewidth=2)


def _level(axes: Axes, y: float, label: str) -> None:
    axes.axhline(y, linestyle="--", color=NEUTRAL, linewidth=1.2)
    axes.annotate(
        label,
        (0.99, y),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        ha="right",
        textcoords="offset points",
        color=NEUTRAL,
        fontsize=9,
    )


def _labelled(axes: Axes, ylabel: str, color: str) -> Axes:
    axes.set_xlabel("steps")
    axes.set_ylabel(ylabel, color=color)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return axes


def _floats(values: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(values, dtype=float)  # None, a gap, becomes NaN

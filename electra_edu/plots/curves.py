"""Curves of a run over its steps: losses with their floors, what is learnt, and the shares of the two gradients."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from electra_edu.plots.charts import Band, Color, Curve, Floor, LineChart, Style, Subplot
from electra_edu.plots.checks import check_axes, listed
from electra_edu.plots.line_drawing import draw_line_chart
from electra_edu.plots.mathtext import literal
from electra_edu.plots.series import smooth
from electra_edu.support import arguments
from electra_edu.training import Evaluation, StepRecord

HALF_LIFE = 8.0  # steps over which the bold line averages


def mlm_loss(axes: Axes, history: Sequence[StepRecord], unigram_entropy: float | None = None) -> Axes:
    """Draw the generator's loss in nats; the dashed line is what knowing word frequencies alone would give."""
    steps = _steps(axes, history)
    floor = None
    if unigram_entropy is not None:
        floor = Floor("word frequencies only", arguments.finite_number("unigram_entropy", unigram_entropy))
    curves = _loss("generator loss", history, steps, "mlm_loss", "generator")
    return _draw(axes, Subplot("generator loss", curves, "nats", "generator", floor=floor))


def rtd_loss(axes: Axes, history: Sequence[StepRecord]) -> Axes:
    """Draw the discriminator's loss in nats; dashed: H(p), a constant guess at each step's replaced rate p."""
    steps = _steps(axes, history)
    floor = Floor("H(p): constant guess", smooth([record.rtd_floor for record in history], HALF_LIFE), steps)
    curves = _loss("RTD loss", history, steps, "rtd_loss", "discriminator")
    return _draw(axes, Subplot("RTD loss", curves, "nats", "discriminator", floor=floor))


def learning(
    axes: Axes,
    history: Sequence[StepRecord],
    evaluations: Sequence[Evaluation] = (),
    probes: Mapping[int, float] | None = None,
    task: str = "topic",
) -> Axes:
    """Draw the scores between 0 and 1: AUC on the fixed exam, recall on today's fakes, and a `task` probe (by step)."""
    steps = _steps(axes, history)
    listed("evaluations", evaluations, Evaluation, "run.evaluations")
    if probes is not None:
        arguments.instance("probes", probes, Mapping, "{100: 0.8}, a score by step")
    task = arguments.text("task", task)
    exams = [evaluation.step for evaluation in evaluations]
    curves = [
        Curve("AUC, fixed exam", exams, [evaluation.auc for evaluation in evaluations], "discriminator"),
        _smoothed("recall, today's fakes", history, steps, "recall", "discriminator", "dotted"),
        Curve(f"{task} probe", list(probes or {}), list((probes or {}).values()), "probe"),
    ]
    return _draw(axes, Subplot("score", [curve for curve in curves if len(curve.x)], "0 to 1", ylim=(0, 1.02)))


def generator_scores(axes: Axes, history: Sequence[StepRecord]) -> Axes:
    """Draw how often the generator is right: with its most likely token, and with the token it draws."""
    steps = _steps(axes, history)
    curves = [
        _smoothed("most likely token", history, steps, "mlm_accuracy", "generator"),
        _smoothed("drawn token", history, steps, "sampled_accuracy", "generator", "dotted"),
    ]
    return _draw(axes, Subplot("generator accuracy", curves, "0 to 1", "generator", ylim=(0, 1.02)))


def gradient_shares(axes: Axes, history: Sequence[StepRecord]) -> Axes:
    """Draw the MLM loss's share of the two gradients on the token embeddings; the rest is λ times the RTD loss's."""
    steps = _steps(axes, history)
    share = smooth([record.mlm_grad_share for record in history], HALF_LIFE)
    bands = [
        Band("MLM", steps, [0.0] * len(steps), share, "generator", opacity=0.8),
        Band("λ · RTD", steps, share, [1.0] * len(steps), "discriminator", opacity=0.8),
    ]
    return _draw(axes, Subplot("share of the gradient norm", (), ylim=(0, 1), bands=bands))


def _steps(axes: Axes, history: Sequence[StepRecord]) -> list[float]:
    """Check what every curve is given; return the steps of the history."""
    check_axes(axes)
    listed("history", history, StepRecord, "run.history")
    return [record.step for record in history]


def _smoothed(
    name: str,
    history: Sequence[StepRecord],
    steps: Sequence[float],
    field: str,
    color: Color,
    style: Style = "solid",
) -> Curve:
    return Curve(name, steps, smooth([getattr(record, field) for record in history], HALF_LIFE), color, style)


def _loss(
    name: str, history: Sequence[StepRecord], steps: Sequence[float], field: str, color: Color
) -> tuple[Curve, Curve]:
    raw = Curve(name, steps, [getattr(record, field) for record in history], color, "raw")
    return raw, _smoothed(name, history, steps, field, color)


def _draw(axes: Axes, subplot: Subplot) -> Axes:
    draw_line_chart([axes], LineChart("", [literal(subplot)], "steps"))
    return axes

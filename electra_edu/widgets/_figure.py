"""Figures as bytes: the static twins that stay in a notebook when its panels are gone."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from IPython.display import display
from matplotlib.figure import Figure

from electra_edu import plots
from electra_edu.training import TrainingRun


def draw_run(run: TrainingRun, probes: Mapping[int, float], task: str | None) -> Figure:
    """Draw a run's losses (left, stacked) and scores (right); thin lines are where a setting was changed."""
    figure = Figure(figsize=(8.7, 3.6), layout="constrained")
    axes = figure.subplot_mosaic([["generator", "scores"], ["discriminator", "scores"]])
    plots.mlm_loss(axes["generator"], run.history, run.corpus.unigram_entropy).set_xlabel("")
    plots.rtd_loss(axes["discriminator"], run.history)
    plots.learning(axes["scores"], run.history, run.evaluations, probes, task or "")
    for change in run.changes:
        for part in axes.values():
            part.axvline(change.step, color=plots.NEUTRAL, linewidth=0.8)
    return figure


def figure_png(figure: Figure) -> bytes:
    """Render a figure to PNG bytes. It was made with `Figure()`, so pyplot keeps no reference to it."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=96)
    return buffer.getvalue()


class Twin:
    """A place below a panel for a picture of it, filled when there is something to keep."""

    def __init__(self) -> None:
        """Open the place in the output of the running cell."""
        self._handle: Any = display({"text/plain": ""}, raw=True, display_id=True)

    def show(self, figure: Figure, caption: str) -> None:
        """Put a figure there; `caption` is its alternative text. May be called from any thread."""
        self._handle.update(
            {"image/png": figure_png(figure), "text/plain": caption},
            metadata={"image/png": {"alt": caption}},
            raw=True,
        )

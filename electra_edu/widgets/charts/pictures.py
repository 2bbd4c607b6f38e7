"""Figures as bytes: the pictures that stay in a notebook when its panels are gone."""

from collections.abc import Collection, Sequence
from io import BytesIO
from typing import Any

from IPython.display import display
from matplotlib import pyplot
from matplotlib.figure import Figure as Figure  # other panels take it from here

from electra_edu import plots
from electra_edu.plots.blocks import Block
from electra_edu.support import arguments


def draw_blocks(blocks: Sequence[Block]) -> Figure:
    """Draw a panel's blocks, as high as they need."""
    figure = Figure(figsize=(plots.BLOCKS_WIDTH, plots.blocks_height(blocks)))
    return plots.draw_blocks(figure, blocks)


def figure_png(figure: Figure) -> bytes:
    """Render a figure to PNG bytes. It was made with `Figure()`, so pyplot keeps no reference to it."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=96)
    return buffer.getvalue()


def show(figure: Figure, caption: str) -> None:
    """Display a figure with `caption` as its alternative text, for those who cannot see it."""
    arguments.instance("figure", figure, Figure, "matplotlib.pyplot.figure()")
    caption = arguments.text("caption", caption)
    pyplot.close(figure)  # else a figure of `plt.subplots` is shown a second time, without words
    display(_picture(figure, caption), metadata=_alternative(caption), raw=True)


def machine(lit: Collection[str] | None = None) -> None:
    """Display the picture of the machine that every lesson opens with; see `plots.machine` for `lit`."""
    figure = Figure(figsize=(8.6, 3.5), layout="constrained")
    plots.machine(figure.subplots(), lit)
    parts = "" if lit is None else f" Lit here: {', '.join(part.replace('_', ' ') for part in lit)}."
    show(
        figure,
        "ELECTRA in five steps: mask two of five words; the generator guesses them; one guess each is drawn; a word "
        "that differs from the true one gets the label 1; the discriminator is asked about every word. The MLM loss is "
        f"over the masked words, the RTD loss over every word.{parts}",
    )


def _picture(figure: Figure, caption: str) -> dict[str, Any]:
    return {"image/png": figure_png(figure), "text/plain": caption}


def _alternative(caption: str) -> dict[str, Any]:
    return {"image/png": {"alt": caption}}


class SavedPicture:
    """A place below a panel for a picture of it, filled when there is something to keep."""

    def __init__(self) -> None:
        """Open the place in the output of the running cell."""
        self._handle: Any = display({"text/plain": ""}, raw=True, display_id=True)

    def show(self, figure: Figure, caption: str) -> None:
        """Put a figure there; `caption` is its alternative text. May be called from any thread."""
        self._handle.update(_picture(figure, caption), metadata=_alternative(caption), raw=True)

"""Instrument, the base of all panels that analyse: knobs, a view below them, the code behind it and a saved copy."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import chain

import ipywidgets as widgets
from IPython.display import display

from electra_edu.course.build_mode import is_building_lessons
from electra_edu.plots.blocks import Block, Text, in_words
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.widgets.charts.block_view import BlockView
from electra_edu.widgets.charts.pictures import draw_blocks, show
from electra_edu.widgets.parts.code_drawer import CodeDrawer
from electra_edu.widgets.parts.knobs import Button, Knob, close_all
from electra_edu.widgets.parts.player import Player

WIDTH = "848px"


class Instrument(ABC):
    """A panel that computes and draws again whenever a knob is moved, a button pressed or a word picked.

    A subclass is written in this order: `__init__` makes the knobs and calls `super().__init__(name, rows of knobs)`;
    `blocks` returns what to draw; `code` returns the code behind it; `picked` answers a picked word, where words can be
    picked; then what its buttons do. Every knob is a public attribute, so that a test or a lesson can move it:
    `panel.mask_prob.value = 0.4`. The shortest example is `EfficiencyExplorer`.

    `shown` are the blocks on the screen, `view` the widget that draws them, and `drawer` holds the code.
    """

    def __init__(self, name: str, knobs: Sequence[Sequence[Knob | Button]]) -> None:
        """Build the panel and draw it once; `name` is read aloud before the rest."""
        self.name = name
        self.view = BlockView(name)
        self.drawer = CodeDrawer()
        self.view.on_action(self._pick)
        for knob in chain.from_iterable(knobs):
            knob.on_move(lambda _value: self.refresh())
        rows = [widgets.HBox(list(row), layout=widgets.Layout(flex_flow="row wrap")) for row in knobs]
        self.panel = widgets.VBox([*rows, self.view, self.drawer], layout=widgets.Layout(max_width=WIDTH))
        self.panel.add_class("edu-instrument")
        self.refresh()

    @abstractmethod
    def blocks(self) -> list[Block]:
        """Return what to draw for the knobs as they stand. An ElectraEduError raised here is shown in its place."""

    def code(self) -> list[str]:
        """Return at most 12 lines of public calls that reproduce what is on screen; none where there is nothing."""
        return []

    def picked(self, action: str, index: int) -> None:  # noqa: B027 — most instruments have nothing to pick
        """Answer a picked word; the view is drawn again afterwards."""

    def refresh(self) -> None:
        """Compute and draw again."""
        try:
            self.shown, code = self.blocks(), self.code()
        except ElectraEduError as error:
            self.shown, code = [Text(str(error), "stop")], []
        self.view.show(self.shown)
        self.drawer.code = "\n".join(code)

    def close(self) -> None:
        """Take the panel with all its parts off the page; what it showed can be forgotten then."""
        close_all(self.panel)

    def _pick(self, action: str, index: int) -> None:
        self.picked(action, index)
        self.refresh()

    def _ipython_display_(self) -> None:
        """Show the panel and, in an output of its own, a saved copy: a picture that needs no kernel.

        Pauses whatever another panel trains. With ELECTRA_EDU_BUILD=1, which is how committed lessons are made, only
        the picture is shown.
        """
        Player.pause_all()
        if not is_building_lessons():
            display(self.panel)
        show(draw_blocks(self.shown), f"{self.name}. {in_words(self.shown)}")


def require_run(run: object) -> None:
    """Raise ElectraEduError where a panel was given something else than a TrainingRun."""
    if not isinstance(run, TrainingRun):
        arguments.refuse("run", run, "a TrainingRun, for example edu.TrainingRun(config, corpus)")

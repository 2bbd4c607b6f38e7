"""Instruments: a knob, a button and a picked word draw the panel again, and a picture of it stays."""

from typing import Any

import pytest
from every_block import WORDS
from page import send

from electra_edu.plots.blocks import Block, Text, to_dict
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.parts.instrument import Instrument
from electra_edu.widgets.parts.knobs import Button, Slider


class Panel(Instrument):
    """An instrument with one of everything; `drawn` counts how often it computed."""

    def __init__(self) -> None:
        self.drawn = 0
        self.hidden: list[int] = []
        self.rate = Slider("mask rate", (0.05, 0.15, 0.4), 0.15, "{:.0%}".format)
        self.again = Button("Draw again", "Draw other positions")
        super().__init__("A demonstration", [[self.rate, self.again]])

    def blocks(self) -> list[Block]:
        self.drawn += 1
        if self.rate.value == 0.4:
            raise ElectraEduError("mask_prob=0.4: too much here; take 0.15.")
        return [WORDS, Text(f"rate {self.rate.value}, hidden {self.hidden}")]

    def code(self) -> list[str]:
        return [f"edu.preset('toy', mask_prob={self.rate.value})"]

    def picked(self, action: str, index: int) -> None:
        assert action == "hide"
        self.hidden = [*self.hidden, index]


def test_moving_a_knob_draws_once() -> None:
    panel = Panel()
    assert panel.drawn == 1
    panel.rate.value = 0.05
    assert panel.drawn == 2
    assert panel.view.blocks[1]["text"] == "rate 0.05, hidden []"
    assert panel.drawer.code == "edu.preset('toy', mask_prob=0.05)"


def test_a_button_does_what_it_says() -> None:
    panel = Panel()
    panel.again.click()
    assert panel.drawn == 2


def test_a_picked_word_is_answered_and_drawn() -> None:
    panel = Panel()
    send(panel.view, {"action": "hide", "index": 1})
    assert panel.view.blocks[1]["text"] == "rate 0.15, hidden [1]"


def test_our_errors_are_shown_and_the_next_move_mends_them() -> None:
    panel = Panel()
    panel.rate.value = 0.4
    assert panel.view.blocks == [to_dict(Text("mask_prob=0.4: too much here; take 0.15.", "stop"))]
    assert panel.drawer.code == ""
    panel.rate.value = 0.15
    assert panel.view.blocks[0]["kind"] == "Tokens"


@pytest.mark.parametrize("building", ["0", "1"])
def test_leaves_a_picture_and_in_a_build_only_that(building: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setenv("ELECTRA_EDU_BUILD", building)
    for module in ("parts.instrument", "charts.pictures"):
        monkeypatch.setattr(f"electra_edu.widgets.{module}.display", lambda what, **_: shown.append(what))
    panel = Panel()
    panel._ipython_display_()
    assert (panel.panel in shown) == (building == "0")
    assert shown[-1]["image/png"].startswith(b"\x89PNG")
    assert shown[-1]["text/plain"].startswith("A demonstration. A story: the cook (5%)")

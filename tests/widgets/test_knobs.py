"""Knobs: they call what is bound to them when they are moved, and nothing when a panel shows another value."""

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pytest

from electra_edu.widgets.parts.knobs import Button, Knob, Menu, NumberField, Slider, TextField, close_all

KNOBS: dict[str, tuple[Callable[[], Knob], Any]] = {
    "slider": (lambda: Slider("rate", (0.1, 0.2, 0.3), 0.1, "{:.0%}".format), 0.3),
    "menu": (lambda: Menu("rule", {"a fixed count": "count", "a coin": "coins"}), "coins"),
    "text": (lambda: TextField("text", "the cook"), "the soup"),
    "number": (lambda: NumberField("seed", 0), 7),
}


@pytest.mark.parametrize("kind", KNOBS)
def test_a_moved_knob_calls_and_a_shown_value_does_not(kind: str) -> None:
    make, value = KNOBS[kind]
    knob, moves = make(), []
    before = knob.value
    knob.on_move(moves.append)
    knob.show(value)
    assert (knob.value, moves) == (value, [])
    knob.value = before
    knob.value = value
    assert moves == [before, value]


def test_a_knob_that_is_moved_while_another_thread_shows_a_value_calls() -> None:
    knob, moves = NumberField("seed", 0), []
    knob.on_move(moves.append)

    def move_from_another_thread(change: dict[str, Any]) -> None:
        if change["new"] == 1:
            thread = threading.Thread(target=setattr, args=(knob, "value", 2))
            thread.start()
            thread.join()

    knob.observe(move_from_another_thread, "value")
    knob.show(1)
    assert moves == [2]


def test_a_slider_labels_its_values_in_ascending_order() -> None:
    slider = Slider("rate", (0.3, 0.1), 0.2, "{:.0%}".format)
    assert slider.options == (("10%", 0.1), ("20%", 0.2), ("30%", 0.3))
    assert slider.value == 0.2


def test_a_slider_offers_whatever_it_shows() -> None:
    slider, moves = Slider("rate", (0.1, 0.3), 0.1, "{:.0%}".format), []
    slider.on_move(moves.append)
    slider.show(0.25)
    assert slider.options == (("10%", 0.1), ("25%", 0.25), ("30%", 0.3))
    assert (slider.value, moves) == (0.25, [])


@pytest.mark.parametrize("knob", [Slider("step", (0,), 0), Menu("step", {"0": 0})], ids=["slider", "menu"])
def test_other_values_can_be_offered(knob: Any) -> None:
    moves: list[Any] = []
    knob.on_move(moves.append)
    knob.offer({"0": 0, "5": 5, "9": 9} if isinstance(knob, Menu) else [5, 0, 9, 5], 5)
    assert (knob.value, [label for label, _ in knob.options], moves) == (5, ["0", "5", "9"], [])


def test_a_menu_begins_with_its_first_value_or_a_given_one() -> None:
    options = {"a fixed count": "count", "a coin": "coins"}
    assert Menu("rule", options).value == "count"
    assert Menu("rule", options, "coins").value == "coins"


def test_a_pressed_button_acts_before_what_is_bound_to_it() -> None:
    calls: list[str] = []
    button = Button("Draw again", "Draw other words", lambda: calls.append("acts"))
    button.on_move(lambda _value: calls.append("is bound"))
    button.click()
    assert calls == ["acts", "is bound"]
    assert (button.description, button.tooltip) == ("Draw again", "Draw other words")


def test_closing_a_panel_closes_all_that_it_is_made_of() -> None:
    slider, button = Slider("rate", (0.1,), 0.1), Button("Draw again", "")
    panel = widgets.VBox([widgets.HBox([slider]), button])
    close_all(panel)
    assert not any(widget.comm for widget in (panel, slider, slider.layout, button))

"""Knobs: sliders, menus, fields and buttons, each of which calls the functions bound to it when it is moved."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets

NARROW = "180px"  # the least width of a knob; below it, the next one goes to another line


class Knob(widgets.ValueWidget):
    """A widget whose `value` a reader moves.

    Setting `value` moves it as well, which is how a test or a lesson turns a knob. A panel that only wants to show
    another value calls `show`, which moves nothing.
    """

    _shown_by: int | None = None  # the thread that shows a value just now; others may move the knob meanwhile

    def on_move(self, call: Callable[[Any], Any]) -> None:
        """Call `call(value)` whenever the knob is moved."""

        def moved(change: dict[str, Any]) -> None:
            if threading.get_ident() != self._shown_by:
                call(change["new"])

        self.observe(moved, "value")

    def show(self, value: Any) -> None:
        """Show a value without calling what is bound to the knob."""
        with self._nothing_moves():
            self.value = value

    @contextmanager
    def _nothing_moves(self) -> Iterator[None]:
        self._shown_by = threading.get_ident()
        try:
            yield
        finally:
            self._shown_by = None


class Slider(Knob, widgets.SelectionSlider):
    """A slider over a few values in ascending order, the chosen one in visible text beside it."""

    def __init__(
        self,
        name: str,
        values: Sequence[Any],
        value: Any,
        label: Callable[[Any], str] = str,
        width: str = "33%",
        while_moving: bool = True,
    ) -> None:
        """Offer `values`, and `value` too. With `while_moving` False the knob moves only once it is released."""
        self._label_of = label
        super().__init__(
            options=self._labelled([*values, value]),
            value=value,
            description=name,
            continuous_update=while_moving,
            **_appearance(width),
        )

    def show(self, value: Any) -> None:
        """Show a value, which is offered from now on if it was not before."""
        offered = [each for _, each in self.options]
        if value not in offered:
            self.offer([*offered, value], value)
        super().show(value)

    def offer(self, values: Sequence[Any], value: Any) -> None:
        """Offer other values and show one of them, without calling what is bound to the knob."""
        with self._nothing_moves():
            self.options = self._labelled(values)
            self.value = value

    def _labelled(self, values: Sequence[Any]) -> list[tuple[str, Any]]:
        return [(self._label_of(each), each) for each in sorted(set(values))]


class Menu(Knob, widgets.Dropdown):
    """A menu of named values, the first of which is chosen unless `value` is given."""

    def __init__(self, name: str, options: Mapping[str, Any], value: Any = None, width: str = "33%") -> None:
        """Offer the values of `options` under its keys."""
        pairs = list(options.items())
        value = pairs[0][1] if value is None else value
        super().__init__(options=pairs, value=value, description=name, **_appearance(width))

    def offer(self, options: Mapping[str, Any], value: Any) -> None:
        """Offer other values and show one of them, without calling what is bound to the knob."""
        with self._nothing_moves():
            self.options = list(options.items())
            self.value = value


class TextField(Knob, widgets.Text):
    """A line of text, which moves when Enter is pressed or the field is left."""

    def __init__(self, name: str, text: str) -> None:
        """Begin with `text`."""
        super().__init__(value=text, description=name, continuous_update=False, **_appearance("98%"))


class NumberField(Knob, widgets.IntText):
    """A whole number to type."""

    def __init__(self, name: str, number: int, width: str = "33%") -> None:
        """Begin with `number`."""
        super().__init__(value=number, description=name, **_appearance(width))


class Button(widgets.Button):
    """A button with a tooltip: `press` is called when it is pressed, and then whatever is bound to it."""

    def __init__(
        self,
        text: str,
        about: str,
        press: Callable[[], Any] | None = None,
        style: str = "",
        icon: str = "",
        width: str = "auto",
    ) -> None:
        """Take the text, the tooltip and what a press does, if this is known already."""
        layout = widgets.Layout(width=width)
        super().__init__(description=text, tooltip=about, button_style=style, icon=icon, layout=layout)
        if press is not None:
            self.on_click(lambda _button: press())

    def on_move(self, call: Callable[[Any], Any]) -> None:
        """Call `call(None)` after each press, as a knob does with its value."""
        self.on_click(lambda _button: call(None))


def close_all(widget: widgets.Widget) -> None:
    """Close a widget and all that it is made of: as long as one is open, the kernel keeps what it calls."""
    for part in list(_parts(widget)):
        close_all(part)
    widget.close()


def _appearance(width: str) -> dict[str, Any]:
    layout = widgets.Layout(width=width, min_width=NARROW)
    return {"style": {"description_width": "initial"}, "layout": layout}


def _parts(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    for name in widget.keys:
        value = getattr(widget, name)
        for part in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(part, widgets.Widget):
                yield part

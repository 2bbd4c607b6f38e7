"""Buttons and sliders as all panels have them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import ipywidgets as widgets

T = TypeVar("T")


def choices(
    name: str,
    values: Sequence[T],
    value: T,
    label: Callable[[T], str] = str,
    width: str = "33%",
    while_moving: bool = True,
) -> widgets.SelectionSlider:
    """Make a slider over a few values, its value in visible text.

    It calls its observers while it moves, or with `while_moving` False once it rests.
    """
    return widgets.SelectionSlider(
        options=[(label(each), each) for each in values],
        value=value,
        description=name,
        continuous_update=while_moving,
        style={"description_width": "initial"},
        layout=widgets.Layout(width=width, min_width="180px"),
    )


def button(
    text: str,
    about: str,
    on_click: Callable[[], Any] | None = None,
    style: str = "",
    icon: str = "",
    width: str = "auto",
) -> widgets.Button:
    """Make a button with a tooltip that calls `on_click`, if there is one, without arguments."""
    layout = widgets.Layout(width=width)
    made = widgets.Button(description=text, tooltip=about, button_style=style, icon=icon, layout=layout)
    if on_click is not None:
        made.on_click(lambda _button: on_click())
    return made


def close_all(widget: widgets.Widget) -> None:
    """Close a widget and all that it is made of: as long as one is open, the kernel keeps what it calls."""
    for part in list(_parts(widget)):
        close_all(part)
    widget.close()


def _parts(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    for name in widget.keys:
        value = getattr(widget, name)
        for part in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(part, widgets.Widget):
                yield part

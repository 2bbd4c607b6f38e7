"""The page of a widget: what a browser sends to the kernel."""

from typing import Any

import ipywidgets as widgets


def send(widget: widgets.Widget, content: Any) -> None:
    """Deliver a custom message to a widget, as the kernel does with one from the browser."""
    widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

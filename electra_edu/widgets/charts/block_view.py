"""BlockView: draws a list of blocks in the browser; knows nothing of what they mean."""

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from electra_edu.plots.blocks import Block, to_dict
from electra_edu.widgets.assets import joined

SCRIPTS = (
    "dom.js",
    "scale.js",
    "subplot.js",
    "chart_group.js",
    "line_chart.js",
    "charts.js",
    "tokens.js",
    "blocks.js",
    "names.js",
)
STYLES = ("palette.css", "blocks.css", "charts.css")
LONG = ("x", "y", "low", "high")  # lists of numbers that may have hundreds


def _packed(value: Any, name: str = "") -> Any:
    """Return blocks as they travel: long lists of numbers as little-endian float32, NaN for what is missing.

    As lists, the 2,500 points of a Training Lab cost the training thread 7 ms; packed they cost under 2.
    """
    if isinstance(value, list):
        return np.array(value, dtype="<f4").tobytes() if name in LONG else [_packed(item) for item in value]
    return {key: _packed(item, key) for key, item in value.items()} if isinstance(value, dict) else value


class BlockView(anywidget.AnyWidget):
    """Words, facts and charts, drawn from `blocks`; what the reader picks or presses comes back as an action.

    `blocks` may be shown from any thread, some ten times a second: the browser draws the newest.
    """

    _esm = joined(*SCRIPTS)
    _css = joined(*STYLES)
    blocks = traitlets.List(traitlets.Dict()).tag(sync=True, to_json=lambda blocks, _view: _packed(blocks))
    name = traitlets.Unicode().tag(sync=True)  # read aloud before the rest

    def __init__(self, name: str) -> None:
        """Build an empty view called `name`."""
        super().__init__(name=name)
        self._callbacks: list[Callable[[str, int], None]] = []
        self.on_msg(self._receive)

    def show(self, blocks: Sequence[Block]) -> None:
        """Draw these blocks; may be called from any thread."""
        self.blocks = [to_dict(block) for block in blocks]

    def on_action(self, callback: Callable[[str, int], None]) -> None:
        """Call `callback(action, index)` when the reader picks a word or presses a button.

        The action is the `pick` of the word's block, or the text of the button, whose index is 0.
        """
        self._callbacks.append(callback)

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and isinstance(content.get("action"), str) and type(content.get("index")) is int:
            for callback in self._callbacks:
                callback(content["action"], content["index"])

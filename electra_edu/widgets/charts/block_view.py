"""BlockView: draws a list of blocks in the browser; knows nothing of what they mean."""

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets

from electra_edu.plots.blocks import Block, to_dict
from electra_edu.widgets.assets import joined


class BlockView(anywidget.AnyWidget):
    """Words, figures and charts, drawn from `blocks`; a picked word comes back to the `on_pick` callbacks."""

    _esm = joined("blocks.js", "names.js")
    _css = joined("palette.css", "blocks.css")
    blocks = traitlets.List(traitlets.Dict()).tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)  # read aloud before the rest

    def __init__(self, name: str) -> None:
        """Build an empty sheet called `name`."""
        super().__init__(name=name)
        self._callbacks: list[Callable[[str, int], None]] = []
        self.on_msg(self._receive)

    def show(self, blocks: Sequence[Block]) -> None:
        """Draw these blocks; may be called from any thread."""
        self.blocks = [to_dict(block) for block in blocks]

    def on_pick(self, callback: Callable[[str, int], None]) -> None:
        """Call `callback(action, index)` when the reader picks a word; `action` is its block's `pick`."""
        self._callbacks.append(callback)

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and isinstance(content.get("action"), str) and type(content.get("index")) is int:
            for callback in self._callbacks:
                callback(content["action"], content["index"])

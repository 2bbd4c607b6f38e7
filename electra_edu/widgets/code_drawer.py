"""CodeDrawer: two quiet buttons, one copies the settings, the other shows the code behind the screen."""

import anywidget
import traitlets

from electra_edu.widgets.live_view import STATIC


class CodeDrawer(anywidget.AnyWidget):
    """Copies `settings`, one line, to the clipboard; shows and copies `code`, a few lines."""

    _esm = STATIC / "code_drawer.js"
    _css = STATIC / "code_drawer.css"
    settings = traitlets.Unicode().tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)

"""CodeDrawer: two quiet buttons, one copies the settings, the other shows the code behind the screen."""

import anywidget
import traitlets

from electra_edu.widgets.assets import joined


class CodeDrawer(anywidget.AnyWidget):
    """Copies `settings`, one line, to the clipboard; shows and copies `code`, a few lines."""

    _esm = joined("code_drawer.js")
    _css = joined("code_drawer.css")
    settings = traitlets.Unicode().tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)

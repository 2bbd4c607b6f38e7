"""Every lesson in real JupyterLab, in both themes: it runs, also twice, nothing is clipped, axe finds no barrier."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from jupyter_lab import ROOT, Lab

LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
PANELS = (
    ".edu-panel:not(.edu-popover), .edu-training-lab, .edu-code-drawer, .edu-instrument, .edu-quiz, .edu-prediction, "
    ".edu-map"
)
# Of ipywidgets' accordion, which says what it is in its own way.
CORE_WIDGETS = ("aria-allowed-attr", "nested-interactive")


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS)
def test_runs_in_both_themes(lab: Lab, lesson: str, tmp_path: Path) -> None:
    lab.open(lesson)
    lab.run_all()
    assert lab.page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert lab.page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0
    panels = lab.page.locator(PANELS)
    assert panels.count() > 0
    for theme in ("light", "dark"):
        lab.theme(theme)
        for panel in panels.all():
            panel.scroll_into_view_if_needed()
            clipped = panel.evaluate("node => node.scrollWidth - node.clientWidth")
            assert clipped <= 1, f"{clipped} px are clipped in {theme}"
        lab.screenshot(tmp_path / f"{theme}.png")
        found = Axe().run(lab.page, context=PANELS)
        wrong = [each for each in found.response["violations"] if each["id"] not in CORE_WIDGETS]
        assert not wrong, [(each["id"], each["help"], each["nodes"][0]["html"][:200]) for each in wrong]
    lab.theme("light")
    before = panels.count()
    lab.run_all()  # a second time: one panel in each place, nothing left over
    assert panels.count() == before

"""How long after a slider's move its panel has been drawn again: measured in the page, by hand (`make soak`)."""

from pathlib import Path

import numpy as np
import pytest
from jupyter_lab import ROOT, Lab
from playwright.sync_api import TimeoutError

LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
MOVES = 40
MOST = 100  # ms, 95th percentile
STOPWATCH = """
node => {
  const view = node.closest(".edu-instrument").querySelector(".edu-blocks");
  window.redraws = [];
  let pressed = null;
  node.addEventListener("keydown", () => { pressed = performance.now(); }, true);
  new MutationObserver(() => requestAnimationFrame(() => {
    if (pressed !== null) window.redraws.push(performance.now() - pressed);
    pressed = null;
  })).observe(view, { childList: true, subtree: true, characterData: true, attributes: true });
}
"""


@pytest.mark.soak
@pytest.mark.parametrize("lesson", LESSONS)
def test_sliders_redraw_in_time(lab: Lab, lesson: str, capsys: pytest.CaptureFixture[str]) -> None:
    lab.open(lesson)
    lab.run_all()
    slow = []
    for number, handle in enumerate(lab.page.locator(".edu-instrument .noUi-handle").all()):
        handle.scroll_into_view_if_needed()
        handle.evaluate(STOPWATCH)
        handle.focus()
        for move in range(MOVES):
            seen = lab.page.evaluate("() => window.redraws.length")
            handle.press("ArrowRight" if move % 8 < 4 else "ArrowLeft")
            try:
                lab.page.wait_for_function("seen => window.redraws.length > seen", arg=seen, timeout=1000)
            except TimeoutError:  # at its end a slider does not move, and nothing is drawn
                continue
        times = lab.page.evaluate("() => window.redraws")
        if times:
            p50, p95 = np.percentile(times, [50, 95])
            with capsys.disabled():
                print(f"\n{Path(lesson).stem}, slider {number}: {len(times)} moves, {p50:.0f} ms, p95 {p95:.0f} ms")  # noqa: T201
            if p95 > MOST:
                slow.append((number, round(p95)))
    assert not slow, slow

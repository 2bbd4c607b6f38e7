"""The harness itself: JupyterLab as `electra-edu lab` starts it, widgets that answer, and faults that are seen."""

import json
from pathlib import Path

import pytest
from jupyter_lab import Lab, Server
from playwright.sync_api import Browser, expect

CELL = '''
import anywidget, ipywidgets, traitlets

class Counter(anywidget.AnyWidget):
    _esm = """
    export default { render({ model, el }) {
        const button = document.createElement("button");
        const label = () => { button.textContent = "count " + model.get("count"); };
        button.className = "count-up";
        button.addEventListener("click", () => {
            model.set("count", model.get("count") + 1);
            model.save_changes();
        });
        model.on("change:count", label);
        label();
        el.append(button);
    } };
    """
    count = traitlets.Int(0).tag(sync=True)

slider = ipywidgets.IntSlider(15, 5, 50)
button = ipywidgets.Button(description="Ask Python")
counter = Counter()
heard, answer = ipywidgets.Label("nothing"), ipywidgets.Label("not yet")
for name, widget in {"a-slider": slider, "a-button": button, "heard": heard, "an-answer": answer}.items():
    widget.add_class(name)

def hear(_):
    heard.value = f"slider {slider.value}, counter {counter.count}"

slider.observe(hear, "value"), counter.observe(hear, "count")
button.on_click(lambda _: setattr(answer, "value", "it was " + heard.value))
ipywidgets.VBox([slider, button, counter, heard, answer])
'''


def write_notebook(folder: Path, name: str, source: str) -> None:
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (folder / name).write_text(json.dumps(notebook))


def test_widgets_answer(lab: Lab) -> None:
    write_notebook(lab.server.folder, "smoke.ipynb", CELL)
    lab.open("smoke.ipynb")
    lab.run_all()
    lab.move_slider("a-slider", 3)
    lab.page.locator(".count-up").click()
    lab.page.get_by_role("button", name="count 1").click()
    expect(lab.widget("heard")).to_have_text("slider 18, counter 2")
    lab.press("a-button")
    expect(lab.widget("an-answer")).to_have_text("it was slider 18, counter 2")


def test_theme_and_screenshot(lab: Lab, tmp_path: Path) -> None:
    write_notebook(lab.server.folder, "theme.ipynb", "1 + 1")
    lab.open("theme.ipynb")
    pictures = []
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.screenshot(tmp_path / f"{theme}.png")
        pictures.append((tmp_path / f"{theme}.png").read_bytes())
    lab.theme("light")
    assert pictures[0] != pictures[1]


def test_opens_on_the_first_lesson_alone(lab: Lab) -> None:
    first = min(path.name for path in lab.server.folder.glob("[0-9]*.ipynb"))
    lab.goto("/")
    assert lab.page.url.split("?")[0].endswith(f"/lab/tree/{first}")
    assert not lab.page.locator(".jp-FileBrowser").is_visible()
    assert not lab.page.locator(".jp-toast-message, .Toastify__toast").is_visible()


def test_the_kernel_is_this_python(lab: Lab) -> None:
    source = "import sys; print(sys.executable); import electra_edu; print('imported')"
    write_notebook(lab.server.folder, "kernel.ipynb", source)
    lab.open("kernel.ipynb")
    lab.run_all()
    output = lab.page.locator(".jp-OutputArea-output").inner_text()
    assert output.split() == [lab.server.process.args[0], "imported"]


def test_faults_of_a_page_are_seen(browser: Browser, server: Server) -> None:
    lab = Lab(server, browser.new_context().new_page())
    write_notebook(server.folder, "faults.ipynb", "1")
    lab.open("faults.ipynb")
    with lab.page.expect_event("pageerror"):
        lab.page.evaluate("() => { console.error('a fault'); setTimeout(() => { throw new Error('uncaught') }); }")
    lab.page.evaluate("() => fetch('http://outside.invalid/x').catch(() => 0)")
    lab.close()
    assert any("a fault" in error for error in lab.errors)
    assert any("uncaught" in error for error in lab.errors)
    assert lab.outside == ["http://outside.invalid/x"]


@pytest.mark.soak
def test_opening_again_and_again_leaves_nothing(browser: Browser, server: Server) -> None:
    """Twenty tabs one after another: no kernel stays, and the server does not grow."""
    write_notebook(server.folder, "soak.ipynb", CELL)
    sizes = []
    for _ in range(20):
        lab = Lab(server, browser.new_context().new_page())
        lab.open("soak.ipynb")
        lab.run_all()
        lab.close()
        lab.page.context.close()
        assert not server.kernels()
        assert not lab.errors
        sizes.append(server.memory())
    assert sizes[-1] < sizes[4] * 1.2, f"the server's memory in bytes: {sizes}"

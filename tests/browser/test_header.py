"""The header in real JupyterLab: terms and sources explained by pointing, by Tab and by click; levels; fine print."""

import json
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from jupyter_lab import Lab
from playwright.sync_api import expect

TEXT = """The <a class='edu-term' href='#term-generator' title='from the text'>generator</a> has a
<a class='edu-term' href='#term-logit' title='from the text'>logit</a>, and scores
<a class='edu-claim' href='#claim-table5-electra' title='Source: from the text'>85.0</a>.

<details class='edu-expert'><summary>Fine print</summary>

Small letters.

</details>
"""


def notebook(*cells: tuple[str, str]) -> str:
    made = [
        {"cell_type": kind, "id": f"cell-{i}", "metadata": {}, "source": source}
        | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        for i, (kind, source) in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


def test_explains_terms_and_sources_at_every_level(lab: Lab) -> None:
    code = "import electra_edu as edu\n\nedu.widgets.Header('05')"
    (Path(lab.server.folder) / "header.ipynb").write_text(
        notebook(("markdown", TEXT), ("code", code)), encoding="utf-8"
    )
    lab.open("header.ipynb")
    term, logit = (lab.page.locator(f"a.edu-term[href$='#term-{name}']") for name in ("generator", "logit"))
    claim, details = lab.page.locator("a.edu-claim"), lab.page.locator("details.edu-expert")
    expect(term).to_have_attribute("title", "from the text")  # without a kernel the browser's own tooltip explains
    expect(details).not_to_have_attribute("open", "")

    lab.run_all()
    header, popover = lab.page.locator(".edu-header"), lab.page.locator(".edu-popover")
    expect(header).to_contain_text("05 · The objective · about 25 minutes")
    expect(header).to_contain_text("quiz")

    term.hover()
    expect(popover).to_contain_text("The smaller network")
    box = popover.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    expect(term).not_to_have_attribute("title", "from the text")  # else both would be shown
    header.hover()
    expect(popover).to_be_hidden()
    expect(term).to_have_attribute("title", "from the text")

    term.focus()
    expect(popover).to_be_visible()
    lab.page.keyboard.press("Escape")
    expect(popover).to_be_hidden()
    address = lab.page.url
    claim.click()
    expect(popover).to_contain_text("Clark et al. 2020, Table 5")
    assert lab.page.url == address

    def underlined() -> list[bool]:
        style = "node => getComputedStyle(node).textDecorationLine"
        return [link.evaluate(style) == "underline" for link in (term, logit)]

    assert underlined() == [True, True]  # a curious reader, unless one says otherwise
    level = header.get_by_role("radio", name="curious")
    level.focus()
    level.press("ArrowRight")
    expect(header.get_by_role("radio", name="student")).to_be_checked()
    assert underlined() == [False, True]
    expect(details).not_to_have_attribute("open", "")
    header.get_by_role("radio", name="expert").check()
    assert underlined() == [False, False]
    expect(details).to_have_attribute("open", "")
    for theme in ("light", "dark"):
        lab.theme(theme)  # type: ignore[arg-type]
        term.focus()
        found = Axe().run(lab.page, context=".edu-header, .edu-popover")
        assert not found.response["violations"], found.response["violations"]
        machine = lab.page.locator(".jp-RenderedImage img")  # drawn dark on white
        turned = machine.evaluate("node => getComputedStyle(node).filter.includes('invert')")
        assert turned == (theme == "dark")
    lab.theme("light")
    lab.run_all()  # a second header takes the first one's place
    expect(lab.page.locator(".edu-header")).to_have_count(1)
    expect(header.get_by_role("radio", name="expert")).to_be_checked()  # kept
    header.get_by_role("radio", name="curious").check()

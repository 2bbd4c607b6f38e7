"""By keyboard alone: predict and see the result, answer a question and read why, be told about an exercise."""

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from jupyter_lab import Lab
from playwright.sync_api import Locator, expect

CELLS = (
    """
import os
os.environ["ELECTRA_EDU_PROGRESS"] = {folder!r}
import electra_edu as edu
from matplotlib.figure import Figure
guess = edu.widgets.Prediction("02", "nothing")
guess
""",
    """
figure = Figure(figsize=(5, 2))
figure.subplots().plot([1, 2, 3])
guess.reveal("b", "A line that rises.", figure)
print("what comes after a result")
""",
    """
share = edu.widgets.Prediction("00", "lucky")
share
""",
    "share.reveal(52.0, 'About half.')",
    'edu.widgets.Quiz("00")',
    """
def choose_positions(ordinary, mask_prob, rng):
    return ordinary
edu.check("choose_positions", choose_positions)
""",
)


@pytest.fixture
def page(lab: Lab, tmp_path: Path) -> Lab:
    """A notebook with a prediction of each kind, a quiz and an exercise, run."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c-{i}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source.strip().replace("{folder!r}", repr(str(tmp_path))),
        }
        for i, source in enumerate(CELLS)
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (lab.server.folder / "course.ipynb").write_text(json.dumps(notebook))
    lab.open("course.ipynb")
    lab.run_all()
    return lab


def tab_to(lab: Lab, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus."""
    for _ in range(12):
        lab.page.keyboard.press("Tab")
        if wanted.evaluate("node => node === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def outputs(lab: Lab, cell: int) -> Locator:
    """Find what a cell shows."""
    return lab.page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea")


def test_by_keyboard_alone_and_in_both_themes(page: Lab, tmp_path: Path) -> None:
    predict_a_choice(page)
    predict_a_number(page)
    answer_a_question(page)
    long_options_wrap(page)
    controls_are_named_by_their_question(page)
    for theme in ("light", "dark"):
        page.theme(theme)  # type: ignore[arg-type]
        axe_finds_nothing(page)
        page.screenshot(tmp_path / f"{theme}.png")
    page.theme("light")


def predict_a_choice(page: Lab) -> None:
    question, result = outputs(page, 0).locator(".edu-prediction"), outputs(page, 1)
    expect(result.locator(".edu-outcome")).to_contain_text("Your prediction first")
    expect(result).to_contain_text("what comes after a result")
    expect(result.locator("img:visible")).to_have_count(0)
    expect(outputs(page, 0).locator(".edu-saved-copy:visible")).to_have_count(0)
    options = question.get_by_role("radio")
    options.first.focus()
    page.page.keyboard.press("ArrowUp")  # round to the last
    expect(options.last).to_be_checked()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_be_checked()
    tab_to(page, question.get_by_role("button", name="Lock in"))
    page.page.keyboard.press("Enter")
    expect(question).to_contain_text("Locked in: (b)")
    expect(result.locator(".edu-outcome")).to_contain_text("✓ as you said.")
    expect(result.locator("img:visible")).to_have_count(1)
    expect(result.locator("img:visible")).to_have_attribute("alt", "A line that rises.")
    expect(result.get_by_text("what comes after a result")).to_be_visible()
    question.get_by_role("button", name="Predict again").press("Enter")
    expect(result.locator(".edu-outcome")).to_contain_text("Your prediction first")
    expect(result.locator("img:visible")).to_have_count(0)


def predict_a_number(page: Lab) -> None:
    question = outputs(page, 2).locator(".edu-prediction")
    handle = question.locator(".noUi-handle")
    handle.focus()
    expect(question.locator(".widget-readout")).to_have_text("50%")
    handle.press("ArrowLeft")
    expect(question.locator(".widget-readout")).to_have_text("45%")
    expect(handle).to_have_attribute("aria-valuetext", "45%")  # and not 9, its place among the choices
    tab_to(page, question.get_by_role("button", name="Lock in"))
    page.page.keyboard.press("Space")
    expect(outputs(page, 3).locator(".edu-outcome")).to_contain_text("You predicted 45%, 7% away.")


def answer_a_question(page: Lab) -> None:
    """Try all four answers; each has its own reply, and another choice takes the last reply away."""
    question = outputs(page, 4).locator(".edu-question").first
    options, reply = question.get_by_role("radio"), question.locator(".edu-reply")
    options.first.focus()
    page.page.keyboard.press("Space")
    replies = []
    for place in range(4):
        expect(options.nth(place)).to_be_checked()
        expect(reply).to_have_count(0)
        tab_to(page, question.get_by_role("button"))
        page.page.keyboard.press("Enter")
        replies.append(reply.inner_text())
        options.nth(place).focus()
        page.page.keyboard.press("ArrowDown")
    assert len(set(replies)) == 4
    assert sorted(text.split(".")[0] for text in replies) == ["✓ Right", *["✗ Not quite"] * 3]
    expect(outputs(page, 4).locator(".edu-quiz-score")).to_contain_text("of 4 right")


def long_options_wrap(page: Lab) -> None:
    page.page.set_viewport_size({"width": 520, "height": 900})
    heights = []
    for label in outputs(page, 4).locator(".widget-radio-box label").all():
        label.scroll_into_view_if_needed()
        assert label.evaluate("node => node.scrollWidth - node.clientWidth") <= 1
        heights.append(label.evaluate("node => node.clientHeight"))
    assert max(heights) > 1.5 * min(heights)  # one of two lines is among them
    page.page.set_viewport_size({"width": 1280, "height": 900})


def controls_are_named_by_their_question(page: Lab) -> None:
    options = outputs(page, 0).get_by_role("radiogroup", name="Predict: A coin that shows heads")
    expect(options.get_by_role("radio")).to_have_count(4)
    expect(outputs(page, 2).get_by_role("slider", name="Predict: ")).to_have_count(1)
    expect(outputs(page, 4).get_by_role("radiogroup")).to_have_count(4)
    expect(outputs(page, 4).get_by_role("radiogroup", name="1. ")).to_have_count(1)


def axe_finds_nothing(page: Lab) -> None:
    for context in (".edu-prediction", ".edu-quiz", ".edu-check"):
        page.page.locator(context).first.scroll_into_view_if_needed()
        found = Axe().run(page.page, context=context).response["violations"]
        assert not found, [(each["id"], each["help"], each["nodes"][0]["html"][:200]) for each in found]

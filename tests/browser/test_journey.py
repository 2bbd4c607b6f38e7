"""A learner's journey through lessons 00 and 06 in real JupyterLab: every button pressed, every curve seen to grow."""

import re
import time

from jupyter_lab import Lab
from playwright.sync_api import Locator, expect


def number(text: str, pattern: str) -> int:
    """Find a number such as "step 1,234" in a text."""
    found = re.search(pattern, text)
    assert found, f"{pattern!r} is not in {text!r}"
    return int(found[1].replace(",", ""))


def step_of(panel: Locator) -> int:
    return number(panel.locator(".edu-status").inner_text(), r"step ([\d,]+)")


def test_lesson_00_two_rounds_of_the_game(lab: Lab) -> None:
    lab.open("00_start_here.ipynb")
    lab.run_all()
    game = lab.page.locator(".edu-fakes")
    game.scroll_into_view_if_needed()
    for round_number in (1, 2):
        words = game.locator("button.edu-fakes-word")
        expect(words.first).to_be_visible()
        words.nth(1).click()
        expect(words.nth(1)).to_have_attribute("aria-pressed", "true")
        words.nth(1).press("Enter")  # taken back, by keyboard
        expect(words.nth(1)).to_have_attribute("aria-pressed", "false")
        words.nth(3).click()
        game.get_by_role("button", name="Check").click()
        notes = game.locator(".edu-fakes-notes li")
        expect(notes.first).to_be_visible()
        assert 2 <= notes.count() <= 4  # one for each fake, at least; the true word and the probabilities
        if round_number == 1:
            game.get_by_role("button", name=re.compile("Train")).first.click()
            expect(game.locator(".edu-fakes-meter")).to_be_visible()
            expect(game.locator(".edu-fakes-clock")).to_contain_text(re.compile(r"step [1-9]"))
            expect(game.get_by_role("button", name="Check")).to_be_visible()  # ten seconds later, a new story
    expect(game.locator(".edu-fakes-machines").first).to_be_visible()  # the discriminator played too
    assert lab.page.locator(".jp-OutputArea-output", has_text="Everything this course needs").count() == 1


def test_lesson_06_the_training_lab(lab: Lab) -> None:
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lab.open("06_joint_training.ipynb")
    lab.run_all()
    panel = lab.page.locator(".edu-training-lab").first
    panel.scroll_into_view_if_needed()
    box = panel.bounding_box()
    assert box is not None
    assert box["width"] <= 850
    assert box["height"] <= 620
    train = panel.locator(".edu-train")
    verdict = panel.locator(".edu-verdict")

    train.click()
    expect(train).to_contain_text("Pause")
    expect(panel.locator(".edu-status")).to_contain_text(re.compile(r"step (\d{2,}|\d,)"))
    before, curve = step_of(panel), panel.locator("svg path").all()
    expect(panel.locator(".edu-status")).not_to_contain_text(f"step {before} ")
    assert step_of(panel) > before
    assert curve

    slider(panel, "edu-rtd-weight", -2)  # while it trains
    expect(panel.locator(".edu-settings")).to_contain_text("rtd_weight=10.0")
    expect(panel).to_contain_text(re.compile("λ 50 → (20|10)"))  # its mark on the curves
    train.click()
    expect(train).to_contain_text("Train")
    expect(panel.locator(".edu-status")).not_to_contain_text("steps/s")
    paused_at = step_of(panel)
    time.sleep(0.5)
    assert step_of(panel) == paused_at
    twin = lab.page.locator(".jp-OutputArea-child:has(.edu-training-lab) + .jp-OutputArea-child img")
    expect(twin.first).to_be_attached()  # kept for a notebook without a kernel, hidden beside the living panel

    slider(panel, "edu-mask", 3)
    expect(panel.locator(".edu-settings")).to_contain_text("mask_prob=0.3")
    train.click()
    expect(panel.locator(".edu-status")).not_to_contain_text(f"step {paused_at} ")
    train.click()
    expect(train).to_contain_text("Train")

    panel.get_by_role("button", name="Copy settings").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    copied = lab.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == "edu.preset('toy', mask_prob=0.3, rtd_weight=10.0)"
    panel.get_by_role("button", name="Show code").click()
    expect(panel.locator(".edu-code")).to_contain_text("run.change(**settings)")
    panel.get_by_role("button", name="Hide code").click()

    sentence = panel.locator(".edu-words").inner_text()
    panel.get_by_role("button", name="New sentence").click()
    expect(panel.locator(".edu-words")).not_to_have_text(sentence, use_inner_text=True)

    panel.locator(".edu-keep").click()
    expect(panel).to_contain_text(
        re.compile(r"mask 15→30%, λ 50→(20→)?10, size 1/4")
    )  # what its steps were trained with
    slider(panel, "edu-size", 1)
    expect(panel).to_contain_text("Reset applies: generator size")
    panel.locator(".edu-reset").click()
    expect(panel.locator(".edu-status")).to_contain_text("step 0")
    expect(verdict).to_contain_text("Press Train")
    panel.locator(".edu-step").click()
    expect(panel.locator(".edu-status")).to_contain_text("step 1 ")


def slider(panel: Locator, css_class: str, steps: int) -> None:
    """Move one slider of a panel by arrow keys."""
    handle = panel.locator(f".{css_class} .noUi-handle")
    handle.focus()
    for _ in range(abs(steps)):
        handle.press("ArrowRight" if steps > 0 else "ArrowLeft")

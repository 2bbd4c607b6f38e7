"""The analysis panels by keyboard alone, in real JupyterLab: knobs, words that can be picked, buttons, the code."""

from pathlib import Path

from jupyter_lab import Lab
from playwright.sync_api import expect
from test_header import notebook

CODE = """import electra_edu as edu

corpus = edu.load_corpus("toy")
alone = {"scheme": "two-stage", "generator_steps": 10, "weight_sharing": "none"}
edu.widgets.GeneratorBench([edu.TrainingRun(edu.preset("toy", **alone), corpus, seed=0)])"""


def test_a_panel_answers_the_keyboard(lab: Lab) -> None:
    (Path(lab.server.folder) / "bench.ipynb").write_text(notebook(("code", CODE)), encoding="utf-8")
    lab.open("bench.ipynb")
    lab.run_all()
    panel = lab.page.locator(".edu-instrument")
    words, gaps = panel.locator(".edu-token"), panel.locator("button.edu-token")
    expect(gaps).to_have_count(3)  # of some twenty words only the gaps can be picked
    assert words.count() > 12

    asked = panel.locator(".edu-block-title", has_text="the true word is")
    other = panel.locator("button.edu-token[aria-pressed='false']").first
    number = other.locator(".edu-sign").inner_text()
    other.focus()
    other.press("Enter")
    expect(asked).to_contain_text(f"Gap {number}: ")
    expect(gaps.nth(int(number) - 1)).to_have_attribute("aria-pressed", "true")
    expect(gaps.nth(int(number) - 1)).to_be_focused()

    temperature = panel.locator(".noUi-handle").last
    temperature.focus()
    temperature.press("ArrowRight")
    expect(panel).to_contain_text("T = 1.4")
    how = panel.get_by_role("combobox")
    how.focus()
    how.press("t")  # the option that begins so
    expect(panel).to_contain_text("0 nats")

    story = words.all_inner_texts()
    forth = panel.get_by_role("button", name="Next story")
    forth.focus()
    forth.press("Enter")
    expect(words.nth(1)).not_to_have_text(story[1])
    show = panel.get_by_role("button", name="Show code")
    show.focus()
    show.press("Enter")
    expect(panel).to_contain_text("run.average.generator(tokens")

"""What the live view draws: its script on a bare page, fed with frames, without JupyterLab."""

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from electra_edu.widgets.charts.frame import Chart, Floor, Frame, Kept, Mark, Sentence, Series, Strip, Token, Verdict
from electra_edu.widgets.charts.live_view import LiveView

PAGE = """<!doctype html><html lang="en"><title>live view</title><style>%s
  body { --jp-layout-color0: white } body[data-jp-theme-light="false"] { --jp-layout-color0: #111; background: #111 }
</style><body data-jp-theme-light="true"><main id="main" style="width: 840px"></main><script type="module">
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const watchers = new Set();
  let frame = {};
  window.sent = [];
  window.show = (text) => {
    frame = JSON.parse(text, (_, value) => value?.base64 === undefined ? value : bytes(value.base64));
    watchers.forEach((draw) => draw());
  };
  window.watchers = watchers;
  const model = { get: () => frame, send: (message) => sent.push(message),
    on: (_, draw) => watchers.add(draw), off: (_, draw) => watchers.delete(draw) };
  const script = new Blob([%s], { type: "text/javascript" });
  const { default: widget } = await import(URL.createObjectURL(script));
  window.close = widget.render({ model, el: document.getElementById("main") });
  window.loaded = true;
</script></body></html>"""


def as_json(frame: Frame) -> str:
    """Write a frame as the browser gets it, bytes as {"base64": …}."""
    view = LiveView()
    view.show(frame)
    return json.dumps(view.get_state("frame")["frame"], default=lambda raw: {"base64": base64.b64encode(raw).decode()})


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with an empty live view, 840 px wide; it must end without an error."""
    page = browser.new_page(viewport={"width": 900, "height": 600})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    view = LiveView()
    page.set_content(PAGE % (view._css, json.dumps(view._esm)))
    page.wait_for_function("window.loaded")
    yield page
    page.close()
    assert not errors


def show(page: Page, frame: Frame) -> None:
    """Send a frame and wait until it is painted."""
    page.evaluate("async (text) => { show(text); await new Promise((done) => setTimeout(done, 60)); }", as_json(frame))


def frame_at(step: int, **parts: Any) -> Frame:
    """A run after some steps, with scores that end close together."""
    x = list(range(1, step + 1))
    losses = [
        Strip(
            "generator loss",
            "nats",
            [
                Series("generator loss", "generator", x, [6 / i + 2 + 0.1 * (-1) ** i for i in x], "raw"),
                Series("generator loss", "generator", x, [6 / i + 2 for i in x]),
            ],
            "generator",
            floor=Floor("word frequencies only", 5.2),
            kept=[Kept("mask 15 %, λ 50", [1, 2 * step], [8, 2])],
        ),
        Strip("RTD loss", "nats", [Series("RTD loss", "discriminator", x, [0.7 / i for i in x])], "discriminator"),
    ]
    scores = [
        Series("exam AUC", "discriminator", x, [0.9] * step),
        Series("recall", "discriminator", x, [0.89] * step, "dotted"),
        Series("topic probe", "probe", x[::50], [0.88] * len(x[::50]), "markers"),
    ]
    tokens = [
        Token("chef", 0.03),
        Token("cook", 0.2),
        Token("##ed", 0.9),
        Token("door", 0.8, masked=True, original="soup"),
        Token("walk", 0.1, masked=True, original="plant"),
    ]
    given: dict[str, Any] = {
        "charts": [
            Chart("Losses", losses),
            Chart("Is it learning?", [Strip("score", "0 to 1", scores, y_range=(0, 1))]),
        ],
        "marks": [Mark(step / 2, "λ 50 → 10")],
        "sentence": Sentence(tokens, "Held out"),
        "verdict": Verdict("learning", "It is learning."),
        "status": f"step {step}",
    }
    return Frame(**(given | parts))


def test_an_empty_view_invites_and_the_first_point_takes_its_place(page: Page) -> None:
    invitation = page.get_by_text("Press Train: the curves will grow here.")
    expect(invitation).to_be_visible()
    show(page, frame_at(1))
    expect(invitation).to_be_hidden()
    assert page.locator(".edu-curve.edu-smooth.edu-generator").get_attribute("d").endswith("h0")  # a dot


def test_a_gap_lifts_the_pen(page: Page) -> None:
    series = Series("exam AUC", "probe", [1, 2, 3, 4, 5], [0.1, 0.2, None, 0.4, 0.5])
    show(page, frame_at(5, charts=[Chart("Scores", [Strip("score", "", [series])])]))
    path = page.locator(".edu-curve").get_attribute("d")
    assert (path.count("M"), path.count("L")) == (2, 2)


@pytest.mark.parametrize("width", [840, 600])
@pytest.mark.parametrize("step", [1, 7, 60, 700, 12345])
def test_nothing_is_cut_off_and_no_texts_collide(page: Page, width: int, step: int) -> None:
    page.evaluate("(width) => { document.getElementById('main').style.width = `${width}px`; }", width)
    show(page, frame_at(step))
    charts = page.locator(".edu-chart > svg")
    assert charts.nth(0).bounding_box()["y"] == charts.nth(1).bounding_box()["y"]  # side by side
    assert page.locator(".edu-live").bounding_box()["height"] <= 440
    for chart in charts.all():
        right_edge = chart.bounding_box()["width"]
        texts = chart.locator("text").evaluate_all(TEXT_BOXES)
        for text, left, right, *_ in texts:
            assert left >= -1, text
            assert right <= right_edge + 1, text
        assert [(one[0], other[0]) for one, other in itertools.combinations(texts, 2) if overlap(one, other)] == []


TEXT_BOXES = """(nodes) => nodes.map((node) => {
    const { x, y, width, height } = node.getBBox();
    return [node.textContent, x, x + width, y, y + height];
})"""


def overlap(one: list[Any], other: list[Any]) -> bool:
    """Say whether two texts run into each other; lines may stand as close as 14 px."""
    across = min(one[2], other[2]) - max(one[1], other[1])
    down = min(one[4], other[4]) - max(one[3], other[3])
    return across > 0 and down > 4


def test_data_is_never_read_as_html(page: Page) -> None:
    evil = "<img src=x onerror=alert(1)>"
    chart = Chart(evil, [Strip(evil, evil, [Series(evil, "probe", [1, 2], [1, 2])], kept=[Kept(evil, [1], [1])])])
    sentence = Sentence([Token(evil, 0.5, original=evil)], evil)
    show(page, Frame([chart], [Mark(1, evil)], sentence, Verdict("idle", evil), evil, evil))
    page.locator(".edu-chart > svg").hover()
    assert page.locator("img").count() == 0
    assert page.locator(".edu-token-text").text_content() == evil


def test_tokens_tell_their_state_by_sign_and_words_stay_whole(page: Page) -> None:
    show(page, frame_at(9))
    assert page.locator(".edu-word").count() == 4
    assert page.locator(".edu-word").nth(1).locator(".edu-token-text").all_text_contents() == ["cook", "ed"]
    assert page.locator(".edu-token .edu-sign").all_text_contents() == ["", "", "!", "✓", "✗"]
    assert page.locator(".edu-token").nth(3).get_attribute("title") == "true word: soup; caught"


def test_arrow_keys_read_the_values_aloud(page: Page) -> None:
    show(page, frame_at(100))
    chart, spoken = page.locator(".edu-chart > svg").nth(1), page.locator(".edu-live > .edu-hidden")
    chart.focus()
    for key, step in (("ArrowLeft", 100), ("ArrowLeft", 99), ("Home", 1), ("PageUp", 11), ("End", 100)):
        chart.press(key)
        expect(spoken).to_have_text(f"{step} steps, exam AUC 0.90, recall 0.89, topic probe 0.88")
    expect(page.locator(".edu-readout").nth(0)).to_contain_text("RTD loss")  # the cursor stands in both charts
    chart.press("Escape")
    expect(page.locator(".edu-readout").nth(0)).to_be_hidden()


def test_only_what_changed_is_announced_and_charts_describe_themselves_in_time(page: Page) -> None:
    show(page, frame_at(100))
    chart = page.locator(".edu-chart > svg").first
    expect(chart).to_have_attribute("aria-label", label_at(100))
    page.evaluate(
        """() => {
            window.changes = 0;
            const observer = new MutationObserver((list) => { changes += list.length; });
            observer.observe(document.querySelector("[role=status]"), { childList: true, subtree: true });
        }"""
    )
    for step in (101, 102, 103):
        show(page, frame_at(step))
    assert chart.get_attribute("aria-label") == label_at(100)  # not yet: two seconds have not passed
    assert page.evaluate("changes") == 0
    expect(chart).to_have_attribute("aria-label", label_at(103))
    show(page, frame_at(104, verdict=Verdict("starved", "Few fakes are left to find.")))
    assert page.evaluate("changes") > 0


def label_at(step: int) -> str:
    """Return what the first chart says of itself after `step` steps."""
    return (
        f"Losses Chart. generator loss {6 / step + 2:.2f} nats at {step} steps; dashed line at 5.20: word frequencies "
        f"only; RTD loss {0.7 / step:.2f} nats at {step} steps. Arrow keys read values."
    )


def test_many_frames_are_drawn_once_per_repaint(page: Page) -> None:
    show(page, frame_at(1))  # the first frame changes the view's height, which asks for a second drawing
    texts = [as_json(frame_at(step)) for step in range(1, 6)]
    drawn = page.evaluate(
        """async (texts) => {
            let asked = 0;
            const original = window.requestAnimationFrame;
            window.requestAnimationFrame = (draw) => { asked += 1; return original(draw); };
            texts.forEach(show);
            await new Promise((done) => setTimeout(done, 200));
            return [asked, document.querySelector(".edu-status").textContent];
        }""",
        texts,
    )
    assert drawn == [1, "step 5"]


def test_the_button_asks_and_a_closed_view_keeps_silent(page: Page) -> None:
    show(page, frame_at(5))
    page.get_by_role("button", name="New sentence").click()
    assert page.evaluate("sent") == [{"action": "new-sentence"}]
    page.evaluate("window.close()")
    assert page.evaluate("watchers.size") == 0
    page.get_by_role("button", name="New sentence").click()
    assert len(page.evaluate("sent")) == 1


@pytest.mark.parametrize("light", ["true", "false"])
def test_axe_finds_nothing(page: Page, light: str) -> None:
    page.evaluate("(light) => { document.body.dataset.jpThemeLight = light; }", light)
    show(page, frame_at(300))
    page.wait_for_timeout(300)  # the tint of a token fades in
    colour = page.locator(".edu-title").first.evaluate("(title) => getComputedStyle(title).fill")
    assert colour == {"true": "rgb(31, 35, 40)", "false": "rgb(230, 232, 235)"}[light]
    assert Axe().run(page, context=".edu-live").response["violations"] == []

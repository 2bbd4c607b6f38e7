"""What the view of blocks draws: its script on a bare page, fed with blocks, without JupyterLab."""

import base64
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from every_block import EVERY
from playwright.sync_api import Browser, Page, expect

from electra_edu.plots.blocks import Block, Code, Fact, Facts, Row, Status, Table, Text, Token, Tokens, Verdict
from electra_edu.plots.charts import BarChart, Curve, Floor, HeatMap, LineChart, Series, Subplot, VerticalLine
from electra_edu.widgets.charts.block_view import BlockView
from electra_edu.widgets.panels.run_blocks import token_of

LEARNING = Verdict("learning", "It is learning.")
SENTENCE = [("chef", 0.03), ("cook", 0.2), ("##ed", 0.9), ("door", 0.8, "soup"), ("walk", 0.1, "plant")]

PAGE = """<!doctype html><html lang="en"><title>blocks</title><style>%s
  body { --jp-layout-color0: white } body[data-jp-theme-light="false"] { --jp-layout-color0: #111; background: #111 }
</style><body data-jp-theme-light="true"><main id="main" class="edu-training-lab" style="width: 840px"></main>
<script type="module">
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const watchers = new Set();
  let blocks = [];
  window.sent = [];
  window.show = (text) => {
    blocks = JSON.parse(text, (_, value) => value?.base64 === undefined ? value : bytes(value.base64));
    watchers.forEach((draw) => draw());
  };
  window.watchers = watchers;
  const model = { get: (name) => name === "blocks" ? blocks : "A test", send: (message) => sent.push(message),
    on: (_, draw) => watchers.add(draw), off: (_, draw) => watchers.delete(draw) };
  const script = new Blob([%s], { type: "text/javascript" });
  const { default: widget } = await import(URL.createObjectURL(script));
  window.close = widget.render({ model, el: document.getElementById("main") });
  window.loaded = true;
</script></body></html>"""


def as_json(blocks: Sequence[Block]) -> str:
    """Write blocks as the browser gets them, bytes as {"base64": …}."""
    view = BlockView("A test")
    view.show(blocks)
    sent = view.get_state("blocks")["blocks"]
    return json.dumps(sent, default=lambda raw: {"base64": base64.b64encode(raw).decode()})


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with an empty view, 840 px wide; it must end without an error."""
    page = browser.new_page(viewport={"width": 900, "height": 600})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    view = BlockView("A test")
    page.set_content(PAGE % (view._css, json.dumps(view._esm)))
    page.wait_for_function("window.loaded")
    yield page
    page.close()
    assert not errors


def show(page: Page, *blocks: Block) -> None:
    """Send blocks and wait until they are painted."""
    page.evaluate("async (text) => { show(text); await new Promise((done) => setTimeout(done, 60)); }", as_json(blocks))


def run_at(step: int, verdict: Verdict = LEARNING) -> list[Block]:
    """A run after some steps, with scores that end close together; 0 has no curves yet."""
    x = list(range(1, step + 1))
    pale = [Curve("mask 15 %, λ 50", [1, 2 * step], [8, 2], style="pale")] if step else []
    losses = [
        Subplot(
            "generator loss",
            [
                Curve("generator loss", x, [6 / i + 2 + 0.1 * (-1) ** i for i in x], "generator", "raw"),
                Curve("generator loss", x, [6 / i + 2 for i in x], "generator"),
                *pale,
            ],
            "nats",
            "generator",
            floor=Floor("word frequencies only", 5.2),
        ),
        Subplot("RTD loss", [Curve("RTD loss", x, [0.7 / i for i in x], "discriminator")], "nats", "discriminator"),
    ]
    scores = [
        Curve("exam AUC", x, [0.9] * step, "discriminator"),
        Curve("recall", x, [0.89] * step, "discriminator", "dotted"),
        Curve("topic probe", x[::50], [0.88] * len(x[::50]), "probe", marker="circle"),
    ]
    lines = [VerticalLine(step / 2, "λ 50 → 10")]
    return [
        Row(
            (
                LineChart("Losses", losses, "steps", lines=lines, empty="Press Train."),
                LineChart("Is it learning?", [Subplot("score", scores, "0 to 1", ylim=(0, 1))], "steps", lines=lines),
            )
        ),
        Tokens(tuple(token_of(*each) for each in SENTENCE), "Held out", button="New sentence"),
        verdict,
        Status(f"step {step}"),
    ]


def test_an_empty_view_invites_and_the_first_point_takes_its_place(page: Page) -> None:
    invitation = page.get_by_text("Press Train.")
    show(page, *run_at(0))
    expect(invitation).to_be_visible()
    show(page, *run_at(1))
    expect(invitation).to_be_hidden()
    assert page.locator(".edu-curve.edu-solid.edu-color-generator").get_attribute("d").endswith("h0")  # a dot


def test_a_gap_lifts_the_pen(page: Page) -> None:
    curve = Curve("exam AUC", [1, 2, 3, 4, 5], [0.1, 0.2, None, 0.4, 0.5], "probe")
    show(page, LineChart("Scores", [Subplot("score", [curve])], "steps"))
    path = page.locator(".edu-curve").get_attribute("d")
    assert (path.count("M"), path.count("L")) == (2, 2)


@pytest.mark.parametrize("width", [840, 600])
@pytest.mark.parametrize("step", [1, 7, 60, 700, 12345])
def test_nothing_is_cut_off_and_no_texts_collide(page: Page, width: int, step: int) -> None:
    page.evaluate("(width) => { document.getElementById('main').style.width = `${width}px`; }", width)
    show(page, *run_at(step))
    charts = page.locator(".edu-chart > svg")
    assert charts.nth(0).bounding_box()["y"] == charts.nth(1).bounding_box()["y"]  # side by side
    assert page.locator(".edu-blocks").bounding_box()["height"] <= 440
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
    curves = [Curve(evil, [1, 2], [1, 2], "probe"), Curve(evil, [1], [1], style="pale")]
    show(
        page,
        LineChart(evil, [Subplot(evil, curves, evil)], evil, lines=[VerticalLine(1, evil)], empty=evil),
        Tokens((Token(evil, evil, evil, about=evil),), evil, evil, (("ink", evil, evil),), evil),
        Facts((Fact(evil, evil),)),
        Table((evil,), ((evil,),), evil),
        BarChart(evil, (evil,), (Series(evil, (1.0,)), Series(evil, (1.0,))), evil),
        HeatMap(evil, (evil,), (evil,), ((1.0,),)),
        Text(evil),
        Code(evil),
        Verdict("idle", evil),
        Status(evil),
    )
    page.locator(".edu-chart > svg").hover()
    assert page.locator("img").count() == 0
    assert page.locator(".edu-text").text_content() == evil


def test_tokens_tell_their_state_by_sign_and_words_stay_whole(page: Page) -> None:
    show(page, *run_at(9))
    assert page.locator(".edu-word").count() == 4
    assert page.locator(".edu-word").nth(1).locator(".edu-text").all_text_contents() == ["cook", "ed"]
    assert page.locator(".edu-token-note").all_text_contents() == ["3%", "20%", "! 90%", "✓ 80%", "✗ 10%"]
    assert page.locator(".edu-token").nth(3).get_attribute("title") == "true word: soup; caught"


def test_every_kind_of_block_draws_its_numbers(page: Page) -> None:
    """The same blocks as tests/plots/test_layout.py draws with matplotlib."""
    show(page, *EVERY)
    for text in ("77 of 512", "Everything else is context.", "loss.backward()", "replaced", "M masked", "step 3"):
        expect(page.locator(".edu-blocks")).to_contain_text(text)
    tips = page.locator("svg title").all_text_contents()
    assert {"chef, model: 50.0%", "cook, model: 25.0%"} <= {*tips}  # bars
    assert {"library A: 2 [1.5–2.5]", "library B: 0.5 [0.25–1]"} <= {*tips}  # intervals
    assert {"the, sat: 0", "chef, chef: 0.5"} <= {*tips}  # heat map
    assert page.locator(".edu-cell").count() == 5  # of six values one is missing
    widths = page.locator(".edu-bar-shape").evaluate_all("(bars) => bars.map((bar) => bar.getBBox().width)")
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
    assert page.locator(".edu-area").count() == 2
    assert page.locator(".edu-square.edu-hollow").count() == 2
    entropy, over_seeds = page.locator(".edu-chart").all()
    expect(entropy).to_contain_text("most")  # the dot's name
    expect(entropy).to_contain_text("here")
    assert over_seeds.locator(".edu-band").count() == 1
    assert over_seeds.locator(".edu-pale").count() == 1
    assert over_seeds.locator(".edu-markers").get_attribute("d").count("m") == 3
    chart = over_seeds.locator("svg").first
    chart.focus()
    chart.press("End")
    chart.press("ArrowLeft")
    expect(over_seeds.locator(".edu-readout")).to_contain_text("BERT0.50 [0.40–0.60]")
    expect(over_seeds.locator(".edu-readout")).to_contain_text("loss0.01")


def test_log_axes_place_decades_evenly(page: Page) -> None:
    curve = Curve("a", [1, 10, 100], [0.01, 0.1, 1])
    show(page, LineChart("Log", [Subplot("y", [curve], yscale="log")], "x", xscale="log"))
    numbers = [float(n) for n in re.findall(r"[\d.]+", page.locator(".edu-curve").get_attribute("d"))]
    (x0, x1, x2), (y0, y1, y2) = numbers[::2], numbers[1::2]
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)


def test_what_did_not_change_keeps_its_elements_and_the_focus(page: Page) -> None:
    words = Tokens((Token("the"), Token("cook")), pick="hide")
    show(page, words, Text("one"), BarChart("b", ("x",), (Series("s", (1.0,)),), "n"))
    page.locator("button.edu-token").nth(1).focus()
    page.evaluate("window.before = [...document.querySelectorAll('button.edu-token, .edu-bar-shape')]")
    show(page, replace(words, tokens=(Token("the"), Token("cook", "5%"))), Text("two"),
         BarChart("b", ("x",), (Series("s", (1.0,)),), "n"))  # fmt: skip
    assert page.evaluate("before.every((node) => node.isConnected)")
    expect(page.locator("button.edu-token").nth(1)).to_be_focused()
    page.locator("button.edu-token").nth(1).press("Enter")
    assert page.evaluate("sent") == [{"action": "hide", "index": 1}]


def test_arrow_keys_read_the_values_aloud(page: Page) -> None:
    show(page, *run_at(100))
    chart, spoken = page.locator(".edu-chart > svg").nth(1), page.locator(".edu-row + .edu-legend + .edu-hidden")
    chart.focus()
    for key, step in (("ArrowLeft", 100), ("ArrowLeft", 99), ("Home", 1), ("PageUp", 11), ("End", 100)):
        chart.press(key)
        expect(spoken).to_have_text(f"{step} steps, exam AUC 0.90, recall 0.89, topic probe 0.88")
    expect(page.locator(".edu-readout").nth(0)).to_contain_text("RTD loss")  # the cursor stands in both charts
    chart.press("Escape")
    expect(page.locator(".edu-readout").nth(0)).to_be_hidden()


def test_only_what_changed_is_announced_and_charts_describe_themselves_in_time(page: Page) -> None:
    show(page, *run_at(100))
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
        show(page, *run_at(step))
    assert chart.get_attribute("aria-label") == label_at(100)  # not yet: two seconds have not passed
    assert page.evaluate("changes") == 0
    expect(chart).to_have_attribute("aria-label", label_at(103))
    show(page, *run_at(104, Verdict("starved", "Few fakes are left to find.")))
    assert page.evaluate("changes") > 0


def label_at(step: int) -> str:
    """Return what the first chart says of itself after `step` steps."""
    return (
        f"Losses Chart. generator loss {6 / step + 2:.2f} nats at {step} steps; dashed line at 5.20: word frequencies "
        f"only; RTD loss {0.7 / step:.2f} nats at {step} steps. Arrow keys read values."
    )


def test_many_changes_are_drawn_once_per_repaint(page: Page) -> None:
    show(page, *run_at(1))
    texts = [as_json(run_at(step)) for step in range(1, 6)]
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
    assert drawn == [2, "step 5"]  # the first at once, the last of the others at the next repaint


def test_the_button_asks_and_a_closed_view_keeps_silent(page: Page) -> None:
    show(page, *run_at(5))
    page.get_by_role("button", name="New sentence").click()
    assert page.evaluate("sent") == [{"action": "New sentence", "index": 0}]
    page.evaluate("window.close()")
    assert page.evaluate("watchers.size") == 0
    page.get_by_role("button", name="New sentence").click()
    assert len(page.evaluate("sent")) == 1


@pytest.mark.parametrize("light", ["true", "false"])
def test_axe_finds_nothing(page: Page, light: str) -> None:
    page.evaluate("(light) => { document.body.dataset.jpThemeLight = light; }", light)
    show(page, *run_at(300))
    page.wait_for_timeout(300)  # the tint of a token fades in
    colour = page.locator(".edu-title").first.evaluate("(title) => getComputedStyle(title).fill")
    assert colour == {"true": "rgb(31, 35, 40)", "false": "rgb(230, 232, 235)"}[light]
    assert Axe().run(page, context=".edu-blocks").response["violations"] == []

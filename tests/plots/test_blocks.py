"""Sheets: the same blocks as data for the browser, as a picture, and in words; and the panels made of them."""

import json
import math
import re
from typing import Any

import pytest
from matplotlib.figure import Figure

from electra_edu import plots
from electra_edu.plots import palette
from electra_edu.plots.blocks import (
    BarChart,
    Block,
    Code,
    Curve,
    Fact,
    Facts,
    Histogram,
    LineChart,
    Row,
    Series,
    Squares,
    Table,
    Text,
    Token,
    Tokens,
    in_words,
    to_dict,
)
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.assets import STATIC
from electra_edu.widgets.charts.block_view import BlockView
from electra_edu.widgets.charts.pictures import draw_blocks
from electra_edu.widgets.parts.instrument import Instrument
from electra_edu.widgets.parts.knobs import button, choices

WORDS = Tokens(
    (Token("the"), Token("cook", note="5%", sign="M", color="generator", level=0.05), Token(".", note="0%", level=0.0)),
    title="A story",
    pick="hide",
    key=(("generator", "M", "masked"),),
)
BARS = BarChart("Guesses", ("chef", "cook"), (Series("model", (0.5, 0.25), "generator"),), "probability", 1.0, 1, True)
HISTOGRAM = Histogram(
    "Logits", (-1.0, 0.0, 1.0), (Series("original", (3.0, 1.0)), Series("replaced", (1.0, 2.0))), "logit", "tokens", 0.5
)
CURVES = LineChart(
    "H(p)",
    (Curve("entropy", (0.0, 0.5, 1.0), (0.0, 1.0, math.nan), "discriminator", True),),
    "p",
    "bits",
    marker=0.1,
    marker_name="p",
    dots=((0.5, 1.0, "most"),),
)
TABLE = Table(("case", "label"), (("not masked", "0"), ("replaced", "1")), "The cases")
ALL: list[Block] = [
    WORDS,
    Facts((Fact("77 of 512", "tokens have a loss", "generator"), Fact("6.6 ×", "more places"))),
    Text("Everything else is context.", "stop"),
    Code("loss.backward()"),
    Row((BARS, HISTOGRAM)),
    CURVES,
    TABLE,
    Squares("Tokens with a loss", ("generator", None, None, "generator"), per_row=3),
]


class Panel(Instrument):
    """An instrument with one of everything; `drawn` counts how often it computed."""

    def __init__(self) -> None:
        self.drawn = 0
        self.hidden: list[int] = []
        self.rate = choices("mask rate", (0.05, 0.15, 0.4), 0.15, "{:.0%}".format)
        self.again = button("Draw again", "Draw other positions", self.refresh)
        super().__init__("A demonstration", [[self.rate, self.again]])

    def blocks(self) -> list[Block]:
        self.drawn += 1
        if self.rate.value == 0.4:
            raise ElectraEduError("mask_prob=0.4: too much here; take 0.15.")
        return [WORDS, Text(f"rate {self.rate.value}, hidden {self.hidden}")]

    def code(self) -> str:
        return f"edu.preset('toy', mask_prob={self.rate.value})"

    def picked(self, action: str, index: int) -> None:
        assert action == "hide"
        self.hidden = [*self.hidden, index]


class TestBlocks:
    def test_travel_as_json(self) -> None:
        data = [to_dict(block) for block in ALL if block is not CURVES]
        assert json.loads(json.dumps(data))[0]["tokens"][1]["note"] == "5%"
        assert [each["kind"] for each in data] == ["Tokens", "Facts", "Text", "Code", "Row", "Table", "Squares"]
        assert (data[4]["blocks"][0]["kind"], data[4]["blocks"][1]["kind"]) == ("BarChart", "Histogram")

    def test_a_gap_in_a_curve_travels_as_null(self) -> None:
        """NaN is no JSON: a browser would refuse the whole message."""
        data = to_dict(CURVES)
        assert data["curves"][0]["y"] == [0.0, 1.0, None]
        assert "NaN" not in json.dumps(data)

    def test_are_told_in_words(self) -> None:
        told = in_words(ALL)
        assert told.startswith("A story: the cook (5%) . (0%). 77 of 512 tokens have a loss. 6.6 × more places.")
        for words in (
            "Everything else is context.",
            "Guesses (probability)",
            "H(p)",
            "not masked, 0; replaced, 1",
            "2 of 4 squares",
        ):
            assert words in told


class TestPicture:
    def test_shows_every_text_and_every_value(self) -> None:
        figure = draw_blocks(ALL)
        texts = {text.get_text() for axes in figure.axes for text in axes.texts}
        assert {"the", "cook", "5%", "M", "77 of 512", "Everything else is context.", "loss.backward()"} <= texts
        assert {"A story", "not masked", "M masked"} <= texts
        bars, histogram = figure.axes[4:6]
        assert [patch.get_width() for patch in bars.patches] == [0.5, 0.25]
        assert [list(stairs.get_data().values) for stairs in histogram.patches] == [[3, 1], [1, 2]]
        assert figure.axes[6].lines[0].get_ydata()[1] == 1.0
        assert figure.axes[6].get_xlabel() == "p"
        cells = figure.axes[8].patches
        assert [patch.get_facecolor()[3] for patch in cells] == [1, 0, 0, 1]
        assert [patch.get_y() for patch in cells] == [0, 0, 0, -1]

    def test_a_long_line_of_words_is_wrapped(self) -> None:
        short, long = (Tokens(tuple(Token("kettle") for _ in range(n))) for n in (5, 50))
        assert plots.blocks_height([long]) > 2 * plots.blocks_height([short])
        figure = draw_blocks([long])
        places = [text.get_position() for text in figure.axes[0].texts if text.get_text() == "kettle"]
        assert len(places) == 50
        assert max(x for x, _ in places) < 108
        assert len({round(y, 3) for _, y in places}) > 3

    @pytest.mark.parametrize(
        "blocks",
        [
            ALL,
            [
                Facts(
                    tuple(Fact(f"{i}", "of texts like this have nothing hidden if a coin decides") for i in range(4))
                ),
                TABLE,
            ],
            [Row((CURVES, TABLE)), Row((BARS, Text("An empty square is a token without a loss. " * 8))), HISTOGRAM],
        ],
    )
    def test_nothing_runs_into_anything_else_or_off_the_page(self, blocks: list[Block]) -> None:
        figure = draw_blocks(blocks)
        figure.canvas.draw()
        boxes = [axes.get_tightbbox() for axes in figure.axes]
        for i, box in enumerate(boxes):
            assert box is not None
            assert box.x0 >= -1
            assert box.y0 >= -1
            assert box.x1 <= figure.bbox.x1 + 1
            assert box.y1 <= figure.bbox.y1 + 1
            for other in boxes[i + 1 :]:
                assert other is not None
                across = min(box.x1, other.x1) - max(box.x0, other.x0)
                up = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert across <= 1 or up <= 1, (i, across, up)

    def test_all_blocks_begin_at_the_same_edge(self) -> None:
        figure = draw_blocks([WORDS, Facts((Fact("1", "one"),)), BARS, CURVES, TABLE, ALL[-1]])
        figure.canvas.draw()
        edges = [min(text.get_window_extent().x0 for text in axes.texts) for axes in figure.axes if axes.texts]
        assert max(edges) - min(edges) <= 2

    def test_every_tone_has_a_colour(self) -> None:
        for color in ("ink", "generator", "discriminator", "probe", "neutral", "warning", "stop"):
            figure = plots.draw_blocks(Figure(), [Text("x", color)])  # type: ignore[arg-type]
            assert figure.axes[0].texts[0].get_color() == getattr(palette, color.upper())


class TestSheet:
    def test_hears_picked_words_and_nothing_else(self) -> None:
        view, heard = BlockView("words"), []
        view.on_pick(lambda action, index: heard.append((action, index)))
        for message in ({"action": "hide", "index": 2}, {"action": "hide"}, {"action": 1, "index": 2}, "hide", None):
            view._receive(view, message, [])
        assert heard == [("hide", 2)]

    def test_script_takes_no_markup_from_data(self) -> None:
        script = (STATIC / "blocks.js").read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script)

    def test_styles_use_the_palette_and_no_small_text(self) -> None:
        css = (STATIC / "blocks.css").read_text(encoding="utf-8")
        sizes = [float(size) for size in re.findall(r"(?:font-size: |font: (?:\d+ )?)(\d+)px", css)]
        assert min(sizes) >= 12


class TestInstrument:
    def test_moving_a_knob_draws_once(self) -> None:
        panel = Panel()
        assert panel.drawn == 1
        panel.rate.value = 0.05
        assert panel.drawn == 2
        assert panel.view.blocks[1]["text"] == "rate 0.05, hidden []"
        assert panel.drawer.code == "edu.preset('toy', mask_prob=0.05)"

    def test_a_button_does_what_it_says(self) -> None:
        panel = Panel()
        panel.again.click()
        assert panel.drawn == 2

    def test_a_picked_word_is_answered_and_drawn(self) -> None:
        panel = Panel()
        panel.view._receive(panel.view, {"action": "hide", "index": 1}, [])
        assert panel.view.blocks[1]["text"] == "rate 0.15, hidden [1]"

    def test_our_errors_are_shown_and_the_next_move_mends_them(self) -> None:
        panel = Panel()
        panel.rate.value = 0.4
        assert panel.view.blocks == [to_dict(Text("mask_prob=0.4: too much here; take 0.15.", "stop"))]
        assert panel.drawer.code == ""
        panel.rate.value = 0.15
        assert panel.view.blocks[0]["kind"] == "Tokens"

    @pytest.mark.parametrize("building", ["0", "1"])
    def test_leaves_a_picture_and_in_a_build_only_that(self, building: str, monkeypatch: pytest.MonkeyPatch) -> None:
        shown: list[Any] = []
        monkeypatch.setenv("ELECTRA_EDU_BUILD", building)
        for module in ("parts.instrument", "charts.pictures"):
            monkeypatch.setattr(f"electra_edu.widgets.{module}.display", lambda what, **_: shown.append(what))
        panel = Panel()
        panel._ipython_display_()
        assert (panel.panel in shown) == (building == "0")
        assert shown[-1]["image/png"].startswith(b"\x89PNG")
        assert shown[-1]["text/plain"].startswith("A demonstration. A story: the cook (5%)")

"""The matplotlib engine: every block is drawn with its values, and nothing runs into anything else."""

import pytest
from every_block import ATTENTION, BARS, ENTROPY, EVERY, HISTOGRAM, OVER_SEEDS, RATIOS, SQUARES, TABLE, WORDS
from matplotlib.figure import Figure

from electra_edu import plots
from electra_edu.plots import palette
from electra_edu.plots.blocks import Block, Fact, Facts, Row, Text, Token, Tokens
from electra_edu.widgets.charts.pictures import draw_blocks


def test_every_kind_of_block_draws_its_numbers() -> None:
    """The same blocks as tests/browser/test_blocks_drawing.py draws in the browser."""
    figure = draw_blocks(EVERY)
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"the", "cook", "5%", "M", "77 of 512", "Everything else is context.", "loss.backward()"} <= texts
    assert {"A story", "not masked", "M masked", "most", "here", "50%", "chance", "equal", "0.90"} <= texts
    assert {"door", "✗ 40%", "It is learning.", "step 3"} <= texts
    bars, histogram, entropy, _table, squares, _shaded, probe, loss, ratios, attention = figure.axes[4:14]
    assert [patch.get_width() for patch in bars.patches] == [0.5, 0.25]
    assert [list(stairs.get_data().values) for stairs in histogram.patches] == [[3, 1], [1, 2]]
    assert (entropy.lines[0].get_ydata()[1], entropy.get_xlabel()) == (1.0, "p, a probability")
    assert [patch.get_facecolor()[3] for patch in squares.patches] == [1, 0, 0, 1]
    assert [patch.get_y() for patch in squares.patches] == [0, 0, 0, -1]
    assert {line.get_label(): list(line.get_ydata()) for line in probe.lines[:3]} == {
        "BERT": [0.2, 0.5, 0.8],
        "this run": [0.1, 0.4],
        "mask 15%": [0.3, 0.3],
    }
    assert {0.1, 0.3, 0.9} <= set(probe.collections[0].get_paths()[0].vertices[:, 1].round(6))
    assert (probe.get_xscale(), probe.get_yscale(), loss.get_yscale(), ratios.get_xscale()) == (
        "log", "linear", "log", "log",
    )  # fmt: skip
    assert [list(line.get_xdata()) for line in ratios.lines[:4]] == [[1.5, 2.5], [2.0], [0.25, 1.0], [0.5]]
    assert attention.images[0].get_array().filled(9).tolist() == [[0.9, 0.1, 0.0], [0.2, 0.5, 9.0]]


def test_a_long_line_of_words_is_wrapped() -> None:
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
        EVERY,
        [
            Facts(tuple(Fact(f"{i}", "of texts like this have nothing hidden if a coin decides") for i in range(4))),
            TABLE,
        ],
        [Row((ENTROPY, TABLE)), Row((BARS, Text("An empty square is a token without a loss. " * 8))), HISTOGRAM],
    ],
)
def test_nothing_runs_into_anything_else_or_off_the_page(blocks: list[Block]) -> None:
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


def test_all_blocks_begin_at_the_same_edge() -> None:
    figure = draw_blocks(
        [WORDS, Facts((Fact("1", "one"),)), BARS, ENTROPY, TABLE, SQUARES, RATIOS, ATTENTION, OVER_SEEDS]
    )
    figure.canvas.draw()
    edges = [min(text.get_window_extent().x0 for text in axes.texts) for axes in figure.axes if axes.texts]
    assert max(edges) - min(edges) <= 2


def test_every_tone_has_a_colour() -> None:
    for color in ("ink", "generator", "discriminator", "probe", "neutral", "warning", "stop", "violet"):
        figure = plots.draw_blocks(Figure(), [Text("x", color)])  # type: ignore[arg-type]
        assert figure.axes[0].texts[0].get_color() == getattr(palette, color.upper())

"""Plots: the values end up in the picture, the axes say what they are in, and nothing reaches for pyplot."""

import ast
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from small import an_evaluation, step_record

from electra_edu import plots
from electra_edu.metrics import binary_entropy
from electra_edu.plots.machine import PARTS
from electra_edu.plots.series import smooth
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import StepRecord

HISTORY = [step_record(i, mlm_loss=5 / i, rtd_loss=1 / i, recall=i / 10, replaced_rate=0.1) for i in range(1, 6)]
CURVES = [
    (plots.mlm_loss, "generator loss (nats)"),
    (plots.rtd_loss, "RTD loss (nats)"),
    (plots.learning, "score (0 to 1)"),
    (plots.generator_scores, "generator accuracy (0 to 1)"),
    (plots.gradient_shares, "share of the gradient norm"),
]


@pytest.fixture
def axes() -> Axes:
    return Figure().subplots()


def rendered(axes: Axes) -> Axes:
    """Draw the whole figure: some faults show only then."""
    axes.figure.draw_without_rendering()
    return axes


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(("draw", "ylabel"), CURVES)
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_curves_return_their_axes_labelled(axes: Axes, draw: Callable[..., Axes], ylabel: str, steps: int) -> None:
    assert draw(axes, HISTORY[:steps]) is axes
    assert rendered(axes).get_xlabel() == "steps"
    assert " ".join(axes.get_ylabel().split()) == ylabel  # it may break into two lines


@pytest.mark.parametrize(("draw", "_ylabel"), CURVES)
def test_curves_bear_scores_that_do_not_exist(axes: Axes, draw: Callable[..., Axes], _ylabel: str) -> None:
    nothing = dict.fromkeys(StepRecord.__dataclass_fields__, math.nan)
    rendered(draw(axes, [StepRecord(**(nothing | {"step": i})) for i in range(3)]))


def test_a_loss_is_drawn_raw_and_smoothed_in_its_networks_colour(axes: Axes) -> None:
    plots.mlm_loss(axes, HISTORY, unigram_entropy=4.0)
    raw, bold, level = axes.lines
    assert raw.get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert raw.get_ydata().tolist() == [5 / i for i in range(1, 6)]
    assert bold.get_ydata() == pytest.approx(smooth([5 / i for i in range(1, 6)], 8))
    assert {to_hex(raw.get_color()), to_hex(bold.get_color())} == {plots.GENERATOR.lower()}
    assert list(level.get_ydata()) == [4.0, 4.0]
    assert texts(axes) == ["word frequencies only"]


def test_the_rtd_floor_is_the_entropy_of_the_replaced_rate(axes: Axes) -> None:
    plots.rtd_loss(axes, HISTORY)
    assert axes.lines[-1].get_ydata() == pytest.approx([binary_entropy(0.1)] * 5)
    assert axes.lines[-1].get_linestyle() == "--"
    assert texts(axes) == ["H(p): constant guess"]


def test_learning_shows_only_what_there_is(axes: Axes) -> None:
    plots.learning(axes, HISTORY, [an_evaluation(3, auc=0.8)], probes={2: 0.4, 5: 0.9}, task="number")
    by_label = {line.get_label(): line for line in axes.lines}
    assert list(by_label) == ["AUC, fixed exam", "recall, today's fakes", "number probe"]
    assert list(by_label["AUC, fixed exam"].get_xdata()) == [3]
    assert list(by_label["number probe"].get_ydata()) == [0.4, 0.9]
    plain = Figure().subplots()
    assert [line.get_label() for line in plots.learning(plain, HISTORY).lines] == ["recall, today's fakes"]


def test_shares_fill_the_whole_height(axes: Axes) -> None:
    plots.gradient_shares(axes, [step_record(i, mlm_grad_norm=1.0, rtd_grad_norm=3.0) for i in (1, 2)])
    heights = [set(np.round(band.get_paths()[0].vertices[:, 1], 6)) for band in axes.collections]
    assert heights == [{0.0, 0.25}, {0.25, 1.0}]


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.floats(0.5, 20))
def test_smoothing_is_a_weighted_mean(values: list[float], half_life: float) -> None:
    """Brute force: a value counts half as much `half_life` values later."""
    smoothed = smooth(values, half_life)
    for i in range(len(values)):
        counts = [0.5 ** ((i - j) / half_life) for j in range(i + 1)]
        mean = sum(c * v for c, v in zip(counts, values[: i + 1], strict=True)) / sum(counts)
        assert smoothed[i] == pytest.approx(mean, abs=1e-6)


def test_smoothing_skips_what_is_missing() -> None:
    first, gap, last = smooth([2.0, math.nan, 2.0], 3)
    assert (first, last) == (2.0, 2.0)
    assert math.isnan(gap)
    with pytest.raises(ElectraEduError, match=r"half_life=0: must be above 0"):
        smooth([1.0], 0)


def test_the_machine_names_its_parts(axes: Axes) -> None:
    assert plots.machine(axes) is axes
    said = texts(rendered(axes))
    for heading in ("1 mask", "2 generator", "3 sample", "4 label", "5 discriminator"):
        assert heading in said
    assert said.count("[MASK]") == 2
    assert [word for word in said if word in ("0", "1")] == list("00001")  # only the wrong guess is replaced


@pytest.mark.parametrize("part", PARTS)
def test_only_the_lit_part_is_in_colour(axes: Axes, part: str) -> None:
    plots.machine(axes, lit=[part])
    colours = {to_hex(text.get_color()) for text in axes.texts if text.get_fontweight() == "bold"}
    everything = plots.machine(Figure().subplots())
    assert colours != {to_hex(text.get_color()) for text in everything.texts if text.get_fontweight() == "bold"}
    network = {"generator": plots.GENERATOR, "mlm_loss": plots.GENERATOR, "discriminator": plots.DISCRIMINATOR,
               "rtd_loss": plots.DISCRIMINATOR}.get(part, plots.NEUTRAL)  # fmt: skip
    other = {plots.GENERATOR, plots.DISCRIMINATOR} - {network}
    assert network.lower() in colours
    assert not {colour.lower() for colour in other} & colours


def test_an_unknown_part_is_answered_with_the_nearest(axes: Axes) -> None:
    with pytest.raises(ElectraEduError, match=r"no part 'generater'\. Did you mean 'generator'\?"):
        plots.machine(axes, lit=["generater"])


def test_tokens_are_tinted_and_signed(axes: Axes) -> None:
    """Four cases: found, missed, wrongly accused, rightly left alone."""
    tokens = [("boat", 0.9), ("soup", 0.2), ("the", 0.8), ("cook", 0.1)]
    plots.token_strip(axes, tokens, originals=["soup", "song", None, None], per_row=3)
    assert texts(rendered(axes)) == [
        "boat", "90% ✓", "was: soup", "soup", "20% ○", "was: song", "the", "80% ✗", "cook", "10%",
    ]  # fmt: skip
    assert [patch.get_facecolor()[3] for patch in axes.patches] == pytest.approx([0.405, 0.09, 0.36, 0.045])
    assert axes.get_ylim() == (0, 2)  # three to a row


def test_tokens_without_originals_carry_no_sign(axes: Axes) -> None:
    assert texts(plots.token_strip(axes, [("boat", 0.9)])) == ["boat", "90%"]
    assert texts(plots.token_strip(Figure().subplots(), [])) == []


def test_nothing_here_calls_pyplot() -> None:
    for path in Path(plots.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            module = node.module if isinstance(node, ast.ImportFrom) else None
            assert not any("pyplot" in name for name in [*names, module or ""]), path.name

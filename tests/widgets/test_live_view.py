"""The live view from Python: frames that check themselves, honest thinning, and messages from the button."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from electra_edu.plots import palette
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.assets import STATIC
from electra_edu.widgets.charts.frame import (
    Chart,
    Floor,
    Frame,
    Kept,
    Mark,
    Sentence,
    Series,
    Strip,
    Token,
    Verdict,
    thin,
)
from electra_edu.widgets.charts.live_view import SCRIPTS, LiveView

LIGHT_PAGE, DARK_PAGE = "#FFFFFF", "#111111"
TEXT_COLOURS = ("generator", "discriminator", "probe", "neutral", "warning", "stop", "ink")


def small_frame() -> Frame:
    """A frame with one of everything."""
    strip = Strip(
        "generator loss",
        "nats",
        [Series("generator loss", "generator", [1, 2, 3], [5.5, None, math.nan])],
        "generator",
        (0, 6),
        Floor("word frequencies only", 5.25),
        [Kept("mask 15 %", [1, 2], [5.5, 5.0])],
    )
    tokens = [Token("chef", 0.03), Token("##s", math.nan), Token("door", 0.5, masked=True, original="soup")]
    return Frame(
        [Chart("Losses", [strip])],
        [Mark(2, "λ 50 → 10")],
        Sentence(tokens, "Held out"),
        Verdict("idle", "Press Train."),
        "step 3",
        x_max=math.inf,
    )


class TestThin:
    def test_a_short_series_is_returned_whole(self) -> None:
        x, y = thin([1, 2, 3], [1.0, None, math.inf], most=4)
        assert x == [1, 2, 3]
        assert y[0] == 1.0
        assert np.isnan(y[1:]).all()

    def test_each_run_leaves_its_lowest_and_highest_point(self) -> None:
        # first 0 | 5 1 9 | 3 8 2 | last 4: two runs of three, from which 1 and 9, then 8 and 2 stay
        x, y = thin(list(range(8)), [0, 5, 1, 9, 3, 8, 2, 4], most=6)
        assert x == [0, 2, 3, 5, 6, 7]
        assert y == [0, 1, 9, 8, 2, 4]

    def test_a_run_without_values_leaves_a_gap_and_others_skip_what_is_missing(self) -> None:
        x, y = thin(list(range(8)), [0, None, None, None, 3, None, 2, 4], most=6)
        assert x == [0, 1, 4, 6, 7]
        assert math.isnan(y.pop(1))
        assert y == [0, 3, 2, 4]

    @given(
        st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=400),
        st.integers(4, 60),
    )
    def test_it_keeps_ends_extremes_and_order_within_the_limit(self, values: list[float | None], most: int) -> None:
        x, y = thin(list(range(len(values))), values, most)
        assert len(x) == len(y) <= most
        assert (x[0], x[-1]) == (0, len(values) - 1)
        assert (np.diff(x) > 0).all()
        known = [value for value in values if value is not None]
        if known:
            assert (np.nanmin(y), np.nanmax(y)) == (min(known), max(known))
        for place, value in zip(x, y, strict=True):
            original = values[int(place)]
            assert math.isnan(value) if original is None else value == original

    def test_it_refuses_what_cannot_work(self) -> None:
        with pytest.raises(ElectraEduError, match="most=3"):
            thin([1], [1], most=3)
        with pytest.raises(ElectraEduError, match="x has 2 values and y 1"):
            thin([1, 2], [1])


class TestFrame:
    def test_it_travels_as_the_documented_dictionary(self) -> None:
        frame = small_frame().to_dict()
        (strip,) = frame["charts"][0].pop("strips")
        assert strip == {
            "series": [
                {
                    "name": "generator loss",
                    "role": "generator",
                    "style": "smooth",
                    "x": [1, 2, 3],
                    "y": [5.5, None, None],
                }
            ],
            "kept": [{"label": "mask 15 %", "role": "neutral", "x": [1, 2], "y": [5.5, 5.0]}],
            "label": "generator loss",
            "unit": "nats",
            "role": "generator",
            "y_range": [0, 6],
            "floor": {"label": "word frequencies only", "x": None, "y": 5.25},
        }
        tokens = frame.pop("sentence")["tokens"]
        assert [token["probability"] for token in tokens] == [0.03, None, 0.5]
        assert tokens[2]["original"] == "soup"
        assert frame == {
            "charts": [{"title": "Losses"}],
            "marks": [{"x": 2, "label": "λ 50 → 10"}],
            "verdict": {"kind": "idle", "text": "Press Train."},
            "status": "step 3",
            "x_label": "steps",
            "x_max": None,
        }

    def test_a_floor_may_be_a_curve(self) -> None:
        floor = Floor("H(p)", [0.25, 0.5], [1, 2])
        assert floor.to_dict() == {"label": "H(p)", "x": [1, 2], "y": [0.25, 0.5]}

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda: Series("auc", "discriminater", [], []), r"role='discriminater'.*Did you mean 'discriminator'"),
            (lambda: Series("auc", "probe", [], [], "dashed"), r"style='dashed': must be one of raw, smooth"),
            (lambda: Series("auc", "probe", [1, 2], [0.5]), r"Series 'auc': x has 2 values and y 1"),
            (lambda: Kept("old", [1], []), r"Kept 'old': x has 1 values and y 0"),
            (lambda: Kept("old", [1], [1], "teacher"), r"role='teacher'"),
            (lambda: Floor("H(p)", [0.3, 0.3]), r"Floor 'H\(p\)': y=.*curve with its x"),
            (lambda: Floor("H(p)", math.nan), r"Floor 'H\(p\)': y=nan"),
            (lambda: Floor("H(p)", [0.3], [1, 2]), r"x has 2 values and y 1"),
            (lambda: Strip("loss", "nats", [], y_range=(1, 1)), r"y_range=\(1, 1\)"),
            (lambda: Strip("loss", "nats", [], "red"), r"role='red'"),
            (lambda: Token("soup", 1.5), r"probability=1.5 of 'soup'"),
            (lambda: Verdict("great", "Yes."), r"kind='great'"),
            (lambda: Verdict("idle", "word " * 26), r"26 words; at most 25"),
        ],
    )
    def test_a_part_that_cannot_be_drawn_is_refused_by_name(self, build: Callable[[], Any], message: str) -> None:
        with pytest.raises(ElectraEduError, match=message):
            build()

    def test_a_verdict_may_have_25_words(self) -> None:
        assert Verdict("idle", "word " * 25).kind == "idle"


class TestLiveView:
    def test_curves_travel_as_bytes_and_the_rest_as_it_is(self) -> None:
        view = LiveView()
        view.show(small_frame())
        sent = view.get_state("frame")["frame"]
        (strip,) = sent["charts"][0]["strips"]
        x, y = np.frombuffer(strip["series"][0]["points"], dtype="<f4").reshape(2, 3)
        assert x.tolist() == [1, 2, 3]
        assert y[0] == 5.5
        assert np.isnan(y[1:]).all()
        assert strip["floor"] == {"label": "word frequencies only", "x": None, "y": 5.25}
        assert strip["kept"][0]["points"] == np.array([1, 2, 5.5, 5.0], dtype="<f4").tobytes()
        assert {name: sent[name] for name in ("marks", "sentence", "verdict", "status")} == {
            name: view.frame[name] for name in ("marks", "sentence", "verdict", "status")
        }

    def test_every_shown_frame_notifies_though_parts_are_shared(self) -> None:
        view = LiveView()
        assert view.frame == {}
        seen: list[str] = []
        view.observe(lambda change: seen.append(change["new"]["status"]), "frame")
        charts = small_frame().charts
        for status in ("step 1", "step 2"):
            view.show(Frame(charts, status=status))
        assert seen == ["step 1", "step 2"]

    def test_the_button_reaches_every_callback_and_noise_reaches_none(self) -> None:
        view = LiveView()
        asked: list[str] = []
        view.on_action(asked.append)
        view.on_action(lambda action: asked.append(action.upper()))
        for content in ({"action": "new-sentence"}, {"action": 3}, {}, "new-sentence", None):
            view._handle_custom_msg(content, [])  # as ipywidgets does when the browser sends a message
        assert asked == ["new-sentence", "NEW-SENTENCE"]

    def test_two_views_do_not_share_callbacks(self) -> None:
        asked: list[str] = []
        LiveView().on_action(asked.append)
        LiveView()._handle_custom_msg({"action": "new-sentence"}, [])
        assert asked == []

    def test_the_script_is_one_module_of_every_part_and_never_parses_data_as_html(self) -> None:
        script = LiveView()._esm
        assert all((STATIC / name).is_file() for name in SCRIPTS)
        assert script.count("export default") == 1
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script)
        assert re.findall(r"https?://[^\"]+", script) == ["http://www.w3.org/2000/svg"]  # a name, not an address


def css_colours() -> dict[str, tuple[str, str]]:
    """Read palette.css: name → (hex on a light page, hex on a dark page)."""
    text = (STATIC / "palette.css").read_text(encoding="utf-8")
    return {
        name: (light, dark)
        for name, light, dark in re.findall(r"--edu-([a-z]+): light-dark\((#\w{6}), (#\w{6})\)", text)
    }


def rgb(colour: str) -> np.ndarray:
    """Return the three channels of "#RRGGBB" in 0 to 255."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)


def luminance(channels: np.ndarray) -> float:
    """Return the relative luminance of WCAG 2."""
    part = channels / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Return the contrast ratio of WCAG 2, at least 1."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


class TestPalette:
    def test_figures_and_panels_wear_the_same_colours(self) -> None:
        colours = css_colours()
        for name in ("generator", "discriminator", "probe", "neutral", "warning", "stop", "ink"):
            assert colours[name][0] == getattr(palette, name.upper())

    def test_each_colour_is_named_once(self) -> None:
        for sheet in ("palette.css", "live_view.css", "blocks.css"):
            found = re.findall(r"#[0-9A-Fa-f]{6}", (STATIC / sheet).read_text(encoding="utf-8"))
            assert len(found) == len({*found})
            assert found == [] or sheet == "palette.css"

    @pytest.mark.parametrize("name", TEXT_COLOURS)
    def test_text_can_be_read_on_both_pages(self, name: str) -> None:
        light, dark = css_colours()[name]
        assert contrast(rgb(light), rgb(LIGHT_PAGE)) >= 4.5
        assert contrast(rgb(dark), rgb(DARK_PAGE)) >= 4.5

    @pytest.mark.parametrize(("theme", "page"), [(0, LIGHT_PAGE), (1, DARK_PAGE)])
    def test_a_word_can_be_read_on_the_darkest_suspicion(self, theme: int, page: str) -> None:
        colours = css_colours()
        tint = 0.45 * rgb(colours["discriminator"][theme]) + 0.55 * rgb(page)  # 45 %: live_sentence.js
        assert contrast(rgb(colours["ink"][theme]), tint) >= 4.5

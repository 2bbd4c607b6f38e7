"""The view of blocks from Python: what travels to the browser, what comes back, and its colours."""

import re

import numpy as np
import pytest
from every_block import EVERY, OVER_SEEDS

from electra_edu.plots import palette
from electra_edu.plots.blocks import Status, to_dict
from electra_edu.widgets.assets import STATIC
from electra_edu.widgets.charts.block_view import SCRIPTS, STYLES, BlockView

LIGHT_PAGE, DARK_PAGE = "#FFFFFF", "#111111"
TEXT_COLOURS = ("generator", "discriminator", "probe", "neutral", "warning", "stop", "violet", "ink")


def test_long_lists_travel_as_bytes_and_the_rest_as_it_is() -> None:
    view = BlockView("A test")
    view.show([OVER_SEEDS, Status("step 3")])
    chart, status = view.get_state("blocks")["blocks"]
    assert status == {"kind": "Status", "text": "step 3"}
    curve, band = chart["subplots"][0]["curves"][0], chart["subplots"][0]["bands"][0]
    assert np.frombuffer(curve["y"], dtype="<f4") == pytest.approx([0.2, 0.5, 0.8])
    assert np.frombuffer(band["high"], dtype="<f4") == pytest.approx([0.3, 0.6, 0.9])
    assert chart["subplots"][0]["floor"] == {"label": "chance", "y": 0.1, "x": None}
    assert view.blocks == [to_dict(OVER_SEEDS), to_dict(Status("step 3"))]


def test_a_gap_travels_as_nan() -> None:
    view = BlockView("A test")
    view.show([EVERY[5]])
    (chart,) = view.get_state("blocks")["blocks"]
    y = np.frombuffer(chart["subplots"][0]["curves"][0]["y"], dtype="<f4")
    assert y[:2].tolist() == [0.0, 1.0]
    assert np.isnan(y[2])


def test_every_change_notifies() -> None:
    view = BlockView("A test")
    seen: list[str] = []
    view.observe(lambda change: seen.append(change["new"][1]["text"]), "blocks")
    for status in ("step 1", "step 2"):
        view.show([OVER_SEEDS, Status(status)])
    assert seen == ["step 1", "step 2"]


def test_actions_reach_every_callback_and_noise_reaches_none() -> None:
    view, other = BlockView("A test"), BlockView("Another")
    heard: list[tuple[str, int]] = []
    view.on_action(lambda action, index: heard.append((action, index)))
    view.on_action(lambda action, index: heard.append((action.upper(), index)))
    noise = ({"action": "hide"}, {"action": 1, "index": 2}, {"action": "hide", "index": True}, {}, "hide", None)
    for message in ({"action": "hide", "index": 2}, *noise):
        view._handle_custom_msg(message, [])  # as ipywidgets does when the browser sends a message
        other._handle_custom_msg(message, [])
    assert heard == [("hide", 2), ("HIDE", 2)]


def test_the_script_is_one_module_that_never_parses_data_as_html() -> None:
    script = BlockView("A test")._esm
    assert all((STATIC / name).is_file() for name in (*SCRIPTS, *STYLES))
    assert script.count("export default") == 1
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script)
    assert re.findall(r"https?://[^\"]+", script) == ["http://www.w3.org/2000/svg"]  # a name, not an address


@pytest.mark.parametrize("name", STYLES)
def test_no_text_is_small(name: str) -> None:
    css = (STATIC / name).read_text(encoding="utf-8")
    assert all(float(size) >= 12 for size in re.findall(r"(?:font-size: |font: (?:\d+ )?)(\d+)px", css))


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
        for name in TEXT_COLOURS:
            assert colours[name][0] == getattr(palette, name.upper())

    def test_each_colour_is_named_once(self) -> None:
        for sheet in STYLES:
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
        tint = 0.45 * rgb(colours["discriminator"][theme]) + 0.55 * rgb(page)  # 45 %: tokens.js
        assert contrast(rgb(colours["ink"][theme]), tint) >= 4.5

"""BitsExplorer: counts by hand, the entropy of a label, and which of two counts is the larger."""

import math
from typing import Any

import pytest

from electra_edu.corpora.toy import toy_grammar
from electra_edu.plots.blocks import Facts, Row, Text
from electra_edu.plots.charts import BarChart, LineChart
from electra_edu.widgets.panels.bits_explorer import RATES, BitsExplorer


@pytest.fixture(scope="module")
def panel() -> BitsExplorer:
    return BitsExplorer()


def parts(panel: BitsExplorer, **knobs: Any) -> tuple[list[str], LineChart, BarChart, str]:
    """Move knobs; return the figures, the two charts and the verdict."""
    start = {"length": 512, "vocab_size": 30522, "mask_prob": 0.15, "wrong": 0.4}
    for name, value in (start | knobs).items():
        getattr(panel, name).value = value
    facts, pair, text, _ = panel.blocks()
    assert isinstance(facts, Facts)
    assert isinstance(pair, Row)
    assert isinstance(pair.blocks[0], LineChart)
    assert isinstance(pair.blocks[1], BarChart)
    assert isinstance(text, Text)
    return [fact.value for fact in facts.facts], pair.blocks[0], pair.blocks[1], text.text


def entropy(p: float) -> float:
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q)


class TestCounts:
    def test_the_papers_settings(self, panel: BitsExplorer) -> None:
        figures, _, bars, _ = parts(panel)
        assert figures[0] == f"{77 * math.log2(30522):,.0f} bits" == "1,147 bits"
        assert figures[2] == "512 bits"
        assert figures[3] == f"{512 * entropy(0.06):.0f} bits" == "168 bits"
        mlm, rtd = bars.series
        assert mlm.values[0] == pytest.approx(77 * math.log2(30522))
        assert rtd.values == (512, pytest.approx(512 * entropy(0.06)))

    @pytest.mark.parametrize(
        ("knobs", "words", "p"),
        [
            ({"length": 128, "mask_prob": 0.25, "wrong": 1.0}, 32, 0.25),
            ({"length": 22, "mask_prob": 0.5, "wrong": 1.0}, 11, 0.5),
            ({"length": 64, "mask_prob": 0.05, "wrong": 0.1}, 3, 0.005),
        ],
    )
    def test_elsewhere(self, panel: BitsExplorer, knobs: dict[str, Any], words: int, p: float) -> None:
        _, curve, bars, _ = parts(panel, vocab_size=1024, **knobs)
        assert bars.series[0].values[0] == words * 10  # log2 of 1,024
        assert bars.series[1].values[1] == pytest.approx(knobs["length"] * entropy(p))
        assert (curve.subplots[0].dots[0].x, curve.subplots[0].dots[0].y) == pytest.approx((p, entropy(p)))

    def test_half_replaced_is_one_bit_a_verdict(self, panel: BitsExplorer) -> None:
        figures = parts(panel, mask_prob=0.5, wrong=1.0)[0]
        assert figures[2] == figures[3] == "512 bits"

    def test_the_curve_is_the_entropy(self, panel: BitsExplorer) -> None:
        curve = parts(panel)[1].subplots[0].curves[0]
        assert curve.y[0] == curve.y[-1] == 0
        assert max(curve.y) == curve.y[50] == pytest.approx(1.0)
        assert curve.y[25] == pytest.approx(0.8112781)

    def test_a_word_of_the_toy_language_holds_little_and_more_where_more_is_hidden(self, panel: BitsExplorer) -> None:
        bits = [parts(panel, mask_prob=rate)[2].series[0].values[1] for rate in RATES]
        a_word = [all_bits / max(1, int(512 * rate + 0.5)) for rate, all_bits in zip(RATES, bits, strict=True)]
        assert all(0.5 < each < 1.0 for each in a_word)
        assert a_word[-1] > a_word[2]
        assert max(a_word) < math.log2(len(toy_grammar().tokens))


class TestVerdict:
    def test_the_two_counts_disagree(self, panel: BitsExplorer) -> None:
        *_, bars, text = parts(panel)
        words, verdicts = (series.values for series in bars.series)
        assert f"the masked words hold {words[0] / verdicts[0]:.1f} times as many" in text
        assert f"the verdicts hold {verdicts[1] / words[1]:.1f} times as many" in text
        assert "no such count can tell" in text

    def test_and_agree_where_few_are_masked(self, panel: BitsExplorer) -> None:
        text = parts(panel, mask_prob=0.05)[3]
        assert text.count("the verdicts hold") == 2


class TestPanel:
    def test_show_code_counts_the_same(self, panel: BitsExplorer, capsys: pytest.CaptureFixture[str]) -> None:
        _, _, bars, _ = parts(panel, length=128, mask_prob=0.3, wrong=0.5, vocab_size=8192)
        assert panel.drawer.code.count("\n") < 12
        exec(panel.drawer.code, {})
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"38 {bars.series[0].values[0]}"
        assert float(lines[1].split()[2]) == pytest.approx(bars.series[1].values[1])

"""EfficiencyExplorer: every figure on it, by hand or by the library's own counting."""

import pytest

import electra_edu as edu
from electra_edu.plots.blocks import Facts, Row, Table
from electra_edu.plots.charts import Squares
from electra_edu.widgets.panels.efficiency_explorer import LENGTHS, RATES, EfficiencyExplorer


def explorer(length: int, rate: float) -> tuple[Facts, Squares, Squares, Table]:
    panel = EfficiencyExplorer()
    panel.length.value, panel.mask_prob.value = length, rate
    facts, pair, rules, _ = panel.blocks()
    assert isinstance(facts, Facts)
    assert isinstance(pair, Row)
    assert isinstance(pair.blocks[0], Squares)
    assert isinstance(pair.blocks[1], Squares)
    assert isinstance(rules, Table)
    return facts, pair.blocks[0], pair.blocks[1], rules


def filled(squares: Squares) -> int:
    return sum(color is not None for color in squares.squares)


@pytest.mark.parametrize(
    ("length", "rate", "cut", "rounded", "up"),
    [
        (512, 0.15, 76, 77, 77),
        (128, 0.15, 19, 19, 20),
        (32, 0.05, 1, 2, 2),
        (512, 0.25, 128, 128, 128),
        (64, 0.05, 3, 3, 4),
    ],
)
def test_counts_by_three_rules(length: int, rate: float, cut: int, rounded: int, up: int) -> None:
    facts, mlm, rtd, rules = explorer(length, rate)
    assert [int(row[1]) for row in rules.rows] == [cut, rounded, up]
    assert facts.facts[0].value == f"{rounded} of {length}"
    assert facts.facts[1].value == f"{length} of {length}"
    assert facts.facts[2].value == f"{length / rounded:.1f} ×"
    assert (filled(mlm), filled(rtd)) == (rounded, length)


def test_squares_agree_with_the_library_at_every_setting() -> None:
    for length in LENGTHS:
        for rate in RATES:
            config = edu.preset("paper-base", max_seq_length=length, mask_prob=rate)
            signal = edu.efficiency.learning_signal(config)
            _, mlm, rtd, _ = explorer(length, rate)
            assert (filled(mlm), filled(rtd)) == (signal.mlm.positions, signal.rtd.positions)


def test_the_price_of_a_step_is_that_of_its_flops() -> None:
    base = edu.preset("paper-base", max_seq_length=512, mask_prob=0.15)
    electra, bert = (edu.efficiency.flops(base.replace(objective=name))["total"] for name in ("electra", "bert"))
    assert explorer(512, 0.15)[0].facts[3].value == f"{electra / bert:.2f} ×" == "1.19 ×"


def test_show_code_prints_what_is_on_screen(capsys: pytest.CaptureFixture[str]) -> None:
    panel = EfficiencyExplorer()
    panel.length.value, panel.mask_prob.value = 128, 0.25
    assert panel.drawer.code.count("\n") < 12
    exec(panel.drawer.code, {})
    masked, all_of_them, times, price = map(float, capsys.readouterr().out.split())
    facts = panel.blocks()[0]
    assert isinstance(facts, Facts)
    assert (masked, all_of_them, times) == (32, 128, 4)
    assert facts.facts[3].value == f"{price:.2f} ×"


def test_the_lessons_figure_of_the_official_count() -> None:
    base = edu.preset("paper-base")
    electra, bert = (
        edu.efficiency.official_flops(base.replace(objective=name), steps=1)["total"] for name in ("electra", "bert")
    )
    assert f"{electra / bert:.2f}" == edu.course.claims()["official-step-base"].value

"""What records found: sentences against small tables worked out by hand, and a page that is up to date."""

import importlib.util
import math
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from electra_edu.experiments import Record, Row, load_record, record_names
from electra_edu.experiments.findings import after, ahead, difference, findings, labels_needed, race_sentence, standing
from electra_edu.experiments.statistics import Interval, Race
from electra_edu.plots import arm_curves
from electra_edu.plots.arms import style

ROOT = Path(__file__).resolve().parents[1]


def row(arm: str, seed: int, tflop: float, score: float) -> Row:
    return {"arm": arm, "seed": seed, "tflop": tflop, "flops": tflop * 1e12, "probe_topic": score, "probe_mean": score}


def two_arms(a: tuple[float, ...], b: tuple[float, ...]) -> list[Row]:
    ends = [row(arm, seed, 2, score) for arm, scores in (("A", a), ("B", b)) for seed, score in enumerate(scores)]
    return [row(arm, seed, 1, 0.1) for arm in "AB" for seed in range(len(a))] + ends


def test_who_is_ahead_is_said_with_the_paired_difference() -> None:
    rows = two_arms((0.50, 0.60, 0.70), (0.55, 0.65, 0.75))
    assert [arm for arm, _ in standing(rows)] == ["B", "A"]
    gap = difference(rows, "B", "A")
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.05, 0.05, 0.05))  # pairs differ by the same amount
    text = ahead(rows)
    assert text.startswith("At 2 TFLOP 'B' is ahead in the mean probe score: .65 [.55 to .75].")
    assert "leads 'A' by .05 [.05 to .05], more than chance. The others: 'A' .60 [.50 to .70]." in text


def test_a_lead_that_may_be_chance_is_called_so() -> None:
    assert "which may be chance" in ahead(two_arms((0.5, 0.6, 0.7), (0.8, 0.3, 0.71)), "probe_topic")
    assert "the topic probe" in ahead(two_arms((0.5, 0.6, 0.7), (0.8, 0.3, 0.71)), "probe_topic")


def test_a_search_tells_the_highest_mean_over_all_budgets() -> None:
    rows = [row(f"arm {i}", seed, mark, 0.5 + i * mark / 100) for i in range(13) for seed in (0, 1) for mark in (1, 2)]
    (text,) = findings(Record("search", tuple(rows), {}))
    assert text.startswith("Of 13 settings, the highest mean probe score over all budgets (2 seeds): 'arm 12' 0.680; ")
    assert text.endswith("The lowest: 'arm 0' 0.500.")


def test_a_race_is_told_won_lost_and_never_finished() -> None:
    def told(flops: float, speed: float) -> str:
        return race_sentence(
            Race("probe_topic", 0.9, 0.72, 1e12, 0.5e12, Interval(flops, flops, flops, 3), Interval(speed, 1, 3, 3))
        )

    assert told(0.25e12, 2.0) == (
        "ELECTRA reaches 90% of BERT's score on the topic probe (0.72; BERT needs 0.50 TFLOP for it, and its whole "
        "budget is 1.00 TFLOP) with 0.25 TFLOP: 2.00 times as fast [1.00 to 3.00]."
    )
    assert told(math.inf, 0.0).endswith("within the longest run.")


def test_labels_are_told_as_means_over_tasks() -> None:
    rows = [
        {"arm": arm, "seed": seed, "task": task, "labels_per_class": labels, "score": base + 0.1 * (task == "b")}
        for arm, base in (("ELECTRA", 0.6), ("from scratch", 0.2))
        for seed in (0, 1)
        for task in ("a", "b")
        for labels in (1, 10)
    ]
    assert after(rows, "ELECTRA", 10) == pytest.approx([0.65, 0.65])
    assert after(rows, "ELECTRA", 10, "b") == pytest.approx([0.7, 0.7])
    first, second = labels_needed(rows)
    assert first == "With 1 label per class: ELECTRA .65 [.65 to .65], from scratch .25 [.25 to .25]."
    assert second.startswith("With 10 labels per class")
    assert findings(Record("x", tuple(rows), {})) == [first, second]


def test_curves_are_drawn_over_the_flops_with_a_line_for_each_arm() -> None:
    figure, axes = plt.subplots()
    arm_curves(axes, two_arms((0.5, 0.6, 0.7), (0.8, 0.3, 0.71)), "probe_topic")
    lines = {line.get_label(): line for line in axes.lines}
    assert set(lines) == {"A", "B"}
    assert lines["A"].get_xdata().tolist() == [1.0, 2.0]
    assert lines["A"].get_ydata() == pytest.approx([0.1, 0.6])
    assert "TFLOP" in axes.get_xlabel()
    plt.close(figure)


@pytest.mark.parametrize(
    "arms",
    [
        [str(i) for i in range(10)],
        ["BERT", "Replace MLM", "ELECTRA 15%", "All-Tokens MLM", "ELECTRA"],
        ["joint", "BERT"],
    ],
)
def test_arms_can_be_told_apart_without_colour_and_with_it(arms: list[str]) -> None:
    looks = [style(arms, arm) for arm in arms]
    assert len({look["marker"] for look in looks}) == len(arms)
    assert len({(look["color"], look["linestyle"]) for look in looks}) == len(arms)


@pytest.fixture(scope="module")
def tool():  # type: ignore[no-untyped-def]
    spec = importlib.util.spec_from_file_location("build_findings", ROOT / "tools" / "build_findings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", record_names())
def test_the_page_says_what_the_record_says(name: str, tool) -> None:  # type: ignore[no-untyped-def]
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    assert tool.section(load_record(name)) in page, "run tools/build_findings.py"
    assert (ROOT / "docs" / "findings" / f"{name}.png").exists()

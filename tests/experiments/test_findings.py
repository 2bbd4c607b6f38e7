"""What records found: sentences against small tables worked out by hand, and a page that is up to date."""

import importlib.util
import math
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from electra_edu.experiments import Record, Row, load_experiment, load_record, record_names
from electra_edu.experiments.findings import (
    after,
    ahead,
    best_layers,
    difference,
    ends_table,
    findings,
    leaders,
    race_sentence,
    races,
    ranking,
    tables,
)
from electra_edu.experiments.statistics import Interval, Race
from electra_edu.plots import arm_curves
from electra_edu.plots.arms import style

ROOT = Path(__file__).resolve().parents[2]


def row(arm: str, seed: int, tflop: float, score: float) -> Row:
    return {"arm": arm, "seed": seed, "tflop": tflop, "flops": tflop * 1e12, "probe_topic": score, "probe_mean": score}


def two_arms(a: tuple[float, ...], b: tuple[float, ...]) -> list[Row]:
    ends = [row(arm, seed, 2, score) for arm, scores in (("A", a), ("B", b)) for seed, score in enumerate(scores)]
    return [row(arm, seed, 1, 0.1) for arm in "AB" for seed in range(len(a))] + ends


def test_who_is_ahead_is_said_with_the_paired_difference() -> None:
    rows = two_arms((0.50, 0.60, 0.70), (0.55, 0.65, 0.75))
    assert [arm for arm, _ in ranking(rows)] == ["B", "A"]
    gap = difference(rows, "B", "A")
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.05, 0.05, 0.05))  # pairs differ by the same amount
    # Student's t with two degrees of freedom is 4.303, and the standard error .1 / √3.
    assert ahead(rows) == (
        "At 2 TFLOP 'B' is ahead in the mean probe score: .65 [.40–.90]. Behind by more than chance: 'A' (.05)."
    )


def test_a_lead_that_may_be_chance_is_called_so() -> None:
    rows = two_arms((0.5, 0.6, 0.7), (0.8, 0.3, 0.71))
    assert "Behind by what may be chance: 'A' (.00)." in ahead(rows, "probe_topic")
    assert "more than chance" not in ahead(rows, "probe_topic")
    assert "the topic probe" in ahead(rows, "probe_topic")
    assert ahead(two_arms((0.5,), (0.6,))).endswith(".60. It is one run of each, so that chance is not known.")


def test_the_leader_of_every_budget_is_named() -> None:
    rows = [
        row(arm, 0, budget, score)
        for arm, scores in (("A", (0.3, 0.4, 0.5, 0.5)), ("B", (0.2, 0.3, 0.6, 0.7)))
        for budget, score in zip((1, 2, 4, 8), scores, strict=True)
    ]
    assert leaders(rows) == "'A' has the highest mean probe score at 1 to 2 TFLOP, 'B' at 4 to 8 TFLOP."
    assert leaders(rows[:4]) == "'A' has the highest mean probe score at every budget."


def test_a_search_tells_the_highest_mean_over_all_budgets() -> None:
    rows = [
        row(f"arm {i}", seed, budget, 0.5 + i * budget / 100) for i in range(13) for seed in (0, 1) for budget in (1, 2)
    ]
    (text,) = findings(Record("search", tuple(rows), {}))
    assert text.startswith("Of 13 settings, the highest mean probe score over all budgets (2 seeds): 'arm 12' 0.680; ")
    assert text.endswith("The lowest: 'arm 0' 0.500.")
    assert tables(Record("search", tuple(rows), {})) == []


def raced(**scores: tuple[list[float], list[float]]) -> list[Row]:
    """Two seeds that agree, at 1, 2 and 4 TFLOP: for each probe BERT's scores and ELECTRA's."""
    return [
        row(arm, seed, budget, 0)
        | {f"probe_{name}": both[arm == "ELECTRA"][i] for name, both in scores.items()}
        | {"probe_mean": sum(both[arm == "ELECTRA"][i] for both in scores.values()) / len(scores)}
        for arm in ("BERT", "ELECTRA")
        for seed in (0, 1)
        for i, budget in enumerate((1, 2, 4))
    ]


def test_races_are_told_won_lost_never_finished_and_not_run() -> None:
    rows = raced(
        topic=([0.2, 0.4, 0.8], [0.4, 0.8, 0.8]),  # half the FLOPs
        module=([0.2, 0.4, 0.8], [0.2, 0.2, 0.4]),  # never
        agreement=([0.5, 0.5, 0.5], [0.5, 0.5, 0.9]),  # BERT never moves: no race
    )
    for each in rows:  # so that the mean over the suite is a race of its own
        each["probe_mean"] = {1: 0.2, 2: 0.4, 4: 0.8}[each["tflop"]]
    text, whole = findings(Record("x", tuple(rows), {}))[:2]
    assert text == (
        "To 90% of BERT's score ELECTRA is sooner on topic and later on module. On the suite's mean it is "
        "1.00 [1.00–1.00] times as fast."
    )
    assert whole.startswith("To 100% of BERT's score ELECTRA is sooner on topic")
    header, *lines = tables(Record("x", tuple(rows), {}))[0]
    row_of = {line[0]: line[1:] for line in lines}  # .72 is .8 of the way from .4 to .8: 2 × 2^.8 = 3.48
    assert header[:6] == ["probe", "BERT's budget", "its score", "BERT to 90%", "ELECTRA", "times as fast"]
    assert row_of["topic"] == ["4.00", ".80", "3.48", "1.74", "2.00 [2.00–2.00]", "4.00", "2.00", "2.00 [2.00–2.00]"]
    assert row_of["module"][3:5] == ["> 4.00", "not within the longest run"]
    assert row_of["agreement"] == ["≤ 1.00", ".50", *["–"] * 6]


def test_a_race_is_decided_by_the_whole_interval() -> None:
    def race(name: str, value: float, low: float, high: float) -> Race:
        spent = Interval(1e12, 1e12, 1e12, 3)
        return Race(f"probe_{name}", 0.9, 0.7, 1e12, 1e12, spent, Interval(value, low, high, 3))

    mixed = [race("topic", 1.5, 0.9, 2.0), race("module", 0.8, 0.5, 1.1), race("capitals", 2.0, 1.1, 3.0)]
    assert race_sentence(mixed) == (
        "To 90% of BERT's score ELECTRA is sooner on capitals and later on no probe; topic and module may go either "
        "way."
    )
    assert race_sentence(mixed[:2]) == (
        "To 90% of BERT's score ELECTRA is neither sooner nor later by more than chance on any probe."
    )
    never = Interval(math.inf, math.inf, math.inf, 3)
    mean = Race("probe_mean", 0.9, 0.7, 1e12, 1e12, never, Interval(0, 0, 0, 3))
    slow = [race(name, 0.5, 0.4, 0.6) for name in "abc"]
    assert race_sentence([*slow, mean]) == (
        "To 90% of BERT's score ELECTRA is sooner on no probe and later on a, b and c. On the suite's mean it is not "
        "there within the longest run."
    )


def test_a_task_is_read_from_the_layer_that_holds_it_best() -> None:
    scores = {  # by method, layer and seed: topic, module
        ("BERT", 0): [(0.9, 0.1), (0.5, 0.1)],
        ("BERT", 1): [(0.6, 0.2), (0.6, 0.4)],  # the best topic of seed 1, but not of both
        ("ELECTRA", 0): [(0.1, 0.1), (0.1, 0.1)],
        ("ELECTRA", 1): [(0.2, 0.3), (0.2, 0.5)],
    }
    rows = [
        row(f"{method}, {'block 1' if layer else 'embeddings'}", seed, budget, 0)
        | {
            "probe_topic": topic,
            "probe_module": module,
            "layer": layer,
            "probe_mean": 1 - layer / 9 - (method > "C") / 2,
        }
        for (method, layer), seeds in scores.items()
        for seed, (topic, module) in enumerate(seeds)
        for budget in (1, 2)
    ]
    best = {(row["arm"], row["seed"], row["tflop"]): row for row in best_layers(rows)}
    assert len(best) == 8
    assert [best["BERT", seed, 1]["probe_topic"] for seed in (0, 1)] == [0.9, 0.5]
    assert [best["BERT", seed, 1]["probe_module"] for seed in (0, 1)] == [0.2, 0.4]
    assert best["BERT", 0, 2]["probe_mean"] == pytest.approx(0.55)
    text = " ".join(findings(Record("x", tuple(rows), {})))
    assert text.startswith("Every task read from the layer that holds it best: ")
    assert "'BERT' has the highest mean probe score at every budget." in text
    race, best_ends, ends = tables(Record("x", tuple(rows), {}))
    assert race[0][0] == "probe"
    assert [line[0] for line in best_ends[1:]] == ["BERT", "ELECTRA"]
    assert [line[0] for line in ends[1:]] == [
        "BERT, embeddings",
        "BERT, block 1",
        "ELECTRA, embeddings",
        "ELECTRA, block 1",
    ]


def test_one_run_of_each_is_not_told_as_a_race() -> None:
    rows = [each for each in raced(topic=([0.2, 0.4, 0.8], [0.4, 0.8, 0.8])) if each["seed"] == 0]
    text = " ".join(findings(Record("x", tuple(rows), {})))
    assert "sooner" not in text
    assert "chance is not known" in text
    assert tables(Record("x", tuple(rows), {}))[0][1][5] == "2.00"


def test_nothing_is_told_of_races_that_no_one_saw() -> None:
    rows = raced(topic=([0.5, 0.5, 0.5], [0.5, 0.5, 0.9]))
    assert races(rows, 0.9) == []
    assert findings(Record("x", tuple(rows), {}))[0].endswith("there is no race to see.")


def test_the_table_of_ends_has_means_and_what_the_experiment_shows() -> None:
    rows = [each | {"auc": None if each["arm"] == "A" else 0.75} for each in two_arms((0.5, 0.7), (0.8, 0.8))]
    assert ends_table(rows, ["auc"]) == [
        ["", "mean probe score", "topic", "AUC on the fixed exam"],
        ["B", ".80 [.80–.80]", ".80", ".75"],
        ["A", ".60 [-.67–1.87]", ".60", "–"],
    ]


def test_labels_saved_are_read_off_the_curves() -> None:
    curves = {"ELECTRA": (0.2, 0.4, 0.8), "BERT": (0.3, 0.6, 0.9), "from scratch": (0.2, 0.4, 0.6)}
    rows = [
        {"arm": arm, "seed": seed, "task": task, "labels_per_class": labels, "score": score + 0.1 * (task == "b")}
        for arm, scores in curves.items()
        for seed in (0, 1)
        for task in ("a", "b")
        for labels, score in zip((1, 10, 100), scores, strict=True)
    ]
    assert after(rows, "ELECTRA", 10) == pytest.approx([0.45, 0.45])
    assert after(rows, "ELECTRA", 10, "b") == pytest.approx([0.5, 0.5])
    record = Record("x", tuple(rows), {})
    # Straight over the logarithm: ELECTRA is half way from 10 to 100, at √1000.
    (text,) = findings(record)
    assert text == (
        "What a network from scratch scores with 100 labels per class (.65): ELECTRA with 32, BERT with 10."
    )
    assert tables(record)[0][0] == ["labels per class", "1", "10", "100"]
    assert tables(record)[0][1][:2] == ["ELECTRA", ".25 [.25–.25]"]


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
        [f"{method}, block {i}" for method in ("BERT", "ELECTRA") for i in range(4)],
    ],
)
def test_arms_can_be_told_apart_without_colour_and_with_it(arms: list[str]) -> None:
    looks = [style(arms, arm) for arm in arms]
    assert len({look["marker"] for look in looks}) == len(arms)
    assert len({(look["color"], look["style"]) for look in looks}) == len(arms)


def test_variants_of_a_method_have_its_colour() -> None:
    arms = ["BERT, embeddings", "ELECTRA, embeddings", "BERT, block 1", "joint"]
    colors = [style(arms, arm)["color"] for arm in arms]
    assert colors[0] == colors[2] == style(["BERT"], "BERT")["color"]
    assert len(set(colors)) == 3


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


@pytest.mark.parametrize("name", record_names())
def test_scores_in_a_remark_stand_in_the_record(name: str) -> None:
    record, experiment = load_record(name), load_experiment(name)
    lines = [line for table in tables(record, experiment.shows) for line in table]
    there = " ".join([*findings(record), *(entry for line in lines for entry in line)])
    for score in re.findall(r"(?<![\w.])\d*\.\d\d(?!\d)", experiment.remark):
        assert score in there, f"{score} in the remark of {name}"

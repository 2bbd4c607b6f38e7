"""Races: equal budgets, seeds that repeat, honest tables."""

import json
from pathlib import Path
from typing import Any

import pytest
from small import toy_corpus
from typer.testing import CliRunner

from electra_edu import efficiency
from electra_edu.cli import app
from electra_edu.config import preset
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.experiments import Arm, Row, race, race_of, summary
from electra_edu.experiments.records import comparable
from electra_edu.support.errors import ElectraEduError

BUDGET = 14.0 * efficiency.flops(preset("toy"))["total"]


def arm(race_name: str, name: str) -> Arm:
    return next(one for one in race_of(race_name).arms if one.name == name)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return race("objectives", flops=BUDGET, seeds=2, jobs=1).rows


def test_every_arm_spends_the_budget_and_no_more(rows: list[Row]) -> None:
    assert [(row["arm"], row["seed"]) for row in rows] == [
        (one.label, seed) for one in OBJECTIVES.values() for seed in (0, 1)
    ]
    for row in rows:
        assert row["flops"] <= BUDGET < row["flops"] + row["flops"] / row["step"]
    steps = {row["arm"]: row["step"] for row in rows}
    assert steps["ELECTRA"] == 14
    assert steps["BERT"] > steps["ELECTRA"] >= steps["ELECTRA 15%"] > steps["All-Tokens MLM"]


def test_rows_say_how_they_came_about_and_repeat(rows: list[Row]) -> None:
    again = race("objectives", flops=BUDGET, seeds=1, jobs=1).rows
    assert json.dumps(comparable(again)) == json.dumps(comparable(row for row in rows if row["seed"] == 0))
    row = next(row for row in rows if row["arm"] == "Replace MLM")
    assert row["objective"] == "replace-mlm"
    assert row["auc"] is None
    assert {"probe_topic", "probe_subject_number", "probe_agreement", "torch", "host", "date", "threads"} <= row.keys()


def test_every_seed_is_a_run_of_its_own(rows: list[Row]) -> None:
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        assert one["mlm_loss"] != other["mlm_loss"]


def test_a_summary_is_mean_least_and_greatest_of_what_there_is() -> None:
    def row(name: str, value: float, auc: float | None, budget: float = 0.2) -> dict[str, Any]:
        return {"arm": name, "tflop": budget, "seconds": 3.0, "probe_topic": value, "auc": auc}

    rows = [row("a", 0.25, None), row("a", 0.75, None), row("b", 1.0, 0.5), row("a", 0.0, 0.0, budget=0.1)]
    assert summary(rows) == {
        "a": {"probe_topic": (0.5, 0.25, 0.75)},
        "b": {"probe_topic": (1.0, 1.0, 1.0), "auc": (0.5, 0.5, 0.5)},
    }


@pytest.mark.parametrize(
    ("name", "share"), [("two-stage", 0.5), ("two-stage, size 1, copied", 0.5), ("adversarial after MLM", 0.25)]
)
def test_a_first_stage_takes_its_share_of_the_steps(name: str, share: float) -> None:
    budget = 1000.0 * efficiency.flops(preset("toy"))["total"]
    config = arm("schemes", name).config(toy_corpus(), budget)
    first = efficiency.flops(config, trained="generator")["total"]
    after = efficiency.flops(config, trained="discriminator" if share == 0.5 else "both")["total"]
    rest = (budget - config.generator_steps * first) / after
    assert config.generator_steps / (config.generator_steps + rest) == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("objective", {}, r"no race 'objective'.*Did you mean 'objectives'"),
        ("schemes", {"flops": 0}, r"flops=0: must be above 0"),
        ("schemes", {"seeds": 0}, r"seeds=0"),
        ("schemes", {"corpus": "toyy"}, r"'toyy' is not a file here.*Did you mean 'toy'"),
    ],
)
def test_what_cannot_be_raced_is_refused(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ElectraEduError, match=message):
        race(name, **settings)


def test_the_command_prints_tables_and_writes_rows(tmp_path: Path) -> None:
    command = ["race", "schemes", "--tflop", "0.004", "--seeds", "1", "--jobs", "1", "--out", str(tmp_path / "new")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in (tmp_path / "new" / "race-schemes.jsonl").read_text().splitlines()]
    assert [row["arm"] for row in rows] == [one.name for one in race_of("schemes").arms]
    for words in ("Probe suite", "Generator", "Discriminator", "adversarial after MLM"):
        assert words in result.output


def test_the_command_answers_a_mistake_in_a_sentence() -> None:
    result = CliRunner().invoke(app, ["race", "scheme"])
    assert result.exit_code == 1
    assert "Did you mean 'schemes'" in result.output
    assert "Traceback" not in result.output

"""Tables of results are never lost: not to a failure, not to another sweep, not to a slip in the settings."""

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from electra_edu import efficiency
from electra_edu.cli import app
from electra_edu.config import preset
from electra_edu.experiments import (
    Experiment,
    Outcome,
    Record,
    grid,
    load_experiment,
    load_record,
    race_of,
    record_names,
    run_experiment,
    write_record,
)
from electra_edu.experiments import trials as trials_module
from electra_edu.experiments.findings import findings, tables
from electra_edu.support.errors import ElectraEduError

STEP = 1.01 * efficiency.flops(preset("toy"))["total"]
SMALL = Experiment("small", "toy", grid({"objective": ["bert", "electra"]}), (0, 1), (2 * STEP,))


def command(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def sweep(folder: Path, *settings: str, tflop: str = "0.004", more: tuple[str, ...] = ()) -> Result:
    return command("sweep", *settings, "--tflop", tflop, "--seeds", "1", "--jobs", "1", "--out", str(folder), *more)


def contents(folder: Path, name: str) -> tuple[str, str]:
    return (folder / f"{name}.jsonl").read_text("utf-8"), (folder / f"{name}.json").read_text("utf-8")


def said(result: Result) -> str:
    return " ".join(result.output.split())


class TestFailures:
    @pytest.mark.fault("Experiments", seen="an experiment that failed wholly left an empty table where a full one was")
    def test_a_table_outlives_a_run_in_which_everything_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = run_experiment(SMALL, tmp_path / "trials", jobs=1)
        write_record(SMALL, first, tmp_path, "electra-edu …")
        before = contents(tmp_path, "small")
        nothing = Outcome([], {"objective bert, seed 0": "RuntimeError: no memory"}, 4)
        with pytest.raises(ElectraEduError, match=r"objective bert, seed 0: RuntimeError: no memory"):
            write_record(SMALL, nothing, tmp_path, "electra-edu …")
        assert contents(tmp_path, "small") == before
        part = Outcome(first.rows[:-1], {"objective electra, seed 1": "RuntimeError: no memory"}, 4)
        with pytest.raises(ElectraEduError, match=r"objective electra, seed 1"):
            write_record(SMALL, part, tmp_path, "electra-edu …")
        assert contents(tmp_path, "small") == before

    @pytest.mark.fault("Experiments", seen="a sweep whose runs all failed wrote an empty table")
    def test_nothing_is_written_where_nothing_succeeded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(*_: Any, **__: Any) -> None:
            raise RuntimeError("the disk is full of cats")

        monkeypatch.setattr(trials_module, "probe_suite", fails)
        result = sweep(tmp_path, "rtd_weight=1")
        assert result.exit_code == 1
        assert "the disk is full of cats" in said(result)
        assert "--retry" in said(result)
        assert not list(tmp_path.glob("*.json*"))

    @pytest.mark.fault("Experiments", seen="a sweep in which runs failed ended with exit code 0")
    def test_a_run_that_failed_shows_in_the_exit_code(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        suite, calls = trials_module.probe_suite, []

        def fails_once(encoder: Any, corpus: Any, seed: int, layer: int | None) -> dict[str, float]:
            calls.append(seed)
            if len(calls) == 1:
                raise RuntimeError("once")
            return suite(encoder, corpus, seed=seed, layer=layer)

        monkeypatch.setattr(trials_module, "probe_suite", fails_once)
        result = sweep(tmp_path, "rtd_weight=1,50")
        assert result.exit_code == 1
        assert "1 of 2 runs failed" in said(result)
        assert len(load_record("sweep", tmp_path).rows) == 1
        again = sweep(tmp_path, "rtd_weight=1,50", more=("--retry",))
        assert again.exit_code == 0, again.output
        assert len(load_record("sweep", tmp_path).rows) == 2

    @pytest.mark.fault("Experiments", seen="findings of an empty table raised IndexError")
    def test_an_empty_table_says_so(self) -> None:
        for name in record_names():
            empty = Record(name, (), load_record(name).about)
            assert findings(empty) == ["No run has finished: there is nothing to tell yet."]
            assert tables(empty, load_experiment(name).shows) == []

    @pytest.mark.parametrize("name", record_names())
    @pytest.mark.fault(
        "Experiments", seen="findings of a table in which one run had failed raised KeyError or ValueError"
    )
    def test_a_table_with_gaps_is_told_as_far_as_it_goes(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Runs missing as they fail, whole; and any rows missing, as in a table that was cut by hand."""
        monkeypatch.setattr("electra_edu.experiments.statistics.RESAMPLES", 10)
        record, rng = load_record(name), random.Random(0)
        runs = sorted({(row["arm"], row["seed"]) for row in record.rows})
        for share in (0.02, 0.3, 0.8, 0.97):
            lost = {run for run in runs if rng.random() < share}
            gaps = [tuple(row for row in record.rows if (row["arm"], row["seed"]) not in lost)]
            gaps.append(tuple(row for row in record.rows if rng.random() >= share))
            for rows in gaps:
                text = findings(replace(record, rows=rows))
                assert text
                assert all(isinstance(sentence, str) and "nan" not in sentence for sentence in text)
                tables(replace(record, rows=rows), load_experiment(name).shows)


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "named"),
        [
            (("rtd_weight=1", "rtd_weight=2"), "rtd_weight"),
            (("rtd_weight=1,2,1",), "rtd_weight"),
            (("rtd_weight=1,1.0",), "rtd_weight"),
            (("mask_prob=0.2,0.20",), "mask_prob"),
            (("weight_sharing=none,none",), "weight_sharing"),
            (("objective=bert,electra", "mask_prob=0.2", "objective=bert"), "objective"),
        ],
    )
    @pytest.mark.fault("Experiments", seen="`sweep rtd_weight=1 rtd_weight=2` ran the second setting only")
    def test_what_is_named_twice_is_refused_by_name(
        self, settings: tuple[str, ...], named: str, tmp_path: Path
    ) -> None:
        result = sweep(tmp_path, *settings)
        assert result.exit_code == 1
        assert f"{named}" in said(result)
        assert "twice" in said(result)
        assert not list(tmp_path.iterdir())

    @pytest.mark.fault(
        "Experiments", seen="two values that differ in the eighth digit were one arm by name, and refused"
    )
    def test_values_that_differ_are_arms_that_differ(self) -> None:
        arms = grid({"rtd_weight": [1.0, 1.0000001, 1.0000002, 1e-30]})
        assert [arm.name for arm in arms] == ["λ 1", "λ 1.0000001", "λ 1.0000002", "λ 1e-30"]


class TestTwoIntoOneFolder:
    @pytest.mark.parametrize(
        "other",
        [
            {"settings": ("rtd_weight=2",)},
            {"settings": ("mask_prob=0.2",)},
            {"settings": ("rtd_weight=1",), "tflop": "0.005"},
            {"settings": ("rtd_weight=1",), "tflop": "0.02", "more": ("--corpus", "OWN")},
        ],
    )
    @pytest.mark.fault("Experiments", seen="a second sweep into the same folder wrote over the first one's table")
    def test_a_second_sweep_keeps_the_first(self, other: dict[str, Any], tmp_path: Path) -> None:
        assert sweep(tmp_path, "rtd_weight=1").exit_code == 0
        before = contents(tmp_path, "sweep")
        own = tmp_path / "own.txt"
        own.write_text("\n\n".join(f"The cook stirs soup number {i} in the kitchen." for i in range(2000)))
        more = tuple(str(own) if word == "OWN" else word for word in other.get("more", ()))
        result = sweep(tmp_path, *other["settings"], tflop=other.get("tflop", "0.004"), more=more)
        assert result.exit_code == 1, result.output
        assert contents(tmp_path, "sweep") == before
        assert "--out" in said(result)
        assert "rtd_weight=1" in said(result), "the command of the first is not named"
        replaced = sweep(tmp_path, "rtd_weight=2", more=("--replace",))
        assert replaced.exit_code == 0, replaced.output
        assert [row["rtd_weight"] for row in load_record("sweep", tmp_path).rows] == [2]

    def test_a_sweep_that_holds_all_of_the_first_goes_on(self, tmp_path: Path) -> None:
        assert sweep(tmp_path, "rtd_weight=1").exit_code == 0
        assert sweep(tmp_path, "rtd_weight=1,50").exit_code == 0
        assert [row["rtd_weight"] for row in load_record("sweep", tmp_path).rows] == [1, 50]

    @pytest.mark.fault("Experiments", seen="a second race into the same folder wrote over the first one's table")
    def test_a_second_race_keeps_the_first(self, tmp_path: Path) -> None:
        race = race_of("schemes", flops=2 * STEP, seeds=1)
        small = replace(race, arms=race.arms[:1])
        write_record(small, run_experiment(small, tmp_path / "trials", jobs=1), tmp_path, "electra-edu race schemes")
        before = contents(tmp_path, "race-schemes")
        result = command("race", "schemes", "--tflop", "0.005", "--seeds", "1", "--jobs", "1", "--out", str(tmp_path))
        assert result.exit_code == 1
        assert contents(tmp_path, "race-schemes") == before

    @pytest.mark.fault("Experiments", seen="a sweep wrote its table over a file that another program had made")
    @pytest.mark.parametrize("name", ["sweep.json", "sweep.jsonl"])
    def test_a_file_of_somebody_else_is_left_alone(self, name: str, tmp_path: Path) -> None:
        (tmp_path / name).write_text('{"mine": 1}\n')
        result = sweep(tmp_path, "rtd_weight=1")
        assert result.exit_code == 1
        assert (tmp_path / name).read_text() == '{"mine": 1}\n'
        assert name in said(result)


class TestArguments:
    @pytest.mark.parametrize("number", ["nan", "inf", "-inf", "-1", "0"])
    @pytest.mark.parametrize(
        "arguments",
        [
            ("sweep", "rtd_weight=1", "--tflop"),
            ("race", "schemes", "--tflop"),
            ("bench", "step", "--shape", "toy", "--rounds", "1", "--seconds"),
            ("bench", "growth", "--rounds", "1", "--seconds"),
        ],
    )
    @pytest.mark.fault("Errors", seen="a budget of NaN or infinitely many operations trained for ever")
    def test_a_budget_that_is_no_number_is_refused(
        self, arguments: tuple[str, ...], number: str, tmp_path: Path
    ) -> None:
        result = command(*arguments, number, "--out", str(tmp_path / "results"))
        assert result.exit_code in (1, 2)
        assert "Traceback" not in result.output
        assert arguments[-1].removeprefix("--") in said(result)
        assert isinstance(result.exception, SystemExit)

    @pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0.0])
    @pytest.mark.fault("Errors", seen="an experiment with a budget of NaN operations trained for ever")
    def test_budgets_are_finite(self, value: float) -> None:
        with pytest.raises(ElectraEduError, match="tflop"):
            Experiment("x", "toy", grid({"rtd_weight": [1.0]}), (0,), (value,))
        with pytest.raises(ElectraEduError, match="flops"):
            race_of("schemes", flops=value)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("sweep", "rtd_weight=nan"), "rtd_weight"),
            (("sweep", "rtd_weight=Infinity"), "rtd_weight"),
            (("sweep", "rtd_weight=true"), "rtd_weight"),
            (("sweep", "rtd_weight=1,"), "rtd_weight"),
            (("sweep", "rtd_weight="), "rtd_weight"),
            (("sweep", "=1"), "setting"),
            (("sweep", "vocab_size=100"), "vocab_size"),
            (("sweep", "max_seq_length=16"), "max_seq_length"),
            (("sweep", "num_layers=2.5"), "num_layers"),
            (("sweep", "weight_sharing=nothing"), "weight_sharing"),
            (("sweep", "rtd_weight=1", "--corpus", "toyy"), "Did you mean 'toy'"),
            (("sweep", "rtd_weight=1", "--corpus", "/"), "/"),
            (("sweep", "batch_size=1024", "--tflop", "0.001"), "tflop"),
            (("race", "scheme"), "Did you mean 'schemes'"),
            (("race", "schemes", "--corpus", "dogs"), "dogs"),
            (("record", "ladder", "lader"), "Did you mean 'ladder'"),
            (("bench", "step", "--shape", "tiny"), "tiny"),
            (("bench", "step", "--device", "gpu"), "gpu"),
            (("bench", "step", "--dtype", "float16"), "float16"),
            (("bench", "growth", "--device", "tpu"), "tpu"),
            (("bench", "insight", "--corpus", "toy", "--corpus", "docks"), "docks"),
            (("bench", "insight", "--corpus", "toy", "--first-seed", str(10**30)), "first"),
        ],
    )
    @pytest.mark.fault("Errors", seen="the command trained first, or ended in a traceback")
    def test_a_wrong_argument_is_named_before_anything_is_trained(
        self, arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def trained(*_: Any) -> None:
            raise AssertionError("trained before the mistake was named")

        monkeypatch.setattr("electra_edu.training.run.TrainingRun.advance", trained)
        result = command(*arguments, "--out", str(tmp_path / "results"))
        assert result.exit_code in (1, 2), result.output
        assert isinstance(result.exception, SystemExit), result.exception
        assert words in said(result)
        assert "Traceback" not in result.output

    @pytest.mark.parametrize(
        "arguments",
        [
            ("sweep", "rtd_weight=1", "--tflop", "0.004", "--seeds", "1", "--jobs", "1"),
            ("race", "schemes", "--tflop", "0.004", "--seeds", "1", "--jobs", "1"),
            ("record", "first-seconds", "--jobs", "1"),
            ("bench", "step", "--shape", "toy", "--rounds", "1", "--seconds", "0.01"),
            ("bench", "growth", "--rounds", "1", "--seconds", "0.01"),
            ("bench", "insight", "--corpus", "toy", "--seeds", "1"),
        ],
    )
    @pytest.mark.parametrize("place", ["file", "file/inside", "sealed", "nul\0"])
    @pytest.mark.fault("Errors", seen="a folder that cannot be written was found out after the training")
    def test_a_folder_that_cannot_be_written_is_named_before_anything_is_trained(
        self, arguments: tuple[str, ...], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def trained(*_: Any) -> None:
            raise AssertionError("trained before the mistake was named")

        (tmp_path / "file").write_text("mine")
        monkeypatch.setattr("electra_edu.training.run.TrainingRun.advance", trained)
        if place == "sealed":
            (tmp_path / "sealed").mkdir()
            monkeypatch.setattr("tempfile.TemporaryFile", refuses)
        result = command(*arguments, "--out", str(tmp_path / place))
        assert result.exit_code in (1, 2), result.output
        assert isinstance(result.exception, SystemExit), result.exception
        assert "--out" in said(result)
        assert (tmp_path / "file").read_text() == "mine"


def refuses(*_: Any, **__: Any) -> None:
    raise PermissionError(13, "Permission denied")


@pytest.mark.fault("Experiments", seen="a second benchmark on the same day wrote over the first one's measurements")
def test_a_second_benchmark_lies_beside_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"corpus": "toy", "auc": 0.9, "seed": 0, "threads": 1, "steps": 1, "seconds": 1.0, "training_seconds": 1.0}]
    monkeypatch.setattr("benchmarks.time_to_insight", lambda *_, **__: rows)
    for _ in range(2):
        assert command("bench", "insight", "--corpus", "toy", "--out", str(tmp_path)).exit_code == 0
    found = sorted(tmp_path.glob("*.json"))
    assert len(found) == 2
    assert all(json.loads(path.read_text())["rows"] == rows for path in found)

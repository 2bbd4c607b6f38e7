"""Time to insight: when the clock starts and stops, what is counted, and what a run that gives up is worth."""

import json
import math
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

import benchmarks
from benchmarks import time_to_insight
from benchmarks.insight import Target, _train, summary
from electra_edu.cli import app
from electra_edu.support.errors import ElectraEduError


class Scripted:
    """A run whose exams give the AUCs of a list, one after the other."""

    def __init__(self, aucs: list[float]) -> None:
        self.corpus, self.seed, self.step, self.seconds = SimpleNamespace(name="toy"), 4, 0, 0.0
        self.aucs, self.exam_was_made = iter(aucs), False

    @property
    def exam(self) -> None:
        self.exam_was_made = True

    def advance(self, steps: int) -> None:
        assert self.exam_was_made
        self.step, self.seconds = self.step + steps, self.seconds + 0.25

    def evaluate(self) -> SimpleNamespace:
        return SimpleNamespace(auc=next(self.aucs))


def rows_of(aucs: list[float], target: Target) -> list[dict[str, Any]]:
    ticks = count()  # the clock is read once at the start and once after each exam
    run: Any = Scripted(aucs)
    return _train(run, target, lambda: 2.0 * next(ticks))


def test_a_target_is_passed_at_the_first_exam_that_reaches_it() -> None:
    low, high = rows_of([0.5, 0.75, 0.7, 0.9, 1.0], Target((0.75, 0.85), 25, 1000))
    assert (low["auc"], low["steps"], low["seconds"], low["training_seconds"]) == (0.75, 50, 4.0, 0.5)
    assert (high["auc"], high["steps"], high["seconds"], high["training_seconds"]) == (0.85, 100, 8.0, 1.0)
    assert (low["corpus"], low["seed"]) == ("toy", 4)


def test_one_exam_can_pass_both_targets() -> None:
    assert [row["steps"] for row in rows_of([0.5, 0.99], Target((0.75, 0.85), 10, 1000))] == [20, 20]


def test_a_run_that_gives_up_says_so() -> None:
    passed, failed = rows_of([0.5, 0.8, 0.8], Target((0.75, 0.85), 10, 30))
    assert passed["steps"] == 20
    assert (failed["auc"], failed["steps"], failed["seconds"], failed["training_seconds"]) == (0.85, None, None, None)


def test_a_summary_counts_a_run_that_gave_up_as_the_slowest() -> None:
    rows = [
        {"corpus": "toy", "auc": 0.9, "steps": steps, "seconds": seconds, "training_seconds": seconds}
        for steps, seconds in ((100, 3.0), (None, None), (120, 5.0))
    ]
    (one,) = summary(rows)
    assert (one["runs"], one["passed"]) == (3, 2)
    assert one["seconds"] == [5.0, 3.0, math.inf]
    assert one["steps"] == [120, 100, math.inf]


def test_a_real_run_passes_a_low_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.insight.TARGETS", {"toy": Target((0.2, 0.999), 2, 4)})
    rows = time_to_insight("toy", seeds=(7,))
    assert [row["steps"] for row in rows] == [2, None]
    assert rows[0]["seconds"] > rows[0]["training_seconds"] > 0  # the exam took time as well


def test_a_run_gives_up_when_its_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.insight.TARGETS", {"toy": Target((0.999,), 2, 10**6)})
    (row,) = time_to_insight("toy", seeds=(7,), patience=2)
    assert row["steps"] is None


def test_a_corpus_without_targets_is_refused() -> None:
    with pytest.raises(ElectraEduError, match=r"There is no target for 'doc'\. Did you mean 'docs'\?"):
        time_to_insight("doc", seeds=(0,))


def test_the_command_prints_a_table_and_writes_the_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []

    def stand_in(corpus: str, *, seeds: Any, device: str, patience: int | None) -> list[dict[str, Any]]:
        asked.append((corpus, list(seeds), device, patience))
        return rows_of([0.91], Target((0.9,), 10, 100))

    monkeypatch.setattr(benchmarks, "time_to_insight", stand_in)
    arguments = [
        "bench",
        "insight",
        "--corpus",
        "toy",
        "--seeds",
        "2",
        "--first-seed",
        "3",
        "--patience",
        "50",
        "--out",
        str(tmp_path),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert asked == [("toy", [3, 4], "cpu", 50)]
    assert "1 of 1" in result.output
    (written,) = tmp_path.iterdir()
    assert json.loads(written.read_text(encoding="utf-8"))["rows"][0]["steps"] == 10

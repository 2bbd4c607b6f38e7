"""Experiments: strict definitions, trials that survive a kill, tables that repeat, statistics by hand."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from electra_edu import efficiency
from electra_edu.cli import app
from electra_edu.config import preset
from electra_edu.evaluation.detection import detect_words
from electra_edu.experiments import (
    Arm,
    Experiment,
    Row,
    experiment_names,
    grid,
    load_experiment,
    load_record,
    mean_interval,
    network_folder,
    race_to,
    record_names,
    run_experiment,
    write_record,
)
from electra_edu.experiments import runner as runner_module
from electra_edu.experiments import trials as trials_module
from electra_edu.experiments.definition import parse
from electra_edu.experiments.experiment import FineTuning, corpus_named
from electra_edu.experiments.records import arm_of, comparable
from electra_edu.experiments.runner import estimate, gather
from electra_edu.experiments.statistics import budget_of, crossing, curves
from electra_edu.experiments.trials import TrialFiles, run_trial
from electra_edu.interop import from_transformers
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun

STEP = 1.01 * efficiency.flops(preset("toy"))["total"]  # a little more than a joint step
SMALL = Experiment("small", "toy", grid({"objective": ["bert", "electra"]}), (0, 1), (3 * STEP, 6 * STEP))

TOY = corpus_named("toy")

DEFINITION = """
kind = "race"
title = "t"
question = "q"
paper = "p"
corpus = "toy"
seeds = [0, 1]
tflop = [0.1, 0.2]
"""

# Experiments with fewer seeds than 5 (3 on docs): those that only choose settings, and the one that takes an hour.
FEWER = {"search-toy-bert": 2, "search-toy-electra": 2, "search-docs-bert": 1, "search-docs-electra": 1,
         "search-docs-final": 1, "docs-long": 1}  # fmt: skip


def table(rows: list[Row]) -> str:
    return json.dumps(comparable(rows))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    return run_experiment(SMALL, tmp_path_factory.mktemp("undisturbed"), jobs=1).rows


class TestDefinitions:
    @pytest.mark.parametrize("name", experiment_names())
    def test_those_of_the_package_can_be_run(self, name: str) -> None:
        experiment = load_experiment(name)
        assert experiment.title
        assert experiment.question.endswith("?")
        assert experiment.paper
        assert len(experiment.seeds) >= FEWER.get(name, 3 if experiment.corpus == "docs" else 5)
        experiment.check()

    def test_a_grid_is_every_combination(self) -> None:
        arms = parse(
            "x", DEFINITION + "[shared]\nmask_prob = 0.2\n[[grid]]\nrtd_weight = [1.0, 2.0]\nseed = [5]\n"
        ).arms
        assert [arm.name for arm in arms] == ["λ 1, seed 5", "λ 2, seed 5"]
        assert arms[1].changes == {"mask_prob": 0.2, "rtd_weight": 2.0, "seed": 5}

    def test_an_arm_has_settings_and_two_words_of_its_own(self) -> None:
        text = DEFINITION + '[[arm]]\nname = "a"\nhead_start = 0.5\nis_trained = false\nrtd_weight = 3.0\n'
        assert parse("x", text).arms == (Arm("a", {"rtd_weight": 3.0}, 0.5, False),)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (DEFINITION, r"x.toml: give the arms as \[\[arm\]\]"),
            (DEFINITION + "[[arm]]\nrtd_weight = 1.0\n", "x.toml, arm 1: the field 'name' is missing"),
            (DEFINITION.replace("toy", "toy\nb") + "", "x.toml: "),
            ("extra = 1\n" + DEFINITION + '[[arm]]\nname = "a"\n', "there is no field 'extra'"),
            (DEFINITION.replace("[0.1, 0.2]", "[0.2, 0.1]") + '[[arm]]\nname = "a"\n', r"tflop=\[0.2, 0.1\]"),
            (DEFINITION.replace("[0, 1]", "[0, 0]") + '[[arm]]\nname = "a"\n', "seeds: .* twice"),
            (DEFINITION + '[[arm]]\nname = "a"\n[[arm]]\nname = "a"\n', "arms: .* twice"),
            (f'keep = "b"\n{DEFINITION}[[arm]]\nname = "a"\n', "keep='b': is none of the arms"),
            (f'shows = [""]\n{DEFINITION}[[arm]]\nname = "a"\n', "shows must list columns"),
            (DEFINITION.replace("race", "rcae") + '[[arm]]\nname = "a"\n', "'kind' cannot be 'rcae'"),
            (
                DEFINITION.replace("race", "labels") + '[[arm]]\nname = "a"\n',
                r"kind='labels': .* needs \[fine_tuning\]",
            ),
            (DEFINITION.replace("[0, 1]", "[]") + '[[arm]]\nname = "a"\n', "seeds: give at least one"),
        ],
    )
    def test_a_slip_is_named(self, text: str, message: str) -> None:
        with pytest.raises(ElectraEduError, match=message):
            parse("x", text)

    def test_an_unknown_name_is_answered_with_the_nearest(self) -> None:
        with pytest.raises(ElectraEduError, match=r"no experiment 'lader'.*Did you mean 'ladder'"):
            load_experiment("lader")

    def test_a_key_depends_on_all_that_results_depend_on(self) -> None:
        def keys(experiment: Experiment) -> set[str]:
            return {trial.key for trial in experiment.trials()}

        base = keys(SMALL)
        assert len(base) == 4
        for other in (
            Experiment("s", "toy", SMALL.arms, (2, 3), SMALL.budgets),
            Experiment("s", "toy", SMALL.arms, SMALL.seeds, (3 * STEP, 7 * STEP)),
            Experiment("s", "toy", grid({"objective": ["bert", "electra"]}, {"mask_prob": 0.2}), (0, 1), SMALL.budgets),
            Experiment(
                "s", "toy", tuple(Arm(a.name, a.changes, 0.0, False) for a in SMALL.arms), (0, 1), SMALL.budgets
            ),
            Experiment("s", "toy", SMALL.arms, (0, 1), SMALL.budgets, fine_tuning=FineTuning(("topic",), (1,))),
            replace(SMALL, layers=(0,)),
        ):
            assert not base & keys(other)
        renamed = tuple(Arm(f"{arm.name}!", arm.changes) for arm in SMALL.arms)
        assert keys(Experiment("another", "toy", renamed, (0, 1), SMALL.budgets)) == base


class TestTrials:
    def test_rows_are_read_at_the_budgets(self, undisturbed: list[Row]) -> None:
        assert [(row["arm"], row["seed"], row["tflop"] * 1e12 / STEP) for row in undisturbed] == [
            (arm.name, seed, pytest.approx(budget)) for arm in SMALL.arms for seed in (0, 1) for budget in (3, 6)
        ]
        for row in undisturbed:
            assert row["flops"] <= row["tflop"] * 1e12 < row["flops"] + row["flops"] / row["step"]
            assert row["threads"] == 1

    def test_training_means_are_of_the_steps_since_the_last_budget(self, tmp_path: Path) -> None:
        trial = next(iter(SMALL.trials()))
        run_trial(trial, tmp_path)
        first, second = TrialFiles(tmp_path, trial.key).result() or []
        run = trials_module.TrainingRun(
            trial.arm.config(corpus_named("toy"), trial.budgets[-1]), corpus_named("toy"), 0
        )
        with trials_module.one_thread():
            losses = [record.mlm_loss for record in run.advance(second["step"])]
        assert first["train_mlm_loss"] == pytest.approx(np.mean(losses[: first["step"]]))
        assert second["train_mlm_loss"] == pytest.approx(np.mean(losses[first["step"] :]))

    @pytest.mark.parametrize("moment", ["rows", "run"])
    def test_goes_on_from_the_last_budget(
        self, undisturbed: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
    ) -> None:
        """Cut off between the two files of a budget, and after both."""

        class Killed(BaseException):
            pass

        trial = next(iter(SMALL.trials()))
        save = trials_module.TrainingRun.save

        def stop(run: Any, place: Path) -> None:
            if moment == "run":
                save(run, place)
            raise Killed

        monkeypatch.setattr(trials_module.TrainingRun, "save", stop)
        with pytest.raises(Killed):
            run_trial(trial, tmp_path)
        monkeypatch.undo()
        assert TrialFiles(tmp_path, trial.key).result() is None
        steps = []
        advance = trials_module.TrainingRun.advance
        monkeypatch.setattr(
            trials_module.TrainingRun, "advance", lambda run, n: steps.append(run.step + 1) or advance(run, n)
        )
        assert run_trial(trial, tmp_path)
        rows = gather(SMALL, tmp_path).rows
        assert table(rows) == table(undisturbed[:2])
        assert steps[0] == (1 if moment == "rows" else rows[0]["step"] + 1)
        assert sorted(file.name for file in tmp_path.iterdir()) == [f"{trial.key}.json", f"{trial.key}.lock"]

    def test_each_layer_has_rows_of_its_own_also_after_a_kill(
        self, undisturbed: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        layered = replace(SMALL, arms=SMALL.arms[:1], seeds=(0,), layers=(0, 2))
        save = trials_module.TrainingRun.save

        def stop(run: Any, place: Path) -> None:
            save(run, place)
            raise KeyboardInterrupt

        monkeypatch.setattr(trials_module.TrainingRun, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            run_trial(next(layered.trials()), tmp_path)
        monkeypatch.undo()
        rows = run_experiment(layered, tmp_path, jobs=1).rows
        arms = ["objective bert, embeddings", "objective bert, block 2"]
        assert [(row["arm"], row["tflop"]) for row in rows] == [
            (arm, budget / 1e12) for budget in layered.budgets for arm in arms
        ]
        last = [{k: v for k, v in row.items() if k not in ("layer", "arm")} for row in rows if row["layer"] == 2]
        default = [{k: v for k, v in row.items() if k != "arm"} for row in undisturbed[:2]]
        assert table(last) == table(default)  # the last block is what is probed where no layer is named
        assert all(one["probe_mean"] != two["probe_mean"] for one, two in zip(rows[::2], rows[1::2], strict=True))

    @pytest.mark.parametrize("is_row_lost", [False, True])
    def test_rows_and_run_of_different_budgets_are_told_apart(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_row_lost: bool
    ) -> None:
        """Cut off after the second budget's rows: the run is the first one's. Or after both, and the rows are lost."""

        class Killed(BaseException):
            pass

        three = Experiment("three", "toy", SMALL.arms[:1], (0,), (2 * STEP, 4 * STEP, 6 * STEP))
        trial = next(three.trials())
        whole = run_experiment(three, tmp_path / "whole", jobs=1).rows
        saves, save = [], trials_module.TrainingRun.save

        def stop(run: Any, place: Path) -> None:
            saves.append(run.step)
            if len(saves) == 1 or is_row_lost:
                save(run, place)
            if len(saves) == 2:
                raise Killed

        monkeypatch.setattr(trials_module.TrainingRun, "save", stop)
        with pytest.raises(Killed):
            run_trial(trial, tmp_path)
        monkeypatch.undo()
        place = TrialFiles(tmp_path, trial.key)
        rows = json.loads(place.rows.read_text())
        assert [row["step"] for row in rows] == saves
        if is_row_lost:
            place.rows.write_text("[]")
        steps: list[int] = []
        advance = trials_module.TrainingRun.advance
        monkeypatch.setattr(
            trials_module.TrainingRun, "advance", lambda run, n: steps.append(run.step + 1) or advance(run, n)
        )
        assert run_trial(trial, tmp_path)
        assert table(gather(three, tmp_path).rows) == table(whole)
        assert steps[0] == (1 if is_row_lost else saves[0] + 1)

    def test_a_damaged_checkpoint_is_begun_again(self, undisturbed: list[Row], tmp_path: Path) -> None:
        trial = next(iter(SMALL.trials()))
        place = TrialFiles(tmp_path, trial.key)
        place.run.mkdir(parents=True)
        (place.run / "run.json").write_text("{")
        place.done.write_text('[{"step": ')
        (tmp_path / f".{trial.key}.run-abc").mkdir()
        (tmp_path / f".{trial.key}.rows.json.77.part").write_text("[")
        assert run_trial(trial, tmp_path)
        assert table(gather(SMALL, tmp_path).rows) == table(undisturbed[:2])
        assert sorted(file.name for file in tmp_path.iterdir()) == [f"{trial.key}.json", f"{trial.key}.lock"]

    def test_a_network_can_be_left_untrained_and_all_are_fine_tuned(self, tmp_path: Path) -> None:
        arms = (Arm("ELECTRA"), Arm("scratch", is_trained=False))
        tuning = FineTuning(("topic",), (1, 2))
        rows = run_experiment(
            Experiment("f", "toy", arms, (0,), (3 * STEP,), fine_tuning=tuning), tmp_path, jobs=1
        ).rows
        assert [(row["arm"], row["task"], row["labels_per_class"]) for row in rows] == [
            (arm, "topic", labels) for arm in ("ELECTRA", "scratch") for labels in (1, 2)
        ]
        assert [row["step"] for row in rows] == [3, 3, 0, 0]
        assert all(0 <= row["score"] <= 1 for row in rows)


class TestRunner:
    def test_what_is_finished_is_not_run_again(
        self, undisturbed: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        heard: list[tuple[int, int]] = []
        part = Experiment("part", "toy", SMALL.arms, (0,), SMALL.budgets)
        run_experiment(part, tmp_path, jobs=1)
        outcome = run_experiment(SMALL, tmp_path, jobs=1, on_trial=lambda *done: heard.append(done))
        assert heard == [(2, 4), (3, 4), (4, 4)]
        assert table(outcome.rows) == table(undisturbed)
        monkeypatch.setattr("electra_edu.experiments.runner.run_trial", None)
        assert run_experiment(SMALL, tmp_path, jobs=1).rows == outcome.rows

    def test_failures_are_reported_and_tried_again_on_request(
        self, undisturbed: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        suite, calls = trials_module.probe_suite, []

        def fails_once(*args: Any, **settings: Any) -> dict[str, float]:
            calls.append(settings["seed"])
            if len(calls) == 1:
                raise RuntimeError("the disk is full of cats")
            return suite(*args, **settings)

        monkeypatch.setattr(trials_module, "probe_suite", fails_once)
        outcome = run_experiment(SMALL, tmp_path, jobs=1)
        assert outcome.failed == {"objective bert, seed 0": "RuntimeError: the disk is full of cats"}
        assert len(outcome.rows) == 6
        n_calls = len(calls)
        assert run_experiment(SMALL, tmp_path, jobs=1).failed == outcome.failed
        assert len(calls) == n_calls
        outcome = run_experiment(SMALL, tmp_path, jobs=1, retry=True)
        assert outcome.failed == {}
        assert table(outcome.rows) == table(undisturbed)

    def test_two_jobs_give_the_same_table(self, undisturbed: list[Row], tmp_path: Path) -> None:
        assert table(run_experiment(SMALL, tmp_path, jobs=2).rows) == table(undisturbed)

    def test_the_same_run_under_two_names_is_run_once(self, tmp_path: Path) -> None:
        twice = Experiment("twice", "toy", (Arm("a"), Arm("b", {"mask_prob": 0.15})), (0,), (3 * STEP,))
        heard: list[tuple[int, int]] = []
        rows = run_experiment(twice, tmp_path, jobs=1, on_trial=lambda *done: heard.append(done)).rows
        assert heard[-1] == (1, 1)
        assert [row["arm"] for row in rows] == ["a", "b"]
        assert [row["step"] for row in rows] == [3, 3]

    def test_an_estimate_counts_what_is_left(self, tmp_path: Path) -> None:
        whole = estimate(SMALL, tmp_path, jobs=1)
        assert whole > 0
        run_experiment(Experiment("part", "toy", SMALL.arms, (0,), SMALL.budgets), tmp_path, jobs=1)
        assert 0 < estimate(SMALL, tmp_path, jobs=1) < whole
        run_experiment(SMALL, tmp_path, jobs=1)
        assert estimate(SMALL, tmp_path, jobs=1) == 0

    @pytest.mark.parametrize(("jobs", "seconds"), [(1, 4 * 13.0), (2, 2 * 13.0), (9, 13.0)])
    def test_an_estimate_is_the_pace_times_the_flops_and_the_readings(
        self, jobs: int, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Four trials, each 3 s of training at a second a step, and two readings of 5 s."""

        class Steady:
            def __init__(self, *_: Any, **__: Any) -> None:
                self.average = SimpleNamespace(encoder=None)

            def evaluate(self) -> None:
                pass

            def advance(self, steps: int) -> list[SimpleNamespace]:
                return [SimpleNamespace(seconds=7.0 + step, flops=step * STEP) for step in range(steps)]

        ticks = iter([0.0, 5.0])
        monkeypatch.setattr(runner_module, "TrainingRun", Steady)
        monkeypatch.setattr(runner_module, "probe_suite", lambda *_: {})
        monkeypatch.setattr(runner_module, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
        small = replace(SMALL, budgets=(2 * STEP, 3 * STEP))
        assert estimate(small, tmp_path, jobs=jobs) == pytest.approx(seconds)
        ticks = iter([0.0, 5.0])
        layered = replace(small, layers=(0, 1, 2))  # 20 s more for each trial
        assert estimate(layered, tmp_path, jobs=jobs) == pytest.approx(seconds * 33 / 13)

    def test_a_folder_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ElectraEduError, match=r"file.* cannot be written"):
            run_experiment(SMALL, tmp_path / "file", jobs=1)


class TestRecords:
    def test_a_record_is_read_as_it_was_written(self, undisturbed: list[Row], tmp_path: Path) -> None:
        run_experiment(SMALL, tmp_path / "trials", jobs=1)
        write_record(SMALL, gather(SMALL, tmp_path / "trials"), tmp_path, "electra-edu …")
        record = load_record("small", tmp_path)
        assert table(list(record.rows)) == table(undisturbed)
        assert record.about["arms"]["objective bert"]["objective"] == "bert"
        assert record.about["seeds"] == [0, 1]
        assert record.about["command"] == "electra-edu …"
        assert record.about["hardware"]["torch"] == torch.__version__
        assert record.about["failed"] == {}

    def test_networks_are_kept_of_one_arm_and_seed(self, tmp_path: Path) -> None:
        keeping = replace(SMALL, seeds=(1, 0), keep="objective electra")
        outcome = run_experiment(keeping, tmp_path / "trials", jobs=1)
        assert sum(trial.keep for trial in keeping.trials()) == 1
        write_record(keeping, outcome, tmp_path, "electra-edu …")
        found = from_transformers(tmp_path / "small" / "discriminator").state_dict()
        (trial,) = [trial for trial in keeping.trials() if trial.keep]
        assert trial.seed == 1
        assert trial.arm.name == "objective electra"
        run = TrainingRun(trial.arm.config(corpus_named("toy"), keeping.budgets[-1]), corpus_named("toy"), seed=1)
        with trials_module.one_thread():
            trials_module.train_until(run, keeping.budgets[-1])
        expected = run.average.discriminator.state_dict()
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            assert torch.equal(found[name], tensor), name

    def test_a_trial_that_keeps_nothing_is_not_taken_for_one_that_does(self, tmp_path: Path) -> None:
        run_experiment(SMALL, tmp_path, jobs=1)
        keeping = replace(SMALL, keep="objective electra")
        assert gather(keeping, tmp_path).network is None
        again = run_experiment(keeping, tmp_path, jobs=1)
        assert again.network is not None
        assert (again.network / "generator" / "model.safetensors").exists()
        assert table(again.rows) == table(gather(SMALL, tmp_path).rows)

    def test_the_kept_discriminator_doubts_a_word_that_does_not_fit(self) -> None:
        folder = network_folder("docs-long")
        assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 5e6
        network = from_transformers(folder / "discriminator", half="discriminator")
        from_transformers(folder / "generator", half="generator")
        for text, odd in (
            ("raises an exception if the {} does not exist.", "banana"),
            ("return the number of items in the {}.", "weather"),
        ):
            doubts = {word.word: word.probability for word in detect_words(network, text.format(odd))}
            assert max(doubts, key=doubts.__getitem__) == odd
            fits = {word.word: word.probability for word in detect_words(network, text.format("file"))}
            assert fits["file"] < 0.5 * doubts[odd]

    def test_a_record_without_networks_says_so(self) -> None:
        with pytest.raises(ElectraEduError, match="'first-seconds' keeps no network"):
            network_folder("first-seconds")
        with pytest.raises(ElectraEduError, match="no record 'second-seconds'"):
            network_folder("second-seconds")

    @pytest.mark.parametrize("name", record_names())
    def test_those_of_the_package_are_whole(self, name: str) -> None:
        record, experiment = load_record(name), load_experiment(name)
        per_trial = (
            1
            if experiment.fine_tuning is None
            else len(experiment.fine_tuning.tasks) * len(experiment.fine_tuning.labels_per_class)
        )
        budgets = 1 if experiment.fine_tuning else len(experiment.budgets)
        assert len(record.rows) == len(experiment.arms) * len(experiment.seeds) * budgets * per_trial * max(
            1, len(experiment.layers)
        )
        assert record.about["failed"] == {}
        assert record.about["command"] == f"electra-edu record {name}"
        runs = {
            (arm_of(row), row["seed"], row["seconds"])
            for row in record.rows
            if row["tflop"] == experiment.budgets[-1] / 1e12
        }
        assert record.about["training_seconds"] == round(sum(seconds for *_, seconds in runs))
        corpus = corpus_named(experiment.corpus)
        if experiment.corpus == "toy":
            assert record.about["corpus"]["sha256"] == corpus.sha256
        for arm in experiment.arms:  # a changed preset asks for a new record
            config = arm.config(corpus, experiment.budgets[-1]).to_dict()
            ours = {k: v for k, v in config.items() if k not in ("vocab_size", "max_seq_length")}
            assert {k: v for k, v in record.about["arms"][arm.name].items() if k in ours} == ours

    def test_a_missing_or_damaged_record_is_answered_in_a_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(ElectraEduError, match="no record 'x'"):
            load_record("x", tmp_path)
        (tmp_path / "x.json").write_text("{}")
        (tmp_path / "x.jsonl").write_text("{")
        with pytest.raises(ElectraEduError, match="record 'x' is damaged"):
            load_record("x", tmp_path)


def reading(arm: str, seed: int, tflop: float, score: float) -> Row:
    return {"arm": arm, "seed": seed, "tflop": tflop, "flops": tflop * 1e12, "probe_topic": score}


class TestStatistics:
    def test_crossings_are_interpolated_over_the_logarithm(self) -> None:
        flops, scores = np.array([1.0, 4.0, 16.0]), np.array([0.2, 0.6, 0.5])
        assert crossing(flops, scores, 0.4) == pytest.approx(2.0)  # half the way between 1 and 4, in logarithms
        assert crossing(flops, scores, 0.6) == pytest.approx(4.0)
        assert crossing(flops, scores, 0.1) == 1.0
        assert crossing(flops, scores, 0.7) == math.inf

    def test_a_budget_is_the_least_within_one_percent_of_the_best(self) -> None:
        flops = np.array([1.0, 2.0, 4.0, 8.0])
        assert budget_of(flops, np.array([0.5, 0.795, 0.8, 0.799])) == (2.0, 0.795)
        assert budget_of(flops, np.array([0.5, 0.79, 0.8, 0.799])) == (4.0, 0.8)

    def test_a_race_by_hand(self) -> None:
        """BERT is at .8 from 4 on; ELECTRA at .8 at 2, and at 90 % of it, .72, between 1 and 2."""
        rows = []
        for seed in range(5):
            for tflop, bert, electra in ((1, 0.4, 0.4), (2, 0.6, 0.8), (4, 0.8, 0.8), (8, 0.8, 0.8)):
                rows += [reading("BERT", seed, tflop, bert), reading("ELECTRA", seed, tflop, electra)]
        whole = race_to(rows, "probe_topic", 1.0, "BERT", "ELECTRA")
        assert (whole.budget, whole.target, whole.reference) == pytest.approx((4e12, 0.8, 4e12))
        assert (whole.other.value, whole.other.low, whole.other.high) == pytest.approx((2e12, 2e12, 2e12))
        assert whole.speedup.value == pytest.approx(2)
        most = race_to(rows, "probe_topic", 0.9, "BERT", "ELECTRA")
        assert most.target == pytest.approx(0.72)
        assert most.reference == pytest.approx(2e12 * 2 ** (0.12 / 0.2))
        assert most.other.value == pytest.approx(1e12 * 2 ** (0.32 / 0.4))
        assert most.speedup.value == pytest.approx(2 ** (1 + 0.6 - 0.8))

    def test_a_run_that_never_gets_there_is_counted_as_never(self) -> None:
        rows = []
        for seed in range(4):
            for tflop, bert, electra in ((1, 0.4, 0.3), (2, 0.8, 0.5)):
                rows += [reading("BERT", seed, tflop, bert), reading("ELECTRA", seed, tflop, electra)]
        found = race_to(rows, "probe_topic", 1.0, "BERT", "ELECTRA")
        assert found.other.value == found.other.high == math.inf
        assert found.speedup.value == 0
        one = race_to([row for row in rows if row["seed"] == 0], "probe_topic", 0.5, "BERT", "ELECTRA")
        assert one.speedup.n == 1
        assert one.other.low == one.other.value == one.other.high

    def test_pairs_need_the_same_seeds(self) -> None:
        rows = [reading("BERT", 0, 1, 0.5), reading("ELECTRA", 1, 1, 0.5)]
        with pytest.raises(ElectraEduError, match="pairs need the same"):
            race_to(rows, "probe_topic", 1.0, "BERT", "ELECTRA")
        with pytest.raises(ElectraEduError, match="arm='GPT': not in this table"):
            curves(rows, "GPT", "probe_topic")

    @pytest.mark.parametrize("n", [2, 3, 10])
    def test_an_interval_covers_the_truth_as_often_as_it_says(self, n: int) -> None:
        """Of 2,000 intervals at 95 % between 93.5 and 96.5 % hold it: three standard errors."""
        draws = np.random.default_rng(0).normal(0.5, 0.1, (2_000, n))
        hits = [found.low <= 0.5 <= found.high for found in map(mean_interval, draws.tolist())]
        assert 0.935 <= np.mean(hits) <= 0.965

    def test_one_value_is_its_own_interval(self) -> None:
        found = mean_interval([0.5])
        assert (found.value, found.low, found.high, found.n) == (0.5, 0.5, 0.5, 1)


class TestCommands:
    def test_a_sweep_runs_all_combinations_and_goes_on(self, tmp_path: Path) -> None:
        command = ["sweep", "rtd_weight=1,50", "weight_sharing=none", "--tflop", "0.004", "--seeds", "1", "--jobs", "1"]
        for _ in range(2):
            result = CliRunner().invoke(app, [*command, "--out", str(tmp_path)])
            assert result.exit_code == 0, result.output
        rows = load_record("sweep", tmp_path).rows
        assert [(row["rtd_weight"], row["weight_sharing"]) for row in rows] == [(1, "none"), (50, "none")]
        assert "λ 50, sharing none" in result.output

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            (["sweep", "rtd_wait=1"], "'rtd_wait' is not a setting. Did you mean 'rtd_weight'"),
            (["sweep", "rtd_weight"], "give the values after an equals sign"),
            (["sweep", "rtd_weight=-1"], "rtd_weight=-1"),
            (["record"], "--list shows what there is"),
            (["record", "lader"], "Did you mean 'ladder'"),
        ],
    )
    def test_a_mistake_is_answered_in_a_sentence(self, command: list[str], words: str, tmp_path: Path) -> None:
        result = CliRunner().invoke(app, [*command, "--out", str(tmp_path)])
        assert result.exit_code == 1
        assert words in " ".join(result.output.split())
        assert "Traceback" not in result.output

    def test_the_list_names_every_experiment(self) -> None:
        result = CliRunner().invoke(app, ["record", "--list"], env={"COLUMNS": "200"})
        assert result.exit_code == 0
        assert all(name in result.output for name in experiment_names())


@pytest.mark.slow
class TestSlow:
    def test_ten_kills_leave_the_table_of_an_undisturbed_sweep(self, tmp_path: Path) -> None:
        """SIGKILL the runner ten times, its workers with it every other time; then let it end."""
        command = [sys.executable, "-m", "electra_edu", "sweep", "rtd_weight=1,10,50", "generator_size_fraction=0.25,1"]
        for budget in ("0.01", "0.02", "0.03"):
            command += ["--tflop", budget]
        command += ["--seeds", "4", "--jobs", "2", "--out"]
        subprocess.run([*command, str(tmp_path / "whole")], check=True, stdout=subprocess.DEVNULL)
        rng, folder, groups = random.Random(0), tmp_path / "killed", []
        for kill in range(10):
            process = subprocess.Popen([*command, str(folder)], stdout=subprocess.DEVNULL, start_new_session=True)
            groups.append(process.pid)
            deadline = time.monotonic() + rng.uniform(3, 7)  # the first seconds go into imports
            time.sleep(deadline - time.monotonic())
            assert process.poll() is None, "the sweep ended before it could be killed: make it longer"
            if kill % 2:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
        try:
            subprocess.run([*command, str(folder)], check=True, stdout=subprocess.DEVNULL)
        finally:
            for group in groups:  # workers that outlived their runner
                try:
                    os.killpg(group, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        assert table(list(load_record("sweep", folder).rows)) == table(
            list(load_record("sweep", tmp_path / "whole").rows)
        )

    def test_the_smallest_record_comes_out_again(self, tmp_path: Path) -> None:
        """To the last digit on the machine and versions it was made with, within its interval elsewhere."""
        record = load_record("first-seconds")
        result = CliRunner().invoke(app, ["record", "first-seconds", "--out", str(tmp_path)])
        assert result.exit_code == 0, result.output
        again = load_record("first-seconds", tmp_path)
        same = all(again.about["hardware"][name] == record.about["hardware"][name] for name in ("cpu", "torch"))
        if same:
            assert table(list(again.rows)) == table(list(record.rows))
        for arm in {row["arm"] for row in record.rows}:
            _, old, _ = curves(record.rows, arm, "probe_mean")
            _, new, _ = curves(again.rows, arm, "probe_mean")
            for before, after in zip(old.T, new.T, strict=True):
                found = mean_interval(before.tolist())
                slack = 0.5 * (found.high - found.low)
                assert found.low - slack <= after.mean() <= found.high + slack

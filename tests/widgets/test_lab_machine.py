"""The Training Lab in any order: every control, also while it trains, and what its labels promise."""

import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from lab_view import curves, shown
from page import send
from shown_code import run_again
from small import metrics_of, small_config, small_corpus

import electra_edu as edu
from electra_edu.corpora.corpus import Corpus, CorpusSource
from electra_edu.training import TrainingRun
from electra_edu.widgets.panels import training_lab
from electra_edu.widgets.panels.controls import LAMBDAS, MASK_RATES, RATES, SIZES, TEMPERATURES
from electra_edu.widgets.panels.run_blocks import NEW_SENTENCE
from electra_edu.widgets.parts.player import Player

PATIENCE = 60.0  # seconds for a thread that another test may starve
PLAYER = "electra_edu player"
MANY = 1_000  # steps; nobody waits for as many
MADE = {  # what `load_corpus` gives in these tests
    name: replace(small_corpus(sha256=digit * 64), name=name, source=CorpusSource("name", name))
    for name, digit in (("toy", "1"), ("docs", "2"))
}
LIVE = {"mask": "mask_prob", "rtd_weight": "rtd_weight", "temperature": "temperature"}


def load(name: str = "toy", **_sizes: Any) -> Corpus:
    return MADE[name]


def player_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == PLAYER]


class Clock:
    """Notices every training step of every run, so that a test can wait for some without looking at the time."""

    def __init__(self) -> None:
        self.steps = 0
        self._changed = threading.Condition()

    def watching(self, function: Callable[..., Any], counts: int = 1) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            finally:
                with self._changed:
                    self.steps += counts
                    self._changed.notify_all()

        return watched

    def wait(self, steps: int, is_over: Callable[[], bool]) -> None:
        """Return after that many calls of `advance`, or once training is over."""
        with self._changed:
            goal = self.steps + steps
            moved = self._changed.wait_for(lambda: self.steps >= goal or is_over(), PATIENCE)
            assert moved, "nothing is trained"


class LabMachine(RuleBasedStateMachine):
    """A panel on a run of `small_corpus`, its controls used in any order; beside it, what it has promised so far."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.patches = [
            mock.patch.object(TrainingRun, "advance", self.clock.watching(TrainingRun.advance)),
            mock.patch.object(Player, "_play", self.clock.watching(Player._play, MANY)),  # whoever waits, stops
            mock.patch.object(training_lab, "load_corpus", load),
            mock.patch.object(edu, "load_corpus", load),
            mock.patch.object(training_lab, "CHUNK_SECONDS", 1e-4),  # it looks at the buttons after every step ...
            mock.patch.object(training_lab, "DRAW_SECONDS", 0.0),  # ... and draws as often
            mock.patch.object(training_lab, "probe", return_value=0.5),  # takes half a second
        ]
        for patch in self.patches:
            patch.start()
        self.switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)  # seconds: the threads take turns a hundred times as often
        self.lab: Any = None
        self.labels: list[str] = []  # of the curves kept so far

    @initialize(seed=st.sampled_from([0, 123_456]), changed=st.booleans(), trained=st.booleans())
    def open(self, seed: int, changed: bool, trained: bool) -> None:
        run = TrainingRun(small_config(), small_corpus(), seed, "cpu")
        if changed:
            run.change(rtd_weight=1.0)
        if trained:
            run.advance(2, trained="generator")
            run.advance(1)
        self.show(run)

    def show(self, run: TrainingRun) -> None:
        self.lab = edu.widgets.TrainingLab(run)
        self.labels = []
        self.live = {name: getattr(run.config, name) for name in LIVE.values()}
        self.rates = run.config.learning_rate, run.config.muon_learning_rate  # what the knob multiplies
        self.factor = self.lab.controls.rate.value
        self.rates = tuple(rate / self.factor for rate in self.rates)

    # What the learner does

    @rule(steps=st.integers(1, 3))
    def train(self, steps: int) -> None:
        self.lab.train()
        self.clock.wait(steps, lambda: shown(self.lab, "Verdict")["state"] == "stopped")

    @rule()
    def click_train(self) -> None:
        self.lab.controls.train.click()

    @rule(steps=st.integers(1, 3))
    def watch(self, steps: int) -> None:  # no precondition: which rules there are must not depend on threads
        self.clock.wait(steps, lambda: not self.lab.is_training)

    @rule(wait=st.booleans())
    def pause(self, wait: bool) -> None:
        self.lab.pause(wait)

    @rule(steps=st.integers(1, 2))
    def step(self, steps: int) -> None:
        self.lab.step(steps)

    @rule()
    def keep(self) -> None:
        """The label says what the steps were trained with: no setting that came after the last one."""
        controls = self.lab.controls
        with self.standing_still():
            history = self.lab.run.history
            controls.keep.click()
            self.assert_alive()
            if not history:
                return
            kept = curves(self.lab, earlier=True)
            label = kept[-1]["name"]
            masks = [mask for mask, _ in groupby(record.mask_prob for record in history)]
            weights = [weight for weight, _ in groupby(record.rtd_weight for record in history)]
            assert numbers(label, "mask") == shortened([round(100 * mask) for mask in masks]), label
            assert numbers(label, "λ") == shortened(weights), label
            self.labels = [*self.labels, label][-3:]

    @rule()
    def keep_while_it_trains(self) -> None:
        self.lab.train()
        for _ in range(10):
            self.clock.wait(1, lambda: not self.lab.is_training)
            self.lab.controls.keep.click()
        self.lab.pause()
        kept = curves(self.lab, earlier=True)
        self.labels = [curve["name"] for curve in kept]
        self.assert_alive()

    @rule()
    def new_sentence(self) -> None:
        send(self.lab.view, {"action": NEW_SENTENCE, "index": 0})

    @rule(name=st.sampled_from(sorted(LIVE)), place=st.integers(0, 9))
    def move_a_live_knob(self, name: str, place: int) -> None:
        values = {"mask": MASK_RATES, "rtd_weight": LAMBDAS, "temperature": TEMPERATURES}[name]
        value = values[place % len(values)]
        getattr(self.lab.controls, name).value = value
        self.live[LIVE[name]] = value

    @rule(factor=st.sampled_from(sorted(RATES.values())))
    def move_the_learning_rate(self, factor: float) -> None:
        self.lab.controls.rate.value = factor
        self.factor = factor

    @rule(
        choice=st.one_of(
            st.tuples(st.just("size"), st.sampled_from(SIZES[1:])),
            st.tuples(st.just("sharing"), st.sampled_from(["embeddings", "none", "gdes"])),
            st.tuples(st.just("seed"), st.sampled_from([0, 7, 10_001, 2**40, -5])),
            st.tuples(st.just("corpus"), st.sampled_from(["small", "toy", "docs"])),
        )
    )
    def choose_for_the_next_run(self, choice: tuple[str, Any]) -> None:
        name, value = choice
        knob = getattr(self.lab.controls, name)
        if name != "corpus" or value in knob.options:
            knob.value = value
            assert knob.value == value

    @rule()
    def reset(self) -> None:
        """What the label names is what changes, and nothing else does."""
        controls, lab = self.lab.controls, self.lab
        lab.pause()
        before, note = lab.run, controls.note.value
        corpus, seed = controls.corpus.value, controls.seed.value
        controls.reset.click()
        after = lab.run
        assert after is not before, shown(lab, "Status")["text"]
        assert (after.step, after.corpus.name, after.seed) == (0, corpus, seed)
        assert controls.note.value == ""
        promised = {
            "generator size": before.config.generator_size_fraction != after.config.generator_size_fraction,
            "sharing": before.config.weight_sharing != after.config.weight_sharing,
            "corpus": before.corpus is not after.corpus,
            "seed": before.seed != after.seed,
            "λ": before.config.rtd_weight != after.config.rtd_weight,
        }
        for name, changed in promised.items():
            assert (name in note) == changed, (name, note)
        if before.corpus is after.corpus:
            waiting = {"generator_size_fraction": after.config.generator_size_fraction}
            waiting["weight_sharing"] = after.config.weight_sharing
            assert after.config == before.config.replace(**waiting)
        else:
            base = small_config() if corpus == "small" else edu.preset(corpus)
            self.rates = base.learning_rate, base.muon_learning_rate
            self.live["rtd_weight"] = after.config.rtd_weight

    @rule(way=st.sampled_from(["run the cell again", "close first", "save and load"]))
    def open_again(self, way: str) -> None:
        old, run = self.lab, self.lab.run
        if way == "save and load":
            run.save(self.folder / "run")
            run = TrainingRun.load(self.folder / "run", run.corpus, "cpu")
        if way != "run the cell again":
            old.close()
            assert not player_threads()
        self.show(run)
        assert not old.is_training

    @rule()
    def show_code(self) -> None:
        with self.standing_still():
            self.assert_reproduced()

    # What holds after each of them

    @invariant()
    def one_trainer_at_most(self) -> None:
        assert len(player_threads()) <= 1

    @invariant()
    def knobs_act_and_others_wait(self) -> None:
        if self.lab is None:
            return
        self.assert_alive()
        if self.lab.is_training:
            return
        config = self.lab.run.config
        assert {name: getattr(config, name) for name in self.live} == self.live
        rates = config.learning_rate, config.muon_learning_rate
        assert rates == pytest.approx([min(1.0, rate * self.factor) for rate in self.rates])
        controls = self.lab.controls
        assert {LIVE[name]: getattr(controls, name).value for name in LIVE} == self.live

    @invariant()
    def kept_curves_stay(self) -> None:
        if self.lab is not None and not self.lab.is_training and self.lab.view.blocks:
            kept = curves(self.lab, earlier=True)
            assert [label(curve) for curve in kept] == [re.sub(r"^\w+: ", "", name) for name in self.labels]

    def assert_alive(self) -> None:
        assert shown(self.lab, "Verdict")["state"] != "stopped", shown(self.lab, "Status")["text"]

    def assert_reproduced(self) -> None:
        run = self.lab.run
        again = run_again(self.lab.drawer.code, my_corpus=run.corpus)
        assert again.seed == run.seed
        assert again.corpus.sha256 == run.corpus.sha256
        assert again.config == run.config
        assert metrics_of(again.history) == metrics_of(run.history)
        assert eval(self.lab.drawer.settings, {"edu": edu}) == run.config

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        self.lab.pause()
        yield

    def teardown(self) -> None:
        try:
            if self.lab is not None:
                self.lab.pause()
                self.assert_reproduced()
        finally:
            if self.lab is not None:
                self.lab.close()
            sys.setswitchinterval(self.switch_interval)
            for patch in self.patches:
                patch.stop()
            shutil.rmtree(self.folder)
        assert not player_threads()


def label(curve: dict[str, Any]) -> str:
    """Return a kept curve's label without the corpus, which is named below a run on another one."""
    return re.sub(r"^\w+: ", "", curve["name"])


def numbers(text: str, name: str) -> list[float]:
    """Read "mask 15→40%": [15, 40]."""
    found = re.search(rf"{name} ([\d.→…%]+)", text)
    assert found, text
    return [float(number) for number in found[1].replace("%", "").replace("…→", "").split("→")]


def shortened(values: list[float]) -> list[float]:
    """Return the values as a label has them: of more than three the first and the last."""
    return values if len(values) <= 3 else [values[0], values[-1]]


def settings_of(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # with threads at work, a failing order is not worth minutes of shrinking
    )


@pytest.mark.fault("Panel state", seen="Keep curve while it trained ended the run; λ moved when a corpus was chosen")
def test_any_order_of_controls_keeps_its_promises() -> None:
    run_state_machine_as_test(LabMachine, settings=settings_of(5, 20))


@pytest.mark.slow
def test_many_orders_of_controls_keep_their_promises() -> None:
    run_state_machine_as_test(LabMachine, settings=settings_of(60, 40))

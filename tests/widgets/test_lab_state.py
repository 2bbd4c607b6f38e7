"""The Training Lab's state: what each event makes of it, and what the labels promise."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lab_view import curves, shown
from random_text import story
from small import an_evaluation, small_config, small_corpus, small_run, step_record

import electra_edu as edu
from electra_edu.corpora import load_corpus
from electra_edu.training import Change, TrainingRun
from electra_edu.widgets import TrainingLab
from electra_edu.widgets.panels import lab_state, training_lab
from electra_edu.widgets.panels.lab_state import LabState, applied, began, moved, offered, opened, reset_config
from electra_edu.widgets.panels.run_blocks import RunBlocks

STATE = "Panel state"


@pytest.fixture
def state() -> LabState:
    return opened(small_run(5))


def reset(state: LabState) -> LabState:
    offer = state.offers[state.knobs.corpus]
    return began(state, TrainingRun(reset_config(state), offer.corpus, state.knobs.seed, "cpu"))


def test_nothing_waits_and_nothing_is_wanted_at_first(state: LabState) -> None:
    assert (state.waiting, state.wanted, reset_config(state)) == ((), {}, state.run.config)
    assert (state.knobs.corpus, state.knobs.seed, state.choices) == ("small", 5, ("toy", "docs", "small"))


def test_an_event_leaves_the_state_before_it_as_it_was(state: LabState) -> None:
    after = moved(state, "mask", 0.5)
    assert (state.knobs.mask, after.knobs.mask) == (0.3, 0.5)
    assert moved(after, "mask", 0.5) is after  # a knob that says what it said: no event


@pytest.mark.parametrize(
    ("knob", "value", "wanted"),
    [
        ("mask", 0.5, {"mask_prob": 0.5}),
        ("rtd_weight", 2.0, {"rtd_weight": 2.0}),
        ("temperature", 2.0, {"temperature": 2.0}),
        ("rate", 3.0, {"learning_rate": 9e-3, "muon_learning_rate": 15e-3}),
    ],
)
def test_a_live_knob_asks_for_its_own_setting_only(
    state: LabState, knob: str, value: float, wanted: dict[str, float]
) -> None:
    after = moved(state, knob, value)
    assert after.wanted == pytest.approx(wanted)
    assert after.waiting == ()
    assert applied(after).wanted == {}
    assert reset_config(after) == state.run.config.replace(**after.wanted)


@pytest.mark.parametrize(
    ("knob", "value", "named", "field"),
    [
        ("size", 1.0, "generator size", "generator_size_fraction"),
        ("sharing", "none", "sharing", "weight_sharing"),
        ("seed", -5, "seed", None),
        ("seed", 2**40, "seed", None),
    ],
)
def test_others_wait_for_reset(state: LabState, knob: str, value: Any, named: str, field: str | None) -> None:
    after = moved(state, knob, value)
    assert (after.waiting, after.wanted) == ((named,), {})
    assert reset_config(after) == state.run.config.replace(**({field: value} if field else {}))
    assert reset(after).waiting == ()
    assert moved(after, knob, getattr(state.knobs, knob)).waiting == ()


@pytest.mark.fault(STATE, seen="the learning rate was multiplied again at every Reset: .009, .027, .081")
def test_the_learning_rate_is_multiplied_once(state: LabState) -> None:
    state = moved(state, "rate", 3.0)
    for _ in range(3):
        state = reset(state)
        assert state.run.config.learning_rate == pytest.approx(9e-3)
        assert moved(state, "mask", 0.5).wanted == {"mask_prob": 0.5}
    assert reset(moved(state, "rate", 1.0)).run.config.learning_rate == 3e-3


@pytest.mark.parametrize("factor", [0.1, 1 / 3, 3.0, 10.0, 2.5])
def test_a_panel_on_a_run_with_other_rates_shows_their_factor(factor: float) -> None:
    run = small_run()
    run.change(learning_rate=3e-3 * factor, muon_learning_rate=5e-3 * factor)
    state = opened(run)
    assert (state.knobs.rate, state.base.learning_rate) == (pytest.approx(factor), 3e-3)
    assert reset_config(state) == run.config


def test_rates_that_no_factor_gives_are_the_new_base() -> None:
    run = small_run()
    run.change(learning_rate=0.02)
    state = opened(run)
    assert (state.knobs.rate, reset_config(state)) == (1.0, run.config)


@pytest.mark.fault(STATE, seen="choosing a corpus moved λ of the run on the screen at once")
def test_the_lambda_of_another_corpus_waits(state: LabState) -> None:
    docs = replace(small_corpus(sha256="d" * 64), name="docs")
    after = moved(state, "corpus", "docs")
    assert (after.wanted, after.waiting) == ({}, ("corpus", "λ 2"))
    after = offered(after, "docs", docs)
    assert (reset_config(after).rtd_weight, reset_config(after).hidden_size) == (2.0, edu.preset("docs").hidden_size)
    assert reset(after).knobs.rtd_weight == 2.0
    decided = moved(after, "rtd_weight", 7.0)
    assert (decided.waiting, reset_config(decided).rtd_weight) == (("corpus",), 7.0)
    assert moved(after, "corpus", "small").waiting == ()


@pytest.mark.fault(STATE, seen="a text of one's own was not found again, or came back with other sizes and settings")
@pytest.mark.parametrize("name", ["mine.txt", "toy", "docs"])
def test_the_corpus_that_a_panel_was_given_stays_at_hand(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(story(4000), encoding="utf-8")
    corpus = load_corpus(tmp_path / name, max_seq_length=32)
    config = small_config(vocab_size=corpus.vocab_size, max_seq_length=32, max_position_embeddings=32, batch_size=4)
    run = TrainingRun(config, corpus, device="cpu")
    lab = TrainingLab(run)
    try:
        own = lab.controls.corpus.value
        assert own == (name if name == "mine.txt" else f"{name} (yours)")
        for chosen in ("toy", own):
            lab.controls.corpus.value = chosen
            lab.reset()
        assert (lab.run.corpus, lab.run.config) == (corpus, config)
        assert lab.run is not run
    finally:
        lab.close()


def test_a_setting_that_a_cell_changes_moves_its_knob_and_stays() -> None:
    lab = TrainingLab(small_run())
    try:
        lab.run.change(rtd_weight=3.5, learning_rate=0.02)
        lab.controls.mask.value = 0.5
        assert (lab.run.config.rtd_weight, lab.controls.rtd_weight.value) == (3.5, 3.5)
        assert (lab.run.config.learning_rate, lab.run.config.mask_prob) == (0.02, 0.5)
        lab.controls.rate.value = 3.0
        assert lab.run.config.learning_rate == pytest.approx(0.06)
    finally:
        lab.close()


def test_a_reset_that_cannot_be_says_why_and_leaves_the_run() -> None:
    lab = TrainingLab(small_run())
    try:
        before = lab.run
        lab.controls.sharing.value = "all"
        lab.reset()
        assert lab.run is before
        assert "weight_sharing" in shown(lab, "Status")["text"]
        assert lab.controls.note.value == "<b>Reset</b> applies: sharing"
    finally:
        lab.close()


def test_an_error_of_any_kind_is_shown() -> None:
    lab = TrainingLab(small_run())
    try:
        lab.step("two")  # type: ignore[arg-type]
        assert shown(lab, "Verdict")["state"] == "stopped"
        lab.step()
        assert shown(lab, "Verdict")["state"] != "stopped"
    finally:
        lab.close()


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainingLab]:
    """A panel that draws after every step, while two threads take turns very often."""
    interval = sys.getswitchinterval()
    monkeypatch.setattr(training_lab, "CHUNK_SECONDS", 1e-4)
    monkeypatch.setattr(training_lab, "DRAW_SECONDS", 0.0)
    monkeypatch.setattr(training_lab, "probe", lambda *_given, **_named: 0.5)
    lab = TrainingLab(small_run())
    sys.setswitchinterval(1e-4)
    yield lab
    lab.close()
    sys.setswitchinterval(interval)


@pytest.mark.fault(STATE, seen="Keep curve, pressed while it trained, ended the run with a BufferError")
def test_curves_can_be_kept_while_it_trains(busy: TrainingLab) -> None:
    busy.step(300)
    busy.train()
    for _ in range(150):
        busy.keep_curve()
    busy.pause()
    assert "stopped" not in shown(busy, "Verdict")["state"], shown(busy, "Status")["text"]
    assert len(busy.run.history) > 300
    kept = curves(busy, earlier=True)
    assert len(kept) == 3
    busy.step(1)


# A long run


class Watched(list[Any]):
    """A list that counts how many of its items are read."""

    read = 0

    def __iter__(self) -> Iterator[Any]:
        self.read += len(self)
        return super().__iter__()

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        self.read += len(found) if isinstance(place, slice) else 1
        return found


@pytest.mark.fault("Resources", seen="every frame read the whole history: 34 ms after 100,000 steps")
def test_a_frame_costs_the_same_however_long_the_run_is() -> None:
    run = small_run()
    n = 3_000
    run.history = Watched(step_record(i, trained="both", recall=0.5 + (i % 7) / 100) for i in range(1, n + 1))
    run.evaluations = Watched(an_evaluation(i) for i in range(1, n + 1))
    run.changes = Watched([Change(5, "rtd_weight", 10.0, 5.0)])
    lab = TrainingLab(run)
    try:
        run.history.read = run.evaluations.read = 0
        for _ in range(3):
            lab._draw()
        assert run.history.read <= 3 * 100
        assert run.evaluations.read <= 3 * 100
        for curve in (*curves(lab), *curves(lab, 0, 1), *curves(lab, 1)):
            assert len(curve["x"]) <= 240
            assert curve["x"][-1:] == ([n] if "probe" not in curve["name"] else [])
        assert f"run.advance({n - 5})" in lab.drawer.code
    finally:
        lab.close()


def test_frames_take_in_what_was_trained_elsewhere() -> None:
    run = small_run()
    lab = TrainingLab(run)
    try:
        lab.step(2)
        run.advance(3)  # in a cell
        run.evaluate()
        lab.step(1)
        series = curves(lab)[0]
        assert series["x"] == [1, 2, 3, 4, 5, 6]
        assert series["y"] == [record.mlm_loss for record in run.history]
        assert curves(lab, 1)[0]["x"] == [5]
    finally:
        lab.close()


@pytest.mark.fault(STATE, seen="a curve trained at λ 50 was kept as “λ 1” after a change that nothing was trained with")
def test_a_kept_curve_says_what_its_steps_were_trained_with() -> None:
    run = small_run(seed=3, weight_sharing="none")
    drawn = RunBlocks(run, None)
    run.advance(1)
    run.change(rtd_weight=1.0, mask_prob=0.6)
    label = drawn.earlier().curves["recall"].name
    assert label == "mask 30%, λ 10, size 1/2, sharing none, seed 3"
    run.advance(1)
    run.change(temperature=2.0, learning_rate=6e-3)
    run.advance(1)
    expected = "mask 30→60%, λ 10→1, size 1/2, sharing none, temperature 1→2, rate 0.003→0.006, seed 3"
    assert drawn.earlier().curves["auc"].name == expected
    for weight in (2.0, 3.0):
        run.change(rtd_weight=weight)
        run.advance(1)
    assert "λ 10→…→3" in drawn.earlier().curves["auc"].name
    other = replace(small_corpus(sha256="a" * 64), name="docs")
    assert drawn.earlier().curve("auc", other).name.startswith("small: mask")


def test_the_events_are_pure() -> None:
    """No event reads or changes anything but its arguments: the module has no state of its own."""
    state = opened(small_run())
    before = dict(vars(state))
    for event in (lab_state.started, lab_state.ended, lab_state.applied, lab_state.closed):
        event(state)
    assert dict(vars(state)) == before

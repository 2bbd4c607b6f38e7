"""The Training Lab without a browser: press its buttons, move its knobs, read what it shows."""

import contextlib
import io
import json
import threading
import time

import pytest
import torch
from lab_view import charts, curves, shown
from page import send

import electra_edu as edu
from electra_edu.widgets.panels.run_blocks import NEW_SENTENCE
from electra_edu.widgets.parts.code import preset_call, run_code
from electra_edu.widgets.parts.player import Player


@pytest.fixture(scope="module")
def corpus():
    return edu.load_corpus("toy")


@pytest.fixture
def lab(corpus):
    lab = edu.widgets.TrainingLab(edu.TrainingRun(edu.preset("toy", batch_size=8), corpus, seed=0, device="cpu"))
    yield lab
    lab.close()


def wait_for(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def test_nothing_trains_until_pressed(lab):
    assert not lab.is_training
    assert lab.run.step == 0
    assert shown(lab, "Verdict")["state"] == "idle"


def test_train_button_trains_and_pauses(lab):
    lab.controls.train.click()
    assert lab.controls.train.description == "Pause"
    wait_for(lambda: lab.run.step >= 5)
    lab.controls.train.click()
    wait_for(lambda: not lab.is_training)
    assert lab.controls.train.description == "Train"
    assert [record.step for record in lab.run.history] == list(range(1, lab.run.step + 1))
    assert lab.run.evaluations[-1].step == lab.run.step  # examined when it paused
    steps = curves(lab)[0]["x"]
    assert steps[0] == 1
    assert steps[-1] == lab.run.step


def test_live_knobs_act_at_once_and_leave_a_mark(lab):
    lab.step(3)
    lab.controls.rtd_weight.value = 10.0
    lab.controls.mask.value = 0.4
    lab.controls.temperature.value = 2.0
    lab.controls.rate.value = 0.1
    config = lab.run.config
    assert (config.rtd_weight, config.mask_prob, config.temperature) == (10.0, 0.4, 2.0)
    assert config.learning_rate == pytest.approx(3e-4)
    assert config.muon_learning_rate == pytest.approx(5e-4)
    lab.step(1)
    assert lab.run.history[-1].rtd_weight == 10.0
    labels = [line["label"] for line in charts(lab)[0]["lines"]]
    assert labels[0] == "λ 50 → 10"
    assert "mask 15% → 40%" in labels


def test_a_size_waits_for_reset_and_says_so(lab):
    lab.step(2)
    lab.controls.size.value = 0.5
    assert lab.run.config.generator_size_fraction == 0.25
    assert "generator size" in lab.controls.note.value
    before = lab.run
    lab.controls.reset.click()
    assert lab.run is not before
    assert lab.run.step == 0
    assert lab.run.config.generator_size_fraction == 0.5
    assert lab.controls.note.value == ""


def test_reset_with_the_same_seed_repeats_the_run(lab):
    lab.step(3)
    losses = [record.loss for record in lab.run.history]
    lab.reset()
    lab.step(3)
    assert [record.loss for record in lab.run.history] == losses


def test_kept_curves_stay_behind_the_next_run(lab):
    lab.step(4)
    lab.controls.keep.click()
    lab.reset()
    lab.step(1)
    kept = curves(lab, earlier=True)
    assert [curve["name"] for curve in kept] == ["mask 15%, λ 50, size 1/4"]
    assert kept[0]["x"][-1] == 4


def test_new_sentence_changes_the_sentence_but_not_the_run(lab):
    before = shown(lab, "Tokens")["tokens"]
    send(lab.view, {"action": NEW_SENTENCE, "index": 0})
    after = shown(lab, "Tokens")["tokens"]
    assert [token["text"] for token in before] != [token["text"] for token in after]
    assert sum("true word" in token["about"] for token in after) >= 2
    assert lab.run.step == 0


def test_buttons_answer_while_the_end_of_a_run_is_still_being_graded(lab, monkeypatch):
    reached, go_on, examine = threading.Event(), threading.Event(), lab._examine

    def slow_examine(with_probe):
        if not lab.controls.says_pause:  # the last one, after the pause
            reached.set()
            go_on.wait(10)
        examine(with_probe)

    monkeypatch.setattr(lab, "_examine", slow_examine)
    lab.controls.train.click()
    wait_for(lambda: lab.run.step >= 1)
    lab.controls.train.click()
    assert reached.wait(10)
    before = shown(lab, "Tokens")["tokens"]
    send(lab.view, {"action": NEW_SENTENCE, "index": 0})
    assert [t["text"] for t in shown(lab, "Tokens")["tokens"]] != [t["text"] for t in before]
    lab.controls.rtd_weight.value = 5.0
    assert lab.run.config.rtd_weight == 5.0
    go_on.set()
    wait_for(lambda: not lab.is_training)


def test_the_sentence_keeps_its_corruption_while_its_probabilities_move(lab):
    lab.step(1)
    before = shown(lab, "Tokens")["tokens"]
    lab.step(10)
    after = shown(lab, "Tokens")["tokens"]
    assert [token["text"] for token in before] == [token["text"] for token in after]
    assert [token["note"] for token in before] != [token["note"] for token in after]


def test_an_error_in_training_is_shown_and_nothing_is_lost(lab):
    lab.step(2)
    with torch.no_grad():
        lab.run.model.discriminator.output.weight.fill_(float("nan"))
    lab.controls.train.click()
    wait_for(lambda: not lab.is_training)
    assert shown(lab, "Verdict")["state"] == "stopped"
    assert "RTD loss is not a finite number" in shown(lab, "Status")["text"]
    assert lab.run.step == 2
    lab.reset()
    lab.step(1)
    assert shown(lab, "Verdict")["state"] == "learning"


def test_a_new_panel_pauses_the_old_one(lab, corpus):
    lab.train()
    other = edu.widgets.TrainingLab(edu.TrainingRun(edu.preset("toy"), corpus, device="cpu"))
    assert not lab.is_training
    other.close()
    assert not any(thread.name == "electra_edu player" for thread in threading.enumerate())


def test_close_stops_training(lab):
    lab.train()
    lab.close()
    assert not lab.is_training
    assert Player._playing is None or not Player._playing.is_playing


def test_what_is_shown_is_json(lab):
    lab.step(30)
    json.dumps(lab.view.blocks, allow_nan=False)


def test_copied_settings_make_the_same_config(lab):
    lab.controls.rtd_weight.value = 5.0
    config = eval(lab.drawer.settings, {"edu": edu})
    assert config == lab.run.config


def test_shown_code_reproduces_the_run_to_the_bit(lab):
    lab.step(3)
    lab.controls.rtd_weight.value = 2.0
    lab.step(2)
    lab.controls.mask.value = 0.3
    lab.step(1)
    assert len(lab.drawer.code.splitlines()) <= 12
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(lab.drawer.code, names)
    again = names["run"]
    assert [record.loss for record in again.history] == [record.loss for record in lab.run.history]
    assert printed.getvalue().startswith("Evaluation(")


def test_show_code_of_an_unchanged_run(lab, corpus):
    run = edu.TrainingRun(edu.preset("toy"), corpus, seed=3, device="cpu")
    run.advance(2)
    assert run_code(run).splitlines()[2:6] == [
        "corpus = edu.load_corpus('toy')",
        "config = edu.preset('toy')",
        "run = edu.TrainingRun(config, corpus, seed=3)",
        "run.advance(2)",
    ]


@pytest.mark.parametrize("name", ["toy", "docs", "paper-small", "paper-base", "paper-large", "released-small"])
def test_preset_call_is_the_shortest(name):
    assert preset_call(edu.preset(name)) == f"edu.preset({name!r})"
    assert preset_call(edu.preset(name, mask_prob=0.3)) == f"edu.preset({name!r}, mask_prob=0.3)"


@pytest.mark.fault("Panel state", seen="choosing a corpus moved λ of the run on the screen at once")
def test_choosing_docs_suggests_its_own_lambda_for_the_next_run(lab):
    lab.step(1)
    lab.controls.corpus.value = "docs"
    assert (lab.controls.rtd_weight.value, lab.run.config.rtd_weight) == (50, 50)
    assert lab.controls.note.value == "<b>Reset</b> applies: corpus, λ 2"
    lab.controls.rtd_weight.value = 5.0  # the learner decides
    assert lab.controls.note.value == "<b>Reset</b> applies: corpus"
    lab.controls.corpus.value = "toy"
    assert lab.controls.note.value == ""
    assert lab.run.config.rtd_weight == 5

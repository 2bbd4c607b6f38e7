"""The game's panel without a browser: every button, what reaches the page and when, and what stays without a kernel."""

import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from page import send

from electra_edu.config import preset
from electra_edu.corpora.toy import make_toy_corpus
from electra_edu.course.fakes_game import Story
from electra_edu.support.errors import ElectraEduError, TrainingStopped
from electra_edu.training import TrainingRun
from electra_edu.widgets.panels import find_the_fakes
from electra_edu.widgets.panels.find_the_fakes import FindTheFakes

CORPUS = make_toy_corpus(n_train=400, n_heldout=100)
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def make_run() -> TrainingRun:
    config = preset(
        "toy",
        vocab_size=CORPUS.vocab_size,
        max_seq_length=CORPUS.max_seq_length,
        hidden_size=32,
        embedding_size=32,
        num_heads=4,
        batch_size=16,
    )
    return TrainingRun(config, CORPUS, device="cpu")


@pytest.fixture
def game() -> Iterator[FindTheFakes]:
    game = FindTheFakes(make_run(), seed=1, seconds=0.2)
    yield game
    game.close()


def wait(game: FindTheFakes) -> None:
    """Wait until the training has ended, as a learner does."""
    deadline = time.monotonic() + 60
    while game.view["phase"] == "training":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def players() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "electra_edu player"]


def test_opens_with_something_to_do(game: FindTheFakes) -> None:
    assert game.view["phase"] == "playing"
    assert game.view["headline"] == "A machine changed some words. Click them."
    assert [word["text"] for word in game.view["words"]] == [word.text for word in game.story.words]


def test_truth_stays_in_python_until_checked(game: FindTheFakes) -> None:
    assert {key for word in game.view["words"] for key in word} == {"text", "is_word"}
    sent = json.dumps(game.get_state())
    shown = {word.text for word in game.story.words}
    assert not [word.original for word in game.story.words if word.is_fake and word.original not in shown
                and f'"{word.original}"' in sent]  # fmt: skip


def test_same_seed_same_story() -> None:
    first, again, other = (FindTheFakes(make_run(), seed=seed) for seed in (5, 5, 6))
    assert first.view == again.view
    assert first.view != other.view
    for panel in (first, again, other):
        panel.close()


def test_click_toggles_words_only(game: FindTheFakes) -> None:
    full_stop = next(place for place, word in enumerate(game.story.words) if word.text == ".")
    for place in (3, 1, 3, full_stop, 99, -1):
        game.click(place)
    assert game.accused == [1]


def test_check_reveals_counts_and_is_final(game: FindTheFakes) -> None:
    fake, missed, *_ = sorted(game.story.fakes)
    true = next(place for place, word in enumerate(game.story.words) if word.is_word and not word.is_fake)
    game.click(fake)
    game.click(true)
    game.check()
    view = game.view
    n_fakes = len(game.story.fakes)
    assert view["phase"] == "revealed"
    assert view["headline"] == f"You found 1 of {n_fakes} fakes and accused 1 true word: 0 points."
    assert [view["words"][place]["you"] for place in (fake, missed, true)] == ["found", "missed", "wrong"]
    assert view["score"] == ["Before training: You 0 (1 story)"]
    fakes = [word.text for word in game.story.words if word.is_fake]
    assert [note["fake"] for note in view["notes"]] == fakes
    assert view["notes"][0]["truth"] == game.story.words[fake].original
    game.click(missed)
    game.check()
    assert game.view == view


def test_points_add_up_over_stories(game: FindTheFakes) -> None:
    for _ in range(2):
        game.click(min(game.story.fakes))
        game.check()
        game.next_round()
    assert game.view["score"] == ["Before training: You 2 (2 stories)"]
    assert game.accused == []


def test_training_ends_by_itself_and_the_discriminator_joins(game: FindTheFakes) -> None:
    before = game.story
    game.check()
    began = time.monotonic()
    game.train()
    assert game.view["phase"] == "training"
    game.next_round()
    game.check()
    assert game.view["phase"] == "training"
    wait(game)
    assert time.monotonic() - began >= game.seconds
    assert game.run.step > 0
    assert game.story is not before
    assert game.story.step == game.run.step
    assert game.view["error"] == ""
    game.check()
    assert game.view["versus"]
    assert game.view["hint"].startswith("The discriminator found")
    assert game.view["train"] == "Train 0.2 more seconds"
    assert re.fullmatch(r"After training: You 0 · Discriminator −?\d \(1 story\)", game.view["score"][1])
    game.stop()
    assert not players()


def test_live_numbers_grow_while_it_trains(game: FindTheFakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_the_fakes, "REFRESH_SECONDS", 0.0)
    seen: list[dict[str, Any]] = []
    game.observe(lambda change: seen.append(change["new"]), "progress")
    game.train()
    wait(game)
    seen = [progress for progress in seen if progress]
    assert seen[0]["clock"] == "getting ready …"
    assert "step " in seen[-1]["clock"]
    fractions = [progress["fraction"] for progress in seen]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)
    assert 3 < float(seen[-1]["metrics"][0]["value"]) < 8  # nats; ln 504 is 6.2
    assert seen[-1]["metrics"][1]["value"].endswith("%")
    assert seen[0]["words"]
    assert game.progress == {}


def test_stop_ends_a_training_early() -> None:
    game = FindTheFakes(make_run(), seconds=3600)
    game.train()
    game.stop()
    assert game.view["phase"] == "playing"
    game.close()
    assert not players()


def test_training_again_at_once_waits_for_the_last_thread(game: FindTheFakes) -> None:
    def wait_in_its_thread(change: dict[str, Any]) -> None:
        if change["new"]["phase"] == "playing":
            time.sleep(0.3)

    game.observe(wait_in_its_thread, "view")
    game.train()
    wait(game)
    game.seconds = 3600
    game.train()
    time.sleep(0.5)
    assert players()
    assert game.view["phase"] == "training"


def test_a_new_panel_pauses_the_old_one() -> None:
    old = FindTheFakes(make_run(), seconds=3600)
    old.train()
    new = FindTheFakes(make_run())
    assert old.view["phase"] == "playing"
    assert not players()
    old.close()
    new.close()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (TrainingStopped("Step 3 was not taken."), "Training stopped. Step 3 was not taken."),
        (RuntimeError("out of memory"), "Training stopped: out of memory. Run this cell again to start anew."),
    ],
)
def test_an_error_in_training_is_shown_in_the_panel(
    game: FindTheFakes, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def advance(_steps: int) -> None:
        raise error

    monkeypatch.setattr(game.run, "advance", advance)
    game.train()
    wait(game)
    assert game.view["phase"] == "playing"
    assert game.view["error"] == message


def test_a_game_without_a_story_says_so_in_the_panel(game: FindTheFakes, monkeypatch: pytest.MonkeyPatch) -> None:
    def make_story(*_arguments: object) -> Story:
        raise ElectraEduError("No story got its fakes.")

    monkeypatch.setattr(find_the_fakes, "make_story", make_story)
    game.next_round()
    assert (game.view["phase"], game.view["error"]) == ("broken", "No story got its fakes.")
    monkeypatch.undo()
    game.next_round()
    assert game.view["phase"] == "playing"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"run": "toy"}, "run='toy'"),
        ({"seconds": 0.0}, "seconds=0.0"),
        ({"seconds": float("nan")}, "seconds=nan"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ElectraEduError, match=re.escape(field)):
        FindTheFakes(**({"run": make_run()} | arguments))


def test_buttons_of_the_page_reach_python(game: FindTheFakes) -> None:
    game.set_state({"accused": [min(game.story.fakes), 99]})  # the page may send anything
    for nonsense in ("check", {"action": "format"}, {"action": ["check"]}, {}):
        send(game, nonsense)
    assert game.view["phase"] == "playing"
    send(game, {"action": "check"})
    assert game.view["headline"].startswith("You found 1 of")
    send(game, {"action": "next"})
    assert game.view["phase"] == "playing"


class Page:
    """Stands in for `display`: what was shown, and what it became."""

    def __init__(self) -> None:
        self.outputs: list[dict[str, Any]] = []

    def __call__(self, data: dict[str, Any], raw: bool, display_id: bool = False, **_options: object) -> "Page | None":
        assert raw
        self.outputs.append(data)
        return self if display_id else None

    def update(self, data: dict[str, Any], raw: bool) -> None:
        assert raw
        self.outputs[-1] = data


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    page = Page()
    monkeypatch.setattr(find_the_fakes, "display", page)
    monkeypatch.delenv("ELECTRA_EDU_BUILD", raising=False)
    return page


def test_the_saved_copy_is_an_output_of_its_own_and_follows_the_game(game: FindTheFakes, page: Page) -> None:
    game._ipython_display_()
    panel, copy = page.outputs
    assert WIDGET_VIEW in panel
    assert set(copy) == {"text/plain", "text/html"}
    assert copy["text/plain"] == "Find the fakes: run this cell to play."
    game.click(min(game.story.fakes))
    game.check()
    text = page.outputs[1]["text/plain"]
    assert game.view["headline"] in text
    word = game.story.words[min(game.story.fakes)]
    assert f"{word.text} [you ✓; instead of “{word.original}”]" in text
    assert f"<b>{word.text}</b> [you ✓; instead of “{word.original}”]" in page.outputs[1]["text/html"]


def test_built_lesson_holds_a_finished_game_and_no_widget(
    game: FindTheFakes, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELECTRA_EDU_BUILD", "1")
    monkeypatch.setattr(find_the_fakes, "BUILD_STEPS", 4)
    game._ipython_display_()
    (copy,) = page.outputs
    assert WIDGET_VIEW not in copy
    assert "Before training. You found 0 of" in copy["text/plain"]
    assert "After 4 steps of training. You found 0 of" in copy["text/plain"]
    assert "The discriminator found" in copy["text/plain"]
    assert "<script" not in copy["text/html"]
    assert not players()

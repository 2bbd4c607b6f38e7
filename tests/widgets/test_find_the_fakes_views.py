"""The sentences and numbers of the game's panel, and its script and style sheet."""

import math
import re

import pytest
import torch

from electra_edu.course.fakes_game import MaskedStory, Round, Story, Word, play_round
from electra_edu.model.masking import Masking
from electra_edu.widgets.assets import STATIC
from electra_edu.widgets.panels import hunt_words


def hunted(accused: set[int], step: int = 0) -> Round:
    """Hunt "the <img> sleeps.", in which "<img>" stands for "a&b"; the discriminator accuses "the"."""
    nothing = torch.zeros(1, 1, dtype=torch.int64)
    words = (
        Word("the", "the", True, 0.8),
        Word("<img>", "a&b", True, 0.2, 0.0004, 0.123),
        Word("sleeps", "sleeps", True, 0.1),
        Word(".", ".", False, 0.1),
    )
    masking = Masking(nothing, nothing.bool(), nothing, nothing.bool())
    return play_round(Story(words, MaskedStory(nothing, masking), step), accused)


def test_result_counts_in_plain_words() -> None:
    assert hunt_words.result("You", hunted({1}).you) == "You found 1 of 1 fakes: 1 point."
    wrong = hunted({0, 2}).you
    assert hunt_words.result("You", wrong) == "You found 0 of 1 fakes and accused 2 true words: −2 points."


def test_score_adds_up_before_and_after_training() -> None:
    hunts = [hunted({1}), hunted({1, 2}), hunted({0}, step=9)]
    assert hunt_words.score(hunts) == [
        "Before training: You 1 (2 stories)",
        "After training: You −1 · Discriminator −1 (1 story)",
    ]


def test_discriminator_is_shown_only_once_it_is_trained() -> None:
    before, after = (hunt_words.revealed([hunted(set(), step)], 10.0) for step in (0, 9))
    assert not before["versus"]
    assert [word["machine"] for word in before["words"]] == ["", "", "", ""]
    assert [word["machine"] for word in after["words"]] == ["wrong", "missed", "", ""]
    assert after["hint"] == "The discriminator found 0 of 1 fakes and accused 1 true word: −1 point."
    assert (before["train"], after["train"]) == ("Train 10 seconds", "Train 10 more seconds")


def test_a_note_tells_the_true_word_and_the_odds_of_both() -> None:
    (note,) = hunt_words.revealed([hunted({1}, step=9)], 10.0)["notes"]
    assert (note["state"], note["fake"], note["truth"]) == ("found", "<img>", "a&b")
    assert note["odds"] == "generator gave <img> under 0.1%, a&b 12%"
    assert note["machine"] == "discriminator: 20% fake"


def test_words_are_data_in_the_snapshot() -> None:
    told = hunt_words.snapshot([hunted({1, 2})])
    assert told["text/plain"].endswith("\nthe <img> [you ✓; instead of “a&b”] sleeps [you ✗].")
    assert "the <b>&lt;img&gt;</b> [you ✓; instead of “a&amp;b”] <b>sleeps</b> [you ✗]." in told["text/html"]


def test_snapshot_tells_the_last_hunt_before_training_and_after_it() -> None:
    hunts = [hunted(set()), hunted({1}), hunted(set(), step=9), hunted({1}, step=18)]
    before, after = hunt_words.snapshot(hunts)["text/plain"].split("\n\n")[1:]
    assert before.startswith("Before training. You found 1 of 1 fakes")
    assert after.startswith("After 18 steps of training. You found 1 of 1 fakes: 1 point. The discriminator found 0")
    assert "the [discriminator ✗] <img> [you ✓, discriminator ○; instead of “a&b”]" in after


@pytest.mark.parametrize(
    ("probability", "written"),
    [(0.123, "12%"), (0.0996, "10%"), (0.0993, "9.9%"), (0.003, "0.3%"), (0.0004, "under 0.1%"), (0.0, "0.0%")],
)
def test_probabilities_are_written_for_readers(probability: float, written: str) -> None:
    assert hunt_words.percent(probability) == written


def test_sparkline_is_the_mean_of_equal_stretches_and_never_long() -> None:
    figure = hunt_words.figure("loss", "{:.1f}", [1.0] * 5 + [math.nan] + [3.0] * 5)
    assert figure == {"label": "loss", "value": "2.0", "curve": [1.0, 3.0]}
    assert len(hunt_words.figure("loss", "{:.1f}", [1.0] * 10_001)["curve"]) <= 60
    assert hunt_words.figure("recall", "{:.0%}", [math.nan])["value"] == "–"


def test_script_treats_words_as_text_and_asks_nothing_of_the_network() -> None:
    script = (STATIC / "find_the_fakes.js").read_text(encoding="utf-8")
    assert "innerHTML" not in script
    assert re.findall(r"https?://[^\"]+", script) == ["http://www.w3.org/2000/svg"]


def test_styles_use_the_palette_and_no_small_text() -> None:
    style = (STATIC / "find_the_fakes.css").read_text(encoding="utf-8")
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", style)
    assert min(int(size) for size in re.findall(r"(?:font-size:|font: \d+) ?(\d+)px", style)) >= 12
    defined = set(re.findall(r"(--edu-[a-z]+):", (STATIC / "palette.css").read_text(encoding="utf-8")))
    assert set(re.findall(r"var\((--edu-[a-z]+)", style)) <= defined

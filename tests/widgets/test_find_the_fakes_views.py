"""The sentences and metrics of the game's panel, and its script and style sheet."""

import math
import re

import pytest
import torch

from electra_edu.course.fakes_game import MaskedStory, Round, Story, Word, play_round
from electra_edu.model.masking import Masking
from electra_edu.widgets.assets import STATIC
from electra_edu.widgets.panels import find_the_fakes_views as views


def played(accused: set[int], step: int = 0) -> Round:
    """Play "the <img> sleeps.", in which "<img>" stands for "a&b"; the discriminator accuses "the"."""
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
    assert views.result("You", played({1}).you) == "You found 1 of 1 fakes: 1 point."
    wrong = played({0, 2}).you
    assert views.result("You", wrong) == "You found 0 of 1 fakes and accused 2 true words: −2 points."


def test_score_adds_up_before_and_after_training() -> None:
    rounds = [played({1}), played({1, 2}), played({0}, step=9)]
    assert views.score(rounds) == [
        "Before training: You 1 (2 stories)",
        "After training: You −1 · Discriminator −1 (1 story)",
    ]


def test_discriminator_is_shown_only_once_it_is_trained() -> None:
    before, after = (views.revealed([played(set(), step)], 10.0) for step in (0, 9))
    assert not before["versus"]
    assert [word["machine"] for word in before["words"]] == ["", "", "", ""]
    assert [word["machine"] for word in after["words"]] == ["wrong", "missed", "", ""]
    assert after["hint"] == "The discriminator found 0 of 1 fakes and accused 1 true word: −1 point."
    assert (before["train"], after["train"]) == ("Train 10 seconds", "Train 10 more seconds")


def test_a_note_gives_the_true_word_and_the_probabilities_of_both() -> None:
    (note,) = views.revealed([played({1}, step=9)], 10.0)["notes"]
    assert (note["state"], note["fake"], note["truth"]) == ("found", "<img>", "a&b")
    assert note["odds"] == "generator gave <img> under 0.1%, a&b 12%"
    assert note["machine"] == "discriminator: 20% fake"


def test_words_are_escaped_in_the_saved_copy() -> None:
    copy = views.saved_copy([played({1, 2})])
    assert copy["text/plain"].endswith("\nthe <img> [you ✓; instead of “a&b”] sleeps [you ✗].")
    assert "the <b>&lt;img&gt;</b> [you ✓; instead of “a&amp;b”] <b>sleeps</b> [you ✗]." in copy["text/html"]


def test_the_saved_copy_holds_the_last_round_before_training_and_the_last_after_it() -> None:
    rounds = [played(set()), played({1}), played(set(), step=9), played({1}, step=18)]
    before, after = views.saved_copy(rounds)["text/plain"].split("\n\n")[1:]
    assert before.startswith("Before training. You found 1 of 1 fakes")
    assert after.startswith("After 18 steps of training. You found 1 of 1 fakes: 1 point. The discriminator found 0")
    assert "the [discriminator ✗] <img> [you ✓, discriminator ○; instead of “a&b”]" in after


@pytest.mark.parametrize(
    ("probability", "written"),
    [(0.123, "12%"), (0.0996, "10%"), (0.0993, "9.9%"), (0.003, "0.3%"), (0.0004, "under 0.1%"), (0.0, "0.0%")],
)
def test_probabilities_are_written_for_readers(probability: float, written: str) -> None:
    assert views.percent(probability) == written


def test_a_sparkline_is_the_mean_of_equal_runs_and_never_long() -> None:
    metric = views.live_metric("loss", "{:.1f}", [1.0] * 5 + [math.nan] + [3.0] * 5)
    assert metric == {"label": "loss", "value": "2.0", "curve": [1.0, 3.0]}
    assert len(views.live_metric("loss", "{:.1f}", [1.0] * 10_001)["curve"]) <= 60
    assert views.live_metric("recall", "{:.0%}", [math.nan])["value"] == "–"


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

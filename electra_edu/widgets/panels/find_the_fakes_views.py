"""What FindTheFakes shows, as plain values for its script: a view for each phase, live metrics and the saved copy."""

import html
import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from electra_edu.course.fakes_game import Outcome, Round, Story, Word

SIGNS = {"found": "✓", "missed": "○", "wrong": "✗"}
RECENT_STEPS = 30  # that a live metric is averaged over
MIN_STEPS_PER_POINT = 5  # of a sparkline; more where it would have more than MAX_POINTS
MAX_POINTS = 60


def playing(story: Story, rounds: Sequence[Round], error: str) -> dict[str, Any]:
    """Return the view of a story to play; nothing in it says which words are fakes."""
    if story.is_trained:
        headline = "The fakes got better. Click them."
        hint = f"After {story.step} steps of training. The discriminator plays too."
    else:
        headline, hint = "A machine changed some words. Click them.", "Two to four do not belong."
    return {
        "phase": "playing",
        "headline": headline,
        "hint": hint,
        "words": [{"text": word.text, "is_word": word.is_word} for word in story.words],
        "rule": "Points: fakes found minus true words accused. Clicking nothing scores 0.",
        "score": score(rounds),
        "error": error,
    }


def revealed(rounds: Sequence[Round], seconds: float) -> dict[str, Any]:
    """Return the view of the last round, checked; `seconds` is how long its Train button trains."""
    story, you, machine = rounds[-1].story, rounds[-1].you, rounds[-1].discriminator
    plays = story.is_trained  # the discriminator does, once it has learned something
    return {
        "phase": "revealed",
        "headline": result("You", you),
        "hint": result("The discriminator", machine)
        if plays
        else "The machine that made them, the generator, is untrained: to it, every word is about as likely.",
        "words": [
            {
                "text": word.text,
                "is_word": word.is_word,
                "you": _state(index, you),
                "machine": _state(index, machine) if plays else "",
            }
            for index, word in enumerate(story.words)
        ],
        "notes": [
            {
                "state": _state(index, you),
                "fake": word.text,
                "truth": word.original,
                "odds": _odds(word),
                "machine": f"discriminator: {percent(word.replaced_probability)} fake" if plays else "",
                "fits": word.fits,
            }
            for index, word in enumerate(story.words)
            if word.is_fake
        ],
        "versus": plays,
        "train": f"Train {seconds:g} {'more ' if plays else ''}seconds",
        "score": score(rounds),
    }


def training(rounds: Sequence[Round]) -> dict[str, Any]:
    """Return the view of a training that goes on; its metrics are sent separately."""
    return {
        "phase": "training",
        "headline": "Two machines are training.",
        "hint": "The generator learns to fill in hidden words, the discriminator to spot its fakes. "
        "Your story, filled in anew:",
        "score": score(rounds),
    }


def broken(problem: str) -> dict[str, Any]:
    """Return the view of a game that has no story."""
    return {"phase": "broken", "headline": "There is no story to show.", "error": problem}


def filled_in(story: Story) -> list[dict[str, Any]]:
    """Return the words of a story that is watched, not played: its fakes are marked."""
    return [{"text": word.text, "is_word": word.is_word, "fake": word.is_fake} for word in story.words]


def live_metrics(losses: Sequence[float], recalls: Sequence[float]) -> list[dict[str, Any]]:
    """Return the generator's and the discriminator's live metric, from the values of all steps so far."""
    return [
        live_metric("generator’s loss: the lower, the better its fakes", "{:.1f}", losses),
        live_metric("of the fakes are found by the discriminator", "{:.0%}", recalls),
    ]


def live_metric(label: str, form: str, values: Sequence[float]) -> dict[str, Any]:
    """Return a metric averaged over recent steps, and its sparkline: means over equal runs of `values` without NaN."""
    values = [value for value in values if not math.isnan(value)]
    steps = max(MIN_STEPS_PER_POINT, math.ceil(len(values) / MAX_POINTS))
    curve = [fmean(values[start : start + steps]) for start in range(0, len(values), steps)]
    value = form.format(fmean(values[-RECENT_STEPS:])) if values else "–"
    return {"label": label, "value": value, "curve": curve}


def score(rounds: Sequence[Round]) -> list[str]:
    """Return a line on the rounds before training and one on those after it, as far as there are any."""
    lines = []
    for trained, when in ((False, "Before training"), (True, "After training")):
        played = [each for each in rounds if each.story.is_trained == trained]
        if played:
            stories = "1 story" if len(played) == 1 else f"{len(played)} stories"
            you = signed(sum(each.you.points for each in played))
            machine = signed(sum(each.discriminator.points for each in played))
            lines.append(f"{when}: You {you}{f' · Discriminator {machine}' if trained else ''} ({stories})")
    return lines


def result(who: str, outcome: Outcome) -> str:
    """Return a sentence on what a player found and scored."""
    found, wrong = len(outcome.found), len(outcome.wrong)
    accused = f" and accused {wrong} true word{'s' * (wrong > 1)}" if wrong else ""
    points = f"{signed(outcome.points)} point{'s' * (abs(outcome.points) != 1)}"
    return f"{who} found {found} of {found + len(outcome.missed)} fakes{accused}: {points}."


def saved_copy(rounds: Sequence[Round]) -> dict[str, str]:
    """Return the last round before training and the last after it, as plain text and as HTML without scripts."""
    last = {each.story.is_trained: each for each in rounds}
    if not last:
        text = "Find the fakes: run this cell to play."
        return {"text/plain": text, "text/html": f'<p class="edu-fakes-saved-copy">{text}</p>'}
    shown = [last[trained] for trained in sorted(last)]
    legend = "Find the fakes: ✓ a fake found, ○ a fake missed, ✗ a true word accused. Run this cell to play."
    plain = "\n\n".join([legend, *(_summary(each, str, "{}") for each in shown)])
    parts = "".join(f"<p>{_summary(each, html.escape, '<b>{}</b>')}</p>".replace("\n", "<br>") for each in shown)
    return {"text/plain": plain, "text/html": f'<div class="edu-fakes-saved-copy"><p>{legend}</p>{parts}</div>'}


def percent(probability: float) -> str:
    """Write a probability as a learner reads it: 12%, 0.3%."""
    if 0 < probability < 0.001:
        return "under 0.1%"
    return f"{100 * probability:.{0 if probability >= 0.0995 else 1}f}%"


def signed(points: int) -> str:
    """Write a number of points, with a real minus sign instead of a hyphen."""
    return f"−{-points}" if points < 0 else str(points)


def _summary(played: Round, escape: Callable[[str], str], bold: str) -> str:
    """Return two lines on a round: the results; the story, with the outcome of each fake and each accusation."""
    story = played.story
    players = [("you", played.you), ("discriminator", played.discriminator)][: 1 + story.is_trained]
    words = []
    for index, word in enumerate(story.words):
        text = escape(word.text)
        signs = [f"{who} {SIGNS[state]}" for who, outcome in players if (state := _state(index, outcome))]
        if signs:
            instead = f"; instead of “{escape(word.original)}”" if word.is_fake else ""
            text = f"{bold.format(text)} [{', '.join(signs)}{instead}]"
        words.append(f" {text}" if word.is_word else text)
    when = f"After {story.step} steps of training." if story.is_trained else "Before training."
    results = " ".join(result("You" if who == "you" else "The discriminator", outcome) for who, outcome in players)
    return f"{when} {results}\n{''.join(words).strip()}"


def _state(index: int, outcome: Outcome) -> str:
    """Return the outcome of a word: "found", "missed", "wrong", or "" for a true word that was not accused."""
    return next((state for state in SIGNS if index in getattr(outcome, state)), "")


def _odds(word: Word) -> str:
    shown, original = percent(word.shown_probability), percent(word.original_probability)
    return f"generator gave {word.text} {shown}, {word.original} {original}"

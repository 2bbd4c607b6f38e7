"""What the panel FindTheFakes says: its views and live numbers as plain values, and the text that outlives it."""

import html
import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from electra_edu.course.fakes_game import Outcome, Round, Story, Word

SIGNS = {"found": "✓", "missed": "○", "wrong": "✗"}
RECENT = 30  # steps that a live number is averaged over
LEAST_STRETCH = 5  # steps in a point of a sparkline, or more, so that it has no more than so many points:
MOST_POINTS = 60


def open_hunt(story: Story, hunts: Sequence[Round], error: str) -> dict[str, Any]:
    """Build the view of a story to be hunted; nothing in it tells a fake."""
    if story.is_trained:
        headline = "The fakes got better. Click them."
        hint = f"After {story.step} steps of training. The discriminator hunts too."
    else:
        headline, hint = "A machine changed some words. Click them.", "Two to four do not belong."
    return {
        "phase": "hunt",
        "headline": headline,
        "hint": hint,
        "words": [{"text": word.text, "is_word": word.is_word} for word in story.words],
        "rule": "Points: fakes found minus true words accused. Clicking nothing scores 0.",
        "score": score(hunts),
        "error": error,
    }


def revealed(hunts: Sequence[Round], seconds: float) -> dict[str, Any]:
    """Build the view of the last hunt, checked; `seconds` is how long its Train button trains."""
    story, you, machine = hunts[-1].story, hunts[-1].you, hunts[-1].discriminator
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
                "you": _state(place, you),
                "machine": _state(place, machine) if plays else "",
            }
            for place, word in enumerate(story.words)
        ],
        "notes": [
            {
                "state": _state(place, you),
                "fake": word.text,
                "truth": word.original,
                "odds": _odds(word),
                "machine": f"discriminator: {percent(word.replaced_probability)} fake" if plays else "",
                "fits": word.fits,
            }
            for place, word in enumerate(story.words)
            if word.is_fake
        ],
        "versus": plays,
        "train": f"Train {seconds:g} {'more ' if plays else ''}seconds",
        "score": score(hunts),
    }


def training(hunts: Sequence[Round]) -> dict[str, Any]:
    """Build the view of a training that goes on; its numbers come apart."""
    return {
        "phase": "training",
        "headline": "Two machines are training.",
        "hint": "The generator learns to fill in hidden words, the discriminator to spot its fakes. "
        "Your story, filled in anew:",
        "score": score(hunts),
    }


def broken(problem: str) -> dict[str, Any]:
    """Build the view of a game that has no story."""
    return {"phase": "broken", "headline": "There is no story to show.", "error": problem}


def filled_in(story: Story) -> list[dict[str, Any]]:
    """List the words of a story that is watched, not hunted: its fakes are told."""
    return [{"text": word.text, "is_word": word.is_word, "fake": word.is_fake} for word in story.words]


def figures(losses: Sequence[float], recalls: Sequence[float]) -> list[dict[str, Any]]:
    """Build the two live numbers, the generator's and the discriminator's, from those of all steps so far."""
    return [
        figure("generator’s loss: the lower, the better its fakes", "{:.1f}", losses),
        figure("of the fakes are found by the discriminator", "{:.0%}", recalls),
    ]


def figure(label: str, form: str, values: Sequence[float]) -> dict[str, Any]:
    """Build a live number and its sparkline: means over equal stretches of `values`, NaN left out."""
    values = [value for value in values if not math.isnan(value)]
    stretch = max(LEAST_STRETCH, math.ceil(len(values) / MOST_POINTS))
    curve = [fmean(values[start : start + stretch]) for start in range(0, len(values), stretch)]
    value = form.format(fmean(values[-RECENT:])).replace("%", "%") if values else "–"
    return {"label": label, "value": value, "curve": curve}


def score(hunts: Sequence[Round]) -> list[str]:
    """Say how the hunts went so far, before training and after it."""
    lines = []
    for trained, when in ((False, "Before training"), (True, "After training")):
        played = [hunt for hunt in hunts if hunt.story.is_trained == trained]
        if played:
            stories = "1 story" if len(played) == 1 else f"{len(played)} stories"
            you = signed(sum(hunt.you.points for hunt in played))
            machine = signed(sum(hunt.discriminator.points for hunt in played))
            lines.append(f"{when}: You {you}{f' · Discriminator {machine}' if trained else ''} ({stories})")
    return lines


def result(who: str, verdicts: Outcome) -> str:
    """Say in a sentence what a hunter found and scored."""
    found, wrong = len(verdicts.found), len(verdicts.wrong)
    accused = f" and accused {wrong} true word{'s' * (wrong > 1)}" if wrong else ""
    points = f"{signed(verdicts.points)} point{'s' * (abs(verdicts.points) != 1)}"
    return f"{who} found {found} of {found + len(verdicts.missed)} fakes{accused}: {points}."


def snapshot(hunts: Sequence[Round]) -> dict[str, str]:
    """Tell the last hunt before training and the last after it, as plain text and as HTML without scripts."""
    last = {hunt.story.is_trained: hunt for hunt in hunts}
    if not last:
        text = "Find the fakes: run this cell to play."
        return {"text/plain": text, "text/html": f'<p class="edu-hunt-twin">{text}</p>'}
    told = [last[trained] for trained in sorted(last)]
    legend = "Find the fakes: ✓ a fake found, ○ a fake missed, ✗ a true word accused. Run this cell to play."
    plain = "\n\n".join([legend, *(_tell(hunt, str, "{}") for hunt in told)])
    parts = "".join(f"<p>{_tell(hunt, html.escape, '<b>{}</b>')}</p>".replace("\n", "<br>") for hunt in told)
    return {"text/plain": plain, "text/html": f'<div class="edu-hunt-twin"><p>{legend}</p>{parts}</div>'}


def percent(probability: float) -> str:
    """Write a probability as a learner reads it: 12%, 0.3%."""
    if 0 < probability < 0.001:
        return "under 0.1%"
    return f"{100 * probability:.{0 if probability >= 0.0995 else 1}f}%"


def signed(points: int) -> str:
    """Write a number of points, with a minus sign that is no hyphen."""
    return f"−{-points}" if points < 0 else str(points)


def _tell(hunt: Round, escape: Callable[[str], str], bold: str) -> str:
    """Tell a hunt in two lines: the results; the story, with what came of each fake and each accusation."""
    story = hunt.story
    hunters = [("you", hunt.you), ("discriminator", hunt.discriminator)][: 1 + story.is_trained]
    words = []
    for place, word in enumerate(story.words):
        text = escape(word.text)
        signs = [f"{who} {SIGNS[state]}" for who, side in hunters if (state := _state(place, side))]
        if signs:
            instead = f"; instead of “{escape(word.original)}”" if word.is_fake else ""
            text = f"{bold.format(text)} [{', '.join(signs)}{instead}]"
        words.append(f" {text}" if word.is_word else text)
    when = f"After {story.step} steps of training." if story.is_trained else "Before training."
    results = " ".join(result("You" if who == "you" else "The discriminator", side) for who, side in hunters)
    return f"{when} {results}\n{''.join(words).strip()}"


def _state(place: int, verdicts: Outcome) -> str:
    """Name what came of a place: "found", "missed", "wrong", or "" for a true word nobody accused."""
    return next((state for state in SIGNS if place in getattr(verdicts, state)), "")


def _odds(word: Word) -> str:
    shown, original = percent(word.shown_probability), percent(word.original_probability)
    return f"generator gave {word.text} {shown}, {word.original} {original}"

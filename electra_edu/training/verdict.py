"""The verdict: what a run's numbers say, in at most 25 words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from electra_edu.training.records import Evaluation, StepRecord

RECENT = 20  # steps that "now" is averaged over
EARLY = 40  # steps before which nothing is said about learning
BLIND_RECALL, BLIND_AUC = 0.05, 0.60  # below both the discriminator is at the majority class
PLATEAU_MARGIN = 0.15  # nats under the entropy of word frequencies that do not yet count as using context
STARVED_SHARE = 0.5  # of its best recall, when the discriminator counts as starved

Kind = Literal["idle", "stopped", "majority", "plateau", "starved", "learning"]


@dataclass(frozen=True)
class Verdict:
    """What is seen, why, and what to try."""

    kind: Kind
    text: str


def judge(
    history: Sequence[StepRecord],
    evaluations: Sequence[Evaluation],
    unigram_entropy: float,
    stopped: str | None = None,
) -> Verdict:
    """Judge a run by its last steps and evaluations. One verdict, by fixed priority.

    Non-finite (`stopped`, the error's text), majority class, generator on the unigram plateau, starved, learning.
    """
    if stopped is not None:
        return Verdict("stopped", "Training stopped: a number ran out of range. Lower the learning rate, then Reset.")
    if not history:
        return Verdict("idle", "Nothing has been trained yet. Press Train.")
    recent = history[-RECENT:]
    detects = not all(math.isnan(record.majority) for record in recent)  # else the objective has no discriminator
    recall = _mean([record.recall for record in recent])
    auc = evaluations[-1].auc if evaluations else math.nan
    if len(history) < EARLY:
        return Verdict("learning", "Warming up: the first steps say little. Watch the generator's loss fall first.")
    if detects and recall < BLIND_RECALL and not auc > BLIND_AUC:
        majority = _mean([record.majority for record in recent])
        return Verdict(
            "majority",
            f"Predicting all original: {majority:.1%} accuracy is the majority class. Nothing detected yet; "
            "train on, or try a smaller λ.",
        )
    if _mean([record.mlm_loss for record in recent]) > unigram_entropy - PLATEAU_MARGIN:
        return Verdict(
            "plateau",
            "The generator knows word frequencies but no context, so fakes are easy. Train on, or lower λ.",
        )
    if not detects:
        loss = _mean([record.mlm_loss for record in recent])
        return Verdict("learning", f"Learning: hidden words cost {loss:.2f} nats each. Nothing looks for fakes now.")
    best = _best_recall(history)
    if recall < STARVED_SHARE * best:
        return Verdict(
            "starved",
            f"Recall fell from {best:.0%} to {recall:.0%}: fakes are now too good to find. Try a smaller generator "
            "or a higher mask rate.",
        )
    return Verdict(
        "learning",
        f"Learning: it finds {recall:.0%} of today's fakes"
        + ("" if math.isnan(auc) else f" and scores {auc:.2f} on the fixed exam")
        + ". Fakes get better as the generator learns.",
    )


def _best_recall(history: Sequence[StepRecord]) -> float:
    """Return the highest mean recall of the history's stretches of `RECENT` steps."""
    return max(
        _mean([record.recall for record in history[start : start + RECENT]])
        for start in range(0, len(history) - RECENT + 1, RECENT)
    )


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else 0.0

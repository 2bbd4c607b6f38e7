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
FORGOTTEN_SHARE = 0.75  # of the best score of a probe, when it counts as starved of what the probe looks for

Kind = Literal["idle", "stopped", "majority", "plateau", "starved", "learning"]


@dataclass(frozen=True)
class Verdict:
    """What is seen, why, and what to try."""

    kind: Kind
    text: str


def diagnose(
    history: Sequence[StepRecord],
    evaluations: Sequence[Evaluation],
    unigram_entropy: float,
    stopped: str | None = None,
    best_recall: float | None = None,
    probes: tuple[float, float] | None = None,
) -> Verdict:
    """Choose the verdict that fits a run's last steps and evaluations, by fixed priority.

    Non-finite (`stopped`, the error's text), majority class, generator on the unigram plateau, starved, learning.
    A caller that asks again and again of a growing run passes the value of a `BestRecall`; else the history is read.
    `probes` are the best and the last score of a probe, where there is one.
    """
    if stopped is not None:
        return Verdict(
            "stopped",
            "Training stopped: a number ran out of range. The message names a setting: change it, then Reset.",
        )
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
    best = _best_recall(history) if best_recall is None else best_recall
    if recall < STARVED_SHARE * best:
        return Verdict(
            "starved",
            f"Recall fell from {best:.0%} to {recall:.0%}: fakes are now too good to find. Try a smaller generator "
            "or a higher mask rate.",
        )
    if probes is not None and probes[1] < FORGOTTEN_SHARE * probes[0]:
        return Verdict(
            "starved",
            f"The probe fell from {probes[0]:.0%} to {probes[1]:.0%}: its features forget what a text is about. "
            "Try a smaller generator or a higher mask rate.",
        )
    return Verdict(
        "learning",
        f"Learning: it finds {recall:.0%} of today's fakes"
        + ("" if math.isnan(auc) else f" and scores {auc:.2f} on the fixed exam")
        + ". Fakes get better as the generator learns.",
    )


class BestRecall:
    """The highest mean recall of a run's stretches of `RECENT` steps, kept up step by step."""

    def __init__(self) -> None:
        """Begin before the first step."""
        self.value = 0.0  # until the first stretch is full
        self._stretch: list[float] = []

    def add(self, recall: float) -> None:
        """Take the next step's recall, NaN where it has none."""
        self._stretch.append(recall)
        if len(self._stretch) == RECENT:
            self.value = max(self.value, _mean(self._stretch))
            self._stretch.clear()


def _best_recall(history: Sequence[StepRecord]) -> float:
    best = BestRecall()
    for record in history:
        best.add(record.recall)
    return best.value


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else 0.0

"""The verdict: what a run's metrics say, why, and what to try, in at most 25 words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from electra_edu.training.records import Evaluation, StepRecord

RECENT = 20  # steps that metrics are averaged over
EARLY = 40  # steps before which nothing is said about learning
MAJORITY_RECALL, MAJORITY_AUC = 0.05, 0.60  # below both, the discriminator predicts the majority class
PLATEAU_MARGIN = 0.15  # nats below the entropy of word frequencies that do not yet show a use of context
STARVED_SHARE = 0.5  # of its best recall, below which the discriminator counts as starved
FORGOTTEN_SHARE = 0.75  # of a probe's best score, below which the features count as forgotten

Kind = Literal["idle", "stopped", "majority", "plateau", "starved", "learning"]


@dataclass(frozen=True)
class Verdict:
    """One of six states of a run, and a sentence or two about it."""

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

    In this order: a number that is not finite (`stopped` is the error's text), the majority class, a generator on the
    unigram plateau, starved, learning. `best_recall` is the value of a `BestRecall`, for callers that ask often; when
    None, it is computed from the whole history. `probes` are the best and the last score of a probe.
    """
    if stopped is not None:
        return Verdict(
            "stopped",
            "Training stopped: a number ran out of range. The message names a setting: change it, then Reset.",
        )
    if not history:
        return Verdict("idle", "Nothing has been trained yet. Press Train.")
    recent = history[-RECENT:]
    has_discriminator = not all(math.isnan(record.majority) for record in recent)
    recall = _mean([record.recall for record in recent])
    auc = evaluations[-1].auc if evaluations else math.nan
    if len(history) < EARLY:
        return Verdict("learning", "Warming up: the first steps say little. Watch the generator's loss fall first.")
    if has_discriminator and recall < MAJORITY_RECALL and not auc > MAJORITY_AUC:
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
    if not has_discriminator:
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
    """The highest mean recall over `RECENT` consecutive steps, updated step by step.

    The windows do not overlap.
    """

    def __init__(self) -> None:
        """Begin before the first step."""
        self.value = 0.0  # until the first window is full
        self._window: list[float] = []

    def add(self, recall: float) -> None:
        """Add the next step's recall; NaN where it has none."""
        self._window.append(recall)
        if len(self._window) == RECENT:
            self.value = max(self.value, _mean(self._window))
            self._window.clear()


def _best_recall(history: Sequence[StepRecord]) -> float:
    best = BestRecall()
    for record in history:
        best.add(record.recall)
    return best.value


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else 0.0

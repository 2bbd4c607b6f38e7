"""How well fakes are found: precision, recall, AUC, the floors to hold them against; calibration and thresholds."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from electra_edu.support import tensors
from electra_edu.support.arguments import as_number, finite_number, refuse, whole_number
from electra_edu.support.errors import ElectraEduError

MOST_BINS = 1_000_000


def binary_entropy(p: float) -> float:
    """H(p) in nats: the RTD loss of a constant guess when a share p of the tokens is replaced. NaN for NaN.

    Raises ElectraEduError for a p that is no share: below 0, above 1 or no number.
    """
    if isinstance(p, float) and math.isnan(p):
        return math.nan
    p = finite_number("p", p, 0, 1)
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


@dataclass(frozen=True)
class Detection:
    """How well replaced tokens are told from original ones when those above a threshold are accused.

    A ratio whose denominator is zero is NaN: precision when no token is accused, recall when none was replaced.
    """

    accuracy: float
    majority: float  # accuracy of always saying "original" (or always "replaced", if that is commoner)
    precision: float  # share of the accused tokens that were replaced
    recall: float  # share of the replaced tokens that were accused
    replaced_rate: float
    f1: float  # harmonic mean of precision and recall


def detection_counts(logits: Tensor, is_replaced: Tensor, counted: Tensor) -> Tensor:
    """Count over the `counted` tokens, all arguments (B, T): tokens, replaced, accused, rightly accused. Float (4,).

    A token is accused when its logit is above 0, its probability above ½. Raises ElectraEduError where the three
    tensors are not alike in shape.
    """
    tensors.tensor("logits", logits, "of shape (batch, length)")
    for name, truths in (("is_replaced", is_replaced), ("counted", counted)):
        if not isinstance(truths, Tensor) or truths.dtype != torch.bool or truths.shape != logits.shape:
            refuse(name, truths, f"a bool tensor of the shape of logits, {tuple(logits.shape)}")
        tensors.check_device(name, truths, logits.device)
    accused = (logits > 0) & counted
    replaced = is_replaced & counted
    return torch.stack([counted.sum(), replaced.sum(), accused.sum(), (accused & replaced).sum()]).float()


def detection(tokens: float, replaced: float, accused: float, found: float) -> Detection:
    """Turn the four counts of `detection_counts` into ratios."""
    counts = {"tokens": tokens, "replaced": replaced, "accused": accused, "found": found}
    tokens, replaced, accused, found = (finite_number(name, count, 0) for name, count in counts.items())
    rate = _ratio(replaced, tokens)
    return Detection(
        accuracy=_ratio(tokens - replaced - accused + 2 * found, tokens),
        majority=max(rate, 1 - rate),
        precision=_ratio(found, accused),
        recall=_ratio(found, replaced),
        replaced_rate=rate,
        f1=_ratio(2 * found, accused + replaced),
    )


def detection_at(probabilities: Tensor, labels: Tensor, threshold: float = 0.5) -> Detection:
    """Score the rule "accuse what is above `threshold`" on N tokens.

    `probabilities` (N,) are of having been replaced, `labels` (N,) say who was. Raises ElectraEduError when they do
    not fit together or are no probabilities.
    """
    probabilities, labels = _checked(probabilities, labels)
    accused = probabilities > _threshold(threshold)
    return detection(len(labels), int(labels.sum()), int(accused.sum()), int((accused & labels).sum()))


def choose_threshold(probabilities: Tensor, labels: Tensor, precision: float | None = None) -> float:
    """Return the threshold above which to accuse: the one of the highest F1, or the lowest with enough `precision`.

    The lowest that reaches the wanted precision finds the most fakes. The threshold is 0 or one of `probabilities`
    (N,); between equally good ones the highest is taken. NaN when none will do: no token was replaced, or the
    precision is out of reach. Choose on other text than you score on: on the same, the score flatters. Raises
    ElectraEduError for a precision outside (0, 1], and like `detection_at`.
    """
    check_precision(precision)
    probabilities, labels = _checked(probabilities, labels)
    values, place = torch.cat([probabilities.new_zeros(1), probabilities]).unique(return_inverse=True)  # (U,) rising
    tokens = torch.bincount(place[1:], minlength=len(values))  # (U,) how many have each probability
    replaced = torch.bincount(place[1:], labels.double(), minlength=len(values))
    # Counted from the top: `accused` and `found` when everything above the value is accused. (U,)
    accused, found = (count.flip(0).cumsum(0).flip(0) - count for count in (tokens, replaced))
    if not labels.any():
        return math.nan
    if precision is None:
        f1 = 2 * found / (accused + labels.sum())
        return float(values[f1 == f1.max()][-1])
    enough = found / accused >= precision  # where nothing is accused: NaN, and not enough
    return float(values[enough][0]) if enough.any() else math.nan


@dataclass(frozen=True)
class ReliabilityCurve:
    """Do words called 30% suspicious turn out replaced 30% of the time? One entry per bin of equal width.

    Bin m of M holds the probabilities in ((m − 1)/M, m/M], the first one 0 as well. NaN where a bin is empty.
    """

    predicted: tuple[float, ...]  # mean probability of the bin's tokens
    observed: tuple[float, ...]  # share of them that was replaced
    counts: tuple[int, ...]  # tokens in the bin


def reliability_curve(probabilities: Tensor, labels: Tensor, bins: int = 10) -> ReliabilityCurve:
    """Sort N tokens into bins by probability (N,), and compare each bin's mean with the share of true labels (N,).

    Raises ElectraEduError when there is no bin, and like `detection_at`.
    """
    bins = whole_number("bins", bins, 1, MOST_BINS)
    probabilities, labels = _checked(probabilities, labels)
    place = torch.bucketize(probabilities, torch.arange(1, bins, dtype=torch.float64) / bins)  # (N,)
    counts = torch.bincount(place, minlength=bins)
    predicted = torch.bincount(place, probabilities, minlength=bins) / counts
    observed = torch.bincount(place, labels.double(), minlength=bins) / counts
    return ReliabilityCurve(tuple(predicted.tolist()), tuple(observed.tolist()), tuple(counts.tolist()))


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int = 10) -> float:
    """Mean gap between predicted and observed over the bins of `reliability_curve`, weighted by their tokens.

    Equation 3 of Guo et al. 2017 (arXiv 1706.04599), with the probability of "replaced" where they, having many
    classes, take the confidence in the predicted one. NaN without tokens. Raises like `reliability_curve`.
    """
    curve = reliability_curve(probabilities, labels, bins)
    bars = [bar for bar in zip(curve.predicted, curve.observed, curve.counts, strict=True) if bar[2]]
    return _ratio(sum(abs(said - was) * count for said, was, count in bars), sum(curve.counts))


def check_precision(precision: float | None) -> None:
    """Raise ElectraEduError for a wanted precision outside (0, 1]; None wants none."""
    number = as_number(precision)
    if precision is not None and (number is None or not 0 < number <= 1):
        refuse("precision", precision, "above 0 and at most 1, for example 0.9")


def _threshold(threshold: float) -> float:
    """Return a threshold; NaN, which `choose_threshold` returns where none will do, accuses nobody."""
    if isinstance(threshold, float) and math.isnan(threshold):
        return threshold
    return finite_number("threshold", threshold)


def _checked(probabilities: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return probabilities (N,) as float64 and labels (N,) as bool, on the CPU."""
    tensors.tensor("probabilities", probabilities, "a tensor of shape (tokens,)")
    tensors.tensor("labels", labels, "a tensor of shape (tokens,)")
    probabilities, labels = probabilities.detach().double().cpu(), labels.cpu()
    if probabilities.dim() != 1 or labels.shape != probabilities.shape:
        raise ElectraEduError(
            "probabilities, labels: must be two 1-D tensors of equal length, not of shapes "
            f"{tuple(probabilities.shape)} and {tuple(labels.shape)}."
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ElectraEduError(
            "probabilities: must be numbers from 0 to 1. Take the sigmoid of logits, and leave out tokens that were "
            "not judged (NaN)."
        )
    if not ((labels == 0) | (labels == 1)).all():
        raise ElectraEduError("labels: must be True (1, replaced) or False (0, original).")
    return probabilities, labels.bool()


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def auc(scores: Tensor, labels: Tensor) -> float:
    """Chance that a replaced token scores above an original one: area under the ROC curve. 1-D tensors of equal length.

    NaN when only one class is present or a score is not finite. Raises ElectraEduError where they do not fit together.
    """
    labels = _fitting_labels(scores, labels)
    from sklearn.metrics import roc_auc_score  # here: it takes a second to import

    scores = scores.detach().float().cpu()
    if labels.all() or not labels.any() or not scores.isfinite().all():
        return math.nan
    return float(roc_auc_score(labels.numpy(), scores.numpy()))


def roc_curve(scores: Tensor, labels: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the ROC curve of scores (N,) and labels (N,): shares of originals and of replaced tokens accused.

    One point for each threshold at which the curve bends, from (0, 0) to (1, 1). Raises ElectraEduError unless both
    kinds are present, every score is finite, and the two fit together.
    """
    labels = _fitting_labels(scores, labels)
    if labels.all() or not labels.any() or not scores.isfinite().all():
        raise ElectraEduError("labels: need a replaced and an original token, and finite scores, to draw a curve.")
    from sklearn.metrics import roc_curve as points  # here: it takes a second to import

    wrongly, found, _ = points(labels.numpy(), scores.detach().float().cpu().numpy())
    return tuple(wrongly.tolist()), tuple(found.tolist())


def _fitting_labels(scores: Tensor, labels: Tensor) -> Tensor:
    """Return labels (N,) as bool, on the CPU; refuse what does not go with scores (N,)."""
    tensors.tensor("scores", scores, "a tensor of shape (tokens,)")
    tensors.tensor("labels", labels, "a tensor of shape (tokens,)")
    if scores.dim() != 1 or labels.shape != scores.shape:
        raise ElectraEduError(
            f"scores, labels: must be two 1-D tensors of equal length, not of shapes {tuple(scores.shape)} and "
            f"{tuple(labels.shape)}."
        )
    labels = labels.cpu()
    if not ((labels == 0) | (labels == 1)).all():
        raise ElectraEduError("labels: must be True (1, replaced) or False (0, original).")
    return labels.bool()

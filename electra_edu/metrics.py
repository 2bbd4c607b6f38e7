"""Metrics of replaced token detection: precision, recall, AUC and their floors, thresholds, calibration."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from electra_edu.support import tensors
from electra_edu.support.arguments import as_number, finite_number, refuse, whole_number
from electra_edu.support.errors import ElectraEduError

MOST_BINS = 1_000_000


def binary_entropy(p: float) -> float:
    """Return H(p) in nats: the RTD loss of a constant prediction when a share p of the tokens is replaced. NaN for NaN.

    Raises ElectraEduError unless p is a number from 0 to 1.
    """
    if isinstance(p, float) and math.isnan(p):
        return math.nan
    p = finite_number("p", p, 0, 1)
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


@dataclass(frozen=True)
class Detection:
    """How well replaced tokens are told from original ones when the tokens above a threshold are flagged.

    A ratio whose denominator is zero is NaN: precision when no token is flagged, recall when none was replaced.
    """

    accuracy: float
    majority: float  # accuracy of always predicting "original", or always "replaced" where that is more frequent
    precision: float  # share of the flagged tokens that were replaced
    recall: float  # share of the replaced tokens that were flagged
    replaced_rate: float
    f1: float  # harmonic mean of precision and recall


def detection_counts(logits: Tensor, is_replaced: Tensor, counted: Tensor) -> Tensor:
    """Count the tokens, the replaced, the flagged, and the replaced that were flagged: float (4,).

    All arguments are (B, T); only `counted` tokens count. A token is flagged when its logit is above 0, which is a
    probability above ½. The counts stay on the logits' device, so that a training step does not wait for them. Raises
    ElectraEduError where the three tensors differ in shape.
    """
    tensors.tensor("logits", logits, "of shape (batch, length)")
    for name, truths in (("is_replaced", is_replaced), ("counted", counted)):
        if not isinstance(truths, Tensor) or truths.dtype != torch.bool or truths.shape != logits.shape:
            refuse(name, truths, f"a bool tensor of the shape of logits, {tuple(logits.shape)}")
        tensors.check_device(name, truths, logits.device)
    flagged = (logits > 0) & counted
    replaced = is_replaced & counted
    return torch.stack([counted.sum(), replaced.sum(), flagged.sum(), (flagged & replaced).sum()]).float()


def detection(tokens: float, replaced: float, flagged: float, true_positives: float) -> Detection:
    """Turn the four counts of `detection_counts` into ratios."""
    counts = {"tokens": tokens, "replaced": replaced, "flagged": flagged, "true_positives": true_positives}
    tokens, replaced, flagged, true_positives = (finite_number(name, count, 0) for name, count in counts.items())
    rate = _ratio(replaced, tokens)
    return Detection(
        accuracy=_ratio(tokens - replaced - flagged + 2 * true_positives, tokens),
        majority=max(rate, 1 - rate),
        precision=_ratio(true_positives, flagged),
        recall=_ratio(true_positives, replaced),
        replaced_rate=rate,
        f1=_ratio(2 * true_positives, flagged + replaced),
    )


def detection_at(probabilities: Tensor, labels: Tensor, threshold: float = 0.5) -> Detection:
    """Score N tokens, of which those with a probability above `threshold` are flagged.

    `probabilities` (N,) are those of having been replaced, `labels` (N,) say which tokens were. Raises ElectraEduError
    for tensors of different length and for values outside [0, 1].
    """
    probabilities, labels = _checked_probabilities(probabilities, labels)
    flagged = probabilities > _checked_threshold(threshold)
    return detection(len(labels), int(labels.sum()), int(flagged.sum()), int((flagged & labels).sum()))


def choose_threshold(probabilities: Tensor, labels: Tensor, precision: float | None = None) -> float:
    """Return the threshold above which to flag a token: that of the highest F1, or the lowest with enough `precision`.

    The lowest threshold that reaches the wanted precision has the highest recall. It is 0 or one of `probabilities`
    (N,); of equally good ones the highest is taken. It is NaN where none will do: no token was replaced, or the
    precision is out of reach. Choose it on other text than you score on, or the score is too good. Raises
    ElectraEduError for a precision outside (0, 1], and like `detection_at`.
    """
    check_precision(precision)
    probabilities, labels = _checked_probabilities(probabilities, labels)
    values, index = torch.cat([probabilities.new_zeros(1), probabilities]).unique(return_inverse=True)  # (U,) rising
    tokens = torch.bincount(index[1:], minlength=len(values))  # (U,) how many have each probability
    replaced = torch.bincount(index[1:], labels.double(), minlength=len(values))
    # Cumulative from the top: the counts when everything above a value is flagged. (U,)
    flagged, true_positives = (count.flip(0).cumsum(0).flip(0) - count for count in (tokens, replaced))
    if not labels.any():
        return math.nan
    if precision is None:
        f1 = 2 * true_positives / (flagged + labels.sum())
        return float(values[f1 == f1.max()][-1])
    is_enough = true_positives / flagged >= precision  # NaN where nothing is flagged, which is not enough
    return float(values[is_enough][0]) if is_enough.any() else math.nan


@dataclass(frozen=True)
class ReliabilityCurve:
    """Whether tokens predicted to be replaced with 30% were replaced 30% of the time: one entry per bin of equal width.

    Bin m of M holds the probabilities in ((m − 1)/M, m/M], the first one 0 as well. NaN where a bin is empty.
    (scikit-learn's `calibration_curve` leaves empty bins out and does not return the counts.)
    """

    predicted: tuple[float, ...]  # mean probability of the bin's tokens
    observed: tuple[float, ...]  # share of them that was replaced
    counts: tuple[int, ...]  # tokens in the bin


def reliability_curve(probabilities: Tensor, labels: Tensor, bins: int = 10) -> ReliabilityCurve:
    """Bin N tokens by probability (N,), and compare each bin's mean with its share of true labels (N,).

    Raises ElectraEduError for fewer than one bin, and like `detection_at`.
    """
    bins = whole_number("bins", bins, 1, MOST_BINS)
    probabilities, labels = _checked_probabilities(probabilities, labels)
    bin_of = torch.bucketize(probabilities, torch.arange(1, bins, dtype=torch.float64) / bins)  # (N,)
    counts = torch.bincount(bin_of, minlength=bins)
    predicted = torch.bincount(bin_of, probabilities, minlength=bins) / counts
    observed = torch.bincount(bin_of, labels.double(), minlength=bins) / counts
    return ReliabilityCurve(tuple(predicted.tolist()), tuple(observed.tolist()), tuple(counts.tolist()))


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int = 10) -> float:
    """Return the mean |predicted − observed| over the bins of `reliability_curve`, weighted by their tokens.

    Equation 3 of Guo et al. 2017 (arXiv 1706.04599), who have many classes and take the confidence in the predicted
    one; here it is the probability of "replaced". NaN without tokens. Raises like `reliability_curve`.
    """
    curve = reliability_curve(probabilities, labels, bins)
    in_bins = [each for each in zip(curve.predicted, curve.observed, curve.counts, strict=True) if each[2]]
    errors = sum(abs(predicted - observed) * count for predicted, observed, count in in_bins)
    return _ratio(errors, sum(curve.counts))


def auc(scores: Tensor, labels: Tensor) -> float:
    """Return the area under the ROC curve: the probability that a replaced token scores above an original one.

    `scores` and `labels` are (N,). NaN when only one class is present or a score is not finite. Raises ElectraEduError
    for tensors of different length.
    """
    labels = _checked_labels("scores", scores, labels)
    from sklearn.metrics import roc_auc_score  # imported here because it takes a second

    scores = scores.detach().float().cpu()
    if labels.all() or not labels.any() or not scores.isfinite().all():
        return math.nan
    return float(roc_auc_score(labels.numpy(), scores.numpy()))


def roc_curve(scores: Tensor, labels: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the ROC curve of scores (N,) and labels (N,): false and true positive rates, from (0, 0) to (1, 1).

    There is one point for each threshold at which the curve bends. Raises ElectraEduError unless both classes are
    present, every score is finite, and the tensors are of equal length.
    """
    labels = _checked_labels("scores", scores, labels)
    if labels.all() or not labels.any() or not scores.isfinite().all():
        raise ElectraEduError("labels: need a replaced and an original token, and finite scores, to draw a curve.")
    from sklearn.metrics import roc_curve as sklearn_roc_curve  # imported here because it takes a second

    false_positives, true_positives, _ = sklearn_roc_curve(labels.numpy(), scores.detach().float().cpu().numpy())
    return tuple(false_positives.tolist()), tuple(true_positives.tolist())


def check_precision(precision: float | None) -> None:
    """Raise ElectraEduError for a wanted precision outside (0, 1]; None asks for none."""
    number = as_number(precision)
    if precision is not None and (number is None or not 0 < number <= 1):
        refuse("precision", precision, "above 0 and at most 1, for example 0.9")


def _checked_threshold(threshold: float) -> float:
    """Return a threshold; with NaN, which `choose_threshold` returns where none will do, no token is flagged."""
    if isinstance(threshold, float) and math.isnan(threshold):
        return threshold
    return finite_number("threshold", threshold)


def _checked_probabilities(probabilities: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return probabilities (N,) as float64 and labels (N,) as bool, on the CPU."""
    labels = _checked_labels("probabilities", probabilities, labels)
    probabilities = probabilities.detach().double().cpu()
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ElectraEduError(
            "probabilities: must be numbers from 0 to 1. Take the sigmoid of logits, and leave out tokens that were "
            "not judged (NaN)."
        )
    return probabilities, labels


def _checked_labels(name: str, scores: Tensor, labels: Tensor) -> Tensor:
    """Return labels (N,) as bool, on the CPU; `name` is that of the scores (N,) which they belong to."""
    tensors.tensor(name, scores, "a tensor of shape (tokens,)")
    tensors.tensor("labels", labels, "a tensor of shape (tokens,)")
    if scores.dim() != 1 or labels.shape != scores.shape:
        raise ElectraEduError(
            f"{name}, labels: must be two 1-D tensors of equal length, not of shapes {tuple(scores.shape)} and "
            f"{tuple(labels.shape)}."
        )
    labels = labels.cpu()
    if not ((labels == 0) | (labels == 1)).all():
        raise ElectraEduError("labels: must be True (1, replaced) or False (0, original).")
    return labels.bool()


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan

"""How well fakes are found and words are guessed: precision, recall, AUC, and the floors to hold them against."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def binary_entropy(p: float) -> float:
    """H(p) in nats: the RTD loss of a constant guess when a share p of the tokens is replaced. NaN for NaN."""
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0) if not math.isnan(p) else math.nan


@dataclass(frozen=True)
class Detection:
    """How well replaced tokens are told from original ones at a threshold of ½ (a logit of 0).

    A ratio whose denominator is zero is NaN: precision when no token is accused, recall when none was replaced.
    """

    accuracy: float
    majority: float  # accuracy of always saying "original" (or always "replaced", if that is commoner)
    precision: float  # share of the accused tokens that were replaced
    recall: float  # share of the replaced tokens that were accused
    replaced_rate: float


def detection_counts(logits: Tensor, is_replaced: Tensor, counted: Tensor) -> Tensor:
    """Count over the `counted` tokens, all arguments (B, T): tokens, replaced, accused, rightly accused. Float (4,)."""
    accused = (logits > 0) & counted
    replaced = is_replaced & counted
    return torch.stack([counted.sum(), replaced.sum(), accused.sum(), (accused & replaced).sum()]).float()


def detection(tokens: float, replaced: float, accused: float, found: float) -> Detection:
    """Turn the four counts of `detection_counts` into ratios."""
    rate = _ratio(replaced, tokens)
    return Detection(
        accuracy=_ratio(tokens - replaced - accused + 2 * found, tokens),
        majority=max(rate, 1 - rate),
        precision=_ratio(found, accused),
        recall=_ratio(found, replaced),
        replaced_rate=rate,
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def auc(scores: Tensor, labels: Tensor) -> float:
    """Chance that a replaced token scores above an original one: area under the ROC curve. 1-D tensors of equal length.

    NaN when only one class is present or a score is not finite.
    """
    from sklearn.metrics import roc_auc_score  # here: it takes a second to import

    scores, labels = scores.detach().float().cpu(), labels.cpu()
    if labels.all() or not labels.any() or not scores.isfinite().all():
        return math.nan
    return float(roc_auc_score(labels.numpy(), scores.numpy()))

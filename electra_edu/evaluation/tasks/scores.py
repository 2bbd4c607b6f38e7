"""Scores of predicted labels: accuracy, and F1 where some labels are much more common than others."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from electra_edu.support import tensors
from electra_edu.support.errors import ElectraEduError

Metric = Literal["accuracy", "macro F1"]


def accuracy(guesses: Tensor, labels: Tensor) -> float:
    """Share of the guesses (n,) that equal the labels (n,)."""
    predicted, true = _checked(guesses, labels)
    from sklearn.metrics import accuracy_score  # here: it takes a second to import

    return float(accuracy_score(true, predicted))


def macro_f1(guesses: Tensor, labels: Tensor) -> float:
    """Mean F1 of all labels that occur in guesses (n,) or labels (n,).

    Every label counts the same, however rare: always guessing the most common of two scores below ½.
    """
    predicted, true = _checked(guesses, labels)
    from sklearn.metrics import f1_score  # here: it takes a second to import

    # scikit-learn's own "macro" sums in another order. Recorded scores can be repeated to the last bit with this one.
    return float(torch.from_numpy(f1_score(true, predicted, average=None)).mean())


def _checked(guesses: Tensor, labels: Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    both = {"guesses": guesses, "labels": labels}
    for name, values in both.items():
        tensors.tensor(name, values, "int64 numbers of labels, of shape (examples,)")
    for name, values in both.items():
        if values.dim() != 1 or values.dtype != torch.int64 or not len(values) or guesses.shape != labels.shape:
            raise ElectraEduError(
                f"guesses, labels: expected int64 numbers of labels of one shape (examples,), got "
                f"{values.dtype} {tuple(values.shape)}."
            )
        tensors.check_range(name, values, 2**31, "number of labels", "A label counts from 0.")
    return guesses.cpu().numpy(), labels.cpu().numpy()


SCORES: Mapping[Metric, Callable[[Tensor, Tensor], float]] = MappingProxyType(
    {"accuracy": accuracy, "macro F1": macro_f1}
)

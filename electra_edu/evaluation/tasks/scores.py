"""How well labels were guessed: accuracy, and F1 where some labels are much commoner than others."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from electra_edu.support import tensors
from electra_edu.support.errors import ElectraEduError

Metric = Literal["accuracy", "macro F1"]


def accuracy(guesses: Tensor, labels: Tensor) -> float:
    """Share of the guesses (n,) that equal the labels (n,)."""
    _check(guesses, labels)
    return float((guesses == labels).double().mean())


def macro_f1(guesses: Tensor, labels: Tensor) -> float:
    """Mean F1 = 2 · hits / (guessed + true) of all labels that occur in guesses (n,) or labels (n,).

    Every label counts the same, however rare: always naming the commonest of two scores below ½.
    """
    _check(guesses, labels)
    size = int(max(guesses.max(), labels.max())) + 1
    hits = torch.bincount(labels[guesses == labels], minlength=size)
    guessed_and_true = torch.bincount(guesses, minlength=size) + torch.bincount(labels, minlength=size)
    occurs = guessed_and_true > 0
    return float((2 * hits[occurs].double() / guessed_and_true[occurs]).mean())


def _check(guesses: Tensor, labels: Tensor) -> None:
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


SCORES: Mapping[Metric, Callable[[Tensor, Tensor], float]] = MappingProxyType(
    {"accuracy": accuracy, "macro F1": macro_f1}
)

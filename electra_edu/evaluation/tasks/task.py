"""Task: labelled sequences to train on, others to test on, and the score that counts."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

import torch
from torch import Tensor

from electra_edu.corpora.corpus import IGNORE
from electra_edu.evaluation.tasks.scores import SCORES, Metric
from electra_edu.support import tensors
from electra_edu.support.arguments import MAX_INT64, as_number, refuse, whole_number
from electra_edu.support.errors import ElectraEduError

CPU = torch.device("cpu")  # where tasks lie


@dataclass(frozen=True, eq=False)
class Task:
    """N sequences of T tokens to train on and M others to test on.

    A label is a number into `names`. With `level` "sequence" each sequence has one, and labels are (N,) or (M,); with
    "token" each token may have one, and they are (N, T) or (M, T), -100 where there is none.
    """

    name: str
    names: tuple[str, ...]
    level: Literal["sequence", "token"]
    metric: Metric
    train_tokens: Tensor  # (N, T)
    train_labels: Tensor  # (N,) or (N, T)
    test_tokens: Tensor  # (M, T)
    test_labels: Tensor  # (M,) or (M, T)
    pad_token_id: int = 0

    @property
    def n_labels(self) -> int:
        """Number of labels to learn from: of sequences, or of single tokens."""
        return int((self.train_labels != IGNORE).sum())

    @cached_property
    def majority(self) -> float:
        """The score of always naming the label that is commonest among those to learn from."""
        commonest = self.train_labels[self.train_labels != IGNORE].bincount().argmax()
        return self.score(torch.full_like(self.test_labels, int(commonest)))

    def score(self, guesses: Tensor) -> float:
        """Grade guesses, of the shape of `test_labels`; what has no label does not count."""
        return self.grade(guesses, self.test_labels)

    def grade(self, guesses: Tensor, labels: Tensor) -> float:
        """Grade guesses for any labels of this task, both of one shape; what has no label (-100) does not count."""
        for name, values in (("guesses", guesses), ("labels", labels)):
            tensors.tensor(name, values, "int64 numbers of labels")
        if guesses.shape != labels.shape:
            raise ElectraEduError(
                f"guesses: expected the shape of the labels, {tuple(labels.shape)}, got {tuple(guesses.shape)}."
            )
        tensors.check_device("guesses", guesses, labels.device)
        counts = labels != IGNORE
        return SCORES[self.metric](guesses[counts], labels[counts])

    def few(self, rng: torch.Generator, *, per_class: int | None = None, total: int | None = None) -> Self:
        """Return the task with fewer labels to learn from, drawn from `rng`: so many of each class, or in total.

        All labels of a class with fewer than `per_class` stay. At token level single tokens are drawn, and the others
        lose their label. Sequences without any label are dropped. The test part stays.
        """
        if (per_class is None) == (total is None):
            raise ElectraEduError("per_class and total: give one of the two, how many labels to keep.")
        wanted, name = (total, "total") if per_class is None else (per_class, "per_class")
        wanted = whole_number(name, wanted, 1, MAX_INT64)
        tensors.generator(rng, CPU)
        labels = self.train_labels.flatten()
        labelled = (labels != IGNORE).nonzero()[:, 0]
        order = labelled[torch.randperm(len(labelled), generator=rng)]
        groups = [order] if per_class is None else [order[labels[order] == i] for i in range(len(self.names))]
        chosen = torch.cat([group[:wanted] for group in groups])
        few = torch.full_like(labels, IGNORE)
        few[chosen] = labels[chosen]
        return self._with_train(few.view_as(self.train_labels), slice(None))

    def hold_out(self, share: float, rng: torch.Generator) -> tuple[Self, Self]:
        """Split the sequences to learn from in two, the second with about `share` of them; none is in both.

        Every label of a sequence keeps its share in both parts, to within one sequence.
        """
        number = as_number(share)
        if number is None or not 0 <= number <= 1:
            refuse("share", share, "a number from 0 to 1, for example 0.2")
        tensors.generator(rng, CPU)
        rest, chosen = split(self.train_labels, number, rng)
        return self._with_train(self.train_labels, rest), self._with_train(self.train_labels, chosen)

    def _with_train(self, labels: Tensor, rows: Tensor | slice) -> Self:
        tokens, labels = self.train_tokens[rows], labels[rows]
        used = has_label(labels)
        return replace(self, train_tokens=tokens[used], train_labels=labels[used])

    def __repr__(self) -> str:
        """Say in one line what is to be learned."""
        labels = f"{self.n_labels} labels ({', '.join(self.names)})"
        return f"<Task {self.name}, of the {self.level}: {labels}; {self.metric} on {len(self.test_tokens)} others>"


def has_label(labels: Tensor) -> Tensor:
    """Return which sequences have a label, or a token with one: bool (N,) for labels (N,) or (N, T)."""
    labelled = labels != IGNORE
    return labelled if labels.dim() == 1 else labelled.any(1)


def split(labels: Tensor, share: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Split rows at random: the numbers of all other rows, and of about `share` of the rows, both in random order.

    Where rows have one label each, labels (N,), every label is split alike, to within one row.
    """
    order = torch.randperm(len(labels), generator=rng)
    by_label = order[labels[order].argsort(stable=True)] if labels.dim() == 1 else order
    steps = torch.arange(len(order) + 1, dtype=torch.float64).mul(share).add(1e-9).floor()  # 1e-9: for 10 × 0.1
    is_chosen = torch.zeros(len(order), dtype=torch.bool)
    is_chosen[by_label[steps.diff() > 0]] = True
    return order[~is_chosen[order]], order[is_chosen[order]]

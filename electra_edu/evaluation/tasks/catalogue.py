"""Which tasks a corpus has, and how its labels become one."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from electra_edu.corpora.build import PAD
from electra_edu.corpora.corpus import IGNORE, Corpus, Labels
from electra_edu.evaluation.tasks.agreement import disagreements
from electra_edu.evaluation.tasks.scores import Metric
from electra_edu.evaluation.tasks.task import Task, has_label, split
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError, nearest

TEST_SHARE = 0.5  # of the held-out sequences
MIN_EXAMPLES = 10  # a label with fewer sequences (or tokens) is left out, since half of them are for the test
METRICS: Mapping[str, Metric] = MappingProxyType(  # accuracy for all others, whose labels are about equally common
    dict.fromkeys(("part_of_speech", "antecedent", "module", "capitals"), "macro F1")
)
AGREEMENT = "agreement"


def task_names(corpus: Corpus) -> list[str]:
    """Return the names of the tasks that a corpus has.

    Toy stories: "topic", "subject_number" and "agreement" (is every word of the right number?) of the sequence,
    "part_of_speech" and "antecedent" (which noun does the pronoun stand for?) of tokens. Documentation: "module", where
    a sequence comes from. Any text but the toy stories: "capitals", how the words of the lower-case text were written.
    """
    arguments.instance("corpus", corpus, Corpus, "edu.load_corpus('toy')")
    names = [name for name, labels in corpus.heldout_labels.items() if len(_common(labels)) >= 2]
    return [*names, AGREEMENT] if _has_agreement(corpus) else names


def load_task(corpus: Corpus, name: str, seed: int = 0) -> Task:
    """Make a task of the corpus's held-out text, half of it to learn from and half to be graded on.

    `seed` decides which half a sequence is in (none is in both) and, for "agreement", which words are changed. Raises
    ElectraEduError for a task that the corpus does not have, or has too few examples of.
    """
    known = task_names(corpus)
    rng = torch.Generator().manual_seed(arguments.seed("seed", seed))
    if not isinstance(name, str):
        arguments.refuse("name", name, f"the name of a task: {', '.join(known) or 'this corpus has none'}")
    if name == AGREEMENT and _has_agreement(corpus):
        tokens, labels = disagreements(corpus, rng)
    elif name in corpus.heldout_labels:
        tokens, labels = corpus.heldout, corpus.heldout_labels[name]
    else:
        raise ElectraEduError(
            f"task={name!r}: the corpus {corpus.name!r} has no such labels.{nearest(name, known)} "
            f"It has: {', '.join(known) or 'none'}."
        )
    common = _common(labels)
    if len(common) < 2:
        raise ElectraEduError(
            f"task={name!r}: the held-out part of {corpus.name!r} has {len(common)} labels with at least "
            f"{MIN_EXAMPLES} examples, and a task needs two. Use a larger text."
        )
    values = _renumbered(labels.values, common)
    labelled = has_label(values)
    tokens, values = tokens[labelled], values[labelled]
    train, test = split(values, TEST_SHARE, rng)
    return Task(
        name=name,
        names=tuple(labels.names[label] for label in common),
        level=labels.level,
        metric=METRICS.get(name, "accuracy"),
        train_tokens=tokens[train],
        train_labels=values[train],
        test_tokens=tokens[test],
        test_labels=values[test],
        pad_token_id=PAD,
    )


def _has_agreement(corpus: Corpus) -> bool:
    return corpus.name == "toy" and "part_of_speech" in corpus.heldout_labels


def _common(labels: Labels) -> list[int]:
    """Return the labels that have enough examples."""
    counts = labels.values[labels.values != IGNORE].bincount(minlength=len(labels.names))
    return (counts >= MIN_EXAMPLES).nonzero()[:, 0].tolist()


def _renumbered(values: Tensor, used: list[int]) -> Tensor:
    """Return the values with the used labels numbered from 0, in their order, and -100 for all others."""
    renumbered = torch.full_like(values, IGNORE)
    for number, label in enumerate(used):
        renumbered[values == label] = number
    return renumbered

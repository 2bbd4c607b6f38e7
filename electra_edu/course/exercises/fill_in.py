"""Lesson 04: what the discriminator reads, and its labels."""

import torch
from torch import Tensor

from electra_edu.course.exercises.exercise import Exercise, Fault, LearnerFunction, expect_parts, expect_tensor

STARTER = '''
def fill_in(tokens, is_masked, guesses):
    """tokens, guesses: (B, T) ids, guesses only meant where is_masked (B, T) is True.

    Return two tensors (B, T): what the discriminator reads, and its labels, True where a token was replaced.
    """
    return ...  # your lines
'''
TOKENS = torch.tensor([[2, 11, 12, 13, 14, 3], [2, 21, 22, 3, 0, 0]])
IS_MASKED = torch.tensor([[False, True, False, True, False, False], [False, False, True, False, False, False]])
GUESSES = torch.tensor([[9, 11, 8, 99, 7, 6], [5, 4, 88, 6, 9, 9]])  # the first masked one is a lucky guess
READ = torch.tensor([[2, 11, 12, 99, 14, 3], [2, 21, 88, 3, 0, 0]])
REPLACED = READ != TOKENS


def _examine(function: LearnerFunction) -> None:
    parts = expect_parts(function(TOKENS, IS_MASKED, GUESSES), ("what is read", "the labels"))
    read = expect_tensor(parts[0], TOKENS.shape, "first tensor")
    labels = expect_tensor(parts[1], TOKENS.shape, "second tensor")
    if not torch.equal(read.long(), READ):
        row, place = (read.long() != READ).nonzero()[0].tolist()
        here = (
            f"At row {row}, place {place} the discriminator reads {int(read[row, place])}, not {int(READ[row, place])}."
        )
        if not IS_MASKED[row, place]:
            raise Fault(
                here, "This place was not masked: the true token stays. Guesses count only where is_masked is True."
            )
        if int(read[row, place]) == int(TOKENS[row, place]):
            raise Fault(here, "The masked places must hold the guesses; here the true token still stands.")
        raise Fault(here, "A masked place holds the guess for this very place.")
    if torch.equal(labels.bool(), REPLACED):
        return
    if torch.equal(labels.bool(), IS_MASKED):
        raise Fault(
            "The lucky guess (row 0, place 1) is labelled as replaced, though it is the true token.",
            "The labels are is_masked. Compare what is read with what was there instead: nobody can "
            "tell a lucky guess.",
        )
    if torch.equal(labels.bool(), ~REPLACED):
        raise Fault(
            "Every label is the opposite of what it should be.",
            "1 means replaced, as in the official code. (The paper's formula has it the other way round: its D is the "
            "probability that a token is original.)",
        )
    raise Fault(
        f"The labels of row 0 are {labels[0].int().tolist()}, not {REPLACED[0].int().tolist()}.",
        "A label is 1 exactly where the token that is read differs from the true one.",
    )


def reference(tokens: Tensor, is_masked: Tensor, guesses: Tensor) -> tuple[Tensor, Tensor]:
    """Put the guesses in, and compare."""
    read = torch.where(is_masked, guesses, tokens)
    return read, read != tokens


EXERCISE = Exercise(
    name="fill_in",
    lesson="04",
    title="What the discriminator reads",
    starter=STARTER,
    hint="torch.where(condition, one, other) picks from two tensors, place by place. The labels need one comparison.",
    examine=_examine,
    reference=reference,
)

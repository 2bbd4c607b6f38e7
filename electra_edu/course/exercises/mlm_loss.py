"""Lesson 03: the generator's loss, over masked positions only."""

import torch
import torch.nn.functional as F
from torch import Tensor

from electra_edu.course.exercises.exercise import Exercise, Fault, LearnerFunction, cause_of

STARTER = '''
def mlm_loss(logits, tokens, is_masked):
    """logits: (B, T, V). tokens: (B, T), the true ones. is_masked: (B, T) bool.

    Return the mean cross-entropy over the masked positions, a tensor with one number; 0 where nothing is masked.
    """
    return ...  # your lines
'''


def _examine(function: LearnerFunction) -> None:
    rng = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(3, 6, 11, generator=rng)
    tokens = torch.randint(11, (3, 6), generator=rng)
    is_masked = torch.zeros(3, 6, dtype=torch.bool)
    is_masked[0, 1] = is_masked[0, 4] = is_masked[1, 2] = is_masked[1, 3] = is_masked[1, 5] = True  # 5; row 2 has none
    logits.requires_grad_()
    found = function.tensor(logits, tokens, is_masked, shape=(), what="loss")
    each = F.cross_entropy(logits.detach().transpose(1, 2), tokens, reduction="none")  # (B, T)
    right, value = float(each[is_masked].mean()), float(found.detach())
    if not abs(value - right) <= 1e-4:  # nan too
        raise Fault(f"On a small batch the loss is {value:.4f}; it is {right:.4f}.", _cause(value, each, is_masked))
    if not found.requires_grad:
        raise Fault(
            "No gradient leads back from the loss to the logits.",
            "The loss was taken out of the graph, by .item(), .detach(), torch.no_grad or torch.tensor(…): nothing "
            "could be learnt from it.",
        )
    nothing = float(function.tensor(logits.detach(), tokens, torch.zeros_like(is_masked), shape=(), what="loss"))
    if nothing != 0:
        raise Fault(
            f"Where nothing is masked the loss is {nothing}, not 0.",
            "The mean of no numbers is 0/0 = nan, and one nan spoils all weights. Divide by the "
            "count, but at least by 1.",
        )


def _cause(value: float, each: Tensor, is_masked: Tensor) -> str:
    mistakes = (
        (each.mean(), "This is the mean over all positions: only the masked ones were guessed, so only they count."),
        (each[is_masked].sum(), "This is the sum. The mean divides by the number of masked positions."),
        (
            (each * is_masked).mean(),
            "The unmasked positions are zero, but they are still counted: divide by the number of masked positions.",
        ),
        (each[~is_masked].mean(), "These are the positions that are not masked: the condition is the wrong way round."),
        (
            torch.nan_to_num((each * is_masked).sum(-1) / is_masked.sum(-1)).mean(),
            "This is a mean of rows' means. A row with few masked positions would count as much as one with many.",
        ),
    )
    if value != value:
        return "nan: the row where nothing is masked was divided by its count, 0."
    return cause_of(
        value,
        mistakes,
        "It is the mean, over masked positions, of −log softmax(logits) at the true token: F.cross_entropy, in nats.",
    )


def reference(logits: Tensor, tokens: Tensor, is_masked: Tensor) -> Tensor:
    """Mean cross-entropy over the masked positions; 0 where there are none."""
    losses = F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")  # (B, T)
    return (losses * is_masked).sum() / is_masked.sum().clamp(min=1)


EXERCISE = Exercise(
    name="mlm_loss",
    lesson="03",
    title="The generator's loss",
    starter=STARTER,
    hint="F.cross_entropy(…, reduction='none') gives one number per position, if it finds the vocabulary in "
    "dimension 1. Then add up those of the masked positions and divide by how many they are.",
    examine=_examine,
    reference=reference,
)

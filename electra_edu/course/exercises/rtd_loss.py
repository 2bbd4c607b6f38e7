"""Lesson 05: the discriminator's loss, over all real tokens."""

import torch
import torch.nn.functional as F
from torch import Tensor

from electra_edu.course.exercises.exercise import Exercise, Fault, LearnerFunction, cause_of

STARTER = '''
def rtd_loss(logits, is_replaced, is_real):
    """logits: (B, T). is_replaced: (B, T) bool, the labels. is_real: (B, T) bool, False on padding.

    Return the mean binary cross-entropy over all real tokens, a tensor with one number; 0 where there are none.
    """
    return ...  # your lines
'''


def _examine(function: LearnerFunction) -> None:
    rng = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(3, 8, generator=rng)
    is_replaced = torch.rand(3, 8, generator=rng) < 0.3
    is_real = torch.ones(3, 8, dtype=torch.bool)
    is_real[0, 5:] = is_real[1, 2:] = False
    is_replaced &= is_real
    logits.requires_grad_()
    found = function.tensor(logits, is_replaced, is_real, shape=(), what="loss")
    value, plain = float(found.detach()), logits.detach()
    each = F.binary_cross_entropy_with_logits(plain, is_replaced.float(), reduction="none")
    right = float(each[is_real].mean())
    if not abs(value - right) <= 1e-4:  # nan too
        raise Fault(
            f"On a small batch the loss is {value:.4f}; it is {right:.4f}.", _cause(value, plain, is_replaced, is_real)
        )
    if not found.requires_grad:
        raise Fault(
            "No gradient leads back from the loss to the logits.",
            "The loss was taken out of the graph, by .item(), .detach(), torch.no_grad or torch.tensor(…).",
        )
    sure = float(
        function.tensor(
            torch.full((1, 2), 200.0), torch.tensor([[False, True]]), torch.ones(1, 2, dtype=torch.bool), shape=()
        )
    )
    if abs(sure - 100) > 1e-2:
        raise Fault(
            f"A logit of 200 on an original and on a replaced token gives {sure:.4g}, not 100.",
            "sigmoid(200) is 1 to the last digit, and log(1 − 1) is −∞. "
            "F.binary_cross_entropy_with_logits avoids that.",
        )
    nothing = float(function.tensor(plain, is_replaced, torch.zeros_like(is_real), shape=(), what="loss"))
    if nothing != 0:
        raise Fault(
            f"Where nothing is real the loss is {nothing}, not 0.",
            "That is 0/0. Divide by the number of real tokens, but at least by 1.",
        )


def _cause(value: float, logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> str:
    each = F.binary_cross_entropy_with_logits(logits, is_replaced.float(), reduction="none")
    swapped = F.binary_cross_entropy_with_logits(logits, (~is_replaced).float(), reduction="none")
    twice = F.binary_cross_entropy_with_logits(logits.sigmoid(), is_replaced.float(), reduction="none")
    mistakes = (
        (each.mean(), "Padding is counted: it holds no words, and only makes the loss look better or worse."),
        (
            (each * is_real).mean(),
            "Padding adds nothing, but it is still counted: divide by the number of real tokens.",
        ),
        (
            each[is_real].sum(),
            "This is the sum. λ = 50 belongs to the mean: with sums it would act several times as strong.",
        ),
        (each[is_replaced].mean(), "Only the replaced tokens are counted. The point of RTD is that every token is."),
        (swapped[is_real].mean(), "The labels are the wrong way round: 1 means replaced, as in the official code."),
        (
            twice[is_real].mean(),
            "The sigmoid was taken twice: binary_cross_entropy_with_logits wants logits, it has the sigmoid inside.",
        ),
    )
    return cause_of(
        value,
        mistakes,
        "It is −log of the probability given to the right label, averaged over the tokens where is_real is True.",
    )


def reference(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    """Mean binary cross-entropy over the real tokens; 0 where there are none."""
    losses = F.binary_cross_entropy_with_logits(logits, is_replaced.to(logits.dtype), reduction="none")
    return (losses * is_real).sum() / is_real.sum().clamp(min=1)


EXERCISE = Exercise(
    name="rtd_loss",
    lesson="05",
    title="The discriminator's loss",
    starter=STARTER,
    hint="F.binary_cross_entropy_with_logits(…, reduction='none') gives one number per token; it wants "
    "the labels as floats.",
    examine=_examine,
    reference=reference,
)

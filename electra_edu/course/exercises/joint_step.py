"""Lesson 06: one step of joint training, from tokens to the loss."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from electra_edu.course.exercises import draw, fill_in, mlm_loss, rtd_loss
from electra_edu.course.exercises.exercise import Exercise, Fault, LearnerFunction, cause_of

STARTER = '''
def joint_step(parts, model, tokens, is_masked, is_real, rtd_weight, rng):
    """tokens: (B, T), the true ones. is_masked, is_real: (B, T) bool. rtd_weight is λ.

    There are model.generator(ids, is_real) -> (B, T, V) and model.discriminator(ids, is_real) -> (B, T), and the
    functions parts.mlm_loss, parts.draw, parts.fill_in, parts.rtd_loss. Return MLM loss + λ · RTD loss.
    """
    masked = tokens.masked_fill(is_masked, 4)  # 4 is [MASK]
    return ...  # your lines
'''
MASK, WEIGHT = 4, 20.0  # not 50, so that a 50 in the learner's code is seen
TOKENS = torch.tensor([[2, 7, 8, 9, 6, 3], [2, 8, 5, 3, 0, 0]])  # (2, 6) of a vocabulary of 10
IS_MASKED = torch.tensor([[0, 1, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0]], dtype=torch.bool)
GUESSES = torch.tensor([[0, 7, 0, 5, 0, 0], [0, 6, 0, 0, 0, 0]])  # what the stand-in draws: right once, wrong twice


class _StandIn:
    """Two networks of a few weights each, which record how they are called. Draws from the generator are certain."""

    config = SimpleNamespace(temperature=1.0, mask_token_id=MASK)

    def __init__(self) -> None:
        self.calls: list[tuple[str, Tensor, Tensor | None]] = []
        guesses = torch.nn.functional.one_hot(GUESSES, 10).float()
        self.for_generator = (60 * guesses).requires_grad_()  # (2, 6, 10)
        self.for_discriminator = torch.linspace(-1, 1, 10).requires_grad_()  # (10,)

    def generator(self, ids: Tensor, is_real: Tensor | None = None, *_: Any, **__: Any) -> Tensor:
        self.calls.append(("generator", ids, is_real))
        return self.for_generator + 0.1 * self.for_discriminator[ids][..., None].detach()

    def discriminator(self, ids: Tensor, is_real: Tensor | None = None, *_: Any, **__: Any) -> Tensor:
        self.calls.append(("discriminator", ids, is_real))
        return self.for_discriminator[ids]


PARTS = SimpleNamespace(
    mlm_loss=mlm_loss.reference,
    draw=draw.reference,
    fill_in=fill_in.reference,
    rtd_loss=rtd_loss.reference,
    choose_positions=None,
)


def _examine(function: LearnerFunction) -> None:
    is_real = TOKENS != 0
    model, right = _StandIn(), _StandIn()
    arguments = (TOKENS, IS_MASKED, is_real, WEIGHT)
    found = function.tensor(PARTS, model, *arguments, torch.Generator().manual_seed(0), shape=(), what="loss")
    wanted = reference(PARTS, right, *arguments, torch.Generator().manual_seed(0))
    _examine_calls(model.calls, is_real)
    value, wanted_value = float(found.detach()), float(wanted.detach())
    if not abs(value - wanted_value) <= 1e-3 * wanted_value:  # nan too
        raise Fault(
            f"On a tiny model the loss is {value:.3f}; it is {wanted_value:.3f} with rtd_weight = {WEIGHT:g}.",
            _cause(value, right, is_real),
        )
    if not found.requires_grad:
        raise Fault("No gradient leads back from the loss.", "Something took it out of the graph: .item(), no_grad.")
    wanted.backward()
    found.backward()
    for name, mine, theirs in (
        ("generator", model.for_generator, right.for_generator),
        ("discriminator", model.for_discriminator, right.for_discriminator),
    ):
        if mine.grad is None:
            raise Fault(
                f"No gradient reaches the {name}.",
                "Both losses must stay in the sum as tensors: only the drawn ids are cut off, and "
                "they are by themselves.",
            )
        if theirs.grad is not None and not torch.allclose(mine.grad, theirs.grad, rtol=1e-3, atol=1e-5):
            raise Fault(
                f"The gradient of the {name} is not the one that the two losses have.",
                "No gradient may pass through a drawn word: a soft mixture of words in its place "
                "would let one through.",
            )


def _examine_calls(calls: list[tuple[str, Tensor, Tensor | None]], is_real: Tensor) -> None:
    for name in ("generator", "discriminator"):
        mine = [call for call in calls if call[0] == name]
        if len(mine) != 1:
            how = "never" if not mine else f"{len(mine)} times"
            cause = "Once is right: a second pass costs time, and with dropout it would not be the one that was scored."
            raise Fault(
                f"The {name} is called {how} in one step.",
                cause if mine else "Both networks are run, one after the other.",
            )
        _, ids, mask = mine[0]
        if mask is None or not torch.equal(mask.bool(), is_real):
            raise Fault(f"The {name} is called without is_real.", "It would attend to padding: pass is_real as well.")
        if name == "generator" and not torch.equal(ids, TOKENS.masked_fill(IS_MASKED, MASK)):
            raise Fault("The generator does not read `masked`.", "It must not see the words that it has to guess.")
        if name == "discriminator" and not torch.equal(ids, torch.where(IS_MASKED, GUESSES, TOKENS)):
            if torch.equal(ids, TOKENS):
                cause = "It reads the true tokens: there would be nothing to find. It reads what fill_in returns."
            elif (ids == MASK).any():
                cause = "It reads [MASK]. The drawn words must be filled in first: the discriminator never sees [MASK]."
            else:
                cause = "Draw at the masked positions, put each word back where it belongs, and use fill_in."
            raise Fault("The discriminator does not read the filled-in text.", cause)


def _cause(value: float, model: _StandIn, is_real: Tensor) -> str:
    """Say which mistake gives this loss."""
    logits = model.generator(TOKENS.masked_fill(IS_MASKED, MASK), is_real).detach()
    read, labels = fill_in.reference(TOKENS, IS_MASKED, GUESSES)
    verdicts = model.discriminator(read, is_real).detach()
    words, found = (
        float(mlm_loss.reference(logits, TOKENS, IS_MASKED)),
        float(rtd_loss.reference(verdicts, labels, is_real)),
    )
    by_mask = float(rtd_loss.reference(verdicts, IS_MASKED, is_real))
    mistakes = (
        (WEIGHT * words + found, "λ is on the MLM loss; it belongs to the RTD loss."),
        (words + 50 * found, "λ stands there as the number 50: use rtd_weight, whatever it is."),
        (words + found, "λ is missing: the RTD loss counts λ times."),
        (words, "The RTD loss is missing from the sum."),
        (WEIGHT * found, "The MLM loss is missing from the sum."),
        (
            words + WEIGHT * by_mask,
            "The labels are is_masked: a lucky guess is an original. Use the labels of fill_in.",
        ),
    )
    otherwise = "It is parts.mlm_loss(…) + rtd_weight * parts.rtd_loss(…), each with the arguments of its own lesson."
    return cause_of(value, mistakes, otherwise, rel_tol=1e-3)


def reference(
    parts: Any, model: Any, tokens: Tensor, is_masked: Tensor, is_real: Tensor, rtd_weight: float, rng: torch.Generator
) -> Tensor:
    """Compute the loss of one joint step from its parts: a tensor with one number."""
    logits = model.generator(tokens.masked_fill(is_masked, model.config.mask_token_id), is_real)  # (B, T, V)
    guesses = tokens.clone()
    guesses[is_masked] = parts.draw(logits[is_masked].detach(), model.config.temperature, rng)
    read, is_replaced = parts.fill_in(tokens, is_masked, guesses)
    verdicts = model.discriminator(read, is_real)  # (B, T)
    loss: Tensor = parts.mlm_loss(logits, tokens, is_masked) + rtd_weight * parts.rtd_loss(
        verdicts, is_replaced, is_real
    )
    return loss


EXERCISE = Exercise(
    name="joint_step",
    lesson="06",
    title="The joint step",
    starter=STARTER,
    hint="Six lines, in the order of the machine: logits of the generator; guesses = tokens.clone() with "
    "parts.draw(logits[is_masked], 1.0, rng) put at [is_masked]; fill_in; the discriminator; the two losses.",
    examine=_examine,
    reference=reference,
)

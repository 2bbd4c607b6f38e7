"""Lesson 03: draw a word from the generator's distribution."""

import torch
from torch import Tensor

from electra_edu.course.exercises.exercise import Exercise, Fault, Trial
from electra_edu.model.generator import sample

STARTER = '''
def draw(logits, temperature, rng):
    """logits: (N, V). Return N token ids, drawn from softmax(logits / temperature) with chance from `rng` alone."""
    return ...  # your lines
'''
MANY = 4000
P = (0.6, 0.3, 0.1)  # the distribution of the test at temperature 1
NEAR = 0.04  # five standard deviations of a share of 4,000 draws


def _examine(trial: Trial) -> Fault | None:
    logits = torch.tensor(P).log().repeat(MANY, 1)  # (MANY, 3)
    rng = torch.Generator().manual_seed(0)
    ids = trial.tensor(logits, 1.0, rng, shape=(MANY,))
    if ids.is_floating_point():
        return Fault(f"The ids are of type {ids.dtype}.", "Token ids are whole numbers (torch.long): positions in V.")
    shares = _shares(ids)
    wanted = torch.tensor(P)
    if (shares - wanted).abs().max() > NEAR:
        return Fault(_seen("temperature 1", shares, wanted), _cause(shares))
    for temperature in (0.5, 2.0):
        right = (wanted.log() / temperature).softmax(-1)
        shares = _shares(trial.tensor(logits, temperature, rng, shape=(MANY,)))
        if (shares - right).abs().max() > NEAR:
            return Fault(_seen(f"temperature {temperature:g}", shares, right), _cause_hot(shares, temperature))
    same = [trial.tensor(logits, 1.0, torch.Generator().manual_seed(3), shape=(MANY,)) for _ in range(2)]
    if not torch.equal(*same):
        return Fault(
            "Two generators with the same seed give different draws.",
            "Chance must come from `rng` alone, or nobody can repeat it: pass generator=rng.",
        )
    shifted = trial.tensor(logits + 100.0, 1.0, torch.Generator().manual_seed(4), shape=(MANY,))
    if (_shares(shifted) - wanted).abs().max() > NEAR:
        return Fault(
            "With 100 added to all logits the draws change, though softmax does not.",
            "exp(100) overflows by itself; softmax takes the largest away first. Use .softmax(-1).",
        )
    return None


def _shares(ids: Tensor) -> Tensor:
    return torch.bincount(ids.long().clamp(0, 2), minlength=3) / len(ids)  # (3,)


def _seen(when: str, found: Tensor, right: Tensor) -> str:
    seen, wanted = (", ".join(f"{share:.0%}" for share in shares.tolist()) for shares in (found, right))
    return f"At {when} three tokens are drawn in {seen} of the cases, instead of {wanted}."


def _cause(shares: Tensor) -> str:
    if shares[0] > 0.999:
        return (
            "Always the most likely one: this is argmax. The discriminator would see the same few fakes "
            "again and again."
        )
    twice = torch.tensor(P).softmax(-1)
    if (shares - twice).abs().max() < NEAR:
        return "Softmax was taken twice: probabilities are no logits. This flattens the distribution."
    if (shares - 1 / 3).abs().max() < NEAR:
        return "All tokens are equally likely here: the logits are not used."
    return "Turn logits into probabilities with softmax over the last dimension, then draw one id per row."


def _cause_hot(shares: Tensor, temperature: float) -> str:
    log = torch.tensor(P).log()
    if (shares - log.softmax(-1)).abs().max() < NEAR:
        return "The temperature changes nothing: divide the logits by it."
    if (shares - (log * temperature).softmax(-1)).abs().max() < NEAR:
        return "The logits were multiplied by the temperature: it is a division. A high temperature flattens."
    if (shares - (torch.tensor(P) / temperature).softmax(-1)).abs().max() < NEAR:
        return "The temperature divides the logits, before softmax, not the probabilities."
    return "The temperature divides the logits, before softmax."


def ours(logits: Tensor, temperature: float, rng: torch.Generator) -> Tensor:
    """Draw with the library's own function: int64 (N,)."""
    return sample(logits, temperature, rng)


EXERCISE = Exercise(
    name="draw",
    lesson="03",
    title="Draw a word",
    starter=STARTER,
    hint="torch.multinomial draws from probabilities, one row at a time, and takes generator=rng. It returns (N, 1).",
    examine=_examine,
    ours=ours,
)

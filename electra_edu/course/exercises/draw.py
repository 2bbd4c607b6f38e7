"""Lesson 03: draw a word from the generator's distribution."""

import torch
from torch import Tensor

from electra_edu.course.exercises.exercise import Exercise, Fault, LearnerFunction
from electra_edu.model.generator import sample

STARTER = '''
def draw(logits, temperature, rng):
    """logits: (N, V). Return N token ids, drawn from softmax(logits / temperature) with chance from `rng` alone."""
    return ...  # your lines
'''
N_DRAWS = 4000
PROBABILITIES = (0.6, 0.3, 0.1)  # at temperature 1
TOLERANCE = 0.04  # five standard deviations of a share of 4,000 draws


def _examine(function: LearnerFunction) -> None:
    logits = torch.tensor(PROBABILITIES).log().repeat(N_DRAWS, 1)  # (N_DRAWS, 3)
    rng = torch.Generator().manual_seed(0)
    ids = function.tensor(logits, 1.0, rng, shape=(N_DRAWS,))
    if ids.is_floating_point():
        raise Fault(f"The ids are of type {ids.dtype}.", "Token ids are whole numbers (torch.long): positions in V.")
    shares = _shares(ids)
    wanted = torch.tensor(PROBABILITIES)
    if (shares - wanted).abs().max() > TOLERANCE:
        raise Fault(_symptom("temperature 1", shares, wanted), _cause(shares))
    for temperature in (0.5, 2.0):
        right = (wanted.log() / temperature).softmax(-1)
        shares = _shares(function.tensor(logits, temperature, rng, shape=(N_DRAWS,)))
        if (shares - right).abs().max() > TOLERANCE:
            raise Fault(
                _symptom(f"temperature {temperature:g}", shares, right), _temperature_cause(shares, temperature)
            )
    same = [function.tensor(logits, 1.0, torch.Generator().manual_seed(3), shape=(N_DRAWS,)) for _ in range(2)]
    if not torch.equal(*same):
        raise Fault(
            "Two generators with the same seed give different draws.",
            "Chance must come from `rng` alone, or nobody can repeat it: pass generator=rng.",
        )
    shifted = function.tensor(logits + 100.0, 1.0, torch.Generator().manual_seed(4), shape=(N_DRAWS,))
    if (_shares(shifted) - wanted).abs().max() > TOLERANCE:
        raise Fault(
            "With 100 added to all logits the draws change, though softmax does not.",
            "exp(100) overflows by itself; softmax takes the largest away first. Use .softmax(-1).",
        )


def _shares(ids: Tensor) -> Tensor:
    return torch.bincount(ids.long().clamp(0, 2), minlength=3) / len(ids)  # (3,)


def _symptom(when: str, found: Tensor, right: Tensor) -> str:
    seen, wanted = (", ".join(f"{share:.0%}" for share in shares.tolist()) for shares in (found, right))
    return f"At {when} three tokens are drawn in {seen} of the cases, instead of {wanted}."


def _cause(shares: Tensor) -> str:
    if shares[0] > 0.999:
        return (
            "Always the most likely one: this is argmax. The discriminator would see the same few fakes "
            "again and again."
        )
    twice = torch.tensor(PROBABILITIES).softmax(-1)
    if (shares - twice).abs().max() < TOLERANCE:
        return "Softmax was taken twice: probabilities are no logits. This flattens the distribution."
    if (shares - 1 / 3).abs().max() < TOLERANCE:
        return "All tokens are equally likely here: the logits are not used."
    return "Turn logits into probabilities with softmax over the last dimension, then draw one id per row."


def _temperature_cause(shares: Tensor, temperature: float) -> str:
    log = torch.tensor(PROBABILITIES).log()
    if (shares - log.softmax(-1)).abs().max() < TOLERANCE:
        return "The temperature changes nothing: divide the logits by it."
    if (shares - (log * temperature).softmax(-1)).abs().max() < TOLERANCE:
        return "The logits were multiplied by the temperature: it is a division. A high temperature flattens."
    if (shares - (torch.tensor(PROBABILITIES) / temperature).softmax(-1)).abs().max() < TOLERANCE:
        return "The temperature divides the logits, before softmax, not the probabilities."
    return "The temperature divides the logits, before softmax."


def reference(logits: Tensor, temperature: float, rng: torch.Generator) -> Tensor:
    """Draw with the library's own function: int64 (N,)."""
    return sample(logits, temperature, rng)


EXERCISE = Exercise(
    name="draw",
    lesson="03",
    title="Draw a word",
    starter=STARTER,
    hint="torch.multinomial draws from probabilities, one row at a time, and takes generator=rng. It returns (N, 1).",
    examine=_examine,
    reference=reference,
)

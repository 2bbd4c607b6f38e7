"""Lesson 02: choose the positions to hide."""

import torch
from torch import Tensor

from electra_edu.course.exercises.exercise import Exercise, Failed, Fault, Trial
from electra_edu.model.masking import choose_positions

STARTER = '''
def choose_positions(ordinary, mask_prob, rng):
    """ordinary: (B, T) bool, True where a token may be hidden. Return (B, T) bool, True where one is hidden."""
    return ...  # your lines
'''
MANY = 400  # draws of a row: a position chosen with probability ½ is then expected 200 times, give or take 10
RATES = ((20, 0.15, 3), (11, 0.15, 2), (9, 0.15, 1), (20, 0.4, 8), (13, 0.4, 5))  # tokens, rate, count: no ties


def _examine(trial: Trial) -> Fault | None:
    """Ask for kinds and counts, forbidden places, other draws, and equal chances, in this order."""
    rng = torch.Generator().manual_seed(0)
    for n, rate, count in RATES:
        ordinary = torch.ones(1, n, dtype=torch.bool)
        found = _chosen(trial, ordinary, rate, rng)
        counts = [int(found.sum()), *(int(_chosen(trial, ordinary, rate, rng).sum()) for _ in range(4))]
        if len(set(counts)) > 1:
            return Fault(
                f"Five draws over {n} tokens at {rate:.0%} hide {', '.join(map(str, counts))} of them.",
                "The count must not vary. Tossing a coin for each token is right on average only: now and then a row "
                "has no hidden token at all, and its loss would be 0/0.",
            )
        if counts[0] != count:
            return Fault(f"{n} tokens at {rate:.0%} give {counts[0]} hidden, not {count}.", _cause(n, rate, counts[0]))
    return _in_a_batch(trial, rng) or _by_chance(trial)


def _cause(n: int, rate: float, found: int) -> str:
    if found == int(n * rate) and found != round(n * rate):
        return f"{n} × {rate} = {n * rate:g}. int() cuts the fraction off; the count is round({n * rate:g})."
    if found > n * rate + 1:
        return "Far more are hidden than asked for: is the condition the wrong way round?"
    return f"The count is round({n} × {rate}), and at least 1."


def _in_a_batch(trial: Trial, rng: torch.Generator) -> Fault | None:
    """Rows of different lengths, with special tokens and padding."""
    ordinary = torch.zeros(4, 22, dtype=torch.bool)
    lengths = (20, 12, 2, 0)
    for row, length in enumerate(lengths):
        ordinary[row, 1 : 1 + length] = True
    for _ in range(8):
        found = _chosen(trial, ordinary, 0.15, rng)
        if (found & ~ordinary).any():
            row, place = (found & ~ordinary).nonzero()[0].tolist()
            return Fault(
                f"Position {place} of row {row} is hidden, where `ordinary` is False.",
                "Special tokens and padding must never be hidden: the generator would learn to guess [SEP] and [PAD], "
                "and the discriminator would look for fakes among them. Use `ordinary` in the choice itself.",
            )
        counts = found.sum(-1).tolist()
        if counts != [3, 2, 1, 0]:
            if counts[:2] == [3, 3]:
                cause = "All rows got the count of one of them: count the ordinary tokens row by row."
            elif counts[2] == 0:
                cause = "A short row needs one hidden token all the same: its count is max(1, round(…))."
            elif counts[3] > 0:
                cause = "A row without ordinary tokens has nothing to hide."
            else:
                cause = "The count is 15% of each row's own ordinary tokens, rounded, and at least one."
            return Fault(
                f"Rows with {', '.join(map(str, lengths))} ordinary tokens got {', '.join(map(str, counts))} hidden at "
                "15%, instead of 3, 2, 1, 0.",
                cause,
            )
    return None


def _by_chance(trial: Trial) -> Fault | None:
    many = torch.ones(1, 40, dtype=torch.bool)  # so many that two choices are not the same by chance
    one, same = (_chosen(trial, many, 0.5, torch.Generator().manual_seed(7)) for _ in range(2))
    if not torch.equal(one, same):
        return Fault(
            "Two generators with the same seed give different choices.",
            "Chance must come from `rng` alone, or nobody can repeat what you did: pass generator=rng to torch.rand.",
        )
    ordinary, rng = many[:, :8], torch.Generator().manual_seed(8)
    times = torch.stack([_chosen(trial, ordinary, 0.5, rng)[0] for _ in range(MANY)]).sum(0)  # (8,)
    if ((times == 0) | (times == MANY)).any():
        return Fault(
            f"In {MANY} draws the same positions are always hidden, or never.",
            "Either nothing is drawn from `rng`, or a generator with a fixed seed is made inside the function.",
        )
    if ((times - MANY / 2).abs() > MANY / 8).any():  # five standard deviations
        return Fault(
            f"Of {MANY} draws of 4 out of 8, the positions are hidden {', '.join(map(str, times.tolist()))} times.",
            "All positions must be equally likely: about 200 times each.",
        )
    return None


def _chosen(trial: Trial, ordinary: Tensor, rate: float, rng: torch.Generator) -> Tensor:
    found = trial.tensor(ordinary, rate, rng, shape=ordinary.shape)
    if found.dtype != torch.bool:
        raise Failed(
            Fault(
                f"The result is of type {found.dtype}.",
                "It must be torch.bool, True where a token is hidden: a comparison gives that. Whole numbers would be "
                "taken for positions by whoever indexes with them.",
            )
        )
    return found


def ours(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
    """Choose with the library's own function: (B, T) bool."""
    positions, used = choose_positions(ordinary, mask_prob, rng)
    return torch.zeros_like(ordinary).scatter(-1, positions, used)


EXERCISE = Exercise(
    name="choose_positions",
    lesson="02",
    title="Choose the positions to hide",
    starter=STARTER,
    hint="Give every token a random number, push those that may not be hidden to the end, and take the first few of "
    "each row. Ranks do it: x.argsort(-1).argsort(-1) tells of each entry how many are smaller.",
    examine=_examine,
    ours=ours,
)

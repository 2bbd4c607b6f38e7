"""Lesson 02: choose the positions to hide."""

import torch
from torch import Tensor

from electra_edu.course.exercises.exercise import Exercise, Fault, LearnerFunction
from electra_edu.model.masking import choose_positions

STARTER = '''
def choose_positions(ordinary, mask_prob, rng):
    """ordinary: (B, T) bool, True where a token may be hidden. Return (B, T) bool, True where one is hidden."""
    return ...  # your lines
'''
N_DRAWS = 400  # a position chosen with probability ½ is then expected 200 times, give or take 10
CASES = ((20, 0.15, 3), (11, 0.15, 2), (9, 0.15, 1), (20, 0.4, 8), (13, 0.4, 5))  # tokens, rate, count: no ties


def _examine(function: LearnerFunction) -> None:
    """Try counts first, then forbidden positions, other draws and equal chances."""
    rng = torch.Generator().manual_seed(0)
    for n, rate, count in CASES:
        ordinary = torch.ones(1, n, dtype=torch.bool)
        found = _chosen(function, ordinary, rate, rng)
        counts = [int(found.sum()), *(int(_chosen(function, ordinary, rate, rng).sum()) for _ in range(4))]
        if len(set(counts)) > 1:
            raise Fault(
                f"Five draws over {n} tokens at {rate:.0%} hide {', '.join(map(str, counts))} of them.",
                "The count must not vary. Tossing a coin for each token is right on average only: now and then a row "
                "has no hidden token at all, and its loss would be 0/0.",
            )
        if counts[0] != count:
            raise Fault(f"{n} tokens at {rate:.0%} give {counts[0]} hidden, not {count}.", _cause(n, rate, counts[0]))
    _examine_batch(function, rng)
    _examine_chance(function)


def _cause(n: int, rate: float, found: int) -> str:
    if found == int(n * rate) and found != round(n * rate):
        return f"{n} × {rate} = {n * rate:g}. int() cuts the fraction off; the count is round({n * rate:g})."
    if found > n * rate + 1:
        return "Far more are hidden than asked for: is the condition the wrong way round?"
    return f"The count is round({n} × {rate}), and at least 1."


def _examine_batch(function: LearnerFunction, rng: torch.Generator) -> None:
    """Try rows of different lengths, with special tokens and padding."""
    ordinary = torch.zeros(4, 22, dtype=torch.bool)
    lengths = (20, 12, 2, 0)
    for row, length in enumerate(lengths):
        ordinary[row, 1 : 1 + length] = True
    for _ in range(8):
        found = _chosen(function, ordinary, 0.15, rng)
        if (found & ~ordinary).any():
            row, position = (found & ~ordinary).nonzero()[0].tolist()
            raise Fault(
                f"Position {position} of row {row} is hidden, where `ordinary` is False.",
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
            raise Fault(
                f"Rows with {', '.join(map(str, lengths))} ordinary tokens got {', '.join(map(str, counts))} hidden at "
                "15%, instead of 3, 2, 1, 0.",
                cause,
            )


def _examine_chance(function: LearnerFunction) -> None:
    """Draw many times: chance must come from `rng` alone and treat all positions alike."""
    many = torch.ones(1, 40, dtype=torch.bool)  # so many that two draws are not the same by accident
    one, same = (_chosen(function, many, 0.5, torch.Generator().manual_seed(7)) for _ in range(2))
    if not torch.equal(one, same):
        raise Fault(
            "Two generators with the same seed give different choices.",
            "Chance must come from `rng` alone, or nobody can repeat what you did: pass generator=rng to torch.rand.",
        )
    ordinary, rng = many[:, :8], torch.Generator().manual_seed(8)
    times = torch.stack([_chosen(function, ordinary, 0.5, rng)[0] for _ in range(N_DRAWS)]).sum(0)  # (8,)
    if ((times == 0) | (times == N_DRAWS)).any():
        raise Fault(
            f"In {N_DRAWS} draws the same positions are always hidden, or never.",
            "Either nothing is drawn from `rng`, or a generator with a fixed seed is made inside the function.",
        )
    if ((times - N_DRAWS / 2).abs() > N_DRAWS / 8).any():  # five standard deviations
        raise Fault(
            f"Of {N_DRAWS} draws of 4 out of 8, the positions are hidden {', '.join(map(str, times.tolist()))} times.",
            "All positions must be equally likely: about 200 times each.",
        )


def _chosen(function: LearnerFunction, ordinary: Tensor, rate: float, rng: torch.Generator) -> Tensor:
    found = function.tensor(ordinary, rate, rng, shape=ordinary.shape)
    if found.dtype != torch.bool:
        raise Fault(
            f"The result is of type {found.dtype}.",
            "It must be torch.bool, True where a token is hidden: a comparison gives that. Whole numbers would be "
            "taken for positions by whoever indexes with them.",
        )
    return found


def reference(ordinary: Tensor, mask_prob: float, rng: torch.Generator) -> Tensor:
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
    reference=reference,
)

"""Steps timed side by side: in rounds, in a rotating order, beside a matrix product that shows what is possible."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from electra_edu.support.errors import ElectraEduError

WARM_UP = 3  # steps of each contender before anything is timed
PRODUCT_SIZE = 2048  # rows and columns of the matrices that are multiplied
PRODUCTS_ON_GPU = 20  # a single one takes less time than its launch


@dataclass(frozen=True)
class Timing:
    """The measurements of one contender, over all rounds."""

    name: str
    steps: int  # in each round
    seconds: tuple[float, ...]  # per step, one value for each round
    faults: tuple[float, ...]  # minor page faults per step, one for each round; empty where none are counted

    @property
    def median(self) -> float:
        """Seconds per step of the middle round."""
        return median(self.seconds)

    @property
    def least(self) -> float:
        """Seconds per step of the fastest round."""
        return min(self.seconds)

    @property
    def median_faults(self) -> float | None:
        """Minor page faults per step of the middle round; None where none are counted."""
        return median(self.faults) if self.faults else None


@dataclass(frozen=True)
class Measurement:
    """All contenders' timings, and how fast a large matrix product was in each round."""

    timings: Mapping[str, Timing]
    product_rates: tuple[float, ...]  # operations per second, one for each round

    @property
    def product_rate(self) -> float:
        """Operations per second of a large matrix product: the median over the rounds."""
        return median(self.product_rates)

    def best_of(self, names: Sequence[str]) -> str | None:
        """Return which of these contenders has the smallest median; None when none of them was timed."""
        timed = [name for name in names if name in self.timings]
        return min(timed, key=lambda name: self.timings[name].median, default=None)

    def ratio(self, name: str, reference: str) -> float:
        """Return how many times faster than `reference` this contender is: the median of the rounds' ratios.

        Paired round by round, so that whatever slowed a whole round down cancels out.
        """
        pairs = zip(self.timings[reference].seconds, self.timings[name].seconds, strict=True)
        return median(theirs / mine for theirs, mine in pairs)

    def share(self, name: str, operations: float) -> float:
        """Return which share of the matrix products' rate a step of so many `operations` reaches (0 to 1)."""
        return operations / self.timings[name].median / self.product_rate


def measure(
    steps: Mapping[str, Callable[[Tensor], object]],
    batches: Tensor,
    *,
    rounds: int,
    seconds: float,
    product: Callable[[], float],
    synchronise: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
    faults: Callable[[], int] | None = None,
) -> Measurement:
    """Time `steps` on `batches` (n, B, T), each for about `seconds` in each of `rounds` rounds.

    In round r the order begins with contender r, so that none always runs on a warm or a throttled computer. The number
    of steps in a round is fixed after the warm-up. `product` multiplies matrices and returns how many operations
    that took; `synchronise` waits for the device; `faults` counts the process's page faults so far. Raises
    ElectraEduError for fewer than one round, or no time.
    """
    for what, value in (("rounds", rounds), ("seconds", seconds)):
        if not (value > 0 and math.isfinite(value)):
            raise ElectraEduError(f"{what}={value!r}: must be above 0, for example {7 if what == 'rounds' else 1.0}.")
    turns = {name: _Turn(step, batches, synchronise, clock) for name, step in steps.items()}
    counts = {}
    for name, turn in turns.items():
        fastest = min(turn.take(1) for _ in range(WARM_UP))
        counts[name] = max(1, round(seconds / fastest)) if fastest > 0 else 1
    names = list(steps)
    times: dict[str, list[float]] = {name: [] for name in names}
    faulted: dict[str, list[float]] = {name: [] for name in names}
    rates = []
    product()  # the first one may have to load its library
    for i in range(rounds):
        first = i % len(names) if names else 0
        for name in names[first:] + names[:first]:
            before = faults() if faults else 0
            times[name].append(turns[name].take(counts[name]) / counts[name])
            if faults:
                faulted[name].append((faults() - before) / counts[name])
        synchronise()
        began = clock()
        operations = product()
        synchronise()
        rates.append(operations / (clock() - began))
    timings = {name: Timing(name, counts[name], tuple(times[name]), tuple(faulted[name])) for name in names}
    return Measurement(timings, tuple(rates))


class _Turn:
    """A contender and how many steps it has taken through the batches."""

    def __init__(
        self,
        step: Callable[[Tensor], object],
        batches: Tensor,
        synchronise: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._step, self._batches = step, batches
        self._synchronise, self._clock = synchronise, clock
        self._taken = 0

    def take(self, count: int) -> float:
        """Take `count` steps and return the seconds they took together."""
        self._synchronise()
        began = self._clock()
        for _ in range(count):
            self._step(self._batches[self._taken % len(self._batches)])
            self._taken += 1
        self._synchronise()
        return self._clock() - began


def product_on(device: torch.device, dtype: torch.dtype) -> Callable[[], float]:
    """Return a function that multiplies two square matrices on `device` and returns the operations it took."""
    rng = torch.Generator(device).manual_seed(0)
    left, right = (torch.randn(PRODUCT_SIZE, PRODUCT_SIZE, generator=rng, device=device).to(dtype) for _ in range(2))
    count = PRODUCTS_ON_GPU if device.type == "cuda" else 1

    def product() -> float:
        for _ in range(count):
            torch.mm(left, right)
        return 2.0 * count * PRODUCT_SIZE**3

    return product


def synchroniser(device: torch.device) -> Callable[[], None]:
    """Return a function that waits for all work queued on `device`; a CPU queues none."""
    return torch.cuda.synchronize if device.type == "cuda" else lambda: None


def fault_counter() -> Callable[[], int] | None:
    """Return a function that counts this process's minor page faults; None where the system does not report them."""
    try:
        import resource
    except ImportError:  # Windows has none
        return None
    return lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt

"""Long series made fit for a picture."""

import math

import numpy as np
from numpy.typing import ArrayLike

from electra_edu.support.arguments import as_number, refuse


class RunningAverage:
    """Exponential average in which a value counts half as much `half_life` values later.

    It is divided by the weight gathered so far, so it starts at the first value instead of creeping up from zero.
    """

    def __init__(self, half_life: float) -> None:
        """Start empty; raises ElectraEduError when `half_life` is not above 0."""
        number = as_number(half_life)
        if number is None or not number > 0:
            refuse("half_life", half_life, "above 0 (values until a value counts half)")
        half_life = number
        self._keep = 0.5 ** (1 / half_life)
        self._total = self._weight = 0.0

    def add(self, value: float) -> float:
        """Take one more value and return the average; one that is not finite gives NaN and changes nothing."""
        if not math.isfinite(value):
            return math.nan
        self._total = self._keep * self._total + (1 - self._keep) * value
        self._weight = self._keep * self._weight + (1 - self._keep)
        return self._total / self._weight


def smooth(y: ArrayLike, half_life: float) -> list[float]:
    """Return the running average after each value of `y` (N,); NaN where a value is missing.

    Raises ElectraEduError when `half_life` is not above 0.
    """
    average = RunningAverage(half_life)
    try:
        values = np.asarray(y, dtype=float)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # RuntimeError: a tensor that is not on the CPU
        refuse("y", y, "a list of numbers")
    if values.ndim == 0:
        refuse("y", y, "a list of numbers")
    return [average.add(value) for value in values.flatten().tolist()]

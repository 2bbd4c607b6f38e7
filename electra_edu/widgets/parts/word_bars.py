"""The likeliest words for a masked position as bars, with the language's own probabilities beside them."""

from collections.abc import Sequence

from torch import Tensor

from electra_edu.plots.charts import BarChart, Series


def word_bars(
    title: str, names: Sequence[str], who: str, shares: Tensor, exact: Tensor | None, true: int, best: list[int]
) -> BarChart:
    """Return bars of `shares` (V,) and outlines of `exact` (V,) for the words `best`; the true word is highlighted."""
    series = [Series(who, tuple(shares[best].tolist()), "generator")]
    if exact is not None:
        series.append(Series("the language itself", tuple(exact[best].tolist()), "neutral", True))
    highlighted = best.index(true) if true in best else None
    return BarChart(title, tuple(names[i] for i in best), tuple(series), "probability", 1.0, highlighted, True)

"""How a step's time and memory grow: four charts on logarithmic axes, each with the steepest slope that is due."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from electra_edu.plots.blocks import Row
from electra_edu.plots.charts import Curve, LineChart, Subplot
from electra_edu.plots.layout import WIDTH, blocks_height, draw_blocks

LABELS = {  # what the horizontal axis is in
    "sequence length": "sequence length (tokens)",
    "width": "hidden size (units)",
    "layers": "depth (layers of each network)",
    "vocabulary": "vocabulary (tokens)",
}


def growth(rows: Sequence[Mapping[str, Any]], most: Mapping[str, float]) -> Figure:
    """Draw `milliseconds` and `megabytes` of `rows` against `size`, a chart for each `varied`.

    `most` is the exponent with which each may grow: a dashed grey line through the first time.
    """
    charts = [_chart([row for row in rows if row["varied"] == name], name, slope) for name, slope in most.items()]
    blocks = [Row(tuple(charts[i : i + 2])) for i in range(0, len(charts), 2)]
    return draw_blocks(Figure(figsize=(WIDTH, blocks_height(blocks))), blocks)


def _chart(rows: Sequence[Mapping[str, Any]], name: str, slope: float) -> LineChart:
    ordered = sorted(rows, key=lambda row: row["size"])
    sizes = [row["size"] for row in ordered]
    times, memory = ([row[what] for row in ordered] for what in ("milliseconds", "megabytes"))
    steepest = [times[0] * (size / sizes[0]) ** slope for size in sizes]
    curves = [
        Curve("time", sizes, times, "discriminator", marker="circle"),
        Curve(f"slope {slope:g}: the most", sizes, steepest, "neutral", "dashed"),
    ]
    of_memory = [Curve("memory", sizes, memory, "generator", "dotted", "square")]
    return LineChart(
        f"Growth with {name}",
        [
            Subplot("time per step", curves, "ms", "discriminator", _decades([*times, *steepest]), "log"),
            Subplot("memory", of_memory, "MB", "generator", _decades(memory), "log"),
        ],
        LABELS.get(name, name),
        xscale="log",
        xticks=sizes,
    )


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Return a range with at least a decade, so that a flat line looks flat."""
    low, high = min(values), max(values)
    return low / 1.5, max(1.5 * high, 10 * low)

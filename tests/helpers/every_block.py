"""One block of every kind, for both engines: what is drawn by the browser and by matplotlib is the same data."""

import math

from electra_edu.plots.blocks import Block, Code, Fact, Facts, Row, Status, Table, Text, Token, Tokens, Verdict
from electra_edu.plots.charts import (
    Band,
    BarChart,
    Curve,
    Dot,
    Estimate,
    Floor,
    HeatMap,
    Histogram,
    IntervalChart,
    LineChart,
    Series,
    Squares,
    Subplot,
    VerticalLine,
)

WORDS = Tokens(
    (
        Token("the"),
        Token("cook", "5%", "M", "generator", 0.05, "hidden: chef", pressed=True),
        Token("ed", "0%", level=0.0, is_plain=True, continues=True),
    ),
    "A story",
    pick="hide",
    key=(("generator", "M", "masked"),),
)
SHADED = Tokens((Token("door", "✗ 40%", color="generator", tint=0.4),), "Held out", button="New sentence")
BARS = BarChart("Guesses", ("chef", "cook"), (Series("model", (0.5, 0.25), "generator"),), "probability", 1.0, 1, True)
HISTOGRAM = Histogram(
    "Logits",
    (-1.0, 0.0, 1.0),
    (Series("original", (3.0, 1.0)), Series("replaced", (1.0, 2.0), hollow=True)),
    "logit",
    "tokens",
    VerticalLine(0.5, "50%"),
)
ENTROPY = LineChart(
    "H(p)",
    [Subplot("bits", [Curve("entropy", (0.0, 0.5, 1.0), (0.0, 1.0, math.nan), "discriminator", "dashed")],
             dots=[Dot(0.5, 1.0, "most")])],
    "p, a probability",
    (0.0, 1.0),
    lines=[VerticalLine(0.1, "here")],
)  # fmt: skip
OVER_SEEDS = LineChart(
    "Scores over FLOPs",
    [
        Subplot(
            "probe",
            [
                Curve("BERT", (0.1, 1.0, 10.0), (0.2, 0.5, 0.8), "generator", "dashed", "square"),
                Curve("this run", (0.1, 0.5), (0.1, 0.4), "discriminator"),
                Curve("mask 15%", (0.1, 1.0), (0.3, 0.3), "neutral", "pale"),
            ],
            floor=Floor("chance", 0.1),
            bands=[Band("", (0.1, 1.0, 10.0), (0.1, 0.4, 0.7), (0.3, 0.6, 0.9), "generator")],
        ),
        Subplot("loss", [Curve("loss", (0.1, 1.0), (1.0, 0.01))], "nats", yscale="log"),
    ],
    "TFLOP",
    xscale="log",
)
RATIOS = IntervalChart(
    "Speed beside others",
    (Estimate("library A", 2.0, 1.5, 2.5), Estimate("library B", 0.5, 0.25, 1.0, "generator")),
    "times as fast",
    VerticalLine(1.0, "equal"),
    "log",
)
ATTENTION = HeatMap("Attention", ("the", "chef"), ("the", "chef", "sat"), ((0.9, 0.1, 0.0), (0.2, 0.5, math.nan)))
TABLE = Table(("case", "label"), (("not masked", "0"), ("replaced", "1")), "The cases")
SQUARES = Squares("Tokens with a loss", ("generator", None, None, "generator"), per_row=3)
EVERY: list[Block] = [
    WORDS,
    Facts((Fact("77 of 512", "tokens have a loss", "generator"), Fact("6.6 ×", "more places"))),
    Text("Everything else is context.", "stop"),
    Code("loss.backward()"),
    Row((BARS, HISTOGRAM)),
    ENTROPY,
    TABLE,
    SQUARES,
    SHADED,
    OVER_SEEDS,
    RATIOS,
    ATTENTION,
    Verdict("learning", "It is learning."),
    Status("step 3"),
]

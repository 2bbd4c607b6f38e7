"""Blocks: plain data that checks itself, as the browser gets it and in words."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from every_block import ENTROPY, EVERY, OVER_SEEDS

from electra_edu.plots.blocks import Verdict, in_words, to_dict
from electra_edu.plots.charts import Band, Curve, Floor, HeatMap, Subplot
from electra_edu.support.errors import ElectraEduError


def test_blocks_travel_as_json() -> None:
    data = [to_dict(block) for block in EVERY]
    assert json.loads(json.dumps(data, allow_nan=False))[0]["tokens"][1]["note"] == "5%"
    assert [each["kind"] for each in data] == [type(block).__name__ for block in EVERY]
    assert [each["kind"] for each in data[4]["blocks"]] == ["BarChart", "Histogram"]


def test_what_is_missing_travels_as_null() -> None:
    """NaN is no JSON: a browser would refuse the whole message."""
    curve = Curve("AUC", np.array([1, 2, 3]), [5.5, None, math.inf])
    assert to_dict(ENTROPY)["subplots"][0]["curves"][0]["y"] == [0.0, 1.0, None]
    assert to_dict(Floor("H(p)", 0.25))["y"] == 0.25  # type: ignore[arg-type]
    assert to_dict(curve) | {"kind": ""} == {  # type: ignore[arg-type]
        "kind": "", "name": "AUC", "x": [1, 2, 3], "y": [5.5, None, None], "color": "ink", "style": "solid",
        "marker": "",
    }  # fmt: skip


def test_blocks_are_told_in_words() -> None:
    words_shown = in_words(EVERY)
    assert words_shown.startswith("A story: the cook (5%) ed (0%). 77 of 512 tokens have a loss. 6.6 × more places.")
    for words in (
        "Everything else is context.",
        "Guesses (probability)",
        "H(p), over p, a probability. entropy ends at 1.",
        "not masked, 0; replaced, 1",
        "2 of 4 squares",
        "BERT ends at 0.8.",
        "library A 2 [1.5, 2.5]",
        "Attention, 2 × 3",
        "It is learning.",
        "step 3.",
    ):
        assert words in words_shown
    assert in_words([OVER_SEEDS]).count("ends at") == 4


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Curve("auc", [], [], "discriminater"), r"color='discriminater'.*Did you mean 'discriminator'"),
        (lambda: Curve("auc", [], [], "probe", "bold"), r"style='bold': must be one of solid, raw"),
        (lambda: Curve("auc", [], [], "probe", marker="x"), r"marker='x': must be one of"),
        (lambda: Curve("auc", [1, 2], [0.5]), r"Curve 'auc': x has 2 values and y 1"),
        (lambda: Band("seeds", [1, 2], [1, 2], [0.5]), r"Band 'seeds': x has 2 values and high 1"),
        (lambda: Floor("H(p)", [0.3, 0.3]), r"Floor 'H\(p\)': y=.*curve with its x"),
        (lambda: Floor("H(p)", math.nan), r"Floor 'H\(p\)': y=nan"),
        (lambda: Floor("H(p)", [0.3], [1, 2]), r"x has 2 values and y 1"),
        (lambda: Subplot("loss", [], ylim=(1, 1)), r"ylim=\(1, 1\)"),
        (lambda: Subplot("loss", [], yscale="square"), r"yscale='square'"),
        (lambda: HeatMap("layers", ("1",), ("a", "b"), ((1.0,),)), r"HeatMap 'layers': must be 1 rows of 2"),
        (lambda: Verdict("great", "Yes."), r"state='great'"),
        (lambda: Verdict("idle", "word " * 26), r"26 words; at most 25"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(ElectraEduError, match=message):
        build()


def test_a_verdict_may_have_25_words() -> None:
    assert Verdict("idle", "word " * 25).state == "idle"

"""GrowingCurve and StageLog: what grows with a run says the same as reading all of it anew."""

import math
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import small_config, step_record

from electra_edu.config import ElectraConfig
from electra_edu.plots.growing_curve import GrowingCurve
from electra_edu.training import Change, Stage, StepRecord
from electra_edu.training.schemes import trained_at
from electra_edu.training.stages import StageLog

VALUES = st.one_of(st.just(math.nan), st.just(math.inf), st.floats(-1e6, 1e6))


def grown(values: list[float], most: int) -> tuple[list[float], list[float]]:
    curve = GrowingCurve(most)
    for x, y in enumerate(values):
        curve.add(x, y)
    return curve.points()


@given(st.lists(VALUES, min_size=1, max_size=150), st.integers(6, 40))
def test_it_keeps_ends_extremes_and_order_within_the_limit(values: list[float], most: int) -> None:
    x, y = grown(values, most)
    assert len(x) == len(y) <= most
    assert (x[0], x[-1]) == (0, len(values) - 1)
    assert (np.diff(x) > 0).all()
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        assert (np.nanmin(y), np.nanmax(y)) == (min(finite), max(finite))
    for place, value in zip(x, y, strict=True):
        original = values[int(place)]
        assert value == original or (math.isnan(value) and not math.isfinite(original))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 237, 239])
def test_a_short_curve_is_there_as_a_whole(n: int) -> None:
    assert grown([float(i % 7) for i in range(n)], 240) == ([*range(n)], [float(i % 7) for i in range(n)])


def test_a_long_one_uses_its_room() -> None:
    for n in (300, 1_000, 5_000, 20_001):
        x, _ = grown([math.sin(i) for i in range(n)], 240)
        assert 115 <= len(x) <= 240
        assert max(np.diff(x)) <= 4 * n / 115


def test_a_gap_stays_where_a_stretch_has_no_value() -> None:
    values = [1.0] * 1_000 + [math.nan] * 1_000 + [2.0] * 1_000
    x, y = grown(values, 60)
    assert any(math.isnan(value) and 1_000 <= place < 2_000 for place, value in zip(x, y, strict=True))


def stages_at_once(config: ElectraConfig, history: list[StepRecord], changes: list[Change]) -> list[Stage]:
    """Cut the whole history at its changes, and each part where another network is trained."""
    changed: dict[int, dict[str, float]] = {}
    for change in changes:
        changed.setdefault(change.step, {})[change.field] = change.after
    starts = sorted({0, len(history), *changed})
    made: list[Stage] = []
    for start, end in zip(starts, [*starts[1:], len(history)], strict=True):
        asked = [None if r.trained == trained_at(r.step - 1, config) else r.trained for r in history[start:end]]
        parts = [(len(list(group)), trained) for trained, group in groupby(asked)]
        settings = changed.get(start, {})
        for steps, trained in parts or ([(0, None)] if settings else []):
            made.append(Stage(settings, steps, trained))
            settings = {}
    return made


ASKED = st.one_of(
    st.tuples(st.just("train"), st.sampled_from([None, "generator", "discriminator", "both"])),
    st.tuples(st.sampled_from(["rtd_weight", "mask_prob"]), st.sampled_from([0.1, 0.2, 0.3])),
    st.just(("look", None)),
)


@given(
    st.lists(ASKED, max_size=40),
    st.sampled_from([{}, {"scheme": "two-stage", "generator_steps": 3, "weight_sharing": "none"}]),
)
def test_a_log_that_grows_has_the_run_s_stages(asked: list[tuple[str, Any]], scheme: dict[str, Any]) -> None:
    config = small_config(**scheme)
    history: list[StepRecord] = []
    changes: list[Change] = []
    log = StageLog(config)
    for what, how in asked:
        step = len(history)
        if what == "train":
            history.append(step_record(step + 1, trained=how or trained_at(step, config)))
        elif what == "look":
            log.read(history, changes)
        else:
            changes.append(Change(step, what, 0.5, how))
    assert log.read(history, changes) == stages_at_once(config, history, changes) == log.read(history, changes)

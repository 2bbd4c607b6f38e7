"""Runs on a device other than the CPU: no float64, no tensor left elsewhere, and one wait for it a step."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from fake_device import fake_device
from hypothesis import given
from hypothesis import strategies as st
from small import KINDS, rng, small_config, small_corpus, toy_corpus

import electra_edu as edu
from electra_edu.config import ElectraConfig, preset
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.corpora.corpus import Corpus
from electra_edu.evaluation.detection import calibrate
from electra_edu.model.masking import choose_positions
from electra_edu.training import TrainingRun

TINY = {"hidden_size": 16, "embedding_size": 8, "num_layers": 1, "num_heads": 2, "batch_size": 4}


ALL = [*KINDS, {"generator_kind": "uniform"}, {"generator_kind": "exact"}]


def made(kind: dict[str, Any]) -> tuple[ElectraConfig, Corpus]:
    """Return a small config of this kind and a corpus for it; the exact generator knows the toy language alone."""
    if kind.get("generator_kind") == "exact":
        return preset("toy", **TINY, **kind), replace(toy_corpus(), heldout=toy_corpus().heldout[:8])
    return small_config(batch_size=2, **kind), small_corpus(heldout=8)


@pytest.mark.fault(
    "Devices and settings",
    seen='with device="mps" the first step stopped, because masking and two generators used float64, which MPS has '
    "not; on every GPU a step waited for up to five small copies from the host",
)
@pytest.mark.parametrize("kind", ALL, ids=str)
def test_a_device_without_float64_trains_as_the_cpu_does_and_waits_once_a_step(kind: dict[str, Any]) -> None:
    """The one wait is for the metrics; what is made once, such as the order of an epoch, may wait too."""
    config, corpus = made(kind)
    with fake_device() as device:
        run = TrainingRun(config, corpus, device="mps")
        first = run.advance(1)[0]
        run.advance(3)  # into the second stage of a scheme
        device.waits.clear()
        run.advance(1)
        waits = device.waits[:]
        run.evaluate()
        if OBJECTIVES[config.objective].predicts == "replaced":
            edu.detect(run, "the cook stirs soup" if corpus.name == "small" else "the chef cooked the soup .")
            calibrate(run)
    on_cpu = TrainingRun(config, corpus, device="cpu").advance(1)[0]
    assert first.loss == pytest.approx(on_cpu.loss, rel=1e-4)
    assert first.grad_norm == pytest.approx(on_cpu.grad_norm, rel=1e-3)
    assert (first.tokens, first.replaced_rate) == pytest.approx((on_cpu.tokens, on_cpu.replaced_rate), nan_ok=True)
    if config.generator_kind != "exact":  # that one computes on the host
        assert waits == ["_to_copy to the host"]


@given(
    st.lists(st.lists(st.booleans(), min_size=40, max_size=40), min_size=1, max_size=6),
    st.integers(1, 40),
    st.one_of(st.floats(0.01, 0.99), st.integers(1, 99).map(lambda n: n / 100)),
    st.integers(0, 2**32),
)
def test_slots_are_used_as_double_precision_says(rows: list[list[bool]], length: int, rate: float, seed: int) -> None:
    """A row of n ordinary tokens uses floor(n × rate + ½) slots, in double precision: masks stay what they were."""
    ordinary = torch.tensor(rows)[:, :length]
    positions, used = choose_positions(ordinary, rate, rng(seed))
    count = (ordinary.sum(-1, keepdim=True).double() * rate + 0.5).floor().clamp(min=1)
    score = torch.rand(ordinary.shape, generator=rng(seed)).masked_fill(~ordinary, -1.0)
    score, expected = score.topk(positions.shape[-1], dim=-1)
    assert torch.equal(positions, expected)
    assert torch.equal(used, (torch.arange(positions.shape[-1]) < count) & (score >= 0))


def test_the_fake_device_refuses_what_a_real_one_would() -> None:
    with fake_device() as device:
        there = torch.ones(3, device="mps")
        with pytest.raises(TypeError, match="float64"):
            there.double()
        with pytest.raises(TypeError, match="float64"):
            torch.ones(3, dtype=torch.float64, device="mps")
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(3)
        with pytest.raises(RuntimeError, match="same device"):
            torch.stack([there[0], torch.tensor(1.0)])
        assert not device.waits
        assert float(there.sum()) == 3
        assert there.tolist() == [1, 1, 1]
        assert there[there > 0].shape == (3,)
        torch.tensor(1.0).to("mps")
        there.new_tensor(1.0)
        assert len(device.waits) == 5

"""The schedule of the learning rates: factors worked out by hand, and each optimiser's own rate."""

import pytest
from small import rng, small_config

from electra_edu.model.electra import Electra
from electra_edu.training.optim import (
    Muon,
    make_optimizers,
)
from electra_edu.training.schedule import rate_factor, set_rates


def test_rates_warm_up_and_stay() -> None:
    config = small_config(warmup_steps=4)
    factors = [rate_factor(step, config) for step in (0, 1, 2, 3, 4, 5, 10_000)]
    assert factors == pytest.approx([1 / 5, 2 / 5, 3 / 5, 4 / 5, 1, 1, 1])
    assert rate_factor(0, config.replace(warmup_steps=0)) == 1


def test_with_a_horizon_warm_up_and_decay_overlap() -> None:
    config = small_config(warmup_steps=4, training_steps=10)
    factors = [rate_factor(step, config) for step in (0, 2, 4, 5, 9, 10, 11)]
    assert factors == pytest.approx([1 / 5 * 1.0, 3 / 5 * 0.8, 0.6, 0.5, 0.1, 0, 0])


@pytest.mark.parametrize("optimizer", ["muon", "paper-adam", "adamw"])
def test_each_optimiser_gets_its_own_rate(optimizer: str) -> None:
    config = small_config(optimizer=optimizer, learning_rate=0.01, muon_learning_rate=0.4, warmup_steps=3)
    optimizers = make_optimizers(Electra(config, rng()), config)
    assert set_rates(optimizers, config, step=1) == pytest.approx(0.005)  # 2/4 of it
    for made in optimizers:
        expected = 0.2 if isinstance(made, Muon) else 0.005
        assert all(group["lr"] == pytest.approx(expected) for group in made.param_groups)

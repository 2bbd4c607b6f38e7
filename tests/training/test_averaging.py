"""The average of the weights, by hand."""

import pytest
import torch
from small import rng, small_config
from torch import nn

from electra_edu.model.electra import Electra
from electra_edu.training.averaging import update_average


def test_the_average_by_hand() -> None:
    """Shares 1, 3/4, 3/5, …: 10, then 10 + ¾ · 4 = 13, then 13 + ⅗ · 5 = 16; after 147 steps 1/50."""
    average, model = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    seen = []
    for step, weight in ((0, 10.0), (1, 14.0), (2, 18.0), (147, 66.0), (9999, 117.0)):
        nn.init.constant_(model.weight, weight)
        update_average(average, model, step)
        seen.append(average.weight.item())
    assert seen == pytest.approx([10, 13, 16, 17, 19])
    update_average(average, model, 9999, horizon=2)
    assert average.weight.item() == pytest.approx(68)


def test_the_average_moves_shared_weights_once() -> None:
    model = Electra(small_config(), rng())
    average = Electra(small_config(), rng(1))
    start = average.generator.encoder.embeddings.token.weight.detach().clone()
    update_average(average, model, 9)  # 3/12
    expected = start + (model.generator.encoder.embeddings.token.weight - start) / 4
    torch.testing.assert_close(average.discriminator.encoder.embeddings.token.weight, expected)

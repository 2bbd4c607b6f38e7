"""Positions and bits against torch's entropies."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import rng, small_config, small_corpus
from torch.distributions import Bernoulli, Categorical

from electra_edu.config import preset
from electra_edu.efficiency import learning_signal
from electra_edu.model.masking import mask
from electra_edu.support.errors import ElectraEduError

BASE = preset("paper-base")  # 512 tokens, 30,522 words, 15%


def bits(nats: torch.Tensor) -> float:
    return nats.item() / math.log(2)


def test_512_tokens() -> None:
    """0.15 · 512 = 76.8 → 77 positions, as in the official code; log2(30522) = 14.9."""
    signal = learning_signal(BASE, replaced_rate=0.1)
    assert (signal.mlm.positions, signal.rtd.positions) == (77, 512)
    assert signal.mlm.share == pytest.approx(0.1504, abs=5e-5)
    assert signal.rtd.share == 1
    assert signal.mlm.bits_per_label == signal.mlm.uniform_bits_per_label == pytest.approx(14.8976, abs=5e-5)
    assert round(signal.mlm.bits) == round(signal.mlm.uniform_bits) == 1147
    assert signal.rtd.bits_per_label == pytest.approx(0.469, abs=5e-4)
    assert round(signal.rtd.bits) == 240
    assert round(learning_signal(BASE, replaced_rate=0.15).rtd.bits) == 312
    assert signal.rtd.uniform_bits == 512
    assert signal.rtd.bits_per_token == signal.rtd.bits_per_label
    assert signal.mlm.bits_per_token == pytest.approx(1147.1 / 512, rel=1e-4)


def test_by_default_6_percent_of_the_tokens_are_replaced() -> None:
    assert learning_signal(BASE).rtd.bits_per_label == pytest.approx(bits(Bernoulli(torch.tensor(0.06)).entropy()))


@given(st.floats(0, 1))
def test_an_rtd_label_has_the_entropy_of_the_replaced_rate(rate: float) -> None:
    expected = bits(Bernoulli(torch.tensor(rate, dtype=torch.float64)).entropy())
    assert learning_signal(BASE, replaced_rate=rate).rtd.bits_per_label == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=16).filter(any))
def test_a_word_has_the_entropy_of_its_frequencies(frequencies: list[int]) -> None:
    signal = learning_signal(small_config(), word_frequencies=frequencies)
    expected = bits(Categorical(torch.tensor(frequencies, dtype=torch.float64)).entropy())
    assert signal.mlm.bits_per_label == pytest.approx(expected, abs=1e-9)
    assert signal.mlm.uniform_bits_per_label == 4  # 16 words
    assert signal.mlm.bits_per_label <= 4 + 1e-9


def test_a_corpus_has_fewer_bits_than_its_vocabulary() -> None:
    counts = torch.bincount(small_corpus().train.flatten(), minlength=16)
    signal = learning_signal(small_config(), word_frequencies=counts.tolist()).mlm
    assert 0 < signal.bits < signal.uniform_bits == 8  # 2 positions of 16 words


@pytest.mark.parametrize("mask_prob", [0.01, 0.15, 0.25, 0.5, 0.99])
def test_positions_are_those_that_masking_chooses(mask_prob: float) -> None:
    config = small_config(mask_prob=mask_prob)
    words_only = torch.full((1, config.max_seq_length), 7)
    masked = int(mask(words_only, config, rng()).is_masked.sum())
    assert learning_signal(config).mlm.positions == masked


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan, "0.1", True])
def test_an_invalid_rate_is_refused(rate: Any) -> None:
    with pytest.raises(ElectraEduError, match=r"replaced_rate=.*from 0 to 1"):
        learning_signal(BASE, replaced_rate=rate)


@pytest.mark.parametrize("frequencies", [[], [0, 0], [1, -1, 5], [math.nan], [math.inf], [1] * 17], ids=str)
def test_invalid_frequencies_are_refused(frequencies: list[float]) -> None:
    with pytest.raises(ElectraEduError, match="word_frequencies: must be at most vocab_size=16"):
        learning_signal(small_config(), word_frequencies=frequencies)

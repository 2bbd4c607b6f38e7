"""The encoder: rotary and learned positions, attention without padding, states at positions, initial weights."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import CLS, PAD, SEP, equal, rng, small_config, weights
from torch import Tensor, nn

from electra_edu.config import ElectraConfig
from electra_edu.model.encoder import Embeddings, Encoder, initialise, rotate, rotations
from electra_edu.support.errors import ElectraEduError

CPU = torch.device("cpu")


def encoder(config: ElectraConfig, seed: int = 0) -> Encoder:
    made = Encoder(config, config.discriminator, Embeddings(config))
    initialise(made, config.initializer_range, rng(seed))
    return made


def rotated_at(x: Tensor, position: int) -> Tensor:
    """Return the vector x (d,), rotated as at `position`."""
    turns = rotations(position + 1, len(x), CPU)
    return rotate(x[None, None], turns[position:])[0, 0]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 60), st.integers(0, 2**32))
def test_a_rotary_score_depends_on_the_distance_alone(i: int, j: int, shift: int, seed: int) -> None:
    query, key = torch.randn(2, 8, generator=rng(seed), dtype=torch.float32)
    here = rotated_at(query, i) @ rotated_at(key, j)
    there = rotated_at(query, i + shift) @ rotated_at(key, j + shift)
    assert there.item() == pytest.approx(here.item(), abs=2e-4)


def test_rotary_scores_differ_between_distances() -> None:
    query = key = torch.ones(8)
    scores = [(rotated_at(query, i) @ rotated_at(key, 0)).item() for i in range(4)]
    assert len({round(score, 3) for score in scores}) == 4


def test_rotating_is_sines_and_cosines_and_keeps_the_length() -> None:
    """Pair m of a vector at position t turns by t · 10000^(-2m / d) (RoFormer, equation 15)."""
    length, heads, d = 7, 2, 6
    x = torch.randn(length, heads, d, generator=rng())
    expected = torch.empty_like(x)
    for t in range(length):
        for m in range(d // 2):
            angle = t * 10000 ** (-2 * m / d)
            a, b = x[t, :, 2 * m], x[t, :, 2 * m + 1]
            expected[t, :, 2 * m] = a * math.cos(angle) - b * math.sin(angle)
            expected[t, :, 2 * m + 1] = a * math.sin(angle) + b * math.cos(angle)
    rotated = rotate(x, rotations(length, d, CPU))
    torch.testing.assert_close(rotated, expected)
    torch.testing.assert_close(rotated.norm(dim=-1), x.norm(dim=-1))


def test_rotary_positions_are_relative() -> None:
    """Three unattended tokens in front move a sentence to the right and do not change its states."""
    config = small_config(max_seq_length=8)
    network = encoder(config)
    sentence = torch.tensor([[CLS, 5, 6, 7, SEP]])
    moved = torch.cat([torch.full((1, 3), PAD), sentence], dim=1)
    states = network(moved, (moved != PAD).long())[:, 3:]
    torch.testing.assert_close(states, network(sentence), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(network(sentence.flip(1)).flip(1), network(sentence), atol=1e-3)  # but order is seen


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_no_token_attends_to_padding(positions: str) -> None:
    network = encoder(small_config(positions=positions))
    sentence = torch.tensor([[CLS, 5, 6, SEP]])
    padded = torch.tensor([[CLS, 5, 6, SEP, 9, 10]])  # padding need not be [PAD]
    states = network(padded, torch.tensor([[1, 1, 1, 1, 0, 0]]))[:, :4]
    torch.testing.assert_close(states, network(sentence), atol=1e-6, rtol=1e-5)
    assert not torch.allclose(network(padded)[:, :4], network(sentence), atol=1e-3)  # unmasked they would be read


def test_a_row_of_nothing_but_padding_stays_finite() -> None:
    states = encoder(small_config())(torch.full((2, 5), PAD), torch.zeros(2, 5))
    assert states.isfinite().all()


def test_widths_are_projected_where_they_differ() -> None:
    same, narrow = encoder(small_config(embedding_size=16)), encoder(small_config(embedding_size=6))
    assert same.project is None
    assert narrow.project is not None
    assert narrow.project.weight.shape == (16, 6)
    assert narrow(torch.tensor([[CLS, 5, SEP]])).shape == (1, 3, 16)


def test_the_first_token_type_is_the_default() -> None:
    network, tokens = encoder(small_config()), torch.tensor([[CLS, 5, 6, SEP]])
    torch.testing.assert_close(network(tokens), network(tokens, token_type_ids=torch.zeros_like(tokens)))
    assert not torch.allclose(network(tokens), network(tokens, token_type_ids=torch.ones_like(tokens)))


@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_states_at_positions_are_the_full_states_there(positions: str, num_layers: int) -> None:
    """In any order, one of them twice, with padding beside them; and the last block makes no others."""
    network = encoder(small_config(positions=positions, num_layers=num_layers))
    tokens = torch.randint(5, 16, (2, 8), generator=rng())
    real = torch.arange(8) < torch.tensor([[8], [5]])
    wanted, sizes = torch.tensor([[6, 0, 3], [4, 4, 1]]), []
    for block in network.blocks:
        block.widen.register_forward_hook(lambda _module, inputs, _out: sizes.append(inputs[0].shape[1]))
    there = network(tokens, real, positions=wanted)
    assert sizes == [8] * (num_layers - 1) + [3]
    torch.testing.assert_close(there, torch.stack([network(tokens, real)[row, wanted[row]] for row in range(2)]))
    unread = network(tokens, real, layers=0)  # what the first block would read
    expected = torch.stack([unread[row, wanted[row]] for row in range(2)])
    assert torch.equal(network(tokens, real, layers=0, positions=wanted), expected)


def test_a_sequence_longer_than_the_learned_positions_is_refused() -> None:
    network = encoder(small_config(positions="learned", max_position_embeddings=12))
    assert network(torch.full((1, 12), 5)).shape == (1, 12, 16)
    with pytest.raises(ElectraEduError, match=r"13 tokens is longer than max_position_embeddings=12: cut the text"):
        network(torch.full((1, 13), 5))
    assert encoder(small_config())(torch.full((1, 50), 5)).shape == (1, 50, 16)  # rotary positions have no end


@pytest.mark.parametrize(("initializer_range", "linear_std"), [(0.02, 0.02), (None, 1 / math.sqrt(256))])
def test_weights_are_drawn_with_the_configured_deviation(initializer_range: float | None, linear_std: float) -> None:
    config = small_config(vocab_size=500, embedding_size=256, hidden_size=256, num_heads=4)
    network = encoder(config.replace(initializer_range=initializer_range))
    for part in network.modules():
        if isinstance(part, nn.Linear) and part.in_features == 256:
            assert part.weight.std().item() == pytest.approx(linear_std, rel=0.02)
            assert not part.bias.any()
        elif isinstance(part, nn.LayerNorm):
            assert (part.weight == 1).all()
            assert not part.bias.any()
    assert network.embeddings.token.weight.std().item() == pytest.approx(0.02, rel=0.02)


def test_weights_are_drawn_from_the_given_generator_alone() -> None:
    before = torch.get_rng_state()
    first, again, other = (weights(encoder(small_config(), seed)) for seed in (1, 1, 2))
    assert equal(first, again)
    assert not equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)

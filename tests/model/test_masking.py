"""Masking: which positions are chosen, which never are, and the corrupted input of the discriminator."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import CLS, MASK, PAD, SEP, UNK, VOCAB_SIZE, rng, small_config, token_rows
from torch import Tensor

from electra_edu.model.masking import Masking, choose_positions, corrupt, is_ordinary, mask
from electra_edu.support.errors import ElectraEduError

NEVER_MASKED = (PAD, CLS, SEP, MASK)


def sentences(*ordinary: int) -> Tensor:
    """Return [CLS], so many ordinary tokens and [SEP] in each row, then padding."""
    return token_rows([CLS, *([5] * n), SEP] for n in ordinary)


def test_ordinary_is_all_but_four_special_tokens() -> None:
    tokens = torch.tensor([[CLS, 5, UNK, MASK, 15, SEP, PAD]])
    assert is_ordinary(tokens, small_config()).tolist() == [[False, True, True, False, True, False, False]]


@pytest.mark.parametrize(
    ("rate", "ordinary", "masked"),
    [
        (0.15, 7, 1),  # 1.05
        (0.15, 10, 2),  # 1.5, up
        (0.25, 6, 2),  # 1.5, up
        (0.5, 5, 3),  # 2.5, up: rounding to even would give 2
        (0.5, 1, 1),  # 0.5, up: rounding to even would give 0
        (0.15, 3, 1),  # 0.45 is 0, but at least one
        (0.01, 1, 1),
        (0.99, 4, 4),  # 3.96
        (0.15, 0, 0),  # nothing to hide
    ],
)
def test_the_number_of_masked_tokens_is_rounded_half_up(rate: float, ordinary: int, masked: int) -> None:
    masking = mask(sentences(ordinary, 20), small_config(mask_prob=rate), rng())
    assert masking.is_masked[0].sum() == masked == masking.used[0].sum()


@given(
    rows=st.lists(st.lists(st.integers(0, VOCAB_SIZE - 1), min_size=1, max_size=30), min_size=1, max_size=5),
    rate=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32),
)
def test_any_text_has_the_right_number_masked_and_no_special_token(
    rows: list[list[int]], rate: float, seed: int
) -> None:
    tokens = token_rows(rows)
    masking = mask(tokens, small_config(mask_prob=rate), rng(seed))
    for row, is_masked, read in zip(tokens.tolist(), masking.is_masked.tolist(), masking.tokens.tolist(), strict=True):
        ordinary = sum(token not in NEVER_MASKED for token in row)
        expected = max(1, math.floor(rate * ordinary + 0.5)) if ordinary else 0
        assert sum(is_masked) == expected
        assert not any(token in NEVER_MASKED for token, hidden in zip(row, is_masked, strict=True) if hidden)
        assert read == [MASK if hidden else token for token, hidden in zip(row, is_masked, strict=True)]


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_positions_outside_the_attention_mask_are_never_masked(attended: list[bool], rate: float, seed: int) -> None:
    tokens = torch.full((1, len(attended)), 5)
    masking = mask(tokens, small_config(mask_prob=rate), rng(seed), torch.tensor([attended]).long())
    assert not (masking.is_masked & ~torch.tensor([attended])).any()
    assert masking.is_masked.sum() == (max(1, math.floor(rate * sum(attended) + 0.5)) if any(attended) else 0)


def test_slots_are_the_masked_positions_and_their_number_is_fixed() -> None:
    """The shape depends on rate and length alone: round(0.5 × 12) = 6 slots, of which a row uses what it needs."""
    masking = mask(sentences(10, 3, 0), small_config(mask_prob=0.5), rng())
    assert masking.positions.shape == (3, 6)
    assert masking.used.sum(-1).tolist() == [5, 2, 0]  # 5, 1.5 up, nothing
    for row in range(3):
        slots = masking.positions[row][masking.used[row]].tolist()
        assert sorted(slots) == masking.is_masked[row].nonzero().flatten().tolist()


def test_every_ordinary_position_is_equally_likely() -> None:
    """Chi-square over 10 ordinary positions, 3 of which are chosen in each of 4,000 rows: 1,200 times each.

    Drawing without replacement varies less by (10 - 3) / (10 - 1); a chi-square of 9 degrees of freedom exceeds 27.9
    once in a thousand times. Padding and special tokens between them must not change that.
    """
    row = [CLS, 5, 6, 7, SEP, 8, 9, 10, 11, 12, 13, 14, SEP, PAD, PAD]
    tokens = torch.tensor([row] * 4000)
    chosen = mask(tokens, small_config(), rng(1)).is_masked.sum(0)[[i for i, t in enumerate(row) if t > MASK]]
    assert chosen.sum() == 12_000
    chi_square = ((chosen - 1200) ** 2 / 1200).sum() * (10 - 1) / (10 - 3)
    assert chi_square < 27.9


def test_masking_depends_on_the_given_generator_alone() -> None:
    tokens, config = sentences(*[10] * 50), small_config()
    before = torch.get_rng_state()
    first, again, other = (mask(tokens, config, rng(seed)).is_masked for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_only_changed_tokens_are_labelled_replaced() -> None:
    """Three slots: another token, the original one, and a surplus slot that must not change its position."""
    tokens = torch.tensor([[CLS, 5, 6, 7, SEP]])
    masking = Masking(
        tokens=torch.tensor([[CLS, MASK, 6, MASK, SEP]]),
        is_masked=torch.tensor([[False, True, False, True, False]]),
        positions=torch.tensor([[3, 1, 2]]),
        used=torch.tensor([[True, True, False]]),
    )
    corruption = corrupt(tokens, masking, samples=torch.tensor([[9, 5, 9]]))
    assert corruption.tokens.tolist() == [[CLS, 5, 6, 9, SEP]]
    assert corruption.is_replaced.tolist() == [[False, False, False, True, False]]


@given(st.integers(0, 2**32), st.floats(0.05, 0.95))
def test_only_masked_positions_can_be_replaced(seed: int, rate: float) -> None:
    tokens = torch.randint(0, VOCAB_SIZE, (4, 9), generator=rng(seed))
    masking = mask(tokens, small_config(mask_prob=rate), rng(seed + 1))
    samples = torch.randint(0, VOCAB_SIZE, masking.positions.shape, generator=rng(seed + 2))
    corruption = corrupt(tokens, masking, samples)
    assert torch.equal(corruption.tokens[~masking.is_masked], tokens[~masking.is_masked])
    assert torch.equal(corruption.is_replaced, corruption.tokens != tokens)
    filled = tokens.clone()
    for row, slot in masking.used.nonzero().tolist():  # brute force: one slot after the other
        filled[row, masking.positions[row, slot]] = samples[row, slot]
    assert torch.equal(corruption.tokens, filled)


def test_positions_can_be_chosen_without_a_config() -> None:
    positions, used = choose_positions(torch.tensor([[True, True, False, True]]), 0.5, rng())
    assert positions.shape == (1, 2)  # round(0.5 × 4) slots
    assert used.tolist() == [[True, True]]  # 0.5 × 3 = 1.5, up
    assert 2 not in positions.tolist()[0]


@pytest.mark.parametrize(
    "tokens",
    [torch.tensor([1, 2]), torch.ones(2, 3), torch.ones(2, 3, dtype=torch.int32), torch.ones(2, 0, dtype=torch.int64)],
    ids=["one row", "floats", "int32", "no tokens"],
)
def test_anything_but_a_batch_of_token_ids_is_refused(tokens: Tensor) -> None:
    with pytest.raises(ElectraEduError, match=r"tokens: expected int64 token ids of shape \(batch, length\), got"):
        mask(tokens, small_config(), rng())


def test_an_attention_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ElectraEduError, match=r"attention_mask: expected the shape of tokens, \(2, 5\), got \(5,\)"):
        mask(torch.full((2, 5), 5), small_config(), rng(), torch.ones(5))

"""The generator: logits at the requested positions, and samples that follow the softmax."""

import pytest
import torch
from small import MASK, rng, small_config
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.model.encoder import Embeddings, initialise
from electra_edu.model.generator import Generator, gumbel_max, sample
from electra_edu.support.errors import ElectraEduError

DRAWS = 20_000
IMPOSSIBLE = float("-inf")
LOGITS = torch.tensor([1.0, 0.0, IMPOSSIBLE, -1.0, 2.0, -0.5, IMPOSSIBLE])
CRITICAL = 18.5  # a chi-square of 4 degrees of freedom (5 possible tokens) exceeds it once in a thousand times


def generator(config: ElectraConfig) -> Generator:
    made = Generator(config, Embeddings(config))
    initialise(made, config.initializer_range, rng())
    return made


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("draw", [sample, gumbel_max])
def test_draws_follow_the_softmax_at_a_temperature(draw: object, temperature: float) -> None:
    drawn = draw(LOGITS.repeat(DRAWS, 1), temperature, rng(7))
    weights = [0.0 if logit == IMPOSSIBLE else 2.718281828459045 ** (logit / temperature) for logit in LOGITS.tolist()]
    expected = torch.tensor(weights) / sum(weights) * DRAWS
    seen = torch.bincount(drawn, minlength=len(LOGITS))
    possible = expected > 0
    assert seen[~possible].sum() == 0
    assert ((seen - expected)[possible] ** 2 / expected[possible]).sum() < CRITICAL


def test_a_token_of_probability_zero_is_never_drawn() -> None:
    """A uniform number of exactly 0 must not pick a leading token of probability 0, nor the largest a trailing one."""
    logits = torch.full((9,), IMPOSSIBLE)
    logits[4] = -3.0
    assert (sample(logits.repeat(DRAWS, 1), 1.0, rng()) == 4).all()


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-24], ids=["smallest", "largest"])
def test_the_ends_of_the_uniform_numbers_draw_possible_tokens(uniform: float, monkeypatch: pytest.MonkeyPatch) -> None:
    logits = torch.randn(50, 300, generator=rng())
    logits[:, :3] = logits[:, -3:] = IMPOSSIBLE
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.full(*shape, uniform))
    drawn = sample(logits, 1.0, rng())
    assert logits.gather(-1, drawn[:, None]).isfinite().all()


def test_nan_logits_still_draw_a_token() -> None:
    """A run has to stop at the loss that is not finite, and not at an id outside the vocabulary."""
    assert (sample(torch.full((20, 7), float("nan")), 1.0, rng()) < 7).all()


def test_half_precision_logits_draw_every_token() -> None:
    """In bfloat16 a running sum of 512 equal probabilities would stop growing at about a half."""
    logits = torch.zeros(DRAWS, 512, dtype=torch.bfloat16)
    seen = torch.bincount(sample(logits, 1.0, rng(3)), minlength=512)
    expected = DRAWS / 512
    assert ((seen - expected) ** 2 / expected).sum() < 615  # the one-in-a-thousand value of 511 degrees of freedom


def test_one_uniform_number_is_drawn_for_each_row_from_the_given_generator() -> None:
    before, used, expected = torch.get_rng_state(), rng(5), rng(5)
    drawn = sample(torch.randn(3, 4, 9, generator=rng()), 1.0, used)
    torch.rand(3, 4, generator=expected)
    assert drawn.shape == (3, 4)
    assert drawn.dtype == torch.int64
    assert torch.equal(used.get_state(), expected.get_state())
    gumbel_max(torch.zeros(2, 3), 1.0, used)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_coarse_logits_are_drawn_from_in_float32(dtype: torch.dtype) -> None:
    coarse = (3 * torch.randn(2000, 50, generator=rng())).to(dtype)
    untouched = coarse.clone()
    assert torch.equal(sample(coarse, 0.7, rng(1)), sample(coarse.float(), 0.7, rng(1)))
    assert torch.equal(coarse, untouched)


def test_a_low_temperature_is_nearly_the_most_likely_token() -> None:
    logits = torch.randn(200, 30, generator=rng())
    assert torch.equal(sample(logits, 1e-4, rng()), logits.argmax(-1))


def test_logits_at_positions_are_the_full_logits_there() -> None:
    network, tokens = generator(small_config()), torch.randint(5, 16, (3, 8), generator=rng())
    positions = torch.tensor([[0, 5], [7, 2], [3, 3]])
    everywhere, there = network(tokens), network(tokens, positions=positions)
    assert everywhere.shape == (3, 8, 16)
    assert there.shape == (3, 2, 16)
    for row in range(3):
        torch.testing.assert_close(there[row], everywhere[row, positions[row]])


def test_only_the_requested_positions_reach_the_vocabulary_head() -> None:
    network, seen = generator(small_config()), []

    def watch(_module: object, inputs: tuple[Tensor], _output: Tensor) -> None:
        seen.append(tuple(inputs[0].shape))

    network.dense.register_forward_hook(watch)
    network(torch.full((4, 8), MASK), positions=torch.zeros(4, 2, dtype=torch.int64))
    assert seen == [(4, 2, 8)]  # 2 of 8 positions, the generator's 8 units


def test_the_output_weights_are_the_token_embeddings() -> None:
    """Adding to one word's embedding row moves that word's logit and no other."""
    network = generator(small_config())
    tokens = torch.tensor([[5, 6]])  # word 9 is not read, so only the output can change
    before = network(tokens)
    with torch.no_grad():
        network.encoder.embeddings.token.weight[9, 0] += 1.0
    change = network(tokens) - before
    assert change[..., 9].abs().min() > 1e-3
    assert not change[..., [i for i in range(16) if i != 9]].any()


@pytest.mark.fault("Errors", seen="at temperature 1e-300 every sample was the last word of the vocabulary")
def test_a_temperature_that_float32_rounds_to_zero_is_refused() -> None:
    for refused in (lambda: small_config(temperature=1e-300), lambda: sample(torch.zeros(9), 1e-45, rng())):
        with pytest.raises(ElectraEduError, match="temperature=1e-"):
            refused()
    logits = torch.tensor([0.0, 1.0, 0.5])
    assert sample(logits.expand(50, 3), 1e-30, rng()).eq(1).all()

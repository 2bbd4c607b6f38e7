"""The cost of a step: every item with a pencil, then the whole against PyTorch's own counter."""

import pytest
from small import rng, small_config, small_corpus
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from electra_edu import efficiency
from electra_edu.electra import Electra


def test_flops_by_hand() -> None:
    """One sequence of 8 tokens, forward, 2 per multiply-add; a step is 3 times that (backward: twice the forward).

    Discriminator, 16 wide, feed-forward 64, 2 layers, embeddings of 8 projected:
        8·16 + 2 · (4·16·16 + 2·16·64 + 2·8·16) = 128 + 2 · (1024 + 2048 + 256) = 6,784 for each of 8 tokens.
    Its head: 16·16 + 16 = 272 for each token. Generator, 8 wide, feed-forward 32, nothing to project:
        2 · (4·8·8 + 2·8·32 + 2·8·8) = 2 · (256 + 512 + 128) = 1,792 for each token.
    Vocabulary layer, at round(0.3 · 8) = 2 positions: 8·8 (dense) + 8·16 (16 words) = 192 for each.
    """
    items = efficiency.flops(small_config(batch_size=4))
    per_step = 3 * 4
    assert items == {
        "generator encoder": per_step * 2 * 8 * 1792,
        "vocabulary layer": per_step * 2 * 2 * 192,
        "discriminator encoder": per_step * 2 * 8 * 6784,
        "discriminator head": per_step * 2 * 8 * 272,
        "total": per_step * 2 * (8 * 1792 + 2 * 192 + 8 * 6784 + 8 * 272),
    }


@pytest.mark.parametrize("batch_size", [1, 8])
def test_flops_grow_with_steps_and_batch(batch_size: int) -> None:
    one = efficiency.flops(small_config(batch_size=1))
    many = efficiency.flops(small_config(batch_size=batch_size), steps=7)
    assert many == {name: 7 * batch_size * count for name, count in one.items()}
    assert all(isinstance(count, int) for count in many.values())


@pytest.mark.parametrize(
    "changes",
    [{}, {"embedding_size": 16}, {"generator_size_fraction": 1.0}, {"mask_prob": 0.9}, {"positions": "learned"}],
    ids=str,
)
def test_flops_are_what_pytorch_counts(changes: dict[str, object]) -> None:
    """Nothing is left out: the matrix products of a real step, forward and backward, agree to the last operation."""
    config = small_config(**changes)
    model, tokens = Electra(config, rng()), small_corpus().train[: config.batch_size]
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(tokens, rng=rng()).loss.backward()
    assert counter.get_total_flops() == efficiency.flops(config)["total"]

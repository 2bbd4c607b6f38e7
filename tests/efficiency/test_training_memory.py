"""The bytes of a training step against those that PyTorch keeps."""

from typing import Any

import pytest
import torch
from small import count, rng, small_config, small_corpus, small_run

from benchmarks.memory import saved_for_backward
from electra_edu.config import ElectraConfig, preset
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.efficiency import memory
from electra_edu.model.electra import Electra
from electra_edu.training.optim import make_optimizers

SIZES: list[dict[str, Any]] = [
    {"max_seq_length": 32, "vocab_size": 200, "hidden_size": 64},
    {"max_seq_length": 32, "vocab_size": 200, "hidden_size": 64, "positions": "learned", "max_position_embeddings": 32},
    {"max_seq_length": 32, "vocab_size": 3000, "mask_prob": 0.5, "embedding_size": 64},
    {"max_seq_length": 32, "hidden_size": 64, "embedding_size": 64, "num_layers": 4, "generator_size_fraction": 1.0},
]


@pytest.mark.parametrize("optimizer", ["muon", "paper-adam", "adamw"])
@pytest.mark.parametrize("sharing", ["none", "embeddings"])
def test_the_memory_of_weights_and_optimizer_is_exact(optimizer: str, sharing: str) -> None:
    """Parameters, gradients and the optimiser's state of a real step; PyTorch's step counters do not count."""
    config = small_config(optimizer=optimizer, weight_sharing=sharing)
    model, tokens = Electra(config, rng()), small_corpus().train[: config.batch_size]
    optimizers = make_optimizers(model, config)
    model(tokens, rng=rng()).loss.backward()
    for one in optimizers:
        one.step()
    state = [
        value for one in optimizers for state in one.state.values() for name, value in state.items() if name != "step"
    ]
    items = memory(config)
    assert items["parameters"] == items["average of the weights"] == 4 * count(model)
    assert items["gradients"] == sum(p.grad.nbytes for p in model.parameters() if p.grad is not None)
    assert items["optimizer state"] == sum(tensor.nbytes for tensor in state)
    run = small_run(optimizer=optimizer, weight_sharing=sharing)
    run.advance(2)
    counters = sum("step" in state for one in run.optimizers for state in one.state.values())
    assert items["copies for undo"] == sum(copy.nbytes for copy in run._undo._copies) - 4 * counters
    assert items.pop("total") == sum(items.values())


def kept(config: ElectraConfig) -> int:
    """Return how many bytes PyTorch keeps of a forward pass for the backward pass, without weights."""
    tokens = torch.randint(5, config.vocab_size, (config.batch_size, config.max_seq_length), generator=rng())
    return saved_for_backward(Electra(config, rng()), tokens, rng())[1]


@pytest.mark.parametrize("config", [preset("toy"), *(small_config(**size) for size in SIZES)], ids=range(5))
def test_activations_and_logits_are_within_3_percent(config: ElectraConfig) -> None:
    """The rule leaves out what is small: token ids, masks, and one number per token for each LayerNorm."""
    estimate = sum(count for name, count in memory(config).items() if name.endswith(("activations", "logits")))
    assert estimate == pytest.approx(kept(config), rel=0.03)


def test_activations_by_hand() -> None:
    """One sequence of 8 tokens, embeddings of 8, rotary: 4 bytes for each number.

    Generator, 8 wide, 2 layers: 2·8 + 2 · 6·8 = 112 a token; 4·8 + 2·32 = 96 for each state made, 8 in the first block
    and 2 in the last; 8 + 3·8 = 32 at each of 2 masked positions.
    Discriminator, 16 wide: 2·8 + 2 · (10·16 + 2·64) = 592 a token, and 3·16 = 48 for its head.
    Dropout: a byte for each of 8 units a token, and of 2·8 (2·16) for each state made.
    """
    items = memory(small_config(batch_size=1))
    assert items["generator activations"] == 4 * (8 * 112 + 10 * 96 + 2 * 32)
    assert items["generator logits"] == 4 * 2 * (2 * 16)
    assert items["discriminator activations"] == 4 * (8 * 592 + 8 * 48)
    dropped = memory(small_config(batch_size=1, dropout=0.1))
    assert dropped["generator activations"] - items["generator activations"] == 8 * 8 + 10 * 2 * 8
    assert dropped["discriminator activations"] - items["discriminator activations"] == 8 * (8 + 2 * 2 * 16)


def test_memory_by_objective() -> None:
    """Words at all 8 positions instead of 2 masked ones: four times the logits; a BERT has one network."""
    items = {name: memory(small_config(objective=name)) for name in OBJECTIVES}
    assert items["all-tokens-mlm"]["main network logits"] == 4 * items["replace-mlm"]["main network logits"]
    assert items["replace-mlm"]["main network logits"] == items["bert"]["generator logits"]
    assert items["electra"] == items["electra-15"]
    assert not any(name.startswith(("discriminator", "main")) for name in items["bert"])


def test_a_batch_multiplies_activations_and_nothing_else() -> None:
    one, three = memory(small_config(batch_size=1)), memory(small_config(batch_size=3))
    for name in set(one) - {"total"}:
        assert three[name] == one[name] * (3 if name.endswith(("activations", "logits")) else 1)

"""The FLOPs of a step: every item by hand, then the total against PyTorch's own counter."""

from contextlib import nullcontext
from itertools import product
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import rng, small_config, small_corpus
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from electra_edu import efficiency
from electra_edu.config import ElectraConfig
from electra_edu.config.objectives import OBJECTIVES, Trained
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.electra import Electra
from electra_edu.model.encoder import Embeddings, initialise
from electra_edu.model.generator import Generator
from electra_edu.model.masking import mask
from electra_edu.support.errors import ElectraEduError

KINDS = ("learned", "uniform")
SECOND_WORDS = {"replace-mlm": "masked", "all-tokens-mlm": "all"}  # where the main network predicts words


def test_flops_by_hand() -> None:
    """One sequence of 8 tokens, forward, 2 per multiply-add; a step is 3 times that (backward: twice the forward).

    Discriminator, 16 wide, feed-forward 64, 2 layers, embeddings of 8 projected:
        8·16 + 2 · (4·16·16 + 2·16·64 + 2·8·16) = 128 + 2 · (1024 + 2048 + 256) = 6,784 for each of 8 tokens.
    Its head: 16·16 + 16 = 272 for each token.
    Generator, 8 wide, feed-forward 32, nothing to project. Query, key and value of 8 tokens in 2 layers:
        8 · 2 · 3·8·8 = 3,072; the rest of a block for 8 tokens in the first and round(0.3 · 8) = 2 in the last:
        10 · (8·8 + 2·8·32 + 2·8·8) = 10 · (64 + 512 + 128) = 7,040.
    Vocabulary layer, at these 2 positions: 8·8 (dense) + 8·16 (16 words) = 192 for each.
    """
    items = efficiency.flops(small_config(batch_size=4))
    per_step = 3 * 4
    assert items == {
        "generator encoder": per_step * 2 * (3072 + 7040),
        "vocabulary layer": per_step * 2 * 2 * 192,
        "discriminator encoder": per_step * 2 * 8 * 6784,
        "discriminator head": per_step * 2 * 8 * 272,
        "total": per_step * 2 * (3072 + 7040 + 2 * 192 + 8 * 6784 + 8 * 272),
    }


def test_flops_of_the_other_objectives_by_hand() -> None:
    """The same sequence. A full-size network predicts a word with 16·8 (dense) + 8·16 (16 words) = 256.

    In All-Tokens MLM it does so at all 8 positions, and 16 more for the copy gate. Where only 2 are predicted, its
    encoder costs 8 · (128 + 2 · 3·16·16) + 10 · (16·16 + 2·16·64 + 2·8·16) = 8 · 1,664 + 10 · 2,560 = 38,912.
    """
    step = 3 * 4 * 2

    def items(objective: str) -> dict[str, int]:
        counted = efficiency.flops(small_config(batch_size=4, objective=objective))
        assert counted.pop("total") == sum(counted.values())
        return counted

    generator = {"generator encoder": step * (3072 + 7040), "vocabulary layer": step * 2 * 192}
    assert items("bert") == {"generator encoder": step * 38_912, "vocabulary layer": step * 2 * 256}
    assert items("electra-15") == items("electra")
    masked = {"main network encoder": step * 38_912, "main vocabulary layer": step * 2 * 256}
    assert items("replace-mlm") == generator | masked
    second = {"main network encoder": step * 8 * 6784}
    everywhere = {"main vocabulary layer": step * 8 * 256, "copy gate": step * 8 * 16}
    assert items("all-tokens-mlm") == generator | second | everywhere


@pytest.mark.parametrize("batch_size", [1, 8])
def test_flops_grow_with_steps_and_batch(batch_size: int) -> None:
    one = efficiency.flops(small_config(batch_size=1))
    many = efficiency.flops(small_config(batch_size=batch_size), steps=7)
    assert many == {name: 7 * batch_size * count for name, count in one.items()}
    assert all(isinstance(count, int) for count in many.values())
    assert efficiency.flops(small_config(), steps=0)["total"] == 0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"embedding_size": 16},
        {"generator_size_fraction": 1.0},
        {"mask_prob": 0.9},
        {"positions": "learned"},
        {"objective": "bert"},
        {"objective": "replace-mlm"},
        {"objective": "electra-15"},
        {"objective": "all-tokens-mlm"},
        {"weight_sharing": "gdes"},
        {"weight_sharing": "all", "generator_size_fraction": 1.0},
        {"generator_kind": "uniform"},
        {"scheme": "adversarial"},
    ],
    ids=str,
)
def test_flops_are_what_pytorch_counts(changes: dict[str, object]) -> None:
    """Nothing is left out: the matrix products of a real step, forward and backward, agree to the last operation."""
    config = small_config(**changes)
    model, tokens = Electra(config, rng()), small_corpus().train[: config.batch_size]
    stages: tuple[Trained, ...] = ("both",)
    if config.objective != "bert" and config.generator_kind == "learned":
        stages = get_args(Trained)
    for trained in stages:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            model(tokens, rng=rng(), trained=trained).loss.backward()
        assert counter.get_total_flops() == efficiency.flops(config, trained=trained)["total"]


def spent(config: ElectraConfig, trained: Trained) -> int:
    """Let PyTorch count a step of networks put together here from their parts, with any loss."""
    objective = OBJECTIVES[config.objective]
    generator, full = Generator(config, Embeddings(config)), config.replace(objective="bert", generator_kind="learned")
    discriminator, writer = Discriminator(config, Embeddings(config)), Generator(full, Embeddings(config))
    gate = nn.Linear(config.hidden_size, 1)
    for network in (generator, discriminator, writer):
        initialise(network, None, rng())
    tokens = small_corpus().train[: config.batch_size]
    positions = mask(tokens, config, rng()).positions
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        if config.generator_kind == "learned":
            frozen = trained == "discriminator"
            with torch.no_grad() if frozen else nullcontext():
                logits = generator(tokens, positions=positions)
            if not frozen:
                logits.sum().backward()
        if objective.predicts is not None and trained != "generator":
            if objective.predicts == "replaced":
                out = discriminator(tokens).sum()
            else:
                everywhere = SECOND_WORDS[config.objective] == "all"
                out = writer(tokens, positions=None if everywhere else positions).sum()
            out.backward()
            if config.objective == "all-tokens-mlm":  # the gate shares the encoder's pass: only its own product counts
                hidden = torch.zeros(*tokens.shape, config.hidden_size, requires_grad=True)
                gate(hidden).sum().backward()
    return int(counter.get_total_flops())


def cases() -> list[tuple[str, str, Trained]]:
    """List the objectives, generators and stages that go together."""

    def goes(objective: str, kind: str, trained: str) -> bool:
        alone = OBJECTIVES[objective].predicts is None
        return not (alone and (kind != "learned" or trained == "discriminator")) and (kind, trained) != (
            "uniform",
            "generator",
        )

    return [case for case in product(OBJECTIVES, KINDS, get_args(Trained)) if goes(*case)]


@pytest.mark.parametrize(("objective", "kind", "trained"), cases())
def test_every_kind_of_step_has_the_flops_that_pytorch_counts(objective: str, kind: str, trained: Trained) -> None:
    config = small_config(objective=objective, generator_kind=kind)
    assert efficiency.flops(config, trained=trained)["total"] == spent(config, trained)


SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "embedding_size": st.sampled_from([4, 16, 32]),
    "hidden_size": st.sampled_from([16, 32]),
    "num_layers": st.integers(0, 3).map(lambda more: 1 + more),
    "generator_size_fraction": st.sampled_from([0.5, 1.0]),
    "mask_prob": st.floats(0.01, 0.99),
    "batch_size": st.integers(1, 9),
}


@settings(max_examples=50)
@given(st.fixed_dictionaries(SHAPES), st.sampled_from([name for name in OBJECTIVES if name != "bert"]))
def test_two_stages_cost_one_joint_step_and_the_generator_again(changes: dict[str, Any], objective: str) -> None:
    """The generator's forward pass, a third of its training, is what freezing it adds to training both apart."""
    config = small_config(objective=objective, **changes)
    joint, alone = efficiency.flops(config), efficiency.flops(config, trained="generator")
    second = efficiency.flops(config, trained="discriminator")
    assert 3 * (alone["total"] + second["total"] - joint["total"]) == alone["total"]
    assert alone.items() - {("total", alone["total"])} <= joint.items()


@pytest.mark.parametrize("steps", [-1, 1.0, True, None])
def test_an_invalid_number_of_steps_is_refused(steps: Any) -> None:
    with pytest.raises(ElectraEduError, match=r"steps=.*whole number of at least 0"):
        efficiency.flops(small_config(), steps)


def test_training_a_missing_network_is_refused() -> None:
    with pytest.raises(ElectraEduError, match="generator_kind='unigram' has nothing to train"):
        efficiency.flops(small_config(generator_kind="unigram"), trained="generator")
    with pytest.raises(ElectraEduError, match="objective='bert' has no main network"):
        efficiency.flops(small_config(objective="bert"), trained="discriminator")
    with pytest.raises(ElectraEduError, match="trained='all': must be one of 'both', 'generator', 'discriminator'"):
        efficiency.flops(small_config(), trained="all")  # type: ignore[arg-type]

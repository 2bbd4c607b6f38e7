"""Parameter counts against Hugging Face's models, our own, and the paper's sizes."""

from itertools import product
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import count, rng, small_config
from torch import nn
from transformers import ElectraConfig as TheirConfig
from transformers import ElectraForMaskedLM, ElectraForPreTraining

from electra_edu.config import ElectraConfig, EncoderShape, preset
from electra_edu.config.electra_config import WeightSharing
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.efficiency import parameters
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.electra import Electra
from electra_edu.model.encoder import Embeddings
from electra_edu.model.generator import Generator

SHARINGS = get_args(WeightSharing)
PAPER = {  # preset: discriminator with its head, generator, both with tied embeddings
    "paper-small": (13_549_057, 4_620_026, 14_196_219),
    "paper-base": (109_483_009, 33_740_602, 119_386_427),
    "paper-large": (335_142_913, 51_295_290, 354_655_291),
    "released-small": (13_549_057, 13_546_682, 13_549_057 + 9_573_818),
}


def theirs(config: ElectraConfig, shape: EncoderShape) -> TheirConfig:
    """Return Hugging Face's settings for one of the two networks."""
    return TheirConfig(
        vocab_size=config.vocab_size,
        embedding_size=config.embedding_size,
        max_position_embeddings=config.max_position_embeddings,
        type_vocab_size=config.type_vocab_size,
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        intermediate_size=shape.intermediate_size,
    )


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_sizes_are_those_of_hugging_face(name: str) -> None:
    config = preset(name)
    with torch.device("meta"):
        discriminator = ElectraForPreTraining(theirs(config, config.discriminator))
        generator = ElectraForMaskedLM(theirs(config, config.generator))
    embeddings = count(discriminator.electra.embeddings)
    counted = parameters(config)
    assert counted["discriminator"] == count(discriminator) == PAPER[name][0]
    assert counted["generator"] == count(generator) == PAPER[name][1]
    assert counted["shared"] == embeddings
    assert counted["total"] == count(discriminator) + count(generator) - embeddings == PAPER[name][2]


def test_bert_is_hugging_faces_masked_language_model() -> None:
    config = preset("paper-small", objective="bert")
    with torch.device("meta"):
        model = ElectraForMaskedLM(theirs(config, config.discriminator))
    counted = parameters(config)
    assert counted["generator"] == counted["total"] == count(model)
    assert counted["discriminator"] == counted["shared"] == 0


def assemble(config: ElectraConfig) -> nn.ModuleList:
    """Put the networks of `config` together from their parts; shared parts are the same objects."""
    objective, sharing = OBJECTIVES[config.objective], config.weight_sharing
    generator = Generator(config, Embeddings(config))
    if objective.predicts is None:
        return nn.ModuleList([generator])
    embeddings = generator.encoder.embeddings if sharing in ("embeddings", "all") else Embeddings(config)
    second: Discriminator | Generator
    if objective.predicts == "replaced":
        second = Discriminator(config, embeddings)
    else:
        second = Generator(config.replace(objective="bert"), embeddings)
    if sharing == "all":
        second.encoder = generator.encoder
    gate = [nn.Linear(config.hidden_size, 1)] if objective.predicts == "words or copies" else []
    return nn.ModuleList([generator, second, *gate])


SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "objective": st.sampled_from(list(OBJECTIVES)),
    "embedding_size": st.sampled_from([4, 16, 32]),
    "hidden_size": st.sampled_from([16, 32]),
    "intermediate_size": st.none() | st.integers(2, 50),
    "num_layers": st.integers(1, 3),
    "type_vocab_size": st.integers(1, 3),
    "positions": st.sampled_from(["learned", "rotary"]),
    "max_position_embeddings": st.integers(8, 20),
}


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(SHAPES), st.sampled_from(SHARINGS), st.sampled_from([0.5, 1.0]))
def test_counts_are_those_of_networks_built_from_parts(changes: dict[str, Any], sharing: str, fraction: float) -> None:
    size = {"weight_sharing": sharing, "generator_size_fraction": 1.0 if sharing == "all" else fraction}
    config = small_config(**changes, **size)
    networks, counted = assemble(config), parameters(config)
    assert counted["total"] == count(networks) == sum(counted["items"].values())
    assert counted["generator"] == count(networks[0])
    assert counted["discriminator"] == count(nn.ModuleList(networks[1:]))
    assert counted["shared"] == count(networks[0]) + count(nn.ModuleList(networks[1:])) - count(networks)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("sharing", SHARINGS)
@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_counts_are_those_of_electra(objective: str, sharing: str, positions: str) -> None:
    config = small_config(objective=objective, weight_sharing=sharing, positions=positions, generator_size_fraction=1.0)
    assert parameters(config)["total"] == count(Electra(config, rng()))


def test_an_adversarial_generator_has_a_baseline() -> None:
    config = small_config(scheme="adversarial")
    counted = parameters(config)
    assert counted["total"] == count(Electra(config, rng())) == parameters(small_config())["total"] + 8 + 1
    assert counted["items"]["generator baseline"] == 8 + 1


@pytest.mark.parametrize(("kind", "sharing"), list(product(["uniform", "unigram", "exact"], SHARINGS)))
def test_a_generator_without_weights_has_no_parameters(kind: str, sharing: str) -> None:
    config = small_config(generator_kind=kind, weight_sharing=sharing)
    counted = parameters(config)
    assert counted["generator"] == counted["shared"] == 0
    assert counted["total"] == counted["discriminator"] == count(Discriminator(config, Embeddings(config)))


def test_items_by_hand() -> None:
    """16 words, embeddings of 8; discriminator 16 wide, feed-forward 64, 2 layers; generator half of that."""
    items = parameters(small_config())["items"]
    assert items == {
        "shared token embeddings": 16 * 8,
        "shared type embeddings": 2 * 8,
        "shared embedding norm": 2 * 8,
        "generator attention matrices": 2 * 4 * 8 * 8,
        "generator feed-forward matrices": 2 * 2 * 8 * 32,
        "generator block biases": 2 * (4 * 8 + 32 + 8),
        "generator block norms": 2 * 2 * 2 * 8,
        "generator head dense": 8 * 8 + 8,
        "generator head norm": 2 * 8,
        "generator vocabulary bias": 16,
        "discriminator projection": 8 * 16 + 16,
        "discriminator attention matrices": 2 * 4 * 16 * 16,
        "discriminator feed-forward matrices": 2 * 2 * 16 * 64,
        "discriminator block biases": 2 * (4 * 16 + 64 + 16),
        "discriminator block norms": 2 * 2 * 2 * 16,
        "discriminator head dense": 16 * 16 + 16,
        "discriminator head output": 17,
    }

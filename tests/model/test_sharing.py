"""Weight sharing: which parameters are shared, how many there are, and which gradients reach them."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import count, equal, rng, small_config, small_corpus, small_run, weights
from torch import Tensor, nn

from electra_edu.model.electra import Electra
from electra_edu.model.encoder import DifferenceTable

SHARINGS = ["none", "embeddings", "all", "gdes"]
TABLE = 16 * 8  # words × embedding size
EMBEDDINGS = TABLE + 2 * 8 + 2 * 8  # the table, two types, LayerNorm; rotary positions have none


@pytest.fixture
def tokens() -> Tensor:
    return small_corpus().train[:6]


def joined(sharing: str, **changes: Any) -> Electra:
    size = 1.0 if sharing == "all" else 0.5
    changes = {"initializer_range": 0.3, "generator_size_fraction": size} | changes
    return Electra(small_config(weight_sharing=sharing, **changes), rng())


def of(module: nn.Module) -> set[int]:
    return {id(parameter) for parameter in module.parameters()}


def reached(loss: Tensor, module: nn.Module) -> dict[str, bool]:
    """Say of every parameter of a module whether the loss's gradient reaches it."""
    named = dict(module.named_parameters())
    gradients = torch.autograd.grad(loss, [*named.values()], retain_graph=True, allow_unused=True)
    return {name: bool(g is not None and g.norm() > 0) for name, g in zip(named, gradients, strict=True)}


@pytest.mark.parametrize("sharing", SHARINGS)
@pytest.mark.parametrize("objective", ["electra", "replace-mlm"])
def test_what_is_shared_is_the_same_object(sharing: str, objective: str) -> None:
    model = joined(sharing, objective=objective)
    assert model.main is not None
    first, second = model.generator, model.main
    shared = of(first) & of(second)
    expected = {
        "none": set(),
        "embeddings": of(first.encoder.embeddings),
        "all": of(first.encoder),
        "gdes": {id(first.encoder.embeddings.token.weight)},
    }
    assert shared == expected[sharing]
    assert (first.encoder is second.encoder) == (sharing == "all")


def test_a_shared_parameter_counts_once() -> None:
    apart, whole = joined("none", generator_size_fraction=1.0), joined("all")
    assert count(apart) - count(joined("embeddings", generator_size_fraction=1.0)) == EMBEDDINGS
    assert count(apart) - count(whole) == count(apart.generator.encoder)
    gdes = joined("gdes")
    assert count(gdes) == count(joined("none"))  # a difference table instead of a table
    assert count(gdes) == count(gdes.generator) + count(gdes.discriminator) - TABLE


@pytest.mark.parametrize("sharing", SHARINGS)
def test_no_gradient_flows_back_through_a_sample(tokens: Tensor, sharing: str) -> None:
    model = joined(sharing)
    out = model(tokens, rng=rng())
    assert out.rtd_loss is not None
    by_rtd = reached(out.rtd_loss, model.generator)
    touched = {name for name, is_touched in by_rtd.items() if is_touched}
    everything = {name for name in by_rtd if name.startswith("encoder.")}
    embeddings = {name for name in everything if ".embeddings." in name}
    assert touched == {"none": set(), "gdes": set(), "embeddings": embeddings, "all": everything}[sharing]
    missed = {name for name, is_touched in reached(out.rtd_loss, model.discriminator).items() if not is_touched}
    assert missed == ({"encoder.embeddings.token.base.weight"} if sharing == "gdes" else set())


@pytest.mark.parametrize("sharing", SHARINGS)
def test_the_mlm_gradient_reaches_the_discriminator_through_shared_weights_only(tokens: Tensor, sharing: str) -> None:
    model = joined(sharing)
    out = model(tokens, rng=rng())
    assert all(reached(out.mlm_loss, model.generator).values())
    by_mlm = reached(out.mlm_loss, model.discriminator)
    touched = {name for name, is_touched in by_mlm.items() if is_touched}
    everything = {name for name in by_mlm if name.startswith("encoder.")}
    embeddings = {name for name in everything if ".embeddings." in name}
    base = {"encoder.embeddings.token.base.weight"}
    assert touched == {"none": set(), "gdes": base, "embeddings": embeddings, "all": everything}[sharing]


def test_the_mlm_gradient_reaches_every_word_and_the_rtd_gradient_only_the_input_words(tokens: Tensor) -> None:
    """The paper's reason for sharing (section 3.2), seen in the gradients of the shared table."""
    model = joined("embeddings")
    out = model(tokens, rng=rng())
    table = model.discriminator.encoder.embeddings.token.weight
    assert out.rtd_loss is not None
    by_mlm, by_rtd = (torch.autograd.grad(loss, table, retain_graph=True)[0] for loss in (out.mlm_loss, out.rtd_loss))
    assert (by_mlm.norm(dim=-1) > 0).all()
    assert (by_rtd.norm(dim=-1) > 0).nonzero().flatten().tolist() == out.corrupted[out.is_real].unique().tolist()


# Gradient-disentangled


def test_a_difference_table_starts_as_the_base_and_follows_it(tokens: Tensor) -> None:
    base = nn.Embedding(16, 8)
    table = DifferenceTable(base)
    assert torch.equal(table(tokens), base(tokens))
    with torch.no_grad():
        base.weight.add_(1.0)
        table.difference[5] = 2.0
    assert torch.equal(table(tokens), (base.weight + table.difference)[tokens])
    assert torch.equal(table.weight, base.weight + table.difference)


def test_gdes_trains_the_base_as_if_the_generator_were_alone() -> None:
    """λ does not change the generator: its curve is that of no sharing, for any λ."""
    # No joint clipping, which would tie the two together; the same first weights, drawn in the same order.
    runs = [
        small_run(weight_sharing=sharing, rtd_weight=weight, max_grad_norm=None)
        for sharing, weight in (("none", 1.0), ("gdes", 1.0), ("gdes", 50.0))
    ]
    losses = [[record.mlm_loss for record in run.advance(8)] for run in runs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[1] == pytest.approx(losses[2], rel=1e-5)
    table = runs[1].model.discriminator.encoder.embeddings.token
    assert isinstance(table, DifferenceTable)
    assert table.difference.abs().max() > 0


@given(sharing=st.sampled_from(SHARINGS), seed=st.integers(0, 50), steps=st.integers(1, 3))
def test_training_keeps_shared_weights_shared_and_the_average_has_them_too(sharing: str, seed: int, steps: int) -> None:
    size = 1.0 if sharing == "all" else 0.5
    run = small_run(seed, weight_sharing=sharing, generator_size_fraction=size)
    run.advance(steps)
    for model in (run.model, run.average):
        again = joined(sharing)
        assert len(of(model.generator) & of(model.discriminator)) == len(of(again.generator) & of(again.discriminator))
    assert not equal(weights(run.model), weights(small_run(seed, **run.config.to_dict()).model))

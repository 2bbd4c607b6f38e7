"""Muon, the paper's Adam and AdamW, each against another account of it, and which weights each gets."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import rng, small_config
from torch import Tensor, nn

from electra_edu.model.electra import Electra
from electra_edu.training.optim import (
    NEWTON_SCHULZ,
    Muon,
    PaperAdam,
    make_optimizers,
    orthogonalise,
)

SHAPES = [(16, 16), (8, 32), (32, 8), (1, 16), (24, 40)]


# Muon


@given(st.integers(1, 12), st.integers(0, 20), st.integers(0, 2**32))
def test_orthogonalising_maps_every_singular_value_through_the_polynomial(rows: int, more: int, seed: int) -> None:
    """Independent of the matrix iteration: U f(S) Vᵀ, with f five times x → ax + bx³ + cx⁵ on the scaled values."""
    matrix = torch.randn(rows, rows + more, generator=rng(seed))
    u, values, vt = torch.linalg.svd(matrix.double(), full_matrices=False)
    values = values / values.norm()
    a, b, c = NEWTON_SCHULZ
    for _ in range(5):
        values = a * values + b * values**3 + c * values**5
    torch.testing.assert_close(orthogonalise(matrix[None])[0], (u * values @ vt).float(), atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("shape", [(8, 8), (8, 32), (24, 40)])
def test_orthogonalising_pushes_singular_values_towards_one(shape: tuple[int, int]) -> None:
    matrices = torch.randn(5, *shape, generator=rng())
    matrices[0] *= 1e-4  # neither size nor batch matters
    values = torch.linalg.svdvals(orthogonalise(matrices))
    assert values.max() < 1.3
    assert values.quantile(0.1) > 0.6  # only values that are next to nothing beside the largest need more iterations
    assert torch.linalg.svdvals(matrices[1]).max() > 3
    torch.testing.assert_close(orthogonalise(matrices)[2], orthogonalise(matrices[2:3])[0])


def muon(weight: Tensor, gradients: list[Tensor], **group: int) -> Tensor:
    """Return the weight after one Muon step for each gradient."""
    parameter = nn.Parameter(weight.clone())
    optimizer = Muon([{"params": [parameter], **group}], lr=0.02)
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
    return parameter.detach()


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch.optim.Muon came with PyTorch 2.9")
@pytest.mark.parametrize("shape", SHAPES)
def test_muon_agrees_with_pytorchs_within_bfloat16(shape: tuple[int, int]) -> None:
    """PyTorch iterates in bfloat16 (8 bits: 1/256 in each product), we in float32 on a CPU."""
    weight = torch.randn(shape, generator=rng())
    gradients = [torch.randn(shape, generator=rng(i)) for i in range(3)]
    reference = nn.Parameter(weight.clone())
    optimizer = torch.optim.Muon([reference], lr=0.02, weight_decay=0.0, momentum=0.95)
    for gradient in gradients:
        reference.grad = gradient.clone()
        optimizer.step()
    ours, moved = muon(weight, gradients), reference.detach() - weight
    assert (ours - reference).norm() < 0.02 * moved.norm()


def test_stacked_matrices_are_three_separate_ones() -> None:
    weight, gradients = torch.randn(12, 4, generator=rng()), [torch.randn(12, 4, generator=rng(i)) for i in range(2)]
    together = muon(weight, gradients, splits=3)
    apart = [muon(w, [g.chunk(3)[i] for g in gradients]) for i, w in enumerate(weight.chunk(3))]
    torch.testing.assert_close(together, torch.cat(apart))
    assert not torch.allclose(together, muon(weight, gradients), atol=1e-3)


def test_muon_batches_equal_shapes_without_mixing_them_up() -> None:
    """A tall, a wide and two square matrices in one optimiser end where each would have ended alone."""
    shapes = [(4, 8), (8, 4), (6, 6), (6, 6), (4, 8)]
    start = [torch.randn(shape, generator=rng(i)) for i, shape in enumerate(shapes)]
    gradients = [torch.randn(shape, generator=rng(9 + i)) for i, shape in enumerate(shapes)]
    parameters = [nn.Parameter(weight.clone()) for weight in start]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    idle = nn.Parameter(torch.ones(4, 8))  # has no gradient: left alone
    Muon([{"params": [*parameters, idle]}], lr=0.02).step()
    for parameter, weight, gradient in zip(parameters, start, gradients, strict=True):
        torch.testing.assert_close(parameter.detach(), muon(weight, [gradient]))
    assert (idle == 1).all()


def test_a_zero_gradient_moves_nothing() -> None:
    weight = torch.randn(4, 6, generator=rng())
    assert torch.equal(muon(weight, [torch.zeros(4, 6)]), weight)


# The paper's Adam


def test_the_papers_adam_by_hand() -> None:
    """Three steps of the recurrence in plain numbers: no bias correction, ε outside the root, decay beside it."""
    rate, decay, beta1, beta2, eps = 0.1, 0.01, 0.9, 0.999, 1e-6
    weight, mean, square = 2.0, 0.0, 0.0
    parameter = nn.Parameter(torch.tensor([[2.0]], dtype=torch.float64))
    optimizer = PaperAdam([{"params": [parameter]}], lr=rate)
    for gradient in (0.5, -2.0, 3.0):
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        weight -= rate * (mean / (square**0.5 + eps) + decay * weight)
        parameter.grad = torch.tensor([[gradient]], dtype=torch.float64)
        optimizer.step()
        assert parameter.item() == pytest.approx(weight, rel=1e-12)


def test_the_papers_adam_takes_a_large_first_step() -> None:
    """(1 - 0.9) g / √((1 - 0.999) g²) = 0.1 / 0.0316 = 3.162 times the rate; with bias correction it would be 1."""
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = PaperAdam([{"params": [parameter]}], lr=0.01, weight_decay=0.0)
    parameter.grad = torch.tensor([7.0])
    optimizer.step()
    assert parameter.item() == pytest.approx(-0.01 * 10**0.5, rel=1e-3)


# Which optimiser gets what


@pytest.mark.parametrize("optimizer", ["muon", "paper-adam", "adamw"])
@pytest.mark.parametrize("sharing", ["embeddings", "none"])
def test_every_weight_is_in_one_group(optimizer: str, sharing: str) -> None:
    config = small_config(optimizer=optimizer, weight_sharing=sharing)
    model = Electra(config, rng())
    groups = [group for made in make_optimizers(model, config) for group in made.param_groups]
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(parameter) for parameter in model.parameters())


def test_muon_gets_the_matrices_of_the_blocks() -> None:
    config = small_config()
    model = Electra(config, rng())
    muon_optimizer, adam = make_optimizers(model, config)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    by_splits = {
        group["splits"]: {names[id(p)].split("blocks.")[1][2:] for p in group["params"]}
        for group in muon_optimizer.param_groups
    }
    assert by_splits == {
        3: {"attention.query_key_value.weight"},
        1: {"attention.output.weight", "widen.weight", "narrow.weight"},
    }
    assert sum(len(group["params"]) for group in muon_optimizer.param_groups) == 2 * 2 * 4  # networks, layers, matrices
    assert any(p is model.generator.encoder.embeddings.token.weight for g in adam.param_groups for p in g["params"])
    assert all(group["weight_decay"] == 0 for group in adam.param_groups)


def test_the_papers_adam_decays_matrices_only() -> None:
    config = small_config(optimizer="paper-adam")
    model = Electra(config, rng())
    (adam,) = make_optimizers(model, config)
    decayed = {id(p): group["weight_decay"] for group in adam.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        is_plain = "norm" in name or name.endswith("bias")
        assert decayed[id(parameter)] == (0.0 if is_plain else 0.01), name


def test_adamw_gets_everything_and_decays_nothing() -> None:
    """The first step moves every weight by its rate along the sign of its gradient g: m / √v = g / |g|."""
    config = small_config(optimizer="adamw", learning_rate=0.01)
    model = Electra(config, rng())
    (made,) = make_optimizers(model, config)
    assert isinstance(made, torch.optim.AdamW)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    for i, parameter in enumerate(model.parameters()):
        parameter.grad = torch.full_like(parameter, 3.0 * (-1) ** i)
    made.step()
    for i, (old, new) in enumerate(zip(before, model.parameters(), strict=True)):
        torch.testing.assert_close(new.detach(), old - 0.01 * (-1) ** i, atol=1e-6, rtol=0)

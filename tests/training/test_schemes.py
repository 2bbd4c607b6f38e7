"""Training schemes: who learns when, what a second stage starts from, and how REINFORCE pulls."""

import math
from typing import Any

import pytest
import torch
from small import MASK, equal, rng, small_config, small_corpus, small_run, toy_corpus, weights
from torch import Tensor

import electra_edu as edu
from electra_edu.corpora.toy import exact_distribution
from electra_edu.model.electra import Electra
from electra_edu.model.losses import reinforce_loss
from electra_edu.support.errors import ElectraEduError
from electra_edu.training.schemes import trained_at

TWO_STAGES: dict[str, Any] = {"scheme": "two-stage", "generator_steps": 4, "weight_sharing": "none"}


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ({}, ["both"] * 6),
        ({"generator_steps": 2}, ["generator"] * 2 + ["both"] * 4),
        (TWO_STAGES, ["generator"] * 4 + ["discriminator"] * 2),
        ({"scheme": "adversarial", "generator_steps": 1}, ["generator"] + ["both"] * 5),
    ],
    ids=["joint", "head start", "two stages", "adversarial"],
)
def test_what_each_step_trains(changes: dict[str, Any], order: list[str]) -> None:
    assert [trained_at(step, small_config(**changes)) for step in range(6)] == order


def test_each_stage_leaves_the_other_network_as_it_is() -> None:
    run = small_run(**TWO_STAGES)
    generator, discriminator = weights(run.model.generator), weights(run.model.discriminator)
    first = run.advance(4)
    assert equal(weights(run.model.discriminator), discriminator)
    assert not equal(weights(run.model.generator), generator)
    assert all(math.isnan(record.rtd_loss) for record in first)
    generator = weights(run.model.generator)
    second = run.advance(4)
    assert equal(weights(run.model.generator), generator)
    assert not equal(weights(run.model.discriminator), discriminator)
    assert all(math.isnan(record.generator_grad_norm) and record.mlm_loss > 0 for record in second)
    cost = {record.flops - before.flops for before, record in zip(run.history, run.history[1:], strict=False)}
    assert len(cost) == 2  # a step of one stage costs something else than a step of the other


@pytest.mark.parametrize("sharing", ["none", "gdes"])
def test_the_second_network_may_start_from_the_generator(sharing: str) -> None:
    settings = TWO_STAGES | {"weight_sharing": sharing, "generator_size_fraction": 1.0, "copy_generator": True}
    run = small_run(**settings)
    tokens, apart = run.corpus.heldout[:3], []

    def compare(*_inputs: object) -> None:
        states = [network.encoder(tokens) for network in (run.model.generator, run.model.discriminator)]
        apart.append((states[0] - states[1]).abs().max().item())

    run.advance(4)
    head = weights(run.model.discriminator.output)
    compare()
    run.model.discriminator.register_forward_pre_hook(compare)
    run.advance(3)
    assert apart[0] > 0.1  # before the second stage
    assert apart[1] < 1e-6  # as its first step begins
    assert apart[3] > 1e-6  # and once only; (the first step moves the head alone, which starts at zero)
    assert not equal(weights(run.model.discriminator.output), head)


def test_one_network_can_be_stepped_alone() -> None:
    run = small_run(weight_sharing="none")
    start = {name: weights(getattr(run.model, name)) for name in ("generator", "discriminator")}
    run.advance(2, trained="generator")
    assert equal(weights(run.model.discriminator), start["discriminator"])
    assert not equal(weights(run.model.generator), start["generator"])
    middle = weights(run.model.generator)
    run.advance(2, trained="discriminator")
    assert equal(weights(run.model.generator), middle)
    assert not equal(weights(run.model.discriminator), start["discriminator"])


@pytest.mark.parametrize(
    ("changes", "trained", "message"),
    [
        ({}, "second", "trained='second': must be one of 'both', 'generator', 'discriminator'"),
        ({"objective": "bert"}, "discriminator", "trained='discriminator': .*has no main network"),
        ({"generator_kind": "uniform"}, "generator", "trained='generator': .*nothing to train"),
    ],
)
def test_a_network_that_is_not_there_cannot_be_stepped(changes: dict[str, Any], trained: str, message: str) -> None:
    with pytest.raises(ElectraEduError, match=message):
        small_run(**changes).advance(1, trained=trained)


# Adversarial


def test_reinforce_follows_the_gradient_of_the_expected_reward() -> None:
    """One position, five words: summing over all words by their probability gives the exact gradient of -E[reward]."""
    logits = torch.randn(5, generator=rng(), dtype=torch.float64, requires_grad=True)
    rewards = torch.tensor([0.1, 2.0, 0.7, 3.0, 0.0], dtype=torch.float64)
    (exact,) = torch.autograd.grad(-(logits.softmax(0) * rewards).sum(), logits)
    expected = torch.zeros(5, dtype=torch.float64)
    for word, probability in enumerate(logits.softmax(0).tolist()):
        log_probability = logits.log_softmax(0)[word].view(1, 1)
        baseline = torch.full((1, 1), 0.3, dtype=torch.float64)  # whatever it says, the mean stays the same
        loss = reinforce_loss(log_probability, rewards[word].view(1, 1), baseline, torch.ones(1, 1, dtype=torch.bool))
        expected += probability * torch.autograd.grad(loss, logits)[0]
    torch.testing.assert_close(expected, exact)


def test_the_baseline_learns_the_probability_that_the_truth_is_given() -> None:
    """Its loss is least where sigmoid(logit) is the mean of exp(-reward)."""
    rewards, used = torch.tensor([[0.2, 1.5]]), torch.ones(1, 2, dtype=torch.bool)
    best = torch.exp(-rewards).mean().logit().expand(1, 2).clone().requires_grad_()
    loss = reinforce_loss(torch.zeros(1, 2), rewards, best, used)
    assert torch.autograd.grad(loss, best)[0].sum().item() == pytest.approx(0, abs=1e-6)


def test_an_adversarial_generator_is_pulled_towards_what_fools_the_discriminator() -> None:
    """A discriminator that takes "boat" for original, whatever stands around it, and everything else for replaced."""
    run = small_run(scheme="adversarial", weight_sharing="none", learning_rate=1e-2)
    boat = run.corpus.tokenizer.token_to_id("boat")

    def accuse(_module: object, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return torch.where(inputs[0] == boat, -4.0, 4.0) + 0 * output

    run.model.discriminator.register_forward_hook(accuse)
    tokens = run.corpus.train[:8]

    def share() -> float:
        logits = run.model.generator(tokens.masked_fill(tokens >= 5, MASK))
        return logits.softmax(-1)[..., boat][tokens >= 5].mean().item()

    before = share()
    run.advance(60)
    assert share() > 3 * before


def test_the_reward_never_reaches_the_discriminator_through_the_generators_loss() -> None:
    model = Electra(small_config(scheme="adversarial", weight_sharing="none", initializer_range=0.3), rng())
    out = model(small_corpus().train[:6], rng=rng())
    assert out.generator_loss is not None
    out.generator_loss.backward()
    assert all(parameter.grad is None for parameter in model.discriminator.parameters())
    assert model.baseline is not None
    assert model.baseline.weight.grad is not None


def test_an_adversarial_step_weighs_each_draw_by_what_the_baseline_did_not_expect() -> None:
    """The generator's gradient is that of -(reward - b) · log p, b = -log sigmoid(w · h), with b held fixed."""
    model = Electra(small_config(scheme="adversarial", weight_sharing="none", initializer_range=0.3), rng())
    tokens = small_corpus().train[:6]
    out = model(tokens, rng=rng())
    assert out.generator_loss is not None
    assert out.rtd_logits is not None
    assert model.baseline is not None
    learned = [*model.generator.parameters()]
    found = torch.autograd.grad(out.generator_loss, learned)
    read = (tokens.masked_fill(out.is_masked, MASK), out.is_real)
    truth = torch.where(out.is_replaced, out.rtd_logits.sigmoid(), 1 - out.rtd_logits.sigmoid())
    with torch.no_grad():
        expected = -model.baseline(model.generator.encoder(*read)).squeeze(-1).sigmoid().log()
        advantage = (-truth.log() - expected)[out.is_masked]
    log_p = model.generator(*read).log_softmax(-1).gather(-1, out.corrupted[..., None]).squeeze(-1)[out.is_masked]
    for ours, theirs in zip(found, torch.autograd.grad(-(advantage * log_p).mean(), learned), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-3)


# The exact generator


def test_the_exact_generator_answers_with_the_grammars_probabilities() -> None:
    corpus = toy_corpus()
    config = edu.preset("toy", generator_kind="exact", batch_size=8)
    run = edu.TrainingRun(config, corpus, device="cpu")
    story = corpus.heldout[0]
    is_masked = torch.zeros_like(story, dtype=torch.bool)
    is_masked[[2, 5]] = True
    logits = run.model.generator(story.masked_fill(is_masked, config.mask_token_id)[None])[0]
    torch.testing.assert_close(
        logits[is_masked].exp().double(), exact_distribution(story, is_masked), atol=1e-6, rtol=0
    )
    assert logits[0].argmax() == story[0]  # what can be seen is certain
    record = run.advance(1)[0]
    assert 0.2 < record.sampled_accuracy < 0.8
    assert math.isfinite(record.entropy)

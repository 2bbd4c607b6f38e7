"""TrainingRun: reproducible to the bit, and honest about what a step did."""

import copy
import math
import threading
from typing import Any

import pytest
import torch
from small import (
    KINDS,
    LENGTH,
    PAD,
    equal,
    metrics_of,
    small_config,
    small_corpus,
    small_run,
    state,
    step_record,
    toy_corpus,
    weights,
)
from torch import Tensor, nn

import electra_edu as edu
from electra_edu import efficiency
from electra_edu.metrics import binary_entropy
from electra_edu.model.electra import Electra, ElectraOutput
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import StepRecord, TrainingRun

GRADIENT_CASES: list[dict[str, Any]] = [
    {"weight_sharing": "embeddings"},
    {"weight_sharing": "none"},
    {"weight_sharing": "gdes"},
    {"weight_sharing": "all", "generator_size_fraction": 1.0},
    {"objective": "all-tokens-mlm"},
]


def foresee(run: TrainingRun) -> tuple[Tensor, Electra, ElectraOutput]:
    """Return the next step's tokens and its forward pass, taken on a copy of the model."""
    draws, model, tokens = torch.Generator(), copy.deepcopy(run.model), run.batches.at(run.step)
    draws.set_state(run.rng.get_state())
    return tokens, model, model(tokens, rng=draws)


# Reproducible


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_the_same_seed_gives_the_same_run_to_the_bit(changes: dict[str, object]) -> None:
    first, again, other = (small_run(seed, **changes) for seed in (4, 4, 5))
    records = first.advance(7)
    pieces = [*again.advance(3), *again.advance(0), *again.advance(4)]
    assert metrics_of(records) == metrics_of(pieces) == metrics_of(first.history)
    assert equal(state(first), state(again))
    assert metrics_of(other.advance(7)) != metrics_of(records)


def test_the_seed_decides_the_weights_the_draws_and_the_order() -> None:
    one, other = small_run(1), small_run(2)
    assert not equal(weights(one.model), weights(other.model))
    assert not torch.equal(one.rng.get_state(), other.rng.get_state())
    assert not torch.equal(one.batches.at(0), other.batches.at(0))


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_global_generator_is_never_touched(dropout: float) -> None:
    before = torch.get_rng_state()
    run = small_run(dropout=dropout)
    run.advance(2)
    run.evaluate()
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_is_at_work_in_training_and_not_in_scoring() -> None:
    dropped, whole = small_run(dropout=0.5), small_run()
    assert dropped.advance(1)[0].mlm_loss != whole.advance(1)[0].mlm_loss
    assert dropped.evaluate() == dropped.evaluate()


def test_two_threads_take_turns() -> None:
    alone, shared = small_run(), small_run()
    alone.advance(12)
    threads = [threading.Thread(target=shared.advance, args=(6,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics_of(shared.history) == metrics_of(alone.history)


def test_an_epoch_shows_every_sequence_once_and_in_a_new_order() -> None:
    """20 sequences of the corpus make 5 batches of 4; numbered words tell which sequence is which."""
    corpus = small_corpus(train=20)
    corpus.train[:, 0] = torch.arange(20)
    run = TrainingRun(small_config(batch_size=4), corpus, device="cpu")
    seen: list[int] = []
    for step in range(10):
        seen += run.batches.at(step)[:, 0].tolist()
    first, second = seen[:20], seen[20:]
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second != list(range(20))


def test_a_batch_may_be_larger_than_the_corpus() -> None:
    run = small_run(batch_size=64)
    assert run.advance(3)[-1].tokens == 3 * (run.corpus.train != PAD).sum()


# What a step writes down


def test_a_record_is_what_the_step_saw() -> None:
    run = small_run(initializer_range=0.3)
    run.advance(3)
    tokens, _, out = foresee(run)
    record = run.advance(1)[0]
    assert (record.step, run.step, len(run.history)) == (4, 4, 4)
    assert record.loss == pytest.approx(out.loss.item())
    assert (record.mlm_loss, record.rtd_loss) == pytest.approx((out.mlm_loss.item(), out.rtd_loss.item()))
    used, real = out.mlm_used, out.is_real
    right = (out.mlm_logits.argmax(-1) == out.mlm_targets)[used].float().mean().item()
    assert record.mlm_accuracy == pytest.approx(right)
    drawn_right = (out.corrupted == tokens)[out.is_masked].float().mean().item()
    assert record.sampled_accuracy == pytest.approx(drawn_right)
    assert record.replaced_rate == pytest.approx(out.is_replaced.sum().item() / real.sum().item())
    accused = (out.rtd_logits > 0) & real
    assert record.accuracy == pytest.approx((accused == out.is_replaced)[real].float().mean().item())
    distribution = torch.distributions.Categorical(logits=out.mlm_logits[used])
    assert record.entropy == pytest.approx(distribution.entropy().mean().item(), rel=1e-5)


def test_tokens_flops_and_rates_add_up() -> None:
    run = small_run(warmup_steps=4)
    records = run.advance(3)
    batch = run.batches.at(run.step)
    tokens_before = records[-1].tokens
    last = run.advance(1)[0]
    assert last.tokens - tokens_before == (batch != PAD).sum()
    assert [r.flops for r in run.history] == [efficiency.flops(run.config, steps)["total"] for steps in (1, 2, 3, 4)]
    assert [r.learning_rate for r in run.history] == pytest.approx([3e-3 * part / 5 for part in (1, 2, 3, 4)])
    seconds = [r.seconds for r in run.history]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_floor_and_share_follow_from_a_record() -> None:
    record = step_record(replaced_rate=0.1, mlm_grad_norm=1.0, rtd_grad_norm=3.0)
    assert record.rtd_floor == binary_entropy(0.1)
    assert record.mlm_grad_share == 0.25
    assert math.isnan(step_record(mlm_grad_norm=0.0, rtd_grad_norm=0.0).mlm_grad_share)


def test_records_survive_plain_values() -> None:
    record = step_record(precision=math.nan)
    assert record.to_dict()["precision"] is None
    assert math.isnan(StepRecord.from_dict(record.to_dict()).precision)
    assert StepRecord.from_dict(step_record().to_dict()) == step_record()


@pytest.mark.parametrize("changes", GRADIENT_CASES, ids=str)
def test_gradient_norms_are_those_of_two_separate_derivatives(changes: dict[str, Any]) -> None:
    run = small_run(initializer_range=0.3, rtd_weight=20.0, **changes)
    run.advance(2)
    _, model, out = foresee(run)
    names = dict(model.named_parameters())

    def derivative(loss: Tensor | None) -> dict[str, Tensor]:
        if loss is None:
            return {name: torch.zeros_like(p) for name, p in names.items()}
        found = torch.autograd.grad(loss, [*names.values()], retain_graph=True, allow_unused=True)
        return {
            name: torch.zeros_like(p) if g is None else g for (name, p), g in zip(names.items(), found, strict=True)
        }

    def on(gradient: dict[str, Tensor], network: nn.Module) -> Tensor:
        mine = {id(p) for p in network.parameters()}
        return torch.cat([gradient[name].flatten() for name, p in names.items() if id(p) in mine])

    def own(gradient: dict[str, Tensor], network: nn.Module, other: nn.Module) -> float:
        theirs = {id(p) for p in other.parameters()}
        mine = [p for p in network.parameters() if id(p) not in theirs]
        parts = [gradient[name].flatten() for name, p in names.items() if any(p is q for q in mine)]
        return torch.cat(parts).norm().item()

    assert model.main is not None
    by_mlm, by_rtd = derivative(out.generator_loss), derivative(out.main_loss)
    first, second = model.generator.encoder.embeddings, model.main.encoder.embeddings
    record = run.advance(1)[0]
    assert record.mlm_grad_norm == pytest.approx(on(by_mlm, first).norm().item(), rel=1e-5)
    assert record.rtd_grad_norm == pytest.approx(on(by_rtd, second).norm().item(), rel=1e-5)
    assert record.generator_grad_norm == pytest.approx(own(by_mlm, model.generator, model.main), rel=1e-5)
    assert record.main_grad_norm == pytest.approx(own(by_rtd, model.main, model.generator), rel=1e-5)
    together = torch.cat([(by_mlm[name] + by_rtd[name]).flatten() for name in names])
    assert record.grad_norm == pytest.approx(together.norm().item(), rel=1e-5)
    if first is second:
        cosine = torch.cosine_similarity(on(by_mlm, first), on(by_rtd, second), dim=0)
        assert record.grad_cosine == pytest.approx(cosine.item(), abs=1e-5)
    else:
        assert math.isnan(record.grad_cosine)


@pytest.mark.parametrize("longest", [1.0, 0.5, None])
def test_gradients_are_clipped_together(monkeypatch: pytest.MonkeyPatch, longest: float | None) -> None:
    run, seen = small_run(rtd_weight=1000.0, initializer_range=0.3, max_grad_norm=longest), []

    def watch() -> None:
        seen.append(sum(p.grad.square().sum().item() for p in run.model.parameters() if p.grad is not None) ** 0.5)

    monkeypatch.setattr(run.optimizers[0], "step", watch)
    record = run.advance(1)[0]
    assert record.grad_norm > 2
    assert seen == pytest.approx([longest or record.grad_norm], rel=1e-4)


@pytest.mark.parametrize("rtd_weight", [0.0, 10.0])
def test_lambda_zero_leaves_the_discriminators_own_weights_alone(rtd_weight: float) -> None:
    run = small_run(rtd_weight=rtd_weight)
    start = {name: p.detach().clone() for name, p in run.model.discriminator.named_parameters()}
    run.advance(5)
    moved = {name for name, p in run.model.discriminator.named_parameters() if not torch.equal(p, start[name])}
    own = {name for name in moved if "embeddings" not in name}
    assert moved >= {"encoder.embeddings.token.weight"}
    assert bool(own) == bool(rtd_weight)


def test_the_average_is_of_the_weights_and_learns_nothing_itself() -> None:
    run = small_run()
    run.advance(1)
    assert equal(weights(run.average), weights(run.model))  # the first step's share is the whole
    run.advance(3)
    assert not equal(weights(run.average), weights(run.model))
    assert not any(p.requires_grad for p in run.average.parameters())
    assert not run.average.training


def test_training_teaches() -> None:
    """One word gives a sentence's others away; knowing word frequencies alone would cost their entropy."""
    run = small_run(rtd_weight=2.0, generator_size_fraction=1.0, learning_rate=1e-2)
    run.advance(150)
    evaluation = run.evaluate()
    assert evaluation.mlm_loss < 0.6 * run.corpus.unigram_entropy
    assert evaluation.auc > 0.9


def test_the_toy_corpus_trains() -> None:
    run = edu.TrainingRun(edu.preset("toy", batch_size=16), toy_corpus(), device="cpu")
    run.advance(25)
    assert run.history[-1].mlm_loss < run.history[0].mlm_loss - 0.3
    assert 0 < run.evaluate().auc < 1


def test_a_run_says_what_it_is() -> None:
    run = small_run(seed=3)
    run.advance(2)
    assert repr(run).startswith("<TrainingRun on 'small', seed 3, cpu: 2 steps, ")
    assert run.corpus.train.shape[1] == LENGTH


# What is refused


@pytest.mark.parametrize("steps", [-1, 2.5, "3", None])
def test_advance_never_returns_fewer_steps_in_silence(steps: object) -> None:
    with pytest.raises(ElectraEduError, match=r"steps=.*whole number of at least 0"):
        small_run().advance(steps)


def test_a_corpus_that_does_not_fit_is_answered_with_the_call_that_mends_it() -> None:
    with pytest.raises(ElectraEduError, match=r"config\.replace\(vocab_size=16, max_seq_length=8\)"):
        TrainingRun(small_config(vocab_size=20, max_seq_length=9), small_corpus())


@pytest.mark.parametrize(
    ("device", "message"), [("gpu", "one of 'auto', 'cpu', 'cuda', 'mps'"), ("mps", "device='cpu'")]
)
def test_a_device_that_is_not_there_is_refused(device: str, message: str) -> None:
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("this computer has one")
    with pytest.raises(ElectraEduError, match=message):
        TrainingRun(small_config(), small_corpus(), device=device)

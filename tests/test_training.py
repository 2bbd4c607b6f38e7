"""TrainingRun: reproducible to the bit, honest about what it measures, and whole after whatever went wrong."""

import copy
import math
import threading
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from small import (
    CLS,
    LENGTH,
    MASK,
    PAD,
    SEP,
    UNK,
    VOCAB_SIZE,
    equal,
    rng,
    small_config,
    small_corpus,
    small_run,
    step_record,
    toy_corpus,
    weights,
)
from torch import Tensor

import electra_edu as edu
from electra_edu import efficiency
from electra_edu.corpora.corpus import Corpus
from electra_edu.electra import Electra, ElectraOutput
from electra_edu.errors import ElectraEduError, TrainingStopped
from electra_edu.metrics import binary_entropy
from electra_edu.optim import rate_factor
from electra_edu.training import StepRecord, TrainingRun
from electra_edu.training.exam import EXAM_SEED, corrupt_by_unigram

KINDS = [
    {},
    {"dropout": 0.2},
    {"optimizer": "paper-adam", "training_steps": 100},
    {"weight_sharing": "none", "positions": "learned"},
]


def figures(records: list[StepRecord]) -> list[dict[str, object]]:
    """Return everything the records say but for the seconds; None for NaN, so that equal means equal."""
    return [{name: value for name, value in r.to_dict().items() if name != "seconds"} for r in records]


def state(run: TrainingRun) -> list[Tensor]:
    """Return copies of everything that the next step depends on."""
    optimizers = [value.clone() for made in run.optimizers for kept in made.state.values() for value in kept.values()]
    return [*weights(run.model), *weights(run.average), *optimizers, run.rng.get_state()]


def foresee(run: TrainingRun) -> tuple[Tensor, Electra, ElectraOutput]:
    """Return the next step's tokens and its forward pass, taken on a copy of the model."""
    draws, model, tokens = torch.Generator(), copy.deepcopy(run.model), run._batch()
    draws.set_state(run.rng.get_state())
    return tokens, model, model(tokens, rng=draws)


# Reproducible


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_the_same_seed_gives_the_same_run_to_the_bit(changes: dict[str, object]) -> None:
    first, again, other = (small_run(seed, **changes) for seed in (4, 4, 5))
    records = first.advance(7)
    pieces = [*again.advance(3), *again.advance(0), *again.advance(4)]
    assert figures(records) == figures(pieces) == figures(first.history)
    assert equal(state(first), state(again))
    assert figures(other.advance(7)) != figures(records)


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
    assert figures(shared.history) == figures(alone.history)


def test_an_epoch_shows_every_sequence_once_and_in_a_new_order() -> None:
    """20 sequences of the corpus make 5 batches of 4; numbered words tell which sequence is which."""
    corpus = small_corpus(train=20)
    corpus.train[:, 0] = torch.arange(20)
    run = TrainingRun(small_config(batch_size=4), corpus, device="cpu")
    seen: list[list[int]] = []
    for run.step in range(10):
        seen.append(run._batch()[:, 0].tolist())
    first, second = sum(seen[:5], []), sum(seen[5:], [])
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
    batch = run._batch()
    tokens_before = records[-1].tokens
    last = run.advance(1)[0]
    assert last.tokens - tokens_before == (batch != PAD).sum()
    assert [r.flops for r in run.history] == [efficiency.flops(run.config, steps)["total"] for steps in (1, 2, 3, 4)]
    assert [r.learning_rate for r in run.history] == pytest.approx([3e-3 * rate_factor(i, run.config) for i in range(4)])
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


@pytest.mark.parametrize("sharing", ["embeddings", "none"])
def test_the_gradients_anatomy_is_that_of_two_separate_derivatives(sharing: str) -> None:
    run = small_run(weight_sharing=sharing, initializer_range=0.3, rtd_weight=20.0)
    run.advance(2)
    _, model, out = foresee(run)
    tables = [part.encoder.embeddings.token.weight for part in (model.generator, model.discriminator)]
    (by_mlm,) = torch.autograd.grad(out.mlm_loss, tables[0], retain_graph=True)
    (by_rtd,) = torch.autograd.grad(20.0 * out.rtd_loss, tables[1], retain_graph=True)
    whole = torch.autograd.grad(out.loss, list(model.parameters()))
    record = run.advance(1)[0]
    assert record.mlm_grad_norm == pytest.approx(by_mlm.norm().item(), rel=1e-5)
    assert record.rtd_grad_norm == pytest.approx(by_rtd.norm().item(), rel=1e-5)
    assert record.grad_norm == pytest.approx(sum(g.square().sum().item() for g in whole) ** 0.5, rel=1e-5)
    if sharing == "embeddings":
        cosine = (by_mlm * by_rtd).sum() / (by_mlm.norm() * by_rtd.norm())
        assert record.grad_cosine == pytest.approx(cosine.item(), abs=1e-5)
    else:
        assert math.isnan(record.grad_cosine)


def test_gradients_are_clipped_to_norm_one(monkeypatch: pytest.MonkeyPatch) -> None:
    run, seen = small_run(rtd_weight=1000.0, initializer_range=0.3), []

    def watch() -> None:
        seen.append(sum(p.grad.square().sum().item() for p in run.model.parameters() if p.grad is not None) ** 0.5)

    monkeypatch.setattr(run.optimizers[0], "step", watch)
    record = run.advance(1)[0]
    assert record.grad_norm > 2
    assert seen == pytest.approx([1.0], rel=1e-4)


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
    corpus = toy_corpus()
    sizes = {"vocab_size": corpus.vocab_size, "max_seq_length": corpus.max_seq_length}
    run = edu.TrainingRun(edu.preset("toy", **sizes, batch_size=16), corpus, device="cpu")
    run.advance(25)
    assert run.history[-1].mlm_loss < run.history[0].mlm_loss - 0.3
    assert 0 < run.evaluate().auc < 1


# Live changes


def test_a_change_is_noted_and_obeyed_from_the_next_step_on() -> None:
    run, untouched = small_run(), small_run()
    run.advance(2)
    untouched.advance(2)
    run.change(rtd_weight=2.0, mask_prob=0.3, temperature=0.5, learning_rate=1e-3)
    assert [(c.step, c.field, c.before, c.after) for c in run.changes] == [
        (2, "rtd_weight", 10.0, 2.0),
        (2, "temperature", 1.0, 0.5),
        (2, "learning_rate", 3e-3, 1e-3),
    ]  # the mask rate was 0.3 already
    assert run.config == untouched.config.replace(rtd_weight=2.0, temperature=0.5, learning_rate=1e-3)
    record = run.advance(1)[0]
    assert record.loss == pytest.approx(record.mlm_loss + 2.0 * record.rtd_loss)
    assert (record.rtd_weight, record.temperature, record.learning_rate) == (2.0, 0.5, 1e-3)
    assert record.mlm_loss == untouched.advance(1)[0].mlm_loss  # the generator's task did not change with it


def test_a_changed_mask_rate_changes_how_much_is_masked_and_what_it_costs() -> None:
    run = small_run()
    before = run.advance(1)[0]
    run.change(mask_prob=0.9)
    after = run.advance(1)[0]
    assert after.replaced_rate > 2 * before.replaced_rate
    assert after.flops - before.flops == efficiency.flops(run.config)["total"] > before.flops


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": 32}, r"'hidden_size' cannot change during a run\..*mask_prob, rtd_weight.*new TrainingRun"),
        ({"mask_rate": 0.2}, r"Did you mean 'mask_prob'\?"),
        ({"mask_prob": 2.0}, r"mask_prob=2\.0: must be between 0 and 1"),
        ({"rtd_weight": 1.0, "temperature": 0.0}, r"temperature=0\.0"),
    ],
)
def test_what_cannot_change_is_refused_and_nothing_changes(settings: dict[str, float], message: str) -> None:
    run = small_run()
    before = run.config
    with pytest.raises(ElectraEduError, match=message):
        run.change(**settings)
    assert run.config == before
    assert run.changes == []


# What goes wrong


def poison(weight: str) -> Callable[[TrainingRun], Callable[[], None]]:
    """Return a fault that puts a NaN into a weight, and its repair."""

    def inject(run: TrainingRun) -> Callable[[], None]:
        parameter = run.model.get_parameter(weight)
        good = parameter.flatten()[0].item()

        def put(value: float) -> None:
            with torch.no_grad():
                parameter.view(-1)[0] = value

        put(math.nan)
        return lambda: put(good)

    return inject


def spoil_gradient(weight: str, value: float) -> Callable[[TrainingRun], Callable[[], None]]:
    """Return a fault that makes one weight's gradient NaN or infinite, and its repair."""

    def inject(run: TrainingRun) -> Callable[[], None]:
        return run.model.get_parameter(weight).register_hook(lambda gradient: torch.full_like(gradient, value)).remove

    return inject


DENSE = "generator.dense.weight"


@pytest.mark.parametrize(
    ("fault", "culprit"),
    [
        (poison("generator.bias"), "the generator's MLM loss"),
        (poison("discriminator.output.bias"), "the discriminator's RTD loss"),
        (spoil_gradient(DENSE, math.nan), f"the gradient of {DENSE}"),
        (spoil_gradient(DENSE, math.inf), f"the gradient of {DENSE}"),
    ],
    ids=["NaN in the generator", "NaN in the discriminator", "NaN gradient", "infinite gradient"],
)
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_step_that_cannot_go_on_is_not_taken(
    fault: Callable[[TrainingRun], Callable[[], None]], culprit: str, dropout: float
) -> None:
    """The run stops at the fault, keeps all of its state, and after the repair goes on as if nothing had been."""
    run, undisturbed = small_run(dropout=dropout), small_run(dropout=dropout)
    run.advance(3)
    undisturbed.advance(6)
    before = state(run)
    repair = fault(run)
    with pytest.raises(TrainingStopped) as caught:
        run.advance(4)
    assert str(caught.value).startswith(f"Step 4 was not taken: {culprit} is not a finite number.")
    assert "Lower learning_rate (now 0.003)" in str(caught.value)
    assert all(parameter.grad is None for parameter in run.model.parameters())
    repair()
    assert equal(state(run), before)
    assert (run.step, len(run.history), run.tokens) == (3, 3, run.history[-1].tokens)
    run.advance(3)
    assert figures(run.history) == figures(undisturbed.history)
    assert equal(state(run), state(undisturbed))


def test_steps_before_the_fault_are_kept() -> None:
    run = small_run()
    gradients = iter([1.0, 1.0, math.nan])
    run.model.get_parameter(DENSE).register_hook(lambda gradient: gradient * next(gradients))
    with pytest.raises(TrainingStopped, match=r"^Step 3 was not taken"):
        run.advance(5)
    assert run.step == len(run.history) == 2


def test_a_lambda_beyond_all_numbers_stops_the_run() -> None:
    run = small_run()
    run.change(rtd_weight=1e300)
    with pytest.raises(TrainingStopped, match="is not a finite number"):
        run.advance(1)


def test_an_interrupted_step_leaves_no_trace() -> None:
    """Pressing stop in the middle of a step loses that step and nothing else."""
    run, undisturbed = small_run(), small_run()
    run.advance(2)
    undisturbed.advance(5)

    def interrupt(_gradient: Tensor) -> None:
        raise KeyboardInterrupt

    handle = run.model.get_parameter(DENSE).register_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.advance(1)
    handle.remove()
    run.advance(3)
    assert figures(run.history) == figures(undisturbed.history)


@pytest.mark.parametrize("steps", [-1, 2.5, "3", None])
def test_advance_never_returns_fewer_steps_in_silence(steps: object) -> None:
    with pytest.raises(ElectraEduError, match=r"steps=.*whole number of at least 0"):
        small_run().advance(steps)  # type: ignore[arg-type]


def test_a_corpus_that_does_not_fit_is_answered_with_the_call_that_mends_it() -> None:
    with pytest.raises(ElectraEduError, match=r"config\.replace\(vocab_size=16, max_seq_length=8\)"):
        TrainingRun(small_config(vocab_size=20, max_seq_length=9), small_corpus())


@pytest.mark.parametrize(("device", "message"), [("gpu", "one of 'auto', 'cpu', 'cuda', 'mps'"), ("mps", "device='cpu'")])
def test_a_device_that_is_not_there_is_refused(device: str, message: str) -> None:
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("this computer has one")
    with pytest.raises(ElectraEduError, match=message):
        TrainingRun(small_config(), small_corpus(), device=device)


# Evaluation


def test_evaluating_disturbs_nothing() -> None:
    watched, alone = small_run(dropout=0.1), small_run(dropout=0.1)
    for _ in range(4):
        watched.advance(1)
        watched.evaluate()
        alone.advance(1)
    assert figures(watched.history) == figures(alone.history)
    assert equal(state(watched), state(alone))
    assert [evaluation.step for evaluation in watched.evaluations] == [1, 2, 3, 4]


def test_the_exam_is_the_same_for_every_run() -> None:
    """Another seed, other sizes, rates and batches: still the same sentences with the same words exchanged."""
    one = small_run(seed=1)
    other = small_run(seed=2, hidden_size=8, batch_size=3, mask_prob=0.7, positions="learned")
    other.advance(2)
    assert torch.equal(one.exam.corrupted, other.exam.corrupted)
    assert torch.equal(one.exam.corrupted != one.exam.original, one.exam.is_replaced)
    assert one.exam.is_replaced.any()


def test_the_exam_redraws_fifteen_percent_from_the_word_frequencies() -> None:
    """Of 12 words round(1.8) = 2 are redrawn in each row. All read [UNK], so that no redrawn word hides as itself."""
    corpus = small_corpus()
    tokens = torch.tensor([[CLS, *[UNK] * 12, SEP, PAD]] * 6000)
    corruption = corrupt_by_unigram(tokens, corpus, small_config(), rng(2))
    assert (corruption.is_replaced.sum(-1) == 2).all()
    assert not corruption.is_replaced[:, [0, 13, 14]].any()
    drawn = torch.bincount(corruption.tokens[corruption.is_replaced], minlength=VOCAB_SIZE)
    possible = corpus.unigram > 0
    expected = corpus.unigram * 12_000
    assert drawn[~possible].sum() == 0
    assert possible.sum() == 11
    assert ((drawn - expected)[possible] ** 2 / expected[possible]).sum() < 29.6  # 10 degrees of freedom, 1 in 1,000


def test_word_frequencies_are_counts_without_specials() -> None:
    corpus = small_corpus()
    words = [int(token) for token in corpus.train.flatten() if token > MASK]
    for token, times in Counter(words).items():
        assert corpus.unigram[token].item() == pytest.approx(times / len(words))
    assert corpus.unigram[: MASK + 1].sum() == 0
    entropy = -sum(n / len(words) * math.log(n / len(words)) for n in Counter(words).values())
    assert corpus.unigram_entropy == pytest.approx(entropy)


def test_scores_are_counted_over_all_held_out_text() -> None:
    """The exam in batches of 8 (the last one smaller), again in one go from what each pass returned."""
    run = small_run(initializer_range=0.3)
    run.advance(3)
    evaluation = run.evaluate()
    exam, model = run.exam, run.average
    ordinary = exam.original > MASK
    scores = model.discriminator(exam.corrupted, exam.original != PAD)[ordinary]
    assert evaluation.auc == pytest.approx(by_pairs(scores, exam.is_replaced[ordinary]))

    draws = rng(EXAM_SEED)
    passes = [model(exam.original[i : i + 8], rng=draws) for i in range(0, len(exam.original), 8)]
    assert [len(out.corrupted) for out in passes] == [8] * 11 + [2]
    logits = torch.cat([out.rtd_logits for out in passes])
    replaced, real = torch.cat([out.is_replaced for out in passes]), exam.original != PAD
    used, targets = torch.cat([out.mlm_used for out in passes]), torch.cat([out.mlm_targets for out in passes])
    guesses = torch.cat([out.mlm_logits for out in passes])
    accused = (logits > 0) & real
    assert evaluation.live_auc == pytest.approx(by_pairs(logits[ordinary], replaced[ordinary]))
    assert evaluation.precision == pytest.approx((accused & replaced).sum().item() / accused.sum().item())
    assert evaluation.recall == pytest.approx((accused & replaced).sum().item() / replaced.sum().item())
    assert evaluation.accuracy == pytest.approx((accused == replaced)[real].float().mean().item())
    assert evaluation.replaced_rate == pytest.approx(replaced.sum().item() / real.sum().item())
    assert evaluation.majority == pytest.approx(1 - evaluation.replaced_rate)
    chances = guesses.log_softmax(-1)[used]
    assert evaluation.mlm_loss == pytest.approx(-chances.gather(1, targets[used][:, None]).mean().item(), rel=1e-5)
    assert evaluation.mlm_accuracy == pytest.approx((chances.argmax(-1) == targets[used]).float().mean().item())
    assert evaluation.sampled_accuracy == pytest.approx(1 - replaced.sum().item() / used.sum().item())
    assert evaluation.entropy == pytest.approx(-(chances.exp() * chances).sum(-1).mean().item(), rel=1e-5)
    p = torch.where(replaced, logits.sigmoid(), 1 - logits.sigmoid())[real]
    assert evaluation.rtd_loss == pytest.approx(-p.log().mean().item(), rel=1e-5)


def by_pairs(scores: Tensor, labels: Tensor) -> float:
    """Return the area under the ROC curve by comparing every replaced token with every original one."""
    difference = scores[labels][:, None] - scores[~labels][None]
    return ((difference > 0).float() + 0.5 * (difference == 0)).mean().item()


def test_scores_that_do_not_exist_are_nan() -> None:
    """A language of one word: every guess is right, nothing is ever replaced, and there is nothing to find."""
    row = torch.tensor([CLS, 9, 9, 9, 9, SEP, PAD, PAD])
    parts = vars(small_corpus()) | {"train": row.repeat(8, 1), "heldout": row.repeat(8, 1), "heldout_labels": {}}
    run = TrainingRun(small_config(), Corpus(**parts), device="cpu")
    with torch.no_grad():
        run.model.generator.bias[9] += 100.0
    record = run.advance(1)[0]
    evaluation = run.evaluate()
    for scores in (record, evaluation):
        assert math.isnan(scores.recall)
        assert math.isnan(scores.precision)
        assert (scores.replaced_rate, scores.majority, scores.sampled_accuracy) == (0, 1, 1)
    assert math.isnan(evaluation.auc)
    assert math.isnan(evaluation.live_auc)
    assert record.rtd_floor == 0


def test_a_run_says_what_it_is() -> None:
    run = small_run(seed=3)
    run.advance(2)
    assert repr(run).startswith("<TrainingRun on 'small', seed 3, cpu: 2 steps, ")
    assert run.corpus.train.shape[1] == LENGTH

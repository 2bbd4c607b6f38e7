"""The held-out exam: the same for every run, disturbing none, every score counted again by brute force."""

import math
from collections import Counter
from dataclasses import replace

import pytest
import torch
from small import (
    CLS,
    MASK,
    PAD,
    SEP,
    UNK,
    VOCAB_SIZE,
    equal,
    metrics_of,
    rng,
    small_config,
    small_corpus,
    small_run,
    state,
)
from torch import Tensor

from electra_edu.training import TrainingRun
from electra_edu.training.exam import EXAM_SEED, corrupt_by_unigram


def test_evaluating_disturbs_nothing() -> None:
    watched, alone = small_run(dropout=0.1), small_run(dropout=0.1)
    for _ in range(4):
        watched.advance(1)
        watched.evaluate()
        alone.advance(1)
    assert metrics_of(watched.history) == metrics_of(alone.history)
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
    corpus = replace(small_corpus(), train=row.repeat(8, 1), heldout=row.repeat(8, 1), heldout_labels={})
    run = TrainingRun(small_config(), corpus, device="cpu")
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


@pytest.mark.parametrize("objective", ["electra", "electra-15"])
def test_batches_of_different_size_count_by_their_tokens(objective: str) -> None:
    """Short sentences first, in batches of 8, the last of 2: the mean over all counted tokens, not over batches."""
    run = small_run(objective=objective, initializer_range=0.3)
    shortest_first = (run.exam.original != PAD).sum(-1).argsort(stable=True)
    for name in ("original", "corrupted", "is_replaced", "is_ordinary"):
        setattr(run.exam, name, getattr(run.exam, name)[shortest_first])
    draws, losses = torch.Generator().manual_seed(EXAM_SEED), []
    for original in run.exam.original.split(run.config.batch_size):
        out = run.average(original, original != PAD, rng=draws)
        p = out.rtd_logits.sigmoid()
        counted = out.is_masked if objective == "electra-15" else out.is_real
        losses.append(-torch.where(out.is_replaced, p, 1 - p).log()[counted])
    assert len({len(some) for some in losses}) > 1
    assert run.evaluate().rtd_loss == pytest.approx(torch.cat(losses).mean().item(), rel=1e-5)

"""The five objectives: each loss again from its definition, what it trains, and what a run records of it."""

import dataclasses
import itertools
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from small import MASK, VOCAB_SIZE, count, metrics_of, rng, small_config, small_corpus, small_run
from torch import Tensor

from electra_edu.config.objectives import OBJECTIVES
from electra_edu.metrics import binary_entropy
from electra_edu.model.electra import Electra, ElectraOutput
from electra_edu.model.generator import CopyingPredictor, Generator
from electra_edu.support.errors import ElectraEduError


@pytest.fixture
def tokens() -> Tensor:
    return small_corpus().train[:6]


def passed(tokens: Tensor, **changes: Any) -> tuple[Electra, ElectraOutput]:
    model = Electra(small_config(initializer_range=0.3, **changes), rng())
    return model, model(tokens, rng=rng(1))


def test_bert_is_one_full_size_masked_language_model(tokens: Tensor) -> None:
    model, out = passed(tokens, objective="bert", generator_size_fraction=0.5)
    assert model.main is None
    assert isinstance(model.generator, Generator)
    assert model.encoder is model.generator.encoder
    assert model.encoder.shape == model.config.discriminator  # not half of it
    hidden_words = tokens.masked_fill(out.is_masked, MASK)
    logits = model.generator(hidden_words, out.is_real)
    assert out.loss.item() == pytest.approx(F.cross_entropy(logits[out.is_masked], tokens[out.is_masked]).item())
    assert torch.equal(out.corrupted, hidden_words)
    assert (out.rtd_loss, out.word_loss, out.main_loss) == (None, None, None)


def test_replace_mlm_predicts_the_original_words_at_the_masked_positions(tokens: Tensor) -> None:
    model, out = passed(tokens, objective="replace-mlm")
    assert type(model.main) is Generator
    assert model.encoder.shape == model.config.discriminator
    logits = model.main(out.corrupted, out.is_real)
    expected = F.cross_entropy(logits[out.is_masked], tokens[out.is_masked]).item()
    assert out.word_loss is not None
    assert out.word_loss.item() == pytest.approx(expected, rel=1e-5)
    assert out.loss.item() == pytest.approx(out.mlm_loss.item() + expected, rel=1e-5)
    assert MASK not in out.corrupted


@pytest.mark.parametrize("objective", ["electra", "electra-15"])
def test_electra_15_counts_masked_tokens_only(tokens: Tensor, objective: str) -> None:
    model, out = passed(tokens, objective=objective, rtd_weight=7.0)
    p = model.discriminator(out.corrupted, out.is_real).sigmoid()
    losses = -torch.where(out.is_replaced, p, 1 - p).log()
    expected = losses[out.is_masked if objective == "electra-15" else out.is_real].mean().item()
    assert out.rtd_loss is not None
    assert out.rtd_loss.item() == pytest.approx(expected, rel=1e-5)
    assert out.loss.item() == pytest.approx(out.mlm_loss.item() + 7 * expected, rel=1e-5)


def test_all_tokens_mlm_mixes_copying_and_predicting(tokens: Tensor) -> None:
    """P(word) = gate · [word is the input] + (1 - gate) · softmax, at every real token."""
    model, out = passed(tokens, objective="all-tokens-mlm")
    assert isinstance(model.main, CopyingPredictor)
    hidden = model.main.encoder(out.corrupted, out.is_real)
    gate = model.main.gate(hidden).sigmoid()  # (B, T, 1)
    mixture = gate * F.one_hot(out.corrupted, VOCAB_SIZE) + (1 - gate) * model.main.predict(hidden).softmax(-1)
    torch.testing.assert_close(mixture.sum(-1), torch.ones_like(tokens, dtype=torch.float32))
    truth = mixture.gather(-1, tokens[..., None]).squeeze(-1)
    assert out.word_loss is not None
    assert out.word_loss.item() == pytest.approx(-truth[out.is_real].log().mean().item(), rel=1e-4)


def test_a_gate_of_one_copies_without_loss(tokens: Tensor) -> None:
    """Only replaced tokens have a loss then; without replacements there is none."""
    model = Electra(small_config(objective="all-tokens-mlm"), rng())
    assert isinstance(model.main, CopyingPredictor)
    with torch.no_grad():
        model.main.gate.bias.fill_(80.0)
        hidden = model.main.hidden(tokens)
        free = model.main.losses(hidden, tokens, tokens)
        wrong = model.main.losses(hidden, (tokens + 1) % VOCAB_SIZE, tokens)
    assert free.abs().max() < 1e-6
    assert wrong.min() > 50
    assert wrong.isfinite().all()


@pytest.mark.parametrize("objective", [*OBJECTIVES])
def test_the_metrics_that_a_run_records_for_an_objective(objective: str) -> None:
    run = small_run(objective=objective)
    records, evaluation = run.advance(3), run.evaluate()
    has = OBJECTIVES[objective].predicts
    missing = {name for record in records for name, value in record.to_dict().items() if value is None}
    missing -= {"precision", "recall"} if has == "replaced" else set()  # may be 0 / 0
    expected = {
        None: {
            "rtd_loss", "word_loss", "replaced_rate", "sampled_accuracy", "accuracy", "majority", "precision", "recall",
            "rtd_grad_norm", "grad_cosine", "main_grad_norm",
        },
        "replaced": {"word_loss"},
    }.get(has, {"rtd_loss", "accuracy", "majority", "precision", "recall"})  # fmt: skip
    assert missing == expected
    unscored = {name for name, value in evaluation.to_dict().items() if value is None} - {"precision"}
    scores = {"auc", "live_auc", "recall", "accuracy", "majority", "rtd_loss"}
    assert unscored == {
        None: {*scores, "word_loss", "replaced_rate", "sampled_accuracy"},
        "replaced": {"word_loss"},
    }.get(has, scores)
    assert math.isfinite(evaluation.mlm_loss)


@pytest.mark.parametrize("objective", [*OBJECTIVES])
def test_every_objective_learns(objective: str) -> None:
    run = small_run(objective=objective, rtd_weight=2.0, learning_rate=1e-2)
    records = run.advance(120)
    assert [b.flops - a.flops for a, b in itertools.pairwise(records)] == [records[0].flops] * 119
    if OBJECTIVES[objective].predicts == "replaced":  # against its floor, as the loss also depends on the generator
        share = {"all": "replaced_rate", "masked": "sampled_accuracy"}[OBJECTIVES[objective].positions]
        floor = sum(binary_entropy(getattr(r, share)) for r in records[-10:]) / 10
        assert sum(r.rtd_loss for r in records[-10:]) / 10 < 0.85 * floor
        return
    name = "word_loss" if run.model.main is not None else "mlm_loss"
    first, last = (sum(getattr(r, name) for r in some) / 10 for some in (records[:10], records[-10:]))
    assert last < 0.7 * first


def test_a_model_without_a_discriminator_names_its_objective() -> None:
    model = Electra(small_config(objective="bert"), rng())
    with pytest.raises(ElectraEduError, match=r"objective='bert': there is no discriminator.*model\.encoder"):
        _ = model.discriminator


# The generator's stand-ins and its switches


def test_a_uniform_generator_draws_every_word_alike_and_no_special_token(tokens: Tensor) -> None:
    model, out = passed(tokens, generator_kind="uniform")
    assert out.mlm_loss.item() == pytest.approx(math.log(VOCAB_SIZE - 5), rel=1e-6)
    assert out.generator_loss is None
    assert out.corrupted[out.is_masked].min() >= 5
    assert count(model) == count(model.discriminator)


def test_a_unigram_generator_draws_by_word_frequency() -> None:
    run = small_run(generator_kind="unigram")
    record = run.advance(1)[0]
    assert record.entropy == pytest.approx(run.corpus.unigram_entropy, rel=1e-5)
    assert math.isnan(record.mlm_grad_norm)
    words = run.corpus.train[run.corpus.train >= 5]
    logits = run.model.generator(run.corpus.train[:1])[0, 0]
    torch.testing.assert_close(
        logits.exp(), torch.bincount(words, minlength=VOCAB_SIZE).float() / len(words), atol=1e-6, rtol=1e-5
    )


def test_a_unigram_generator_without_frequencies_is_refused(tokens: Tensor) -> None:
    with pytest.raises(ElectraEduError, match=r"generator_kind='unigram'.*model\.generator\.set_frequencies"):
        passed(tokens, generator_kind="unigram")


def test_the_exact_generator_needs_the_toy_language() -> None:
    with pytest.raises(ElectraEduError, match=r"generator_kind='exact': only the toy language"):
        Electra(small_config(generator_kind="exact"), rng())


def test_greedy_takes_the_most_likely_token_and_draws_nothing(tokens: Tensor) -> None:
    _, out = passed(tokens, greedy=True)
    assert torch.equal(out.corrupted[out.is_masked], out.mlm_logits.argmax(-1)[out.mlm_used])


def test_disallow_correct_never_draws_the_original(tokens: Tensor) -> None:
    model = Electra(small_config(disallow_correct=True, initializer_range=0.3), rng())
    draws = rng(3)
    for _ in range(50):
        out = model(tokens, rng=draws)
        assert torch.equal(out.is_replaced, out.is_masked)


def test_fifteen_percent_of_the_chosen_keep_their_token() -> None:
    tokens = torch.full((64, 102), 7)
    model = Electra(small_config(max_seq_length=102, mask_token_prob=0.85, mask_prob=0.5), rng())
    read: list[Tensor] = []
    model.generator.register_forward_hook(lambda _module, inputs, _output: read.append(inputs[0]))
    out = model(tokens, rng=rng(2))
    kept = (read[0] == 7)[out.is_masked].float().mean().item()
    assert kept == pytest.approx(0.15, abs=4 * (0.15 * 0.85 / (64 * 51)) ** 0.5)
    assert torch.equal(read[0] == MASK, (read[0] != 7) & out.is_masked)
    assert out.mlm_used.all()  # the loss counts the kept ones too


@pytest.mark.parametrize("objective", [*OBJECTIVES])
def test_the_same_seed_gives_the_same_numbers(objective: str) -> None:
    one, again = small_run(objective=objective), small_run(objective=objective)
    assert metrics_of(one.advance(3)) == metrics_of(again.advance(3))
    first, second = (dataclasses.asdict(run.evaluate()) for run in (one, again))
    assert str(first) == str(second)  # NaN equals NaN in words

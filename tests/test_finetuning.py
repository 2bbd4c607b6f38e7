"""Fine-tuning: heads, losses and rates against others' code and hand calculation, and that it learns."""

import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import LENGTH, PAD, VOCAB_SIZE, count, equal, rng, small_config, small_corpus, small_run, weights
from torch import Tensor, nn
from transformers import ElectraConfig as TheirConfig
from transformers import ElectraForSequenceClassification, ElectraForTokenClassification

from electra_edu.corpora import IGNORE, Corpus, Labels
from electra_edu.electra import Electra
from electra_edu.errors import ElectraEduError
from electra_edu.finetuning import (
    PRESETS,
    FineTuningSettings,
    Results,
    SequenceClassifier,
    TokenClassifier,
    fine_tune,
    layerwise_rates,
    learning_curve,
    loop,
    parameter_groups,
    predict,
)
from electra_edu.finetuning.classifiers import classification_loss
from electra_edu.finetuning.loop import starting_encoder
from electra_edu.interop import transformers_config, transformers_state
from electra_edu.tasks import Task, load_task

QUICK = FineTuningSettings(epochs=4, min_steps=24, batch_size=8, learning_rate=1e-2)
ONE_EPOCH = replace(QUICK, epochs=1, min_steps=0)


@cache
def source() -> Electra:
    """A small model with a little training behind it."""
    run = small_run()
    run.advance(5)
    return run.average


def sequence_task(heldout: int = 90) -> Task:
    return load_task(small_corpus(heldout=heldout), "topic")


def token_task() -> Task:
    """Which words are nouns, the rest having no label: "the cook stirs a soup"."""
    corpus = small_corpus()
    labels = torch.full_like(corpus.heldout, IGNORE)
    labels[:, 2], labels[:, 3] = 1, 0
    parts = vars(corpus) | {"heldout_labels": {"noun": Labels(labels, ("verb", "noun"), "token")}}
    return load_task(Corpus(**parts), "noun")


TASKS = {"sequence": sequence_task, "token": token_task}


# The heads


def theirs(model: SequenceClassifier | TokenClassifier, electra: Electra, n_labels: int) -> nn.Module:
    """Hugging Face's classifier with our weights in it; every weight must have found its place."""
    discriminator = electra.discriminator
    encoder_state = {k: v for k, v in transformers_state(discriminator).items() if k.startswith("electra.")}
    config = TheirConfig(**transformers_config(discriminator), num_labels=n_labels)
    if isinstance(model, TokenClassifier):
        other: nn.Module = ElectraForTokenClassification(config)
        head = {"classifier": model.output}
    else:
        other = ElectraForSequenceClassification(config)
        assert model.dense is not None
        head = {"classifier.dense": model.dense, "classifier.out_proj": model.output}
    state = encoder_state | {f"{name}.{k}": v for name, part in head.items() for k, v in part.state_dict().items()}
    missing, unexpected = other.load_state_dict(state, strict=False)
    assert set(missing) <= {name for name, _ in other.named_buffers()}
    assert unexpected == []
    return other.eval()


@pytest.mark.parametrize("kind", [SequenceClassifier, TokenClassifier])
def test_logits_and_sizes_are_hugging_faces(kind: type[SequenceClassifier] | type[TokenClassifier]) -> None:
    electra = Electra(small_config(positions="learned", initializer_range=0.3), rng())
    model = kind(electra.encoder, 3, rng(1)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith("encoder."):
                parameter.normal_(0, 0.5, generator=rng(len(name)))
    other = theirs(model, electra, 3)
    tokens = torch.randint(5, VOCAB_SIZE, (4, LENGTH), generator=rng(2))
    mask = (torch.arange(LENGTH) < torch.tensor([[LENGTH], [5], [3], [1]])).long()
    types = torch.randint(0, 2, (4, LENGTH), generator=rng(3))
    with torch.no_grad():
        ours = model(tokens, mask, types)
        expected = other(tokens, attention_mask=mask, token_type_ids=types).logits
    real = mask.bool() if kind is TokenClassifier else torch.ones(4, dtype=torch.bool)
    torch.testing.assert_close(ours[real], expected[real], atol=1e-5, rtol=1e-5)
    assert count(model) == count(other)


def test_the_plain_head_is_one_linear_on_the_state_of_cls() -> None:
    model = SequenceClassifier(source().encoder, 3, rng(), head="plain").eval()
    tokens = small_corpus().heldout[:5]
    first = model.encoder(tokens, tokens != PAD)[:, 0]
    torch.testing.assert_close(model(tokens, tokens != PAD), first @ model.output.weight.T + model.output.bias)
    assert count(model) == count(model.encoder) + 3 * 16 + 3


def test_dropout_is_on_in_training_only() -> None:
    model = SequenceClassifier(source().encoder, 3, rng(), dropout=0.5)
    tokens = small_corpus().heldout[:5]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert not torch.equal(model(tokens), model(tokens))
    assert torch.equal(predict(model, tokens), model.eval()(tokens).argmax(-1))
    model.train()
    predict(model, tokens)
    assert model.training


def test_predictions_in_batches_are_those_of_each_sequence_alone() -> None:
    model = TokenClassifier(source().encoder, 4, rng()).eval()
    tokens = small_corpus(heldout=300).heldout
    guesses = predict(model, tokens, tokens != PAD)
    assert guesses.shape == tokens.shape
    for i in (0, 255, 256, 299):
        assert torch.equal(guesses[i], model(tokens[i : i + 1], tokens[i : i + 1] != PAD)[0].argmax(-1))


# The loss


@given(
    labels=st.lists(st.lists(st.sampled_from([IGNORE, 0, 1, 2]), min_size=5, max_size=5), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
def test_labels_of_minus_100_count_in_no_loss_and_no_gradient(labels: list[list[int]], seed: int) -> None:
    truth = torch.tensor(labels)
    logits = torch.randn(*truth.shape, 3, generator=rng(seed), dtype=torch.float64, requires_grad=True)
    loss = classification_loss(logits.float(), truth)
    (gradient,) = torch.autograd.grad(loss, logits)
    counted = [(i, t) for i in range(len(labels)) for t in range(5) if labels[i][t] != IGNORE]
    expected, expected_gradient = 0.0, torch.zeros_like(logits)
    for i, t in counted:
        p = logits[i, t].detach().softmax(-1)
        expected -= math.log(p[truth[i, t]]) / len(counted)
        expected_gradient[i, t] = p / len(counted)
        expected_gradient[i, t, truth[i, t]] -= 1 / len(counted)
    assert loss.item() == pytest.approx(expected, abs=1e-5)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-6, rtol=1e-5)


# The rates


def test_layerwise_rates_by_hand() -> None:
    """Twelve layers at 0.8, as in the paper's small and base models."""
    rates = layerwise_rates(1e-4, 0.8, 12)
    assert list(rates) == ["embeddings", *(f"layer {i}" for i in range(1, 13)), "head"]
    assert rates["head"] == 1e-4
    assert rates["layer 12"] == pytest.approx(0.8e-4)
    assert rates["layer 11"] == pytest.approx(0.64e-4)
    assert rates["layer 1"] == pytest.approx(1e-4 * 0.068719476736)  # 0.8^12
    assert rates["embeddings"] == pytest.approx(1e-4 * 0.0549755813888)  # 0.8^13


def test_the_official_codes_rates_are_off_by_one() -> None:
    """github.com/google-research/electra, issue 51: the last layer gets 0.64 instead of 0.8."""
    rates = layerwise_rates(1.0, 0.8, 12, off_by_one=True)
    assert rates["head"] == 1.0
    assert rates["layer 12"] == pytest.approx(0.64)
    assert rates["layer 1"] == pytest.approx(0.0549755813888)  # 0.8^13
    assert rates["embeddings"] == pytest.approx(0.043980465111)  # 0.8^14
    assert layerwise_rates(1.0, 1.0, 12, off_by_one=True) == layerwise_rates(1.0, 1.0, 12)


@pytest.mark.parametrize("sizes", [{}, {"embedding_size": 16}, {"positions": "learned"}])
def test_every_parameter_is_in_one_group_at_the_rate_of_its_part(sizes: dict[str, Any]) -> None:
    model = SequenceClassifier(Electra(small_config(**sizes), rng()).encoder, 3, rng())
    rates = layerwise_rates(1.0, 0.5, 2)
    groups = parameter_groups(model, rates, weight_decay=0.01)
    listed = [parameter for group in groups for parameter in group["params"]]
    assert {*map(id, listed)} == {*map(id, model.parameters())}
    assert len(listed) == len(list(model.parameters()))
    rate = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    decay = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    first, second = model.encoder.blocks
    assert model.dense is not None
    for part, expected in (
        (model.encoder.embeddings, 0.125),
        (model.encoder.project or model.encoder.embeddings, 0.125),
        (first, 0.25),
        (second, 0.5),
        (model.dense, 1.0),
        (model.output, 1.0),
    ):
        assert {rate[id(parameter)] for parameter in part.parameters()} == {expected}
    assert decay[id(model.output.weight)] == 0.01
    assert decay[id(model.output.bias)] == decay[id(model.encoder.embeddings.norm.weight)] == 0


def test_the_papers_settings() -> None:
    """arXiv 2003.10555, Table 7."""
    small, base, large = (PRESETS[f"paper-{size}"] for size in ("small", "base", "large"))
    assert (small.learning_rate, base.learning_rate, large.learning_rate) == (3e-4, 1e-4, 5e-5)
    assert (small.layerwise_decay, base.layerwise_decay, large.layerwise_decay) == (0.8, 0.8, 0.9)
    for paper in (small, base, large):
        assert (paper.warmup_share, paper.batch_size, paper.dropout, paper.epochs) == (0.1, 32, 0.1, 3)
        assert (paper.weight_decay, paper.head, paper.off_by_one) == (0.0, "plain", False)


def watched_rates(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[float]:
    """The rates of the head in every step that fine-tuning takes."""
    seen: list[float] = []
    step = torch.optim.AdamW.step

    def watch(self: torch.optim.AdamW, closure: None = None) -> None:
        seen.append(self.param_groups[-1]["lr"])
        step(self, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", watch)
    fine_tune(source(), sequence_task(), seeds=(0,), settings=replace(QUICK, **changes))
    return seen


def test_the_rate_warms_up_and_decays_over_a_known_number_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """45 sequences in batches of 15: 3 steps an epoch. Warm-up and decay multiply, as in the official code."""
    seen = watched_rates(monkeypatch, epochs=10, min_steps=0, batch_size=15, learning_rate=0.01, warmup_share=0.2)
    expected = [0.01 * min(1, (step + 1) / 7) * (1 - step / 30) for step in range(30)]
    assert seen == pytest.approx(expected)


def test_few_labels_get_more_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(watched_rates(monkeypatch, epochs=2, min_steps=20, batch_size=15)) == 21  # 7 epochs of 3 steps
    monkeypatch.undo()
    assert len(watched_rates(monkeypatch, epochs=8, min_steps=20, batch_size=15)) == 24


# Fine-tuning


@pytest.mark.parametrize("level", ["sequence", "token"])
def test_it_beats_the_majority(level: str) -> None:
    task = TASKS[level]()
    results = fine_tune(source(), task, labels_per_class=8, seeds=(0, 1), settings=QUICK)
    assert results.mean > task.majority + 0.3
    assert results.range == (min(results.scores), max(results.scores))
    assert results.n_labels == 8 * len(task.names)
    assert results.runs[0].epochs[-1].loss < results.runs[0].epochs[0].loss
    for run in results.runs:
        guesses = predict(run.classifier, task.test_tokens, task.test_tokens != PAD)
        assert task.score(guesses) == run.score
    assert f"from {results.n_labels} labels" in repr(results)


@pytest.mark.parametrize("kind", ["run", "electra", "discriminator", "generator", "encoder", "scratch"])
def test_a_source_is_copied_and_stays_as_it_was(kind: str) -> None:
    run = small_run()
    run.advance(2)
    sources: dict[str, Any] = {
        "run": run,
        "electra": run.average,
        "discriminator": run.average.discriminator,
        "generator": run.model.generator,
        "encoder": run.average.encoder,
        "scratch": run.config,
    }
    before = [*weights(run.model), *weights(run.average)]
    results = fine_tune(sources[kind], sequence_task(), seeds=(0,), settings=ONE_EPOCH)
    assert equal(before, [*weights(run.model), *weights(run.average)])
    assert not any(parameter.requires_grad for parameter in run.average.parameters())
    tuned = results.runs[0].classifier.encoder
    assert all(parameter.requires_grad for parameter in tuned.parameters())
    if kind != "scratch":
        original = run.model.generator.encoder if kind == "generator" else run.average.encoder
        assert tuned.shape == original.shape
        assert not equal(weights(tuned), weights(original)), "the whole network learns"
        close = [torch.allclose(a, b, atol=0.2) for a, b in zip(weights(tuned), weights(original), strict=True)]
        assert all(close), "and it began with the source's weights"


def test_from_scratch_draws_its_own_weights() -> None:
    first, again, other = (weights(starting_encoder(small_config(), rng(seed))) for seed in (0, 0, 1))
    assert equal(first, again)
    assert not equal(first, other)


def test_the_seed_decides_everything() -> None:
    task = sequence_task()
    settings = replace(ONE_EPOCH, dropout=0.3)
    before = torch.get_rng_state()
    dropping = Electra(small_config(dropout=0.2), rng())
    first, again = (fine_tune(dropping, task, labels_per_class=3, seeds=(3, 4), settings=settings) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    for one, other in zip(first.runs, again.runs, strict=True):
        assert equal(weights(one.classifier), weights(other.classifier))
        assert one.epochs[-1].loss == other.epochs[-1].loss
    assert not equal(weights(first.runs[0].classifier), weights(first.runs[1].classifier))


def test_an_early_stop_keeps_the_best_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripted validation scores: the best is the second epoch, and two more do no better."""
    scripted = iter([0.1, 0.6, 0.6, 0.3])
    seen: list[list[Tensor]] = []
    score = loop._score

    def watch(model: nn.Module, task: Task, *, test: bool) -> float:
        if test:
            return float(score(model, task, test=True))
        seen.append(weights(model))
        return next(scripted)

    monkeypatch.setattr(loop, "_score", watch)
    settings = replace(QUICK, epochs=20, validation_share=0.2, patience=2)
    [run] = fine_tune(source(), sequence_task(), seeds=(0,), settings=settings).runs
    assert len(run.epochs) == len(seen) == 4
    assert [epoch.validation for epoch in run.epochs] == [0.1, 0.6, 0.6, 0.3]
    assert run.best_epoch == 1
    assert equal(weights(run.classifier), seen[1])
    assert not equal(weights(run.classifier), seen[3])


def test_the_validation_sequences_are_not_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: set[tuple[int, ...]] = set()
    graded: set[tuple[int, ...]] = set()
    task = sequence_task()
    unique = torch.arange(len(task.train_tokens)) % (VOCAB_SIZE - 5) + 5  # mark each sequence with words of its own
    tokens = task.train_tokens.clone()
    tokens[:, 6], tokens[:, 7] = unique, torch.arange(len(tokens)) // (VOCAB_SIZE - 5) + 5
    task = replace(task, train_tokens=tokens)
    forward = SequenceClassifier.forward

    def watch(self: SequenceClassifier, tokens: Tensor, *rest: Tensor) -> Tensor:
        assert self.encoder.training == self.training, "dropout in the encoder too"
        (trained if self.training else graded).update(tuple(row) for row in tokens.tolist())
        return forward(self, tokens, *rest)

    monkeypatch.setattr(SequenceClassifier, "forward", watch)
    fine_tune(source(), task, seeds=(0,), settings=replace(ONE_EPOCH, validation_share=0.2))
    everything = {tuple(row) for row in tokens.tolist()}
    assert len(trained) == 36
    assert trained | (graded & everything) == everything
    assert not trained & graded


def test_the_test_part_is_never_trained_on() -> None:
    task = sequence_task()
    wrong = replace(task, test_labels=(task.test_labels + 1) % 3)
    right = fine_tune(source(), task, seeds=(0,), settings=QUICK).runs[0]
    other = fine_tune(source(), wrong, seeds=(0,), settings=QUICK).runs[0]
    assert equal(weights(right.classifier), weights(other.classifier))
    assert right.score > other.score


def test_a_learning_curve_gives_every_number_of_labels_its_results() -> None:
    curve = learning_curve(source(), sequence_task(), [1, 4], seeds=(0, 1), settings=ONE_EPOCH)
    assert list(curve) == [1, 4]
    assert [results.n_labels for results in curve.values()] == [3, 12]
    alone = fine_tune(source(), sequence_task(), labels_per_class=4, seeds=(0, 1), settings=ONE_EPOCH)
    assert curve[4].scores == alone.scores


def test_results_sum_up_their_scores() -> None:
    runs = fine_tune(source(), sequence_task(), seeds=(0, 1, 2), settings=ONE_EPOCH).runs
    results = Results(
        sequence_task(), 5, tuple(replace(run, score=s) for run, s in zip(runs, (0.2, 0.9, 0.4), strict=True))
    )
    assert results.scores == [0.2, 0.9, 0.4]
    assert results.mean == pytest.approx(0.5)
    assert results.median == 0.4
    assert results.range == (0.2, 0.9)


# What is refused


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("learning_rate", 0),
        ("learning_rate", 2),
        ("layerwise_decay", 1.1),
        ("warmup_share", 1),
        ("weight_decay", -1),
        ("max_grad_norm", 0),
        ("dropout", 1),
        ("head", "relu"),
        ("batch_size", 0),
        ("epochs", 0),
        ("epochs", 1.5),
        ("min_steps", -1),
        ("validation_share", 0.9),
        ("patience", 0),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ElectraEduError, match=f"{field}={value!r}: must be"):
        replace(QUICK, **{field: value})


def test_what_cannot_be_fine_tuned_is_refused() -> None:
    task = sequence_task()
    with pytest.raises(ElectraEduError, match="seeds: give at least one"):
        fine_tune(source(), task, seeds=())
    with pytest.raises(ElectraEduError, match="head='relu'"):
        SequenceClassifier(source().encoder, 2, rng(), head="relu")  # type: ignore[arg-type]
    with pytest.raises(ElectraEduError, match=r"token id 99, but the network was pre-trained with vocab_size=16"):
        fine_tune(source(), replace(task, train_tokens=task.train_tokens.clone().fill_(99)), settings=QUICK)
    with pytest.raises(ElectraEduError, match=r"validation_share=0.2: 3 labelled sequences are too few"):
        fine_tune(source(), task, labels_per_class=1, settings=replace(QUICK, validation_share=0.2))
    broken = Electra(small_config(), rng())
    with torch.no_grad():
        broken.encoder.embeddings.norm.weight.fill_(math.nan)
    with pytest.raises(ElectraEduError, match=r"loss in epoch 1 is not a finite number. Lower learning_rate"):
        fine_tune(broken, task, settings=QUICK)

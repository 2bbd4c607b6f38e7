"""Fine-tuning as a whole: it learns, from copies, what it was given, and the seed decides everything."""

import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from small import PAD, VOCAB_SIZE, equal, rng, small_config, small_corpus, small_run, weights
from torch import Tensor

from electra_edu.corpora import IGNORE, Labels
from electra_edu.evaluation.finetuning import (
    Classifier,
    FineTuningSettings,
    Results,
    SequenceClassifier,
    fine_tune,
    learning_curve,
    loop,
    predict,
)
from electra_edu.evaluation.finetuning.loop import starting_encoder
from electra_edu.evaluation.tasks import Task, load_task
from electra_edu.model.electra import Electra
from electra_edu.support.errors import ElectraEduError

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
    labelled = replace(corpus, heldout_labels={"noun": Labels(labels, ("verb", "noun"), "token")})
    return load_task(labelled, "noun")


TASKS = {"sequence": sequence_task, "token": token_task}


# How it goes


def watched_rates(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[float]:
    """The rates of the head in every step that fine-tuning takes."""
    seen: list[float] = []
    model, step = source(), torch.optim.AdamW.step  # the source is trained with AdamW, before anyone watches

    def watch(self: torch.optim.AdamW, closure: None = None) -> None:
        seen.append(self.param_groups[-1]["lr"])
        step(self, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", watch)
    fine_tune(model, sequence_task(), seeds=(0,), settings=replace(QUICK, **changes))
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


@pytest.mark.parametrize(
    "changes",
    [{"objective": "bert"}, {"objective": "replace-mlm"}, {"objective": "all-tokens-mlm"}, {"weight_sharing": "gdes"}],
)
def test_what_is_kept_of_any_objective_can_be_fine_tuned(changes: dict[str, Any]) -> None:
    model = Electra(small_config(**changes), rng())
    before, task = weights(model), sequence_task()
    results = fine_tune(model, task, seeds=(0,), settings=QUICK)
    assert equal(before, weights(model))
    assert results.runs[0].classifier.encoder.shape == small_config().discriminator, "of full size"
    assert results.mean > task.majority + 0.2


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
    """Scripted scores: the best epoch is the second, two more do no better; the last score is the test part's."""
    scripted = iter([0.1, 0.6, 0.6, 0.3, 0.5])
    seen: list[list[Tensor]] = []
    predict = loop.predict

    def watch(model: Classifier, *inputs: Tensor) -> Tensor:
        seen.append(weights(model))
        return predict(model, *inputs)

    monkeypatch.setattr(loop, "predict", watch)
    monkeypatch.setattr(Task, "grade", lambda *_: next(scripted))
    settings = replace(QUICK, epochs=20, validation_share=0.2, patience=2)
    [run] = fine_tune(source(), sequence_task(), seeds=(0,), settings=settings).runs
    assert len(run.epochs) == len(seen) - 1 == 4
    assert run.score == 0.5
    assert [epoch.validation for epoch in run.epochs] == [0.1, 0.6, 0.6, 0.3]
    assert run.best_epoch == 1
    assert equal(weights(run.classifier), seen[1])
    assert equal(weights(run.classifier), seen[4])
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

    def watch(self: SequenceClassifier, tokens: Tensor, *rest: Tensor, **options: Any) -> Tensor:
        assert self.encoder.training == self.training, "dropout in the encoder too"
        (trained if self.training else graded).update(tuple(row) for row in tokens.tolist())
        return forward(self, tokens, *rest, **options)

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

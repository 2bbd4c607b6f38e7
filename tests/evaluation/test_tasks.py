"""Tasks: held-out text becomes labelled examples and a test, and nothing is in both."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from small import PAD, rng, small_corpus, toy_corpus
from torch import Tensor

from electra_edu.corpora import IGNORE, Corpus, Labels, load_corpus
from electra_edu.evaluation.tasks import Task, accuracy, load_task, macro_f1, task_names
from electra_edu.evaluation.tasks.task import split
from electra_edu.support.errors import ElectraEduError

TOY = ["topic", "subject_number", "part_of_speech", "antecedent", "agreement"]
TEXT = "\n\n".join(
    f"The {fruit} number {number} is kept by {who} in the IBM office."
    for number in range(60)
    for fruit, who in (("apple", "Anna"), ("Pear", "BOB"), ("plum", "the IRS"), ("fig", "McDonald"))
)


@cache
def task(name: str, seed: int = 0) -> Task:
    return load_task(toy_corpus(), name, seed)


def rows(tokens: Tensor) -> list[tuple[int, ...]]:
    return [tuple(row) for row in tokens.tolist()]


def with_labels(corpus: Corpus, **labels: Labels) -> Corpus:
    return Corpus(**(vars(corpus) | {"heldout_labels": labels}))


# Which tasks there are


def test_the_toy_corpus_has_five_tasks() -> None:
    assert task_names(toy_corpus()) == TOY
    assert [task(name).metric for name in TOY] == ["accuracy", "accuracy", "macro F1", "macro F1", "accuracy"]
    assert [task(name).level for name in TOY] == ["sequence", "sequence", "token", "token", "sequence"]


@pytest.mark.parametrize("name", TOY)
def test_a_task_holds_the_corpus_labels_and_no_story_twice(name: str) -> None:
    made, corpus = task(name), toy_corpus()
    train, test = rows(made.train_tokens), rows(made.test_tokens)
    assert len({*train, *test}) == len(train) + len(test), "no story in both parts, and none twice"
    assert abs(len(train) - len(test)) <= len(made.names)
    if name == "agreement":
        return
    labels = corpus.heldout_labels[name]
    assert made.names == labels.names
    truth = dict(zip(rows(corpus.heldout), labels.values, strict=True))
    for tokens, values in ((made.train_tokens, made.train_labels), (made.test_tokens, made.test_labels)):
        assert all(torch.equal(truth[row], value) for row, value in zip(rows(tokens), values, strict=True))
    assert {*train, *test} == set(truth)


@pytest.mark.parametrize("name", ["topic", "agreement"])
def test_the_seed_decides_the_split(name: str) -> None:
    first = task(name)
    again, other = load_task(toy_corpus(), name, 0), load_task(toy_corpus(), name, 1)
    for part in ("train_tokens", "train_labels", "test_tokens", "test_labels"):
        assert torch.equal(getattr(first, part), getattr(again, part))
    assert rows(first.test_tokens) != rows(other.test_tokens)


def test_loading_a_task_draws_nothing_from_the_global_generator() -> None:
    before = torch.get_rng_state()
    load_task(toy_corpus(), "agreement")
    assert torch.equal(torch.get_rng_state(), before)


# Text of one's own


def test_any_text_has_capital_letters_to_restore() -> None:
    corpus = load_corpus(text=TEXT, max_seq_length=24)
    assert task_names(corpus) == ["capitals"]
    made = load_task(corpus, "capitals")
    assert made.level == "token"
    assert made.names == ("lower", "Capitalised", "UPPER")
    assert made.metric == "macro F1"
    assert (made.test_labels[made.test_tokens == PAD] == IGNORE).all()


def test_rare_labels_are_left_out_and_the_rest_is_numbered_anew() -> None:
    values = torch.tensor([0] * 20 + [1] * 3 + [2] * 20 + [IGNORE] * 47)
    corpus = with_labels(small_corpus(), topic=Labels(values, ("a", "b", "c")))
    made = load_task(corpus, "topic")
    assert made.names == ("a", "c")
    assert made.train_labels.bincount().tolist() == made.test_labels.bincount().tolist() == [10, 10]


@pytest.mark.parametrize(
    ("corpus", "name", "message"),
    [
        (small_corpus(), "topics", r"task='topics': the corpus 'small' has no such .*Did you mean 'topic'\?"),
        (small_corpus(), "agreement", r"It has: topic"),
        (small_corpus(heldout=27), "topic", r"has 0 labels with at least 10 examples.*Use a larger text"),
        (with_labels(small_corpus()), "topic", r"It has: none"),
        (with_labels(small_corpus(), topic=Labels(torch.zeros(90).long(), ("a",))), "topic", r"has 1 labels"),
    ],
    ids=["unknown", "of another corpus", "too short", "no labels", "one class"],
)
def test_a_task_that_is_not_there_is_refused(corpus: Corpus, name: str, message: str) -> None:
    assert name not in task_names(corpus)
    with pytest.raises(ElectraEduError, match=message):
        load_task(corpus, name)


# Splits, few labels


@given(
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=60), share=st.floats(0, 1), seed=st.integers(0, 2**31 - 1)
)
def test_a_split_loses_nothing_and_divides_every_label_alike(labels: list[int], share: float, seed: int) -> None:
    values = torch.tensor(labels)
    rest, chosen = split(values, share, rng(seed))
    assert sorted([*rest.tolist(), *chosen.tolist()]) == list(range(len(labels)))
    assert abs(len(chosen) - share * len(labels)) < 1 + 1e-6
    for label in set(labels):
        n = labels.count(label)
        assert abs(int((values[chosen] == label).sum()) - share * n) < 1 + 1e-6


@given(
    values=st.lists(st.lists(st.sampled_from([IGNORE, 0, 1, 2]), min_size=4, max_size=4), min_size=1, max_size=20),
    wanted=st.integers(1, 8),
    by_class=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
)
def test_few_labels_are_some_of_the_labels(values: list[list[int]], wanted: int, by_class: bool, seed: int) -> None:
    labels = torch.tensor(values)
    tokens = torch.arange(len(values))[:, None].expand(-1, 4).clone()  # each row names itself
    whole = Task("x", ("a", "b", "c"), "token", "accuracy", tokens, labels, tokens, labels)
    few = whole.few(rng(seed), per_class=wanted) if by_class else whole.few(rng(seed), total=wanted)
    original = labels[few.train_tokens[:, 0]]
    kept = few.train_labels != IGNORE
    assert torch.equal(few.train_labels[kept], original[kept])
    assert kept.any(1).all(), "no sequence without a label"
    counts = [int((labels == i).sum()) for i in range(3)]
    if by_class:
        assert [int((few.train_labels == i).sum()) for i in range(3)] == [min(wanted, n) for n in counts]
    else:
        assert few.n_labels == min(wanted, sum(counts))
    assert torch.equal(few.test_labels, labels)


def test_the_first_sequences_of_a_test_have_every_label() -> None:
    """They come in random order: a probe is asked about the first 512."""
    assert task("topic").test_labels[:100].unique().tolist() == list(range(8))
    assert 0.35 < task("agreement").train_labels[:100].double().mean() < 0.65


def test_few_sequences_keep_their_own_label() -> None:
    made = task("topic")
    truth = dict(zip(rows(made.train_tokens), made.train_labels.tolist(), strict=True))
    few = made.few(rng(), per_class=3)
    assert few.train_labels.bincount().tolist() == [3] * 8
    assert few.n_labels == 24
    assert [truth[row] for row in rows(few.train_tokens)] == few.train_labels.tolist()
    assert rows(made.few(rng(1), per_class=3).train_tokens) != rows(few.train_tokens)


def test_what_is_held_out_is_not_trained_on() -> None:
    rest, out = task("topic").few(rng(), per_class=10).hold_out(0.2, rng())
    assert (len(rest.train_tokens), len(out.train_tokens)) == (64, 16)
    assert out.train_labels.bincount().tolist() == [2] * 8
    assert not {*rows(rest.train_tokens)} & {*rows(out.train_tokens)}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [({}, "give one of the two"), ({"per_class": 1, "total": 1}, "give one"), ({"total": 0}, r"total=0: must be")],
)
def test_a_number_of_labels_that_makes_no_sense_is_refused(wanted: dict[str, int], message: str) -> None:
    with pytest.raises(ElectraEduError, match=message):
        task("topic").few(rng(), **wanted)


# Scores


@given(
    pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50),
)
def test_scores_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    guesses, labels = map(list, zip(*pairs, strict=True))
    ours = macro_f1(torch.tensor(guesses), torch.tensor(labels))
    assert ours == pytest.approx(f1_score(labels, guesses, average="macro"))
    assert accuracy(torch.tensor(guesses), torch.tensor(labels)) == pytest.approx(accuracy_score(labels, guesses))


def test_tokens_without_a_label_do_not_count() -> None:
    made = task("antecedent")
    guesses = made.test_labels.clone()
    guesses[made.test_labels == IGNORE] = 1
    assert made.score(guesses) == 1.0
    assert made.score(1 - guesses) == 0.0


def test_the_majority_names_the_commonest_label_everywhere() -> None:
    made = task("antecedent")
    truth = made.test_labels[made.test_labels != IGNORE].numpy()
    assert made.majority == pytest.approx(f1_score(truth, np.zeros_like(truth), average="macro"))
    assert 0.3 < made.majority < 0.5

"""Agreement: what is labelled unacceptable is impossible, by one word of the wrong number."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from small import rng, toy_corpus
from torch import Tensor

from electra_edu.corpora.toy import exact_distribution, toy_grammar
from electra_edu.corpora.toy.slots import PARTS_OF_SPEECH
from electra_edu.evaluation.tasks import Task, accuracy, agreement, load_task
from electra_edu.evaluation.tasks.agreement import can_generate
from electra_edu.support.errors import CorpusError


@cache
def task(name: str, seed: int = 0) -> Task:
    return load_task(toy_corpus(), name, seed)


def rows(tokens: Tensor) -> list[tuple[int, ...]]:
    return [tuple(row) for row in tokens.tolist()]


def test_an_unacceptable_story_is_impossible_and_an_acceptable_one_is_not() -> None:
    """Decided by the exact distribution, which refuses visible words that cannot occur together."""
    made = task("agreement")
    nothing = torch.zeros(made.train_tokens.shape[1], dtype=torch.bool)
    assert made.names == ("unacceptable", "acceptable")
    for row, label in zip(made.test_tokens[:400], made.test_labels[:400], strict=True):
        if label:
            assert exact_distribution(row, nothing).shape == (0, len(toy_grammar().tokens))
        else:
            with pytest.raises(CorpusError, match="no story with"):
                exact_distribution(row, nothing)


def test_a_grammar_generates_what_one_of_its_templates_allows() -> None:
    """Brute force over all templates, for stories, changed stories and single words exchanged at random."""
    grammar = toy_grammar()
    stories = torch.cat([task("agreement").train_tokens[:30], toy_corpus().heldout[:10]]).numpy()
    mixed = stories.copy()
    draw = np.random.default_rng(0)
    for row in mixed:
        row[draw.integers(1, 10)] = draw.integers(5, len(grammar.tokens))
    stories = np.concatenate([stories, mixed])
    sets = [set(np.flatnonzero(words).tolist()) for words in grammar.words]
    expected = [
        any(all(token in sets[number] for token, number in zip(row, lists, strict=True)) for lists in grammar.lists)
        for row in stories.tolist()
    ]
    assert can_generate(grammar, stories).tolist() == expected
    assert 10 < sum(expected) < 70, "some of either kind"


def test_a_changed_story_differs_from_a_real_one_in_the_number_of_one_word() -> None:
    """One word less or more of "s", or a known pair; the rest of some held-out story is kept."""
    made, corpus = task("agreement"), toy_corpus()
    heldout, token = corpus.heldout, corpus.tokenizer.id_to_token
    pairs = {("is", "are"), ("this", "these"), ("that", "those"), ("it", "them"), ("it", "they"), ("he", "they")}
    pairs |= {("she", "they")}
    seen = set()
    bad = made.test_tokens[made.test_labels == 0][:150]
    for row in bad:
        distance = (heldout != row).sum(1)
        nearest = heldout[distance.argmin()]
        assert distance.min() == 1
        [position] = (nearest != row).nonzero()[0].tolist()
        words = token(nearest[position]), token(row[position])
        one, other = sorted(words, key=len)
        assert {words, words[::-1]} & pairs or other in (f"{one}s", f"{one}es", f"{one[:-1]}ies")
        seen.add(words)
    assert len(seen) > 20
    assert {"is", "are"} & {word for words in seen for word in words}


def test_a_changed_pronoun_has_the_case_of_its_place() -> None:
    """ "They" stands before a verb and "them" does not, whatever else is wrong."""
    made, corpus = task("agreement"), toy_corpus()
    they, them = (corpus.tokenizer.token_to_id(word) for word in ("they", "them"))
    parts, verb = corpus.heldout_labels["part_of_speech"].values, PARTS_OF_SPEECH.index("verb")
    found = {they: 0, them: 0}
    bad = made.test_tokens[made.test_labels == 0]
    for row in bad[((bad == they) | (bad == them)).any(1)][:300]:
        nearest = (corpus.heldout != row).sum(1).argmin()
        for position in ((row == they) | (row == them)).nonzero()[:, 0].tolist():
            pronoun = int(row[position])
            assert (parts[nearest, position + 1] == verb) == (pronoun == they), corpus.text(row)
            found[pronoun] += 1
    assert min(found.values()) > 20


def test_a_story_that_two_changes_lead_to_is_used_once() -> None:
    corpus = toy_corpus()
    twice = {name: replace(labels, values=labels.values[:100].repeat(2, *[1] * (labels.values.dim() - 1)))
             for name, labels in corpus.heldout_labels.items()}  # fmt: skip
    corpus = replace(corpus, heldout=corpus.heldout[:100].repeat(2, 1), heldout_labels=twice)
    made = load_task(corpus, "agreement")
    stories = rows(torch.cat([made.train_tokens, made.test_tokens]))
    assert 100 < len(stories) == len({*stories}) < 200


def test_a_change_to_another_possible_story_stays_acceptable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two words that every list has both of, or neither, can stand for each other anywhere."""
    grammar = toy_grammar()
    possible = grammar.words > 0
    determiners = np.unique(grammar.lists[grammar.parts == PARTS_OF_SPEECH.index("determiner")])
    candidates = np.flatnonzero(possible[determiners].any(0)).tolist()
    one, other = next(
        (a, b) for a in candidates for b in candidates if a < b and (possible[:, a] == possible[:, b]).all()
    )
    monkeypatch.setattr(agreement, "_other_numbers", lambda tokens: {one: [other]})
    stories, labels = agreement.disagreements(toy_corpus(), rng())
    assert labels.values.all()
    assert len({*rows(stories)} - {*rows(toy_corpus().heldout)}) > 20, "some were changed"


def test_half_of_the_stories_are_changed_and_both_labels_are_common() -> None:
    labels = torch.cat([task("agreement").train_labels, task("agreement").test_labels])
    assert 0.4 < labels.double().mean() < 0.6
    assert len(labels) > 0.97 * len(toy_corpus().heldout)


def test_which_words_there_are_does_not_tell_agreement() -> None:
    """A bag of words stays near chance: it takes word order to see what disagrees with what."""
    from sklearn.linear_model import RidgeClassifier

    made = task("agreement")
    size, n = toy_corpus().vocab_size, 800
    bags = [
        torch.stack([row.bincount(minlength=size) for row in tokens[:n]])
        for tokens in (made.train_tokens, made.test_tokens)
    ]
    guesses = RidgeClassifier().fit(bags[0].numpy(), made.train_labels[:n].numpy()).predict(bags[1].numpy())
    assert accuracy(torch.from_numpy(guesses), made.test_labels[:n]) < 0.65

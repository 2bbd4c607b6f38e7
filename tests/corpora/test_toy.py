"""The toy corpus: its shape, its English, its labels."""

from dataclasses import astuple

import numpy as np
import pytest
import torch
from small import toy_corpus

from electra_edu.config import preset
from electra_edu.corpora.corpus import IGNORE, SPECIAL_TOKENS, Corpus
from electra_edu.corpora.toy import make_toy_corpus, toy_grammar, word_bank
from electra_edu.corpora.toy import words as lexicon
from electra_edu.corpora.toy.words import TOPICS, with_s
from electra_edu.corpora.unknown_words import nearest_words, unknown_words
from electra_edu.support.errors import CorpusError

PAD, UNK, CLS, SEP, MASK = range(5)
STORIES = range(400)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return toy_corpus()


def words_of(corpus: Corpus, story: int) -> list[str]:
    """Return the tokens of a held-out story, padding left out; [CLS] is number 0."""
    return [corpus.tokenizer.id_to_token(int(token)) for token in corpus.heldout[story] if token != PAD]


def label(corpus: Corpus, name: str, story: int) -> str:
    labels = corpus.heldout_labels[name]
    return labels.names[int(labels.values[story])]


def token_labels(corpus: Corpus, name: str, story: int) -> list[str]:
    labels = corpus.heldout_labels[name]
    return ["" if value == IGNORE else labels.names[value] for value in labels.values[story].tolist()]


def topics_of_words() -> dict[str, set[int]]:
    """Return the topics in which each ordinary token occurs, straight from the templates."""
    grammar, found = toy_grammar(), {}
    for topic, lists in zip(grammar.topic, grammar.lists, strict=True):
        for token in np.flatnonzero(grammar.words[lists].any(0)):
            found.setdefault(grammar.tokens[token], set()).add(int(topic))
    return {word: topics for word, topics in found.items() if word not in SPECIAL_TOKENS}


def is_plural_verb(verb: str) -> bool:
    return verb in ("are", "were") or with_s(verb) in toy_grammar().tokens


def test_sizes(corpus):
    assert corpus.train.shape == (40_000, 22)
    assert corpus.heldout.shape == (4_000, 22)
    assert corpus.train.dtype == corpus.heldout.dtype == torch.int64
    assert 300 <= corpus.vocab_size - len(SPECIAL_TOKENS) - 2 <= 360  # words: all but ".", "," and the special tokens
    toy = preset("toy")
    assert (toy.vocab_size, toy.max_seq_length) == (corpus.vocab_size, corpus.max_seq_length)
    assert (corpus.train != PAD).float().mean() >= 0.75


def test_every_row_is_cls_words_sep_padding(corpus):
    for rows in (corpus.train, corpus.heldout):
        length = (rows != PAD).sum(-1)
        place = torch.arange(rows.shape[1])
        assert (rows[:, 0] == CLS).all()
        assert torch.equal(rows == SEP, place == length[:, None] - 1)
        assert torch.equal(rows == PAD, place >= length[:, None])
        assert torch.equal(rows >= len(SPECIAL_TOKENS), (place > 0) & (place < length[:, None] - 1))


def test_same_arguments_same_stories(corpus):
    again = make_toy_corpus()
    assert again.sha256 == corpus.sha256
    assert torch.equal(again.train, corpus.train)
    assert torch.equal(again.heldout, corpus.heldout)
    other = make_toy_corpus(seed=1)
    assert other.sha256 != corpus.sha256
    assert not torch.equal(other.train, corpus.train)


def test_heldout_stories_are_new_and_different(corpus):
    train = {tuple(row) for row in corpus.train.tolist()}
    heldout = {tuple(row) for row in corpus.heldout.tolist()}
    assert len(heldout) == len(corpus.heldout)
    assert not heldout & train


def test_stories_seen_in_training_are_replaced(monkeypatch):
    # A language of sixty stories, so that many of those drawn to be held out occur in training.
    small = type(toy_grammar()).compile(topics=TOPICS[:1], most_words=1)
    monkeypatch.setattr("electra_edu.corpora.toy.corpus.toy_grammar", lambda: small)
    corpus = make_toy_corpus(n_train=40, n_heldout=10)
    assert not {tuple(row) for row in corpus.heldout.tolist()} & {tuple(row) for row in corpus.train.tolist()}
    assert len({tuple(row) for row in corpus.heldout.tolist()}) == 10
    for story in range(10):  # labels belong to the stories that stayed
        assert (corpus.heldout_labels["part_of_speech"].values[story] == IGNORE).tolist() == (
            corpus.heldout[story] < len(SPECIAL_TOKENS)
        ).tolist()


@pytest.mark.parametrize(
    ("arguments", "field"), [({"n_train": 0}, "n_train=0"), ({"n_heldout": -1}, "n_heldout=-1"), ({"seed": -1}, "seed")]
)
def test_bad_arguments_are_named(arguments, field):
    with pytest.raises(CorpusError, match=field):
        make_toy_corpus(**arguments)


def test_text_goes_out_and_comes_back(corpus):
    for row in corpus.heldout[:100]:
        text = corpus.text(row)
        assert text.endswith(".")
        assert " ." not in text
        assert "[" not in text
        ids = corpus.tokenizer.encode(text).ids
        assert ids == row[: len(ids)].tolist()
        assert len(ids) == int((row != PAD).sum())


def test_tokenizer_reads_what_people_type(corpus):
    tokens = corpus.tokenizer.encode("The [MASK] sees a Boat,near the gull.").tokens
    assert tokens == ["[CLS]", "the", "[MASK]", "sees", "[UNK]", "boat", ",", "near", "the", "gull", ".", "[SEP]"]
    assert [corpus.tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == [PAD, UNK, CLS, SEP, MASK]


def test_plurals_and_third_persons():
    spelled = {
        "soup": "soups",
        "study": "studies",
        "boy": "boys",
        "bench": "benches",
        "wash": "washes",
        "box": "boxes",
    }
    assert {word: with_s(word) for word in spelled} == spelled


def test_word_lists_have_no_word_twice_and_no_word_in_two_roles():
    people = [person for topic in TOPICS for person in topic.he + topic.she]
    people += [*lexicon.CHILD_HE, *lexicon.CHILD_SHE]
    assert len(people) == len(set(people))  # one gender each
    adjectives = [word for topic in TOPICS for word in topic.traits + topic.good + topic.bad]
    # One home each, so that the adjective alone tells whether "they are …" is about people or about things.
    adjectives += [mood for words in lexicon.MOODS.values() for mood in words]
    assert len(adjectives) == len(set(adjectives))


def test_every_content_word_of_a_story_names_its_topic():
    shared = {word for word, found in topics_of_words().items() if len(found) > 1}
    assert {len(found) for found in topics_of_words().values()} == {1, len(TOPICS)}  # nothing between one and all
    for topic in TOPICS:
        own = [word for field in astuple(topic)[1:] for word in field]
        assert not shared & {*own, *map(with_s, own)}


def test_a_third_of_the_words_name_the_topic(corpus):
    """That is what topics are learned from in seconds: see docs/decisions.md."""
    homes = topics_of_words()
    names_it = torch.tensor([len(homes.get(token, ())) == 1 for token in toy_grammar().tokens])
    is_word = corpus.heldout >= len(SPECIAL_TOKENS)
    assert names_it[corpus.heldout].sum() / is_word.sum() >= 1 / 3
    assert names_it[corpus.heldout].sum(1).min() >= 5  # so a bag of words always tells it


def test_first_verb_agrees_with_the_subject(corpus):
    for story in STORIES:
        parts = token_labels(corpus, "part_of_speech", story)
        verb = words_of(corpus, story)[parts.index("verb")]
        assert is_plural_verb(verb) == (label(corpus, "subject_number", story) == "plural"), words_of(corpus, story)


def test_pronoun_agrees_with_its_verb_and_its_antecedent(corpus):
    he = {person for topic in TOPICS for person in topic.he + lexicon.CHILD_HE}
    she = {person for topic in TOPICS for person in topic.she + lexicon.CHILD_SHE}
    others = 0
    for story in STORIES:
        words = words_of(corpus, story)
        antecedents = token_labels(corpus, "antecedent", story)
        place = antecedents.index("antecedent")
        assert antecedents.count("antecedent") == 1
        others += antecedents.count("other noun")
        second = words[words.index(".") :]
        pronoun = next(word for word in second if word in ("he", "she", "it", "they", "them"))
        expected = "he" if words[place] in he else "she" if words[place] in she else None
        expected = expected or ("it" if with_s(words[place]) in set(toy_grammar().tokens) else "they")
        assert pronoun.replace("them", "they") == expected, words
        if pronoun in ("he", "she", "they"):
            verb = second[second.index(pronoun) + 1]
            assert is_plural_verb(verb) == (pronoun == "they"), words
    assert others / len(STORIES) > 1  # distractors make it a question


def test_antecedent_labels_are_on_all_nouns_of_the_first_sentence_only(corpus):
    for story in STORIES:
        words, parts = words_of(corpus, story), token_labels(corpus, "part_of_speech", story)
        expected = [part == "noun" and place < words.index(".") for place, part in enumerate(parts)]
        assert [bool(name) for name in token_labels(corpus, "antecedent", story)] == expected


def test_possessives_agree_with_their_owner(corpus):
    owners = {"his": "he", "her": "she", "their": "they"}
    seen = set()
    for story in STORIES:
        words = words_of(corpus, story)
        for word in set(words) & set(owners):
            assert owners[word] in words[words.index(".") : words.index(word)], words
            seen.add(word)
    assert seen == set(owners)


def test_only_one_of_two_people_fits_the_pronoun(corpus):
    he = {person for topic in TOPICS for person in topic.he + lexicon.CHILD_HE}
    she = {person for topic in TOPICS for person in topic.she + lexicon.CHILD_SHE}
    kind = dict.fromkeys(he, "he") | dict.fromkeys(she, "she") | dict.fromkeys(map(with_s, he | she), "they")
    children = {*lexicon.CHILD_HE, *lexicon.CHILD_SHE}
    seen = 0
    for story in STORIES:
        words = words_of(corpus, story)
        if {*children, *map(with_s, children)} & {*words}:
            person, child = (kind[word] for word in words if word in kind)
            assert person != child, words
            seen += 1
    assert seen > 10


def test_topic_words_stay_in_their_topic(corpus):
    bank = word_bank()
    topics = {topic.name for topic in TOPICS}
    homes = {word: {name for name in topics if word in bank[name]} for name in topics for word in bank[name]}
    seen = set()
    for story in STORIES:
        seen.add(label(corpus, "topic", story))
        for word in words_of(corpus, story):
            assert label(corpus, "topic", story) in homes.get(word, topics)
    assert seen == topics


def test_part_of_speech_depends_on_the_context(corpus):
    seen: dict[str, set[str]] = {}
    for story in range(len(corpus.heldout)):
        words, parts = words_of(corpus, story), token_labels(corpus, "part_of_speech", story)
        assert [part == "" for part in parts] == [
            place in (0, len(words) - 1) or place >= len(words) for place in range(len(parts))
        ]
        for word, part in zip(words, parts, strict=False):
            seen.setdefault(word, set()).add(part)
    assert seen["there"] == {"pronoun"}
    assert seen["clean"] == {"verb", "adjective"}
    assert seen["water"] == {"verb"}
    assert seen["the"] == {"determiner"}
    assert seen["."] == seen[","] == {"punctuation"}
    assert all("" not in parts for word, parts in seen.items() if word not in SPECIAL_TOKENS)


def test_word_bank_has_every_word():
    bank = word_bank()
    assert {word for words in bank.values() for word in words} == set(toy_grammar().tokens) - {
        *SPECIAL_TOKENS,
        ".",
        ",",
    }
    assert "pirate" in bank["sea"]
    assert "pirate" not in bank["noun"]
    assert "boys" in bank["noun"]
    assert "waves" in bank["verb"]
    assert "clean" in bank["hospital"]  # both a verb and an adjective, and of one topic either way
    assert all(len(bank[topic.name]) >= 25 for topic in TOPICS)


def test_unknown_words_and_their_neighbours(corpus):
    assert unknown_words(corpus.tokenizer, "The Wizard sees a boat, a [ and the Wizard.") == ["Wizard", "a", "[", "and"]
    assert unknown_words(corpus.tokenizer, "the boat") == []
    assert nearest_words(corpus.tokenizer, "Boats!", n=2) == ["boats", "boat"]
    assert nearest_words(corpus.tokenizer, "qqqq") == []
    assert "[MASK]" not in nearest_words(corpus.tokenizer, "[mask]", n=100)
    with pytest.raises(CorpusError, match="n=0"):
        nearest_words(corpus.tokenizer, "boat", n=0)


def test_labels_know_their_names(corpus):
    assert corpus.heldout_labels["topic"].names == tuple(topic.name for topic in TOPICS)
    assert len(TOPICS) == 8
    for labels in corpus.heldout_labels.values():
        shape = (4_000,) if labels.level == "sequence" else (4_000, 22)
        assert labels.values.shape == shape
        assert labels.values.dtype == torch.int64
        used = np.setdiff1d(labels.values, [IGNORE])
        assert used.tolist() == list(range(len(labels.names)))  # every label occurs, and no other

"""Text of any language in, the same text out; and nothing that ASCII text gives has changed."""

import hashlib
import json
import random
import string
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from languages import SENTENCES, paragraphs_of, read_as
from tokenizers import Tokenizer

import electra_edu as edu
from electra_edu.corpora import Corpus, load_corpus
from electra_edu.corpora.encoding import encode
from electra_edu.corpora.unknown_words import unknown_words
from electra_edu.corpora.wordpiece import bert_tokenizer, train_wordpiece

LICENSE = Path(__file__).parents[2] / "LICENSE"
DIFFERENT = [
    ("möchte", "mochte"), ("été", "ete"), ("ёж", "еж"), ("мой", "мои"), ("パン", "バン"), ("バン", "ハン"),
    ("दिल्ली", "दिलली"), ("ที่", "ท"), ("น้ำ", "นำ"), ("má", "mà"), ("كَتَبَ", "كُتِبَ"), ("كتب", "كَتَبَ"), ("שָׁלוֹם", "שלום"),
    ("ılık", "ilik"), ("işik", "isik"), ("학교", "하교"), ("می\u200cخواهم", "میخواهم"), ("👩‍👩‍👧", "👩👩👧"),
    ("ﬁne", "fine"), ("x²", "x2"), ("straße", "strasse"), ("łódź", "lodz"), ("ñ", "n"),
]  # fmt: skip


def read_back(tokenizer: Tokenizer, text: str) -> str:
    return read_as(tokenizer.decode(encode(tokenizer, [text]).tolist()))


def fingerprint(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def of_corpus(corpus: Corpus) -> str:
    return fingerprint(
        corpus.train.tolist(), corpus.heldout.tolist(), corpus.tokenizer.get_vocab(), corpus.sha256,
        corpus.heldout_labels["capitals"].values.tolist(),
    )  # fmt: skip


@pytest.mark.fault("Text in, text out", seen="accents, vowel signs and the marks of kana were stripped without a word")
@pytest.mark.parametrize("language", SENTENCES)
def test_text_of_any_language_comes_back(language: str) -> None:
    sentence = SENTENCES[language]
    corpus = load_corpus(text=paragraphs_of(sentence), max_seq_length=16)
    assert read_back(corpus.tokenizer, sentence) == read_as(sentence)
    assert unknown_words(corpus.tokenizer, sentence) == []
    shown = read_as(" ".join(corpus.text(row) for row in corpus.train))
    assert set(shown) >= set(read_as(sentence)), "the corpus itself shows every character of the text"


@pytest.mark.fault("Text in, text out", seen="“möchte” and “mochte” got the same token ids")
@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_words_that_differ_stay_different(one: str, other: str) -> None:
    tokenizer = train_wordpiece([f"{one} {other}"] * 3, 200)
    assert encode(tokenizer, [one]).tolist() != encode(tokenizer, [other]).tolist()
    assert unknown_words(tokenizer, f"{one} {other}") == []


@pytest.mark.fault("Text in, text out", seen="the same Korean text typed decomposed gave another corpus")
@pytest.mark.parametrize("language", ["German", "Vietnamese", "Russian", "Japanese", "Korean", "Tamil", "Greek"])
def test_composed_and_decomposed_text_are_the_same(language: str) -> None:
    text = unicodedata.normalize("NFC", paragraphs_of(SENTENCES[language]))
    decomposed = unicodedata.normalize("NFD", text)
    assert decomposed != text
    one, other = (load_corpus(text=either, max_seq_length=16) for either in (text, decomposed))
    assert of_corpus(one) == of_corpus(other)
    assert encode(one.tokenizer, [text]).tolist() == encode(one.tokenizer, [decomposed]).tolist()


NOT_TEXT = ["Cc", "Cs", "Cn"]  # control characters, half pairs, and what this Python's Unicode does not know yet
WORDS = st.one_of(
    st.text(st.characters(exclude_categories=NOT_TEXT), min_size=1, max_size=12),
    st.sampled_from([word for sentence in SENTENCES.values() for word in sentence.split()]),
    st.text(
        st.sampled_from("ΑΣςσ'.:·aI\u0130ı\u0307\u0301\u00ad\u200d\u200b\u3099はハ\u1100\u1161\u11a8ßﬀ-_/( )"),
        max_size=12,
    ),
)


@pytest.mark.fault("Text in, text out", seen="accents, format characters and private letters were dropped")
@settings(max_examples=150)
@given(words=st.lists(WORDS, min_size=1, max_size=8))
def test_any_text_comes_back(words: list[str]) -> None:
    text = " ".join(words)
    tokenizer = train_wordpiece([text, f"{text} a"], 5000)
    assert read_back(tokenizer, text) == read_as(text)
    decomposed, composed = (unicodedata.normalize(form, text) for form in ("NFD", "NFC"))
    assert encode(tokenizer, [decomposed]).tolist() == encode(tokenizer, [composed]).tolist()


# What is typed is shown as typed


@pytest.mark.fault("Text in, text out", seen="the combining mark at the end of a typed word was cut off")
def test_typed_marks_belong_to_their_word() -> None:
    corpus = load_corpus(text=paragraphs_of("mañana, né café sí señor hoy"), max_seq_length=16)
    typed = unicodedata.normalize("NFD", "Né café, ŷź mañana")
    assert unknown_words(corpus.tokenizer, typed) == [unicodedata.normalize("NFD", "ŷź")]
    config = edu.preset(
        "docs", vocab_size=corpus.vocab_size, max_seq_length=16, hidden_size=16, num_layers=1, num_heads=1
    )
    run = edu.TrainingRun(config, corpus, device="cpu")
    words = [judged.word for judged in edu.detection.detect_words(run, typed)]
    assert words == [unicodedata.normalize("NFD", word) for word in ("Né", "café", ",", "ŷź", "mañana")]


# Nothing that was there has changed


def ascii_soup(n: int) -> str:
    """Printable and control characters at random, in lines: what no learner types, but old corpora may hold."""
    return "".join(
        random.Random(3).choices(string.printable + string.ascii_letters * 3 + "\0\x07\x1b\x7f" + " " * 40, k=n)
    )


def test_ascii_text_gives_the_ids_it_always_gave() -> None:
    """Recorded when the vocabularies trained here still had BERT's normaliser."""
    corpus = load_corpus(text=LICENSE.read_text(), max_seq_length=8, vocab_size=150)
    assert of_corpus(corpus) == "0000046ddfabdd6e462f919d46dae551e57890145d1c79a80065b2a72780bdbb"
    corpus = load_corpus(text=ascii_soup(30_000), max_seq_length=16, vocab_size=400)
    assert of_corpus(corpus) == "b0fb49a21c25b7566688fd5bef18abc7971b1a1c99e7d6bd2d27c2fe396778ab"


@pytest.mark.fault("Text in, text out", seen="a run saved with stripped accents went on with other token ids")
def test_run_that_was_trained_on_stripped_text_is_not_taken_for_one_on_this() -> None:
    """Its checkpoint knows its corpus by the hash of the paragraphs."""
    for text, is_the_same in ((paragraphs_of("mañana, né café"), False), (paragraphs_of("manana, ne cafe"), True)):
        paragraphs = [f"{paragraph}\n\n" for paragraph in text.split("\n\n")]
        before = hashlib.sha256("".join(paragraphs).encode()).hexdigest()
        assert (load_corpus(text=text, max_seq_length=16).sha256 == before) == is_the_same


@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_ascii_text_is_read_as_bert_reads_it(text: str) -> None:
    tokenizer = train_wordpiece([text, LICENSE.read_text()], 300)
    bert = bert_tokenizer(tokenizer.get_vocab())
    assert encode(tokenizer, [text]).tolist() == encode(bert, [text]).tolist()


@pytest.mark.parametrize("half", ["generator", "discriminator"])
def test_shipped_vocabulary_keeps_its_own_normaliser(half: str) -> None:
    folder = edu.experiments.network_folder("docs-long") / half
    tokenizer = edu.interop.from_transformers(folder).tokenizer
    assert tokenizer is not None
    assert json.loads(tokenizer.to_str())["normalizer"]["strip_accents"] is None
    assert tokenizer.encode("Café").ids == tokenizer.encode("cafe").ids


@pytest.mark.fault("Text in, text out", seen="a vocabulary that reads “café” as “cafe” had no unknown words to tell of")
def test_unknown_words_are_all_of_which_something_is_lost() -> None:
    strips = bert_tokenizer({"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "cafe": 5, "##s": 6, ".": 7})
    typed = "CAFES caf\u00e9s, cafe\u0301. tea \u200d cafe."
    assert unknown_words(strips, typed) == ["cafés", ",", "cafe\u0301", "tea", "\u200d"]

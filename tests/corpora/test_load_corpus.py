"""`load_corpus` on text of one's own: how it is split and packed, and what it answers to what cannot work."""

import random
from collections import Counter
from pathlib import Path

import torch
from corpus_refusals import refusal
from hypothesis import given
from hypothesis import strategies as st
from random_text import story

from electra_edu.corpora import SPECIAL_TOKENS, docs, load_corpus, text_files
from electra_edu.corpora.build import pack
from electra_edu.corpora.wordpiece import train_wordpiece
from electra_edu.support.errors import CorpusError


def documentation(n_characters: int) -> str:
    """Real English with many pieces equally frequent: the beginning of Python's language reference."""
    pages = docs.read_topics(Path(random.__file__).parent)
    return "\n\n".join(paragraph for page in pages for paragraph in page.paragraphs)[:n_characters]


# A text becomes sequences


def test_text_becomes_full_sequences() -> None:
    corpus = load_corpus(text=story(4000))
    assert corpus.name == "text"
    for part in (corpus.train, corpus.heldout):
        assert part.dtype == torch.int64
        assert part.shape[1] == corpus.max_seq_length == 64
        assert (part[:, 0] == 2).all()
        assert ((part == 3).sum(1) == 1).all()
        assert (part[:-1, -1] == 3).all(), "only the last sequence may be short"
        assert not (part == 4).any()
        assert part.max() < corpus.vocab_size
    assert corpus.vocab_size < 1024, "such a text cannot fill the vocabulary"
    assert [corpus.tokenizer.id_to_token(i) for i in range(5)] == list(SPECIAL_TOKENS)
    assert corpus.tokenizer.encode("The cat").tokens == ["[CLS]", "the", "cat", "[SEP]"]
    assert 0.04 < len(corpus.heldout) / len(corpus.train) < 0.09


def test_file_and_text_give_the_same_corpus_whatever_the_line_ends(tmp_path: Path) -> None:
    text = story(2000)
    expected = load_corpus(text=text)
    for index, data in enumerate((text.encode(), b"\xef\xbb\xbf" + text.encode(), text.replace("\n", "\r\n").encode())):
        path = tmp_path / f"story {index}.txt"
        path.write_bytes(data)
        corpus = load_corpus(path if index else str(path))
        assert corpus.name == path.name
        assert corpus.sha256 == expected.sha256
        assert torch.equal(corpus.train, expected.train)


def test_nothing_held_out_is_trained_on() -> None:
    text = story(3000) + "\n\n" + story(1000)  # the second half repeats the beginning
    corpus = load_corpus(text=text, max_seq_length=16)
    train = " ".join(corpus.text(row) for row in corpus.train)
    for row in corpus.heldout:
        middle = " ".join(corpus.text(row).split()[2:12])
        assert middle not in train
    assert len(corpus.train) == len(load_corpus(text=story(3000), max_seq_length=16).train), "repeats count once"


def test_all_of_the_text_is_there() -> None:
    text = story(3000)
    corpus = load_corpus(text=text, max_seq_length=16)
    expected = Counter(corpus.tokenizer.encode(text, add_special_tokens=False).ids)
    for tokens in (corpus.train, corpus.heldout):
        expected.subtract(tokens[tokens >= len(SPECIAL_TOKENS)].tolist())
    assert min(expected.values()) == 0, "no token too many"
    assert sum(expected.values()) < 14, "at most a last sequence of each part less than half full"


def test_same_text_same_vocabulary() -> None:
    assert len({load_corpus(text=documentation(30_000), vocab_size=700).tokenizer.to_str() for _ in range(5)}) == 1


def test_size_of_the_vocabulary_is_obeyed() -> None:
    for vocab_size in (80, 150, 600):
        assert load_corpus(text=documentation(60_000), vocab_size=vocab_size).vocab_size == vocab_size


def test_corpus_can_be_loaded_again_by_the_sizes_it_has() -> None:
    first = load_corpus(text=story(2000))
    again = load_corpus(text=story(2000), vocab_size=first.vocab_size, max_seq_length=first.max_seq_length)
    assert again.tokenizer.to_str() == first.tokenizer.to_str()


def test_special_tokens_in_a_text_are_just_words() -> None:
    corpus = load_corpus(text=story(2000).replace("cat", "[MASK]").replace("dog", "[PAD]"))
    assert not (corpus.train == 4).any()
    assert "mask" in corpus.tokenizer.get_vocab()


def test_words_are_read_back_as_they_were_written() -> None:
    tokenizer = train_wordpiece(["don't stop the built-in (small) one, it's snake_case."] * 9, 300)
    line = "don't stop the built-in (small) one, it's snake_case."
    assert tokenizer.decode(tokenizer.encode(line).ids) == line


def test_text_without_empty_lines_has_a_paragraph_a_line() -> None:
    assert [*text_files.paragraphs("one\ntwo\r\nthree")] == ["one", "two", "three"]
    assert [*text_files.paragraphs("one\ntwo\n \nthree\n")] == ["one two", "three"]


@given(st.text(alphabet="ab \n\u2028中", max_size=400))
def test_paragraphs_lose_nothing_but_white_space(text: str) -> None:
    pieces = [*text_files.paragraphs(text)]
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < len(piece) <= 50 for piece in pieces)


@given(st.integers(0, 60), st.integers(8, 20))
def test_pack_fills_pads_and_drops(n_tokens: int, max_seq_length: int) -> None:
    tokens, width = torch.arange(5, 5 + n_tokens), max_seq_length - 2
    rows = pack(tokens, max_seq_length)
    ordinary = rows[rows >= 5]
    assert torch.equal(ordinary, tokens[: len(ordinary)])
    assert n_tokens - len(ordinary) < width / 2
    assert ((rows == 0).sum(1)[:-1] == 0).all()
    assert ((rows == 2).sum(1) == 1).all()
    assert ((rows == 3).sum(1) == 1).all()


def test_no_text() -> None:
    assert "is empty" in refusal(text="")
    assert "white space" in refusal(text=" \n\t ")
    assert "must be a string" in refusal(text=b"bytes")
    assert "character 1" in refusal(text="a\ud800b")


def test_too_little_text_says_how_much_there_is_and_is_needed() -> None:
    message = refusal(text="Just a few words.")
    assert "needs 62" in message
    assert "Give a longer text, or a smaller max_seq_length" in message
    one = refusal(text=story(32))
    assert "hold out" in one
    assert "124" in one
    assert len(load_corpus(text=story(32), max_seq_length=16).heldout) >= 1, "the remedy works"


def test_smallest_text_that_works_has_both_parts() -> None:
    works = 0
    for n_words in range(40, 400, 16):
        try:
            corpus = load_corpus(text=story(n_words))
        except CorpusError:
            assert works == 0, f"{n_words} words are refused though fewer were not"
            continue
        works += 1
        assert min(len(corpus.train), len(corpus.heldout)) >= 1
    assert works > 10


def test_repeated_text_counts_once() -> None:
    assert "twice counts once" in refusal(text="The same line again and again.\n\n" * 500)


def test_more_characters_than_the_vocabulary_can_spell() -> None:
    draw = random.Random(0)
    text = "".join(chr(0x4E00 + draw.randrange(2500)) for _ in range(20_000))
    assert "vocab_size=1024" in refusal(text=text)
    assert load_corpus(text=text, vocab_size=8192).vocab_size > 2500, "the remedy works"


def test_conflicting_or_impossible_arguments() -> None:
    assert "one of the two" in refusal("docs", text="some text")
    assert "whole number" in refusal(text=story(1000), vocab_size=3)
    assert "max_seq_length=True" in refusal(text=story(1000), max_seq_length=True)
    assert "max_seq_length=2:" in refusal(text=story(1000), max_seq_length=2)
    assert "one file, not list" in refusal(["a.txt", "b.txt"])
    for name in ("toy", None):
        assert "fixed vocab_size" in refusal(name, vocab_size=500)
        assert "fixed max_seq_length" in refusal(name, max_seq_length=64)

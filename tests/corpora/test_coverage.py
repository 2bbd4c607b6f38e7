"""Text that a vocabulary would lose: counted in characters, named by its cause, answered with a remedy that helps."""

import random
import re
import string

import pytest
from languages import SENTENCES, read_as

from electra_edu.corpora import coverage, load_corpus
from electra_edu.corpora.build import UNK
from electra_edu.support.errors import CorpusError

WORDS = [
    "the",
    "cat",
    "dog",
    "birds",
    "fish",
    "house",
    "tree",
    "sees",
    "hears",
    "likes",
    "finds",
    "old",
    "young",
    "never",
]


def lines(n: int, extra: str = "", seed: int = 0) -> list[str]:
    """Lines of ten random words, each with an extra word of its own: `extra` names what that is made of."""
    draw = random.Random(seed)
    return [
        " ".join([*draw.choices(WORDS, k=10), "".join(draw.choices(extra, k=150)) if extra else "."]) for _ in range(n)
    ]


def refusal(text: str, **sizes: int) -> str:
    with pytest.raises(CorpusError) as caught:
        load_corpus(text=text, **sizes)
    return str(caught.value)


def lost(text: str, **sizes: int) -> float:
    """The share of the training tokens that are [UNK]."""
    return float((load_corpus(text=text, **sizes).train == UNK).double().mean())


@pytest.mark.fault(
    "Text in, text out", seen="lines with one word of 150 letters were taken: 8 % of the tokens, 75 % of the characters"
)
@pytest.mark.parametrize(
    "extra", [string.ascii_lowercase, "ACGT", string.ascii_letters + string.digits, "αβγδεζ", "가나다라마"]
)
@pytest.mark.parametrize("vocab_size", [300, 8192])
def test_over_long_words_are_named_as_the_cause(extra: str, vocab_size: int) -> None:
    message = refusal("\n".join(lines(300, extra)), vocab_size=vocab_size)
    assert "words of more than 100 characters" in message
    assert re.search(r"hold 7\d% of its characters", message)
    assert "for example vocab_size" not in message, "no size of the vocabulary helps"
    assert "blanks" in message


@pytest.mark.fault("Errors", seen="words of 120 letters: a larger vocab_size, 8192, then 65536, then 100000")
def test_over_long_words_alone_and_the_remedy_for_them() -> None:
    draw = random.Random(1)
    words = ["".join(draw.choices(string.ascii_lowercase, k=120)) for _ in range(2000)]
    assert "words of more than 100 characters" in refusal("\n".join(words))
    assert lost("\n".join(f"{word[:60]} {word[60:]}" for word in words)) == 0


def test_a_few_over_long_words_are_no_reason_to_refuse() -> None:
    text = "\n".join([*lines(1000), *lines(10, "ACGT")])
    assert 0 < lost(text) < 0.01


@pytest.mark.fault("Text in, text out", seen="Thai was taken though 60 % of its characters were [UNK]")
@pytest.mark.parametrize("language", ["Thai", "Lao", "Khmer", "Burmese", "Japanese", "hiragana"])
def test_scripts_without_blanks_are_read(language: str) -> None:
    """Paragraphs of some hundred characters without a single blank."""
    sentence = {"hiragana": "わたしはきのうがっこうでぱんをたべました"}.get(language) or SENTENCES[language]
    clusters = re.findall(r"\w\W?", read_as(sentence).replace("、", "").replace("。", ""))
    draw = random.Random(0)
    text = "\n".join("".join(draw.choices(clusters, k=200)) for _ in range(60))
    corpus = load_corpus(text=text)
    assert not (corpus.train == UNK).any()
    assert read_as(corpus.text(corpus.train[0])) in read_as(text)


# A vocabulary that is too small is offered a size that is large enough


@pytest.mark.parametrize("n_letters", [700, 2500])
@pytest.mark.parametrize("blanks", [True, False])
def test_size_that_is_offered_is_large_enough(n_letters: int, blanks: bool) -> None:
    draw = random.Random(0)
    letters = [chr(0xAC00 + i) for i in range(n_letters)]  # Hangul: every syllable is a letter to the vocabulary
    words = ["".join(draw.choices(letters, k=4)) for _ in range(6_000)]
    text = "\n".join((" " if blanks else ", ").join(words[i : i + 10]) for i in range(0, len(words), 10))
    message = refusal(text, vocab_size=512)
    assert "more than 100 characters" not in message
    offered = int(re.findall(r"for example vocab_size=(\d+)", message)[0])
    assert lost(text, vocab_size=offered) < 0.05


@pytest.mark.fault("Errors", seen="“give a larger vocab_size, for example 100000” to whoever had asked for 100000")
def test_more_letters_than_any_vocabulary_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "min_vocab_size", lambda _paragraphs: 100_001)
    seen = coverage.UnknownCharacters(n_characters=100, n_in_other_words=60)
    with pytest.raises(CorpusError) as caught:
        seen.check(["a"], 100_000)
    assert "for example vocab_size" not in str(caught.value)
    assert "another text" in str(caught.value)


@pytest.mark.fault("Text in, text out", seen="one “Noël” in an English novel became “noel”")
def test_rare_letters_are_still_spelled() -> None:
    text = "\n".join([*lines(3000), "the old Noël likes a naïve cat and a\u00adbird"])
    corpus = load_corpus(text=text)
    assert "the old noël likes a naïve cat and a\u00adbird" in corpus.tokenizer.decode(
        corpus.tokenizer.encode("the old Noël likes a naïve cat and a\u00adbird").ids
    )

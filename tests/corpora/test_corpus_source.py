"""A corpus says how to load it again, in values that fit into JSON."""

import json
from pathlib import Path

import pytest
from random_text import story
from small import small_corpus

import electra_edu as edu
from electra_edu.corpora import Corpus, CorpusSource, load_corpus
from electra_edu.corpora.toy import make_toy_corpus

TEXT = story(4000)


def again(corpus: Corpus, **more: str) -> Corpus:
    """Load a corpus by what its source says after a journey through JSON."""
    assert corpus.source is not None
    source = CorpusSource.from_dict(json.loads(json.dumps(corpus.source.to_dict())))
    assert source == corpus.source
    return load_corpus(**source.arguments(), **more)


def assert_same(left: Corpus, right: Corpus) -> None:
    assert (left.sha256, left.name, left.source) == (right.sha256, right.name, right.source)
    assert left.tokenizer.get_vocab() == right.tokenizer.get_vocab()
    assert left.train.equal(right.train)
    assert left.heldout.equal(right.heldout)


@pytest.mark.parametrize("sizes", [{}, {"vocab_size": 60}, {"max_seq_length": 32}, {"vocab_size": 90_000}])
def test_a_file_is_found_again_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: dict[str, int]
) -> None:
    (tmp_path / "docs").write_text(TEXT, encoding="utf-8")  # also the name of a corpus
    monkeypatch.chdir(tmp_path)
    corpus = load_corpus("./docs", **sizes)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert_same(corpus, again(corpus))


def test_a_text_that_was_passed_in_has_to_be_passed_again() -> None:
    corpus = load_corpus(text=TEXT, max_seq_length=32)
    assert corpus.source == CorpusSource("text", "", 1024, 32, len(TEXT))
    assert_same(corpus, again(corpus, text=TEXT))


def test_a_name_is_loaded_again() -> None:
    toy = edu.load_corpus("toy")
    assert toy.source is not None
    assert toy.source.arguments() == {"name_or_path": "toy"}
    assert_same(toy, again(toy))


def test_a_cached_corpus_has_its_source_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELECTRA_EDU_CACHE", str(tmp_path))
    monkeypatch.setattr("electra_edu.corpora.docs.LARGEST_FILE", 20_000)  # fewer source files, in a second
    built = load_corpus("docs", vocab_size=512)
    assert built.source == CorpusSource("name", "docs", 512, 64)
    assert_same(built, again(built))
    assert len(list(tmp_path.glob("docs-*"))) == 1


def test_a_corpus_made_by_hand_has_none() -> None:
    assert small_corpus().source is None
    assert make_toy_corpus(50, 10).source is None

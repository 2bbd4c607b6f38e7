"""The documentation on this computer: what is kept of it, its labels, and the cache."""

import hashlib
import sysconfig
from pathlib import Path

import pytest
import torch
from torch import Tensor

from electra_edu.corpora import IGNORE, Corpus, docs, load_corpus
from electra_edu.corpora.cache import FOLDER_VARIABLE
from electra_edu.support.errors import CorpusError

TOPICS = '''# a comment
topics = {"assert": """The "assert" statement
**********************

Assert statements are a convenient way to insert assertions.

   assert_stmt ::= "assert" expression
""", "truth": "Any object can be tested for truth value in an if condition."}
'''


def write_module(path: Path, subject: str, n_functions: int) -> None:
    """A source file whose docstrings are sentences about a subject, no two alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    lines = [f'"""This module is all about {subject} and nothing else."""', 'raise SystemExit("imported!")']
    for index in range(n_functions):
        words = " and ".join(numbers[int(digit)] for digit in f"{index:03d}")
        lines += [f"def f{index}():", f'    """Return {words} of {subject} as a list that nobody has seen before."""']
    path.write_text("\n".join(lines))


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small standard library and one installed library stand in for this computer's, with a cache of their own."""
    stdlib, libraries = tmp_path / "lib", tmp_path / "lib" / "site-packages"
    for subject in ("apples", "pears", "plums"):
        write_module(stdlib / subject / "__init__.py", subject, 300)
    write_module(stdlib / "rare.py", "quinces", 3)
    write_module(stdlib / "apples" / "tests" / "test_apples.py", "secret", 20)
    write_module(libraries / "cherries.py", "cherries", 300)
    (stdlib / "broken.py").write_text("def f(:\n")
    (stdlib / "null.py").write_bytes(b"x = 1\0")
    (stdlib / "pydoc_data").mkdir()
    (stdlib / "pydoc_data" / "topics.py").write_text(TOPICS)
    paths = {"stdlib": stdlib, "purelib": libraries, "platlib": libraries}
    monkeypatch.setattr(sysconfig, "get_path", lambda kind: str(paths[kind]))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    return stdlib


def test_reads_the_docstrings_and_the_topics_but_no_tests_and_no_libraries(python: Path) -> None:
    corpus = load_corpus("docs", max_seq_length=16)
    words = set(" ".join(corpus.text(row) for row in torch.cat([corpus.train, corpus.heldout])).split())
    assert {"apples", "pears", "plums"} <= words
    assert not {"secret", "cherries", "stmt"} & words
    assert corpus.name == "docs"
    assert [*docs.read_topics(python)] == [
        ("pydoc_data", ["Assert statements are a convenient way to insert assertions."]),
        ("pydoc_data", ["Any object can be tested for truth value in an if condition."]),
    ]


def test_docs_plus_adds_the_installed_libraries(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = load_corpus("docs+", max_seq_length=16)
    assert "cherries" in both.heldout_labels["module"].names
    monkeypatch.setattr(docs, "MAX_LIBRARY_WORDS", 10)
    capped = list(docs.read_libraries([python / "site-packages"]))
    assert len(capped) == 1
    write_module(python / "site-packages" / "dates" / "a.py", "dates", 5)
    write_module(python / "site-packages" / "dates" / "b.py", "dates", 5)
    labels = [document.label for document in docs.read_libraries([python / "site-packages"])]
    assert labels == ["cherries", "dates"], "the second file of dates is beyond the cap"
    monkeypatch.setattr(docs, "MAX_TOTAL_WORDS", 10)
    assert len([*docs.read_libraries([python / "site-packages"])]) == 1


def test_heldout_sequences_are_labelled_with_their_module(python: Path) -> None:
    corpus = load_corpus("docs", max_seq_length=16)
    labels = corpus.heldout_labels["module"]
    assert labels.level == "sequence"
    assert labels.values.shape == (len(corpus.heldout),)
    assert labels.names == tuple(sorted(labels.names))
    assert set(labels.names) <= {"apples", "pears", "plums"}
    assert len(labels.names) >= 2
    for row, value in zip(corpus.heldout, labels.values.tolist(), strict=True):
        subjects = {"apples", "pears", "plums", "quinces"} & set(corpus.text(row).split())
        if value != IGNORE:
            assert subjects <= {labels.names[value]}
    counts = torch.bincount(labels.values[labels.values != IGNORE])
    assert counts.min() >= 5


def test_module_with_few_heldout_sequences_has_no_label(python: Path) -> None:
    for index in range(30):
        write_module(python / f"small{index}.py", f"things of kind {index}", 15)
    labels = load_corpus("docs", max_seq_length=16).heldout_labels["module"]
    assert (labels.values == IGNORE).any()
    assert torch.bincount(labels.values[labels.values != IGNORE]).min() >= 5


def test_text_is_the_same_every_time_and_its_hash_tells(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_corpus("docs", max_seq_length=16)
    monkeypatch.setenv(FOLDER_VARIABLE, str(python / "another cache"))
    assert same(first, load_corpus("docs", max_seq_length=16))
    write_module(python / "zebras.py", "zebras", 1)
    monkeypatch.setenv(FOLDER_VARIABLE, str(python / "third cache"))
    assert load_corpus("docs", max_seq_length=16).sha256 != first.sha256


def test_second_call_reads_the_cache_and_gets_the_same(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_corpus("docs", max_seq_length=16)
    monkeypatch.setattr(docs, "build_corpus", None)  # building again would fail
    assert same(first, load_corpus("docs", max_seq_length=16))
    with pytest.raises(TypeError):
        load_corpus("docs", max_seq_length=24)  # another size is another corpus


@pytest.mark.parametrize("damage", ["truncated", "flipped", "flipped tokenizer", "empty", "folder"])
def test_damaged_cache_is_rebuilt(python: Path, tmp_path: Path, damage: str) -> None:
    first = load_corpus("docs", max_seq_length=16)
    [file] = (tmp_path / "cache").iterdir()
    data = bytearray(file.read_bytes())
    if damage == "flipped":
        data[-5] ^= 1
    if damage == "flipped tokenizer":
        position = data.index(b"apples")
        data[position : position + 1] = b"u"
    if damage == "folder":
        file.unlink()
        file.mkdir()
        with pytest.warns(UserWarning, match="could not be cached"):
            assert same(first, load_corpus("docs", max_seq_length=16))
        return
    kept = {"truncated": 100, "empty": 0}.get(damage, len(data))
    file.write_bytes(data[:kept])
    assert same(first, load_corpus("docs", max_seq_length=16))
    assert file.read_bytes() != data[:kept], "the file was mended"
    assert [path.name for path in file.parent.iterdir()] == [file.name], "nothing is left beside it"


def test_cache_that_cannot_be_written_costs_a_warning_only(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(python / "rare.py"))  # a file, where a folder is needed
    with pytest.warns(UserWarning, match=FOLDER_VARIABLE):
        assert len(load_corpus("docs", max_seq_length=16).train) > 100


def test_python_without_sources_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda kind: str(tmp_path / kind))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(CorpusError, match=r"no source files.*toy"):
        load_corpus("docs")


def same(one: Corpus, other: Corpus) -> bool:
    """Whether two corpora are equal in every part."""

    def parts(corpus: Corpus) -> list[Tensor]:
        return [corpus.train, corpus.heldout, *(labels.values for labels in corpus.heldout_labels.values())]

    return all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(parts(one), parts(other), strict=True)) and [
        one.name,
        one.sha256,
        one.tokenizer.to_str(),
        [(name, labels.names, labels.level) for name, labels in one.heldout_labels.items()],
    ] == [
        other.name,
        other.sha256,
        other.tokenizer.to_str(),
        [(name, labels.names, labels.level) for name, labels in other.heldout_labels.items()],
    ]


def test_heldout_text_keeps_its_capitals_as_labels(python: Path) -> None:
    """Docstrings here begin with "Return" or "This", and all other words are lower-case."""
    corpus = load_corpus("docs", max_seq_length=16)
    labels = corpus.heldout_labels["capitals"]
    assert labels.level == "token"
    assert labels.names == ("lower", "Capitalised", "UPPER")
    assert labels.values.shape == corpus.heldout.shape
    pieces = [[corpus.tokenizer.id_to_token(number) for number in row] for row in corpus.heldout.tolist()]
    labelled = 0
    for row, values in zip(pieces, labels.values.tolist(), strict=True):
        starts = [not piece.startswith(("##", "[")) and piece != "." for piece in row]
        for i, (piece, value) in enumerate(zip(row, values, strict=True)):
            if not starts[i]:
                assert value == IGNORE, piece
            elif i + 1 < len(row) and not row[i + 1].startswith("##"):  # a whole word
                assert value == int(piece in ("return", "this")), piece
                labelled += 1
    assert labelled > 500


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The documentation of the Python that runs the tests."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        return load_corpus("docs")


def test_docs_of_this_computer_are_large_enough_to_learn_from(real: Corpus) -> None:
    assert real.train.shape[1] == 64
    assert real.vocab_size == 1024
    assert len(real.train) > 3_000
    assert 0.04 < len(real.heldout) / len(real.train) < 0.07
    assert (real.train == 0).float().mean() < 0.001, "packed without padding"
    assert (real.train == 1).float().mean() < 0.002, "hardly an unknown word"
    assert len(real.heldout_labels["module"].names) >= 10
    assert len(real.sha256) == len(hashlib.sha256().hexdigest())


def test_docs_of_this_computer_carry_no_markup(real: Corpus) -> None:
    text = " ".join(real.text(row) for row in real.heldout)
    for leftover in ("> > >", "` `", ": :", ": /", "= =", ". . .", "- - -", "* *", "@"):
        assert leftover not in text
    assert text.count(" the ") / len(text.split()) > 0.04, "English"

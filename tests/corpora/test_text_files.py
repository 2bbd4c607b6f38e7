"""What `load_corpus` says about a path that is not a readable text file."""

import gzip
import os
from pathlib import Path
from unittest.mock import Mock

import pytest
from corpus_refusals import refusal
from random_text import story

from electra_edu.corpora import load_corpus
from electra_edu.support.errors import CorpusError, CorpusFileError


@pytest.mark.parametrize("name", ["dosc", "doc", "missing/file.txt", "nul\0byte", "long " * 2000, "~nobody-here/x"])
def test_neither_a_name_nor_a_file(name: str) -> None:
    message = refusal(name, kind=CorpusFileError)
    assert "not a file here" in message
    assert "'toy', 'docs', 'docs+'" in message
    assert ("Did you mean 'docs'" in message) == name.startswith("do")
    assert len(message) < 400


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"", "is empty"),
        (b" \n\n\t", "white space"),
        (b"plain text\0and more", "byte 10 is zero"),
        (b"\x7fELF\0\0\0\0\0\0" * 20, "binary file"),
        ("caf\u00e9 and more".encode("latin-1"), "byte 3 (0xe9) is not UTF-8"),
        (b"\xef\xbb\xbfcaf\xe9 and more", "byte 6 (0xe9) is not UTF-8"),
        ("a text".encode("utf-16"), "is UTF-16, not UTF-8"),
        ("a text".encode("utf-32"), "is UTF-32, not UTF-8"),
        ("a text".encode("utf-16-le"), "looks like UTF-16"),
        ("a text".encode("utf-16-be"), "looks like UTF-16"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04 and so on", "zip archive"),
        (gzip.compress(b"text", mtime=0), "gzip"),
    ],
)
def test_file_that_is_no_text(tmp_path: Path, data: bytes, answer: str) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(data)
    message = refusal(path, kind=CorpusError if not data.strip() and data else CorpusFileError)
    assert answer in message
    assert "file.txt" in message
    assert ("Save it again as UTF-8" in message) == ("UTF-" in answer)


def test_huge_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge file.txt"
    with path.open("wb") as file:
        file.truncate(2**30)  # sparse: takes no space
    monkeypatch.setattr(Path, "read_bytes", None)
    message = refusal(path, kind=CorpusFileError)
    assert "1,073,741,824 bytes" in message
    assert "200,000,000 is the limit" in message
    assert "head -n 500000 'huge file.txt'" in message


def test_folder_and_special_files(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path, kind=CorpusFileError)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert "a pipe or a device" in refusal(tmp_path / "pipe", kind=CorpusFileError)


def test_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.txt"
    path.write_text(story(1000))
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read every file
        monkeypatch.setattr(Path, "read_bytes", Mock(side_effect=PermissionError(13, "Permission denied")))
    assert "permission" in refusal(path, kind=CorpusFileError).lower()


@pytest.mark.fault("Errors", seen="a file in a folder that is closed to the learner “is not a file here”")
@pytest.mark.usefixtures("permissions_bind")
def test_a_file_in_a_closed_folder_is_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "mine.txt").write_text(story(400), encoding="utf-8")
    (tmp_path / "closed").chmod(0)
    try:
        with pytest.raises(CorpusFileError, match=r"mine\.txt: cannot be accessed, because a folder .* closed to you"):
            load_corpus(tmp_path / "closed" / "mine.txt")
    finally:
        (tmp_path / "closed").chmod(0o700)

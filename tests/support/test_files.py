"""`atomic_write`: a reader finds the old file or the new one, and a failure keeps the old one."""

import os
from pathlib import Path

import pytest

from electra_edu.support.files import atomic_write


def test_a_reader_keeps_the_file_it_opened(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.json"
    atomic_write(path, "old, and longer")
    with path.open(encoding="utf-8") as reader:
        atomic_write(path, "nëw")
        assert reader.read() == "old, and longer"  # not a mixture of the two
    assert path.read_text(encoding="utf-8") == "nëw"
    atomic_write(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert [file.name for file in path.parent.iterdir()] == ["a.json"]


def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError("no space left on device")

    path = tmp_path / "a.json"
    atomic_write(path, "old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        atomic_write(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]

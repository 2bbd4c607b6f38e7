"""The folder that `to_transformers` writes to: earlier exports are replaced, and nothing else is changed."""

import os
from pathlib import Path
from typing import Any

import pytest
from hugging_face import edited, our_model
from small import equal, rng, small_config, small_tokenizer

from electra_edu.interop import atomic_folder, from_transformers, to_transformers
from electra_edu.model.electra import Electra
from electra_edu.support.errors import CheckpointError


def a_model(**changes: Any) -> Electra:
    return our_model(Electra(small_config(**({"positions": "learned"} | changes)), rng()))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_folder_of_ours_is_replaced(tmp_path: Path) -> None:
    to_transformers(a_model(positions="rotary"), tmp_path, tokenizer=small_tokenizer())
    (tmp_path / "note.txt").write_text("mine")
    model = a_model()
    written = to_transformers(model, tmp_path)
    assert names(tmp_path) == {"discriminator", "generator", "note.txt"}
    assert names(written["discriminator"].folder) == {"config.json", "model.safetensors", "README.md"}
    assert equal(from_transformers(written["generator"].folder).parameters(), model.generator.parameters())


@pytest.mark.parametrize("spoil", ["another's", "with something else in it", "a file"])
def test_no_other_folder_is_replaced(tmp_path: Path, spoil: str) -> None:
    folder = to_transformers(a_model(), tmp_path)["generator"].folder
    if spoil == "another's":
        with edited(folder / "config.json") as config:
            del config["written_by"]
    elif spoil == "with something else in it":
        (folder / "thesis.txt").write_text("years of work")
    else:
        folder = tmp_path / "discriminator"
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        folder.write_text("a file")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(CheckpointError, match=rf"{folder.name} exists and was not written by.*choose another folder"):
        to_transformers(a_model(positions="rotary"), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "generator").mkdir()
    assert (to_transformers(a_model(), tmp_path)["generator"].folder / "config.json").is_file()


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to_transformers(a_model(), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    real, calls = atomic_folder.atomic_write, []

    def full(path: Path, data: str | bytes) -> None:
        calls.append(path)
        if len(calls) == 5:
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(atomic_folder, "atomic_write", full)
    with pytest.raises(CheckpointError, match=r"cannot be written.*No space left.*Choose another folder"):
        to_transformers(a_model(hidden_size=32), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert names(tmp_path) == {"discriminator", "generator"}


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CheckpointError, match=r"cannot be written.*Choose another folder"):
            to_transformers(a_model(), place)


@pytest.mark.skipif(os.name == "nt", reason="permissions as on Unix")
def test_written_folders_are_open_to_others(tmp_path: Path) -> None:
    folder = to_transformers(a_model(), tmp_path)["generator"].folder
    assert folder.stat().st_mode & 0o777 == 0o755
    assert all(file.stat().st_mode & 0o444 == 0o444 for file in folder.iterdir())

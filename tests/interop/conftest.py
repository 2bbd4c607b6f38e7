"""Fixtures of the tests of `interop`: a checkpoint to read or to damage, and a computer without a network."""

import shutil
import socket
from pathlib import Path

import pytest
from hugging_face import their_model


@pytest.fixture(scope="session")
def pristine_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small discriminator that `transformers` saved; no test changes it."""
    folder = tmp_path_factory.mktemp("pristine")
    their_model().save_pretrained(folder)
    return folder


@pytest.fixture
def folder(pristine_checkpoint: Path, tmp_path: Path) -> Path:
    """Return a copy of the checkpoint, which a test may change."""
    return Path(shutil.copytree(pristine_checkpoint, tmp_path / "model"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every attempt to use the network fail."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError("this computer has no network")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)

"""The state folder and the key in it are private to the user, or refused with a remedy."""

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from electra_edu.support import user_state
from electra_edu.support.errors import ElectraEduError
from electra_edu.support.user_state import StateError, secret_key, state_folder

Spoil = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ELECTRA_EDU_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_is_private_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        assert state_folder("lab", "x") == folder / "lab" / "x"
        secret_key()
    finally:
        os.umask(before)
    assert {mode(place) for place in (folder, folder / "lab", folder / "lab" / "x")} == {0o700}
    assert mode(folder / "key") == 0o600


def test_is_below_the_users_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ELECTRA_EDU_STATE")
    monkeypatch.setattr(user_state, "user_state_path", lambda name, appauthor: tmp_path / name)
    assert state_folder() == tmp_path / "electra_edu"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: folder.parent.chmod(0o500), "Permission denied"),
        (lambda folder: folder.mkdir(mode=0) or folder.chmod(0), "Permission denied"),
        (lambda folder: folder.mkdir() or folder.chmod(0o770), "others may write to"),
        (lambda folder: folder.mkdir() or folder.chmod(0o707), "others may write to"),
        (lambda folder: (folder / "lab").mkdir(parents=True) or (folder / "lab").chmod(0o777), "others may write to"),
        (lambda folder: folder.write_text("a file"), "File exists"),
        (lambda folder: folder.symlink_to(folder), "Too many levels of symbolic links|File exists"),
    ],
    ids=["read-only", "closed", "group", "world", "below", "a file", "a circle"],
)
@pytest.mark.usefixtures("permissions_bind")
def test_a_folder_that_cannot_be_trusted_is_refused(folder: Path, spoil: Spoil, reason: str) -> None:
    spoil(folder)
    try:
        with pytest.raises(StateError, match=rf"(?s)({reason}).*Set ELECTRA_EDU_STATE to the full path"):
            state_folder("lab", "x")
    finally:
        folder.parent.chmod(0o700)


def test_a_folder_of_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state_folder()
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(StateError, match="belongs to another user"):
        state_folder()


@pytest.mark.parametrize("name", ["state", "./state", "~/state"])
def test_a_relative_folder_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELECTRA_EDU_STATE", name)
    with pytest.raises(StateError, match="not a full path"):
        state_folder()


def test_an_unknown_home_folder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELECTRA_EDU_STATE")
    monkeypatch.setattr(user_state, "user_state_path", lambda name, appauthor: Path("~/.local/state") / name)
    with pytest.raises(ElectraEduError, match="Set ELECTRA_EDU_STATE"):
        state_folder()
    assert not Path("~").exists()


def test_threads_that_ask_for_the_key_at_once_get_the_same(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(), range(40)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda key: key.chmod(0o644), "may be known to others"),
        (lambda key: key.write_bytes(b""), "is damaged"),
        (lambda key: key.write_bytes(b"x" * 33), "is damaged"),
        (lambda key: (key.unlink(), key.mkdir()), "Is a directory"),
    ],
)
def test_a_key_that_is_public_or_damaged_is_refused(folder: Path, spoil: Spoil, reason: str) -> None:
    secret_key()
    spoil(folder / "key")
    with pytest.raises(StateError, match=reason):
        secret_key()

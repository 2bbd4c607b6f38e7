"""Exporting over an older export: whenever it is stopped, the old or the new network is there, never a mixture."""

import inspect
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hugging_face import our_model
from small import equal, rng, small_config, small_tokenizer

from electra_edu.interop import from_transformers, to_transformers, writing
from electra_edu.interop.atomic_folder import READY, WRITING, stage
from electra_edu.interop.file_names import EXPORTED
from electra_edu.model.electra import Electra
from electra_edu.support.errors import CheckpointError

OLD, NEW = {"positions": "rotary"}, {"positions": "learned", "hidden_size": 32}
loses_nothing = pytest.mark.fault(
    "Saved networks", seen="stopped between two renames, an export left no network, and nothing found the old one again"
)


def model(changes: dict[str, Any]) -> Electra:
    return our_model(Electra(small_config(**changes), rng(len(changes))))


def export(changes: dict[str, Any], directory: Path) -> None:
    """Write one of the two; the old one has a tokenizer and a head of its own, and the new one neither."""
    to_transformers(model(changes), directory, tokenizer=small_tokenizer() if changes is OLD else None)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".electra_edu")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the files of both networks as they are when nothing disturbs their writing."""
    folders = []
    for changes in (OLD, NEW):
        directory = tmp_path_factory.mktemp("whole")
        export(changes, directory)
        folders.append(files(directory / "discriminator"))
    return folders[0], folders[1]


def check(directory: Path, whole: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    """Check that what can be loaded is one network or the other, before and after it is read by us."""
    folder = directory / "discriminator"
    if (folder / "config.json").is_file():  # else transformers refuses the folder
        assert files(folder) in whole
    back = from_transformers(folder)
    assert files(folder) in whole
    changes = OLD if back.config.positions == "rotary" else NEW
    assert equal(back.parameters(), model(changes).discriminator.parameters())
    assert (back.tokenizer is not None) == (changes is OLD)
    assert (directory / "thesis.txt").read_text() == "years of work"


def start(directory: Path) -> None:
    export(OLD, directory)
    (directory / "thesis.txt").write_text("years of work")


def lines(stop: int) -> Any:
    """Return a tracer that raises KeyboardInterrupt at the `stop`-th line of the code that writes."""
    count = 0
    modules = {inspect.getfile(stage), writing.__file__}

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in modules:
            return None
        if event == "line":
            count += 1
            if count == stop:
                raise KeyboardInterrupt
        return trace

    return trace


@loses_nothing
@pytest.mark.parametrize("offset", [14, *(pytest.param(n, marks=pytest.mark.slow) for n in range(19) if n != 14)])
def test_an_interrupt_at_any_line(
    tmp_path: Path, whole: tuple[dict[str, bytes], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch, offset: int
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # the test would wait for the disk
    before, interrupted = sys.gettrace(), True
    stop = offset + 1
    while interrupted:
        directory = tmp_path / str(stop)
        start(directory)
        sys.settrace(lines(stop))
        try:
            export(NEW, directory)
            interrupted = False
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        check(directory, whole)
        stop += 19
    assert stop > 100


KILLED = """
import os, sys
sys.path[:0] = {path!r}
from itertools import count
from pathlib import Path
from test_interop_atomic_folder import NEW, export, start

os.fsync = lambda descriptor: None

def killed(real):
    def call(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os._exit(9)
        return real(*arguments, **named)
    return call

for stop in count(1):
    directory = Path({directory!r}) / str(stop)
    start(directory)
    child = os.fork()
    if child == 0:
        left = stop
        for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "open"):
            setattr(os, name, killed(getattr(os, name)))
        export(NEW, directory)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


@loses_nothing
@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_operation(tmp_path: Path, whole: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    """One process for each moment, killed right before its n-th operation on the disk."""
    code = textwrap.dedent(KILLED).format(path=sys.path, directory=str(tmp_path))
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert outcome.returncode == 0, outcome.stderr
    directories = list(tmp_path.iterdir())
    assert len(directories) > 20
    for directory in directories:
        check(directory, whole)
        export(NEW, directory)
        assert files(directory / "discriminator") == whole[1]
        assert {path.name for path in (directory / "discriminator").iterdir()} == set(whole[1])  # nothing is left


@loses_nothing
@pytest.mark.parametrize("moment", range(9))
def test_a_kill_while_files_are_moved(
    tmp_path: Path, whole: tuple[dict[str, bytes], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """As a kill leaves it: nothing after the n-th file that was moved or removed, not even cleaning up."""
    start(tmp_path)
    left = moment

    def stopping(real: Any) -> Any:
        def call(path: Path, *arguments: Any, **named: Any) -> Any:
            nonlocal left
            if path.name in EXPORTED or path.name == READY or WRITING in path.name:
                left -= 1
                if left < 0:
                    raise SystemExit
            return real(path, *arguments, **named)

        return call

    staged = stage(tmp_path / "discriminator", writing.network_files(model(NEW).discriminator, None, tmp_path)[1])
    with monkeypatch.context() as patch:
        for name in ("rename", "replace", "unlink"):
            patch.setattr(Path, name, stopping(getattr(Path, name)))
        try:
            staged.commit()
        except SystemExit:
            staged.lock.release()  # as the operating system does for a process that is gone
    check(tmp_path, whole)
    export(NEW, tmp_path)
    assert {path.name for path in (tmp_path / "discriminator").iterdir()} == set(whole[1])  # nothing is left behind


def test_a_reader_waits_for_a_writer(tmp_path: Path) -> None:
    """What somebody still writes is neither read nor removed by another export."""
    start(tmp_path)
    folder = tmp_path / "discriminator"
    staged = stage(folder, {"config.json": "{}"})
    export(NEW, tmp_path)
    assert staged.hidden.is_dir()
    assert from_transformers(folder).config == small_config(**NEW)
    staged.discard()
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "README.md"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_half_moved_network_in_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    start(tmp_path)
    folder = tmp_path / "discriminator"
    staged = stage(folder, {"config.json": "{}"})
    staged.lock.release()
    staged.hidden.rename(folder / READY)
    folder.chmod(0o500)
    with pytest.raises(CheckpointError, match=r"still to be moved into place.*Make the folder writable"):
        from_transformers(folder)
    folder.chmod(0o700)


def test_a_folder_behind_a_link_stays_there(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "discriminator").symlink_to(tmp_path / "disk")
    export(OLD, tmp_path)
    export(NEW, tmp_path)
    assert (tmp_path / "discriminator").is_symlink()
    assert from_transformers(tmp_path / "disk").config == small_config(**NEW)

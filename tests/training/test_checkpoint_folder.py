"""The folder of a saved run: a failing disk leaves one whole run in it, and nothing that is not ours is touched."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from saved_runs import load
from small import small_run

from electra_edu.support.errors import CheckpointError
from electra_edu.training.checkpoint import folder as checkpoint

FAULT = "Saved runs"


# A failing disk


def failing(call: Callable[..., Any], on_call: int, error: Exception) -> Callable[..., Any]:
    """Return `call`, but its n-th use raises."""
    uses = 0

    def stand_in(*arguments: Any, **options: Any) -> Any:
        nonlocal uses
        uses += 1
        if uses == on_call:
            raise error
        return call(*arguments, **options)

    return stand_in


FULL = OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("where", "name", "on_call", "error", "remains"),
    [
        (Path, "write_bytes", 1, FULL, 2),
        (Path, "replace", 1, FULL, 2),  # the tensors
        (checkpoint, "atomic_write", 1, FULL, 4),  # run.json: by then the new run is there
        (Path, "replace", 2, FULL, 4),
        (Path, "mkdir", 1, FULL, 2),
    ],
    ids=["tensors", "tensors' name", "json", "json's name", "no folder"],
)
def test_a_save_that_fails_leaves_a_run_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, on_call: int, error: Exception, remains: int
) -> None:
    run = load(folder)
    run.advance(2)
    with monkeypatch.context() as broken:
        broken.setattr(where, name, failing(getattr(where, name), on_call, error))
        with pytest.raises(CheckpointError, match=r"could not be saved to .*Choose another folder"):
            run.save(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["run.json", "run.safetensors"]
    assert load(folder).step == remains
    run.save(folder)
    assert load(folder).step == 4


# What is not ours stays


@pytest.mark.fault(FAULT, seen="saving a run again deleted everything else in its folder, other saved runs included")
def test_saving_touches_nothing_but_its_two_files(folder: Path) -> None:
    run = load(folder)
    run.save(folder / "step3")
    (folder / "thesis.tex").write_text("mine", encoding="utf-8")
    (folder / ".run.notes.part").mkdir()
    run.advance(1)
    run.save(folder)
    assert (load(folder).step, load(folder / "step3").step) == (3, 2)
    assert (folder / "thesis.tex").read_text(encoding="utf-8") == "mine"
    assert (folder / ".run.notes.part").is_dir()


@pytest.mark.fault(FAULT, seen="any folder with a file run.json counted as a saved run, and was removed whole")
@pytest.mark.parametrize("name", ["run.json", "run.safetensors"])
def test_a_file_of_the_same_name_that_is_not_ours_is_never_replaced(tmp_path: Path, name: str) -> None:
    for content in (b'{"laps": 3}', b"[1, 2]", b"\xff\x00", b"", b"[" * 100_000):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError, match="is not a saved run: choose another folder"):
            small_run().save(tmp_path)
        assert (tmp_path / name).read_bytes() == content
        assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.fault(FAULT, seen="a linked folder became a real one, and the link's target kept the old run")
def test_a_linked_folder_stays_a_link(folder: Path) -> None:
    link = folder.with_name("link")
    link.symlink_to(folder, target_is_directory=True)
    run = load(link)
    run.advance(1)
    run.save(link)
    assert link.is_symlink()
    assert load(folder).step == 3


@pytest.mark.fault(FAULT, seen="the next load of “toy” adopted what a killed save of “toy-muon” had left")
def test_a_run_is_not_looked_for_under_another_name(folder: Path) -> None:
    folder.rename(folder.with_name(f".{folder.name}-muon-abc-old"))
    small_run().save(folder.with_name(f".{folder.name}-muon-abc"))
    with pytest.raises(CheckpointError, match="holds no saved run"):
        load(folder)


@pytest.mark.parametrize("name", ["[ab]*", "ü ß", "a" * 200])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    small_run().save(tmp_path / name)
    small_run().save(tmp_path / name)
    assert load(tmp_path / name).step == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.fault(FAULT, seen="saved runs could be read by their owner alone, whatever the umask said")
def test_a_saved_run_has_the_rights_of_any_new_file(folder: Path) -> None:
    (folder.parent / "folder").mkdir()
    (folder.parent / "file").touch()
    assert folder.stat().st_mode == (folder.parent / "folder").stat().st_mode
    assert {path.stat().st_mode for path in folder.iterdir()} == {(folder.parent / "file").stat().st_mode}


@pytest.mark.fault(FAULT, seen="each killed save left a hidden folder for good")
def test_what_a_killed_save_left_is_removed_by_a_later_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = folder / ".run.safetensors.0123.part"
    left.touch()
    load(folder).save(folder)
    assert left.exists()  # it may be another process's, at work
    monkeypatch.setattr(checkpoint, "ABANDONED", -1.0)
    load(folder).save(folder)
    assert not left.exists()
    shutil.rmtree(folder)
    folder.mkdir()
    left.touch()
    small_run().save(folder)  # of a first save that was killed
    assert load(folder).step == 0

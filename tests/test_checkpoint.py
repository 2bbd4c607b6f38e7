"""Saved runs: they go on to the bit, survive a failing disk, and say what is wrong with a damaged one."""

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from small import KINDS, equal, figures, small_config, small_corpus, small_run, state, toy_corpus

import electra_edu as edu
from electra_edu.errors import CheckpointError
from electra_edu.training import TrainingRun, checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a run of two steps in it."""
    run = small_run()
    run.advance(2)
    run.save(tmp_path / "run")
    return tmp_path / "run"


def load(folder: Path) -> TrainingRun:
    return TrainingRun.load(folder, small_corpus(), device="cpu")


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what run.json says."""
    about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    change(about)
    (folder / "run.json").write_text(json.dumps(about), encoding="utf-8")


# Going on


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_a_loaded_run_goes_on_to_the_bit(tmp_path: Path, changes: dict[str, object]) -> None:
    """Saved in the middle of an epoch (2 batches of 8 fit into 20 sequences), after a change and an evaluation."""
    run = small_run(seed=3, **changes)
    run.advance(2)
    run.change(rtd_weight=4.0, mask_prob=0.5)
    run.evaluate()
    run.advance(3)
    run.save(tmp_path / "run")
    again = load(tmp_path / "run")
    assert equal(state(again), state(run))
    assert figures(again.history) == figures(run.history)
    assert [r.seconds for r in again.history] == [r.seconds for r in run.history]
    for name in ("evaluations", "changes", "config", "seed", "step", "tokens", "flops", "seconds"):
        assert getattr(again, name) == getattr(run, name), name
    assert figures(again.advance(4)) == figures(run.advance(4))
    for both in (run, again):
        both.change(temperature=2.0)
    assert figures(again.advance(2)) == figures(run.advance(2))
    assert equal(state(again), state(run))
    assert again.evaluate() == run.evaluate()


def test_a_run_without_a_step_can_be_saved(tmp_path: Path) -> None:
    fresh = small_run()
    fresh.save(tmp_path / "run")
    assert figures(load(tmp_path / "run").advance(3)) == figures(fresh.advance(3))


def test_the_corpus_is_found_by_its_name(tmp_path: Path) -> None:
    corpus = toy_corpus()
    config = small_config(vocab_size=corpus.vocab_size, max_seq_length=corpus.max_seq_length)
    run = edu.TrainingRun(config, corpus, device="cpu")
    run.advance(1)
    run.save(tmp_path / "run")
    assert figures(TrainingRun.load(tmp_path / "run", device="cpu").advance(1)) == figures(run.advance(1))


# What is written


@pytest.mark.parametrize("sharing", ["embeddings", "none"])
def test_shared_weights_are_stored_once(tmp_path: Path, sharing: str) -> None:
    run = small_run(weight_sharing=sharing)
    run.advance(1)
    run.save(tmp_path / "run")
    stored = load_file(tmp_path / "run" / checkpoint.TENSORS)
    tables = [name for name in stored if name.startswith("model.") and name.endswith("embeddings.token.weight")]
    assert len(tables) == (1 if sharing == "embeddings" else 2)
    weights = sum(tensor.numel() for name, tensor in stored.items() if name.startswith("model."))
    assert weights == sum(parameter.numel() for parameter in run.model.parameters())


def test_a_saved_run_is_two_plain_files_and_nothing_else_is_left(folder: Path) -> None:
    load(folder).save(folder)  # over itself
    load(folder).save(folder.parent / "deep" / "er" / "copy")
    assert sorted(path.name for path in folder.iterdir()) == ["run.json", "run.safetensors"]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["deep", "run"]
    assert [path.name for path in (folder.parent / "deep" / "er").iterdir()] == ["copy"]
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["format"] == checkpoint.FORMAT


def test_saving_replaces_the_older_run(folder: Path) -> None:
    run = load(folder)
    run.advance(3)
    run.save(folder)
    assert load(folder).step == 5


def test_an_empty_folder_may_be_used_and_a_foreign_one_may_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    small_run().save(tmp_path / "empty")
    assert load(tmp_path / "empty").step == 0
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for target in ("thesis", "file"):
        with pytest.raises(CheckpointError, match=r"exists and is not a saved run: choose another folder"):
            small_run().save(tmp_path / target)
    assert (tmp_path / "thesis" / "chapter.txt").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
    with pytest.raises(CheckpointError, match="could not be saved"):
        small_run().save(tmp_path / "file" / "below")


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
    ("where", "name", "on_call", "error"),
    [
        (checkpoint, "save_file", 1, FULL),
        (checkpoint, "save_file", 1, SafetensorError("I/O error")),
        (Path, "write_text", 1, FULL),
        (os, "replace", 1, FULL),  # moving the old run aside
        (os, "replace", 2, FULL),  # moving the new one in
        (checkpoint.tempfile, "mkdtemp", 1, FULL),
    ],
    ids=["tensors", "safetensors", "json", "old aside", "new in", "no folder"],
)
def test_an_interrupted_save_keeps_the_old_run_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, on_call: int, error: Exception
) -> None:
    run = load(folder)
    run.advance(2)
    with monkeypatch.context() as broken:
        broken.setattr(where, name, failing(getattr(where, name), on_call, error))
        with pytest.raises(CheckpointError, match=r"could not be saved to .*Choose another folder"):
            run.save(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["run"]
    assert load(folder).step == 2
    run.save(folder)
    assert load(folder).step == 4


def test_a_run_that_can_be_neither_moved_in_nor_back_is_not_thrown_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails even at putting the old run back, its files stay beside their place."""
    run = load(folder)
    twice = failing(failing(os.replace, 2, FULL), 3, FULL)  # moving the new one in, then the old one back
    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", twice)
        with pytest.raises(CheckpointError, match="could not be saved"):
            run.save(folder)
    (kept,) = folder.parent.iterdir()
    assert load(kept).step == 2


# Damage


@pytest.mark.parametrize("name", ["run.json", "run.safetensors"])
def test_a_folder_without_a_run_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=r"holds no saved run \(run\.json and run\.safetensors\)"):
        load(folder)
    with pytest.raises(OSError, match="holds no saved run"):  # it is a file error too
        load(folder / "nowhere")


@pytest.mark.parametrize("name", ["run.json", "run.safetensors"])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"\xff" * 40, lambda data: b""])
def test_a_damaged_file_is_refused(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    with pytest.raises(CheckpointError, match=r"damaged \(.*\)\. Use a copy, or train it again"):
        load(folder)


PARTS = ("format", "config", "seed", "step", "tokens", "flops", "seconds", "corpus", "threads", "history", "changes")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", [None, "absent"], ids=["missing", "of another kind"])
def test_a_part_that_is_not_as_it_was_is_refused(folder: Path, part: str, value: str | None) -> None:
    rewrite(folder, lambda about: about.pop(part) if value is None else about.update({part: value}))
    with pytest.raises(CheckpointError, match=r"damaged|format absent"):
        load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about["config"].update(hidden_size=0),
        lambda about: about["config"].update(no_such_field=1),
        lambda about: about["history"][0].pop("loss"),
        lambda about: about["history"].append({"surprise": 1}),
        lambda about: about["corpus"].pop("sha256"),
    ],
    ids=["config value", "config field", "record without loss", "strange record", "corpus without SHA-256"],
)
def test_wrong_contents_are_refused(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    rewrite(folder, change)
    with pytest.raises(CheckpointError, match="damaged"):
        load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("model.generator.bias"),
        lambda tensors: tensors.pop("average.generator.bias"),
        lambda tensors: tensors.pop("rng"),
        lambda tensors: tensors.update({"model.generator.bias": torch.zeros(3)}),
        lambda tensors: tensors.update({"rng": torch.zeros(3, dtype=torch.uint8)}),
        lambda tensors: tensors.update({"optimizer.no.such.weight.momentum": torch.zeros(3)}),
    ],
    ids=["no weight", "no average", "no rng", "wrong shape", "wrong rng", "strange optimiser"],
)
def test_wrong_tensors_are_refused(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "run.safetensors")
    change(tensors)
    save_file(tensors, folder / "run.safetensors")
    with pytest.raises(CheckpointError, match="damaged"):
        load(folder)


def test_another_format_is_refused_with_its_number(folder: Path) -> None:
    rewrite(folder, lambda about: about.update(format=99))
    with pytest.raises(CheckpointError, match=r"has format 99; this version reads 1\. Update electra_edu"):
        load(folder)


def test_another_text_is_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"corpus: 'small' is not the text .* \(SHA-256 66666.*saved 55555"):
        TrainingRun.load(folder, small_corpus(sha256="6" * 64), device="cpu")


def test_a_text_that_is_not_here_must_be_passed(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"trained on 'small', which cannot be loaded here .*corpus=…"):
        TrainingRun.load(folder, device="cpu")


# Other circumstances


def test_another_number_of_threads_is_warned_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = torch.get_num_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads + 1)
    expected = rf"saved with {threads} threads and goes on with {threads + 1}.*set_num_threads\({threads}\)"
    with pytest.warns(UserWarning, match=expected):
        load(folder)
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(folder)


def test_a_run_from_another_device_goes_on_with_other_draws(folder: Path) -> None:
    """Its generator's state means nothing here; weights and optimiser do."""
    rewrite(folder, lambda about: about.update(device="cuda"))
    tensors = load_file(folder / "run.safetensors") | {"rng": torch.zeros(16, dtype=torch.uint8)}
    save_file(tensors, folder / "run.safetensors")
    with pytest.warns(UserWarning, match=r"saved on 'cuda' and goes on on 'cpu'.*device='cuda'"):
        run = load(folder)
    assert run.step == 2
    assert torch.equal(run.model.generator.bias, tensors["model.generator.bias"])
    assert run.advance(1)[0].step == 3


def test_a_save_that_was_killed_between_its_two_renames_is_finished_by_the_next_load(folder: Path) -> None:
    run = small_run()
    run.advance(3)
    run.save(folder.with_name(f".{folder.name}-abc"))
    folder.rename(folder.with_name(f".{folder.name}-abc-old"))  # killed here, before the new run took its place
    assert load(folder).step == 3
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]

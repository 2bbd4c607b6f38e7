"""Saved runs go on to the bit, find their corpus again, and warn where the same numbers cannot be promised."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from saved_runs import load, rewrite
from small import KINDS, STORIES, equal, metrics_of, small_config, small_corpus, small_run, state, toy_corpus

import electra_edu as edu
from electra_edu.support import files
from electra_edu.support.errors import CheckpointError
from electra_edu.training import TrainingRun
from electra_edu.training.checkpoint import folder as checkpoint
from electra_edu.training.checkpoint import saved_corpus

FAULT = "Saved runs"


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
    assert metrics_of(again.history) == metrics_of(run.history)
    assert [r.seconds for r in again.history] == [r.seconds for r in run.history]
    for name in ("evaluations", "changes", "config", "seed", "step", "tokens", "flops", "seconds"):
        assert getattr(again, name) == getattr(run, name), name
    assert metrics_of(again.advance(4)) == metrics_of(run.advance(4))
    for both in (run, again):
        both.change(temperature=2.0)
    assert metrics_of(again.advance(2)) == metrics_of(run.advance(2))
    assert equal(state(again), state(run))
    assert again.evaluate() == run.evaluate()


def test_a_run_without_a_step_can_be_saved(tmp_path: Path) -> None:
    fresh = small_run()
    fresh.save(tmp_path / "run")
    assert metrics_of(load(tmp_path / "run").advance(3)) == metrics_of(fresh.advance(3))


def test_the_corpus_is_found_by_its_name(tmp_path: Path) -> None:
    corpus = toy_corpus()
    config = small_config(vocab_size=corpus.vocab_size, max_seq_length=corpus.max_seq_length)
    run = edu.TrainingRun(config, corpus, device="cpu")
    run.advance(1)
    run.save(tmp_path / "run")
    assert metrics_of(TrainingRun.load(tmp_path / "run", device="cpu").advance(1)) == metrics_of(run.advance(1))


@pytest.mark.fault("Round trips", seen="a run on a file of one's own could only be loaded from that file's folder")
def test_a_file_is_found_again_with_the_sizes_that_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "texts").mkdir()
    monkeypatch.chdir(tmp_path / "texts")
    lines = [f"the {who} {does} {what} in the evening of day {i}" for i in range(100) for who, does, what in STORIES]
    Path("mine.txt").write_text("\n\n".join(lines), encoding="utf-8")
    corpus = edu.load_corpus("mine.txt", vocab_size=90, max_seq_length=16)
    run = edu.TrainingRun(small_config(vocab_size=corpus.vocab_size, max_seq_length=16), corpus, device="cpu")
    run.advance(1)
    run.save(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    assert metrics_of(TrainingRun.load("run", device="cpu").advance(1)) == metrics_of(run.advance(1))


def test_a_text_that_was_passed_in_is_asked_for(tmp_path: Path) -> None:
    text = "\n\n".join(f"the sailor steers the boat on day {i} of the long voyage" for i in range(200))
    corpus = edu.load_corpus(text=text, vocab_size=90, max_seq_length=16)
    run = edu.TrainingRun(small_config(vocab_size=corpus.vocab_size, max_seq_length=16), corpus, device="cpu")
    run.save(tmp_path)
    with pytest.raises(CheckpointError, match=r"load_corpus\(text=…, vocab_size=90, max_seq_length=16\)") as caught:
        TrainingRun.load(tmp_path, device="cpu")
    assert f"{len(text):,} characters" in str(caught.value)
    again = edu.load_corpus(text=text, vocab_size=90, max_seq_length=16)  # as it says
    assert TrainingRun.load(tmp_path, again, device="cpu").step == 0


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


# Other circumstances


def test_another_text_is_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"corpus: 'small' is not the text .* \(SHA-256 66666.*saved 55555"):
        TrainingRun.load(folder, small_corpus(sha256="6" * 64), device="cpu")


def test_a_text_that_is_not_here_must_be_passed(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"trained on 'small', which cannot be loaded here .*corpus=…"):
        TrainingRun.load(folder, device="cpu")


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

    def change(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        about.update(device="cuda", devices=[(0, "cuda")])
        tensors["rng"] = torch.zeros(16, dtype=torch.uint8)

    rewrite(folder, change)
    with pytest.warns(UserWarning, match=r"saved on 'cuda' and goes on on 'cpu'.*device='cuda'"):
        run = load(folder)
    assert run.step == 2
    stored, _ = files.read_tensors(folder / "run.safetensors")
    assert torch.equal(run.model.generator.bias, stored["model.generator.bias"])
    assert run.advance(1)[0].step == 3
    run.save(folder)
    assert load(folder).devices == [(0, "cuda"), (2, "cpu")]


@pytest.mark.fault("Security", seen="loading a run that names a data set of the hub went to the network")
@pytest.mark.parametrize("kind", ["name", "file", None])
@pytest.mark.parametrize("name", ["hf:some/where", "hf:some/where:main", r"\\host\share\a.txt", "//host/share/a.txt"])
def test_a_folder_cannot_send_anyone_to_the_network(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str | None, name: str
) -> None:
    """Nor to another computer's shared folder, which Windows would tell this user's name and password's hash."""
    monkeypatch.setattr(saved_corpus, "load_corpus", lambda *_a, **_k: pytest.fail("it was loaded"))
    source = kind and {"kind": kind, "name": name, "vocab_size": 16, "max_seq_length": 8}
    rewrite(folder, lambda about, _: about["corpus"].update(source=source, name=name))
    with pytest.raises(CheckpointError, match=r"not fetched unasked\. To fetch it: ") as caught:
        TrainingRun.load(folder, device="cpu")
    assert f"corpus=edu.load_corpus({name!r}, vocab_size=" in str(caught.value)
    assert load(folder).step == 2

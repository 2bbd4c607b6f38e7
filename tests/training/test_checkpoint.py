"""Saved runs: they go on to the bit, survive a failing disk, and say what is wrong with a damaged one."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small import KINDS, STORIES, equal, metrics_of, small_config, small_corpus, small_run, state, toy_corpus

import electra_edu as edu
from electra_edu.support import files
from electra_edu.support.errors import CheckpointError
from electra_edu.training import TrainingRun
from electra_edu.training.checkpoint import folder as checkpoint
from electra_edu.training.checkpoint import saved_corpus

FAULT = "Saved runs"


@pytest.fixture(autouse=True)
def _nobody_else_saves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PATIENCE", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a run of two steps in it."""
    run = small_run()
    run.advance(2)
    run.save(tmp_path / "run")
    return tmp_path / "run"


def load(folder: Path) -> TrainingRun:
    return TrainingRun.load(folder, small_corpus(), device="cpu")


def rewrite(folder: Path, change: Callable[[dict[str, Any], dict[str, torch.Tensor]], object]) -> None:
    """Change what a saved run says and its tensors, and write both as a save would: only the content is wrong."""
    tensors, metadata = files.read_tensors(folder / "run.safetensors")
    about = json.loads(metadata["about"])
    change(about, tensors)
    text = json.dumps(about)
    files.write_tensors(folder / "run.safetensors", tensors, metadata | {"about": text})
    files.atomic_write(folder / "run.json", text)


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


# Damage


@pytest.mark.parametrize("name", ["run.json", "run.safetensors"])
def test_a_folder_without_a_run_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=r"holds no saved run \(run\.json and run\.safetensors\)"):
        load(folder)
    with pytest.raises(OSError, match="holds no saved run"):  # it is a file error too
        load(folder / "nowhere")


@pytest.mark.fault("Errors", seen="a file that may not be read was called damaged")
def test_a_file_that_cannot_be_read_is_not_called_damaged(folder: Path) -> None:
    (folder / "run.json").unlink()
    (folder / "run.json").mkdir()
    with pytest.raises(CheckpointError, match=r"run\.json cannot be read: Is a directory\."):
        load(folder)


@pytest.mark.parametrize("name", ["run.json", "run.safetensors"])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"\xff" * 40, lambda data: b""])
def test_a_damaged_file_is_refused(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    with pytest.raises(CheckpointError, match=r"damaged \(.*\)\. Use a copy, or train it again"):
        load(folder)


@pytest.mark.fault(FAULT, seen="58 of 60 flipped bits in the tensors and 22 of 120 in run.json went unnoticed")
@pytest.mark.parametrize("name", ["run.json", "run.safetensors"])
def test_no_flipped_bit_goes_unnoticed(folder: Path, name: str) -> None:
    """In the header of the tensors a flip may change nothing that is used, such as a blank; then nothing is lost."""
    data, whole = (folder / name).read_bytes(), load(folder)
    noticed = 0
    places = range(0, 8 * len(data), max(1, 8 * len(data) // 100))
    for place in places:
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        (folder / name).write_bytes(flipped)
        try:
            run = load(folder)
        except CheckpointError:
            noticed += 1
        else:
            assert equal(state(run), state(whole))
            assert metrics_of(run.history) == metrics_of(whole.history)
    assert noticed > 0.9 * len(places)


@pytest.mark.fault(FAULT, seen="run.json of one run with the tensors of another trained on")
@pytest.mark.parametrize("name", ["run.json", "run.safetensors"])
def test_files_of_two_runs_are_not_mixed(folder: Path, name: str) -> None:
    other = small_run(seed=1)
    other.advance(2)
    other.save(folder.with_name("other"))
    shutil.copy(folder.with_name("other") / name, folder / name)
    with pytest.raises(CheckpointError, match=r"damaged \(run\.json was changed, or belongs to another run"):
        load(folder)


@pytest.mark.fault(FAULT, seen="a run.json edited from muon to adamw loaded, and training ended in a KeyError")
@pytest.mark.parametrize(
    "edit", [("muon", "adamw"), ('"seed": 0', '"seed": 1'), ('"hidden_size": 16', '"hidden_size": 32')]
)
def test_an_edited_file_is_refused(folder: Path, edit: tuple[str, str]) -> None:
    text = (folder / "run.json").read_text(encoding="utf-8")
    assert edit[0] in text
    (folder / "run.json").write_text(text.replace(*edit), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"damaged \(run\.json was changed"):
        load(folder)


PARTS = (
    *("format", "config", "first_config", "seed", "step", "tokens", "flops", "seconds", "corpus", "threads"),
    *("devices", "evaluations", "changes"),
)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", [None, "absent"], ids=["missing", "of another kind"])
def test_a_part_that_is_not_as_it_was_is_refused(folder: Path, part: str, value: str | None) -> None:
    rewrite(folder, lambda about, _: about.pop(part) if value is None else about.update({part: value}))
    with pytest.raises(CheckpointError, match="damaged"):
        load(folder)


@pytest.mark.fault(FAULT, seen="step = -1, an empty history and a missing optimiser state were accepted")
@pytest.mark.parametrize(
    "change",
    [
        lambda about, _: about["config"].update(hidden_size=0),
        lambda about, _: about["first_config"].update(no_such_field=1),
        lambda about, _: about["config"].update(rtd_weight=2.0),
        lambda about, _: about["changes"].append({"step": 1, "field": "rtd_weight", "before": 10.0, "after": 2.0}),
        lambda about, _: about["corpus"].pop("sha256"),
        lambda about, _: about.update(step=-1),
        lambda about, _: about.update(tokens=about["tokens"] + 1),
        lambda _, tensors: tensors.pop("history.loss"),
        lambda _, tensors: tensors.update({"history.surprise": tensors["history.loss"].clone()}),
        lambda _, tensors: tensors.update({"history.loss": tensors["history.loss"][:1]}),
        lambda _, tensors: tensors.update({"history.step": tensors["history.step"] * 2}),
        lambda _, tensors: tensors.update({"history.trained": tensors["history.trained"] + 9}),
        lambda _, tensors: tensors.update({n: t[:0] for n, t in tensors.items() if n.startswith("history.")}),
    ],
)
def test_wrong_contents_are_refused(folder: Path, change: Callable[..., object]) -> None:
    rewrite(folder, change)
    with pytest.raises(CheckpointError, match="damaged"):
        load(folder)


MOMENTUM = "optimizer.generator.encoder.blocks.0.attention.output.weight.momentum"


@pytest.mark.fault(FAULT, seen="a tensor of another shape was broadcast, one of another type was cast")
@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("model.generator.bias"),
        lambda tensors: tensors.pop("average.generator.bias"),
        lambda tensors: tensors.pop("rng"),
        lambda tensors: tensors.update({"model.generator.bias": torch.zeros(3)}),
        lambda tensors: tensors.update({"model.generator.bias": torch.zeros(1)}),
        lambda tensors: tensors.update({"average.generator.bias": tensors["average.generator.bias"].double()}),
        lambda tensors: tensors.update({"model.generator.bais": torch.zeros(16)}),
        lambda tensors: tensors.update({"rng": torch.zeros(3, dtype=torch.uint8)}),
        lambda tensors: tensors.update({"optimizer.no.such.weight.momentum": torch.zeros(3)}),
        lambda tensors: tensors.update({MOMENTUM: tensors[MOMENTUM][0]}),
        lambda tensors: tensors.pop("optimizer.generator.bias.exp_avg"),
        lambda tensors: [tensors.pop(name) for name in [*tensors] if name.startswith("optimizer.")],
    ],
)
def test_wrong_tensors_are_refused(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    rewrite(folder, lambda _, tensors: change(tensors))
    with pytest.raises(CheckpointError, match="damaged"):
        load(folder)


@pytest.mark.fault(
    "Resources",
    seen="an edited hidden_size or num_layers took up to 9 GB or 89 s, then ended in a bare allocator error",
)
@pytest.mark.parametrize(
    "sizes",
    [
        {"hidden_size": 2**20},
        {"num_layers": 10**9},
        {"intermediate_size": 10**12},
        {"embedding_size": 2**40},
        {"type_vocab_size": 10**12},
        {"positions": "learned", "max_position_embeddings": 10**12},
    ],
    ids=str,
)
def test_sizes_are_compared_with_the_tensors_before_a_model_is_built(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sizes: dict[str, Any]
) -> None:
    def change(about: dict[str, Any], _tensors: object) -> None:
        about["config"].update(sizes)
        about["first_config"].update(sizes)

    rewrite(folder, change)
    monkeypatch.setattr("electra_edu.training.run.Electra", None)  # whoever builds one fails
    with pytest.raises(
        CheckpointError, match=r"damaged \(its config asks for at least [\d,]+ weights, and there are 9,001"
    ):
        load(folder)


@pytest.mark.parametrize("everywhere", [True, False])
def test_another_format_is_refused_with_its_number(folder: Path, everywhere: bool) -> None:
    if everywhere:
        rewrite(folder, lambda about, _: about.update(format=99))
    else:
        (folder / "run.json").write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"has format 99; this version reads up to 3\. Update electra_edu"):
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


# The first format


DATA = Path(__file__).parents[1] / "data"
FIRST_FORMAT = DATA / "first-format"


@pytest.mark.parametrize("older", [FIRST_FORMAT, DATA / "second-format"], ids=lambda folder: folder.name)
def test_a_run_of_an_older_format_goes_on_to_the_bit(tmp_path: Path, older: Path) -> None:
    """Saved by the versions before digests, and before the main network had its name.

    Both had changed λ before the first step and trained each network alone.
    """
    folder = shutil.copytree(older / "run", tmp_path / "run")
    steps = json.loads((older / "next_steps.json").read_text(encoding="utf-8"))
    expected = [{name.replace("second_", "main_"): value for name, value in step.items()} for step in steps]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the number of threads
        run = load(folder)
        assert run.first_config == small_config(weight_sharing="none")
        assert run.config == run.first_config.replace(rtd_weight=4.0, mask_prob=0.5)
        assert [(stage.steps, stage.trained) for stage in run.stages] == [
            *[(2, None), (1, "generator"), (1, "discriminator"), (2, None)]
        ]
        run.save(folder)  # in today's format, over it
        for again in (run, load(folder)):
            steps = [{name: step[name] for name in expected[0]} for step in metrics_of(again.advance(3))]
            assert steps == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about["config"].update(hidden_size=32),
        lambda about: about["config"].update(hidden_size=2**20),
        lambda about: about["history"].clear(),
        lambda about: about["history"][0].pop("loss"),
        lambda about: about["history"].append({"surprise": 1}),
        lambda about: about.update(step=-1),
        lambda about: about.update(format=2),
    ],
)
def test_a_damaged_run_of_the_first_format_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    folder = shutil.copytree(FIRST_FORMAT / "run", tmp_path / "run")
    about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    change(about)
    (folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(CheckpointError, match="damaged"):
        load(folder)

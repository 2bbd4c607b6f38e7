"""Damaged and edited saved runs are refused with what is wrong, before anything of them is used."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from saved_runs import load, rewrite
from small import equal, metrics_of, small_run, state

from electra_edu.support.errors import CheckpointError

FAULT = "Saved runs"


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

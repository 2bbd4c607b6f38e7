"""Weights as other programs leave them: read where that is safe, and else the true cause and a way out that works."""

import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hugging_face import assert_agree, edited, inputs, run, their_model
from safetensors.torch import load_file, save, save_file
from small import equal, small_config, small_run
from torch import Tensor
from transformers import BertConfig, BertModel, ElectraForMaskedLM, ElectraForPreTraining, ElectraModel, PreTrainedModel

import electra_edu as edu
from electra_edu.detection import detect
from electra_edu.discriminator import Discriminator
from electra_edu.electra import Electra
from electra_edu.encoder import Embeddings
from electra_edu.errors import CheckpointError, ElectraEduError
from electra_edu.interop import from_transformers, reading, to_transformers

WEIGHTS, CONFIG = "model.safetensors", "config.json"
BATCH = inputs(20, 9)


def round_trip(seen: str) -> Any:
    return pytest.mark.fault("Round trips", seen=seen)


@pytest.fixture
def theirs() -> PreTrainedModel:
    return their_model()


@pytest.fixture
def folder(tmp_path: Path, theirs: PreTrainedModel) -> Path:
    """Return a good checkpoint of a discriminator, for a test to spoil."""
    theirs.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def rename(folder: Path, change: Callable[[str], str]) -> None:
    """Give every tensor another name."""
    tensors = load_file(folder / WEIGHTS)
    save_file({change(name): tensor for name, tensor in tensors.items()}, folder / WEIGHTS, {"format": "pt"})


def refusal(folder: Path, **arguments: Any) -> str:
    """Return what from_transformers says about a folder that it does not read."""
    with pytest.raises(CheckpointError) as caught:
        from_transformers(folder, **arguments)
    return str(caught.value)


def gamma_beta(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


# Read as they are


@round_trip("weights with LayerNorms called gamma and beta, which transformers reads, were “missing”")
@pytest.mark.parametrize("kind", [ElectraForPreTraining, ElectraForMaskedLM, ElectraModel])
def test_old_names_of_layer_norms(tmp_path: Path, kind: type[PreTrainedModel]) -> None:
    model = their_model(kind)
    model.save_pretrained(tmp_path)
    plain = run(from_transformers(tmp_path), BATCH)
    rename(tmp_path, gamma_beta)
    assert any("gamma" in name for name in load_file(tmp_path / WEIGHTS))
    assert (run(from_transformers(tmp_path), BATCH) - plain).abs().max() == 0
    reference = kind.from_pretrained(tmp_path).eval()
    assert_agree(run(reference, BATCH), run(model, BATCH))


@round_trip("“the tensor … is missing. Fetch or copy the folder again”, which could not help")
@pytest.mark.parametrize(
    "outer", ["module.", "discriminator.", "model.", "_orig_mod.", "module.discriminator.", "network.model."]
)
@pytest.mark.parametrize("drop", ["", "electra."])
def test_what_training_programs_put_before_the_names(folder: Path, outer: str, drop: str) -> None:
    plain = from_transformers(folder)
    rename(folder, lambda name: outer + name.removeprefix(drop))
    assert equal(from_transformers(folder).parameters(), plain.parameters())
    with edited(folder / CONFIG) as config:
        del config["architectures"]
    assert isinstance(from_transformers(folder), Discriminator)


@round_trip("a file with both halves in it was “missing” all tensors of either")
def test_two_networks_in_one_file(tmp_path: Path) -> None:
    halves = {"discriminator": their_model(), "generator": their_model(ElectraForMaskedLM)}
    tensors: dict[str, Tensor] = {}
    for name, model in halves.items():
        model.save_pretrained(tmp_path)
        tensors |= {f"{name}.{key}": value for key, value in load_file(tmp_path / WEIGHTS).items()}
    save_file(tensors, tmp_path / WEIGHTS)
    with edited(tmp_path / CONFIG) as config:
        del config["architectures"]
    message = refusal(tmp_path)
    assert "several networks, whose names begin with 'discriminator.', 'generator.'" in message
    assert "half='discriminator'" in message  # the remedy
    with edited(tmp_path / CONFIG) as config:
        config["architectures"] = ["ElectraForPreTraining"]
    back = from_transformers(tmp_path)
    assert torch.equal(run(back, BATCH), run(from_transformers(tmp_path, half="discriminator"), BATCH))
    with edited(tmp_path / CONFIG) as config:
        config["architectures"] = ["ElectraForMaskedLM"]
    assert (run(from_transformers(tmp_path), BATCH) - run(halves["generator"], BATCH)).abs().max() < 1e-5


@round_trip("a checkpoint in several files without its index was said to hold only pickled weights")
def test_several_files_without_an_index(tmp_path: Path, theirs: PreTrainedModel) -> None:
    theirs.save_pretrained(tmp_path, max_shard_size="4KB")
    plain = from_transformers(tmp_path)
    (tmp_path / f"{WEIGHTS}.index.json").unlink()
    assert equal(from_transformers(tmp_path).parameters(), plain.parameters())
    last = max(tmp_path.glob("*.safetensors"))
    last.unlink()
    assert re.search(rf"{last.name} is missing, one of \d+ files", refusal(tmp_path))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(folder: Path, kind: torch.dtype) -> None:
    tensors = {name: tensor.to(kind) for name, tensor in load_file(folder / WEIGHTS).items()}
    save_file(tensors, folder / WEIGHTS)
    back = dict(from_transformers(folder).named_parameters())
    assert {parameter.dtype for parameter in back.values()} == {torch.float32}
    assert torch.equal(back["dense.weight"], tensors["discriminator_predictions.dense.weight"].float())


# Refused, with the cause


@round_trip("weights of eight bits were read as if they were the numbers themselves")
def test_quantised_weights(folder: Path) -> None:
    name = "discriminator_predictions.dense.weight"
    tensors = load_file(folder / WEIGHTS)
    save_file(tensors | {name: tensors[name].to(torch.float8_e4m3fn)}, folder / WEIGHTS)
    assert f"{name!r} holds torch.float8_e4m3fn; only floating-point weights of 16, 32 or 64 bits" in refusal(folder)
    with edited(folder / CONFIG) as config:
        config["quantization_config"] = {"quant_method": "fp8"}
    assert "quantization_config={'quant_method': 'fp8'}" in refusal(folder)


@pytest.mark.fault(
    "Errors", seen="a BERT's weights under an ELECTRA's config: “missing. Fetch or copy the folder again”"
)
def test_another_model_s_names_and_the_remedy(folder: Path) -> None:
    rename(folder, lambda name: f"colbert.{name.removeprefix('electra.')}")
    message = refusal(folder)
    assert "names like 'colbert.embeddings.word_embeddings.weight'" in message
    assert "another kind of model (colbert)" in message
    code = re.search(r"rename them: (.*)\.$", message)
    assert code
    import safetensors.torch

    exec(code[1], {"safetensors": safetensors, "file": str(folder / WEIGHTS)})
    assert isinstance(from_transformers(folder), Discriminator)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 54245363\n"


@pytest.mark.fault("Errors", seen="a Git LFS pointer was “damaged (header too large). Fetch or copy the folder again”")
@pytest.mark.parametrize(
    ("data", "what"),
    [
        (POINTER, "is a Git LFS pointer and not the file itself. .*git lfs pull"),
        (b"<!DOCTYPE html><html>Log in</html>", "is a web page and not the file. Download the file itself"),
        (b"\n  <html><body>404</body></html>", "is a web page and not the file. Download the file itself"),
        (b"PK\x03\x04" + b"\x00" * 30, "is a zip archive, as torch.save makes: a pickle under another name. .*never"),
        (pickle.dumps({"a": 1}, 2), "is a pickle under another name. Pickled weights are never opened"),
        (pickle.dumps({"a": 1}, 4), "is a pickle under another name. Pickled weights are never opened"),
        (b"\x89HDF\r\n\x1a\n" + b"\x00" * 40, "is an HDF5 file, TensorFlow's weights under another name"),
        (b"GGUF\x03\x00\x00\x00" + b"\x00" * 40, "is a GGUF file under another name. .*does not go back"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc", "is packed with gzip. Unpack it first"),
        (b"age-encryption.org/v1\n-> X25519", "is encrypted. Decrypt it first"),
        (b"Salted__12345678" + bytes(range(200, 250)), "is encrypted. Decrypt it first"),
        (bytes(range(100, 200)), "is no safetensors file: it does not begin with a header. It is encrypted, or"),
        (b"\x00" * 4096, "begins with zeros, as a download does that never finished"),
        (b"", "is empty"),
        (b"abc", "is damaged: it is cut short within its header, at 3 bytes"),
        (save({"a": torch.ones(9)})[:-1], r"is damaged: it is cut short, at \d+ of \d+ bytes"),
        (save({"a": torch.ones(9)}) + b"x", r"is damaged"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{" + b"[" * 15, "is damaged"),
    ],
    ids=str,
)
def test_files_that_are_something_else(folder: Path, data: bytes, what: str) -> None:
    (folder / WEIGHTS).write_bytes(data)
    assert re.search(rf"{WEIGHTS} {what}", refusal(folder))


@pytest.mark.fault("Errors", seen="the pointers of the other files were “damaged” too")
@pytest.mark.parametrize("name", [CONFIG, "tokenizer.json", "vocab.txt", "tokenizer_config.json", "added_tokens.json"])
@pytest.mark.parametrize("data", [POINTER, b"<html></html>"])
def test_small_files_that_are_something_else(folder: Path, name: str, data: bytes) -> None:
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]))
    (folder / name).write_bytes(data)
    assert re.search(rf"{name} (is a Git LFS pointer|is a web page)|vocab.txt has no", refusal(folder))


OTHERS: dict[str, tuple[tuple[str, ...], str]] = {  # files beside config.json, and what is said of them
    "TensorFlow 1": (
        ("model.ckpt-100.index", "model.ckpt-100.data-00000-of-00001", "checkpoint"),
        r"model.ckpt-100.index is part of a TensorFlow checkpoint.*transformers 4: python -m",
    ),
    "TensorFlow 2": (("tf_model.h5",), r"tf_model.h5 holds TensorFlow's weights.*transformers 4: .*from_tf=True"),
    "Flax": (("flax_model.msgpack",), r"flax_model.msgpack holds Flax's weights.*transformers 4: .*from_flax=True"),
    "ONNX": (("onnx/model.onnx",), r"onnx/model.onnx is a network in another program's format.*ask for the one with"),
    "GGUF": (("electra.gguf",), r"electra.gguf is a network in another program's format.*ask for the one with"),
    "OpenVINO": (("openvino_model.xml", "openvino_model.bin"), r"."),
    "pickled pieces": (
        ("pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"),
        r"never opened here.*pytorch_model-00001-of-00002.bin is one.*AutoModelForPreTraining.from_pretrained",
    ),
    "Lightning": (("last.ckpt",), r"never opened here.*last.ckpt is one"),
    "an adapter": (
        ("adapter_config.json", "adapter_model.safetensors"),
        r"holds an adapter of google/e.*merge_and_unl",
    ),
    "nothing": ((), r"It has no weights at all: fetch model.safetensors too"),
    "two others": (("a.safetensors", "b.safetensors"), r"a.safetensors, b.safetensors it is not said.*Fetch it too"),
}


@pytest.mark.fault("Errors", seen="whatever lay there, the message was about pytorch_model.bin")
@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("with_config", [True, False])
def test_folders_with_other_weights(folder: Path, kind: str, with_config: bool) -> None:
    names, message = OTHERS[kind]
    (folder / WEIGHTS).unlink()
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"{}")
    if kind == "an adapter":
        (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "google/electra-small"}')
    if not with_config:
        (folder / CONFIG).unlink()
        message = r"there is no config.json" if not names else message
    assert re.search(message, refusal(folder))


@pytest.mark.fault(
    "Errors", seen="“Pickled weights (pytorch_model.bin) are never opened”, where there was another name"
)
def test_weights_under_another_name_and_the_remedy(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "pytorch_model.safetensors")
    assert "pytorch_model.safetensors has a name that is not read: rename it to model.safetensors" in refusal(folder)
    (folder / "pytorch_model.safetensors").rename(folder / WEIGHTS)
    assert isinstance(from_transformers(folder), Discriminator)


@pytest.mark.parametrize("kind", [ElectraForPreTraining, ElectraForMaskedLM])
def test_the_remedy_for_pickled_weights(
    tmp_path: Path, kind: type[PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = their_model(kind)
    model.save_pretrained(tmp_path / "model")
    (tmp_path / "model" / WEIGHTS).unlink()
    torch.save(model.state_dict(), tmp_path / "model" / "pytorch_model.bin")
    code = re.search(r"once with transformers: (.*\.save_pretrained\('folder'\)) and", refusal(tmp_path / "model"))
    assert code
    monkeypatch.chdir(tmp_path)
    exec(f"transformers.{code[1]}", {"transformers": transformers})
    assert (run(from_transformers("folder"), BATCH) - run(model, BATCH)).abs().max() < 1e-5


@pytest.mark.fault("Errors", seen="a saved run, and weights without config.json, were only said to be no checkpoint")
def test_a_saved_run_and_weights_without_a_config(tmp_path: Path, folder: Path) -> None:
    taken = small_run()
    taken.save(tmp_path / "run")
    assert "is a saved run: TrainingRun.load('" in refusal(tmp_path / "run")
    (folder / CONFIG).unlink()
    assert "Its weights are there: fetch their config.json too" in refusal(folder)


# NaN


@round_trip("weights that are NaN were read without a word, and detect gave NaN as for an unknown word")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    "name", ["electra.embeddings.word_embeddings.weight", "electra.encoder.layer.1.attention.self.key.bias"]
)
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_weights_that_are_no_numbers(folder: Path, name: str, value: float, kind: torch.dtype) -> None:
    tensors = {key: tensor.to(kind) for key, tensor in load_file(folder / WEIGHTS).items()}
    tensors[name].view(-1)[3] = value
    save_file(tensors, folder / WEIGHTS)
    message = refusal(folder)
    assert f"the tensor {name!r} holds 1 numbers that are NaN or infinite, of {tensors[name].numel()}" in message
    assert "Take an earlier checkpoint" in message


@round_trip("a head.safetensors with NaN was read without a word")
def test_a_head_of_its_own_that_is_no_number(tmp_path: Path) -> None:
    written = to_transformers(Electra(small_config()), tmp_path)["discriminator"].folder
    tensors = load_file(written / "head.safetensors")
    tensors["dense.bias"][0] = float("nan")
    save_file(tensors, written / "head.safetensors")
    assert "head.safetensors: the tensor 'dense.bias' holds 1 numbers that are NaN" in refusal(written)


@round_trip("detect returned NaN, which says “unknown word”, for every word of a broken network")
def test_a_network_that_computes_nan_says_so() -> None:
    run = small_run()
    with torch.no_grad():
        run.average.discriminator.dense.bias[0] = float("nan")
    with pytest.raises(ElectraEduError, match=r"source: Discriminator computes NaN for this text: its weights"):
        detect(run, "the cook stirs the soup")


# Sizes


@pytest.fixture(scope="module")
def rotary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a network of ours, for a test to copy."""
    return to_transformers(Electra(small_config()), tmp_path_factory.mktemp("rotary"))["discriminator"].folder


@pytest.fixture
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any network that is built, and any tensor that is read, fail the test."""

    def refuse(*arguments: object, **named: object) -> None:
        pytest.fail("memory was taken before the sizes were checked")

    for name in ("PretrainedDiscriminator", "PretrainedGenerator", "PretrainedEncoder", "read_tensors"):
        monkeypatch.setattr(reading, name, refuse)
    monkeypatch.setattr(Embeddings, "__init__", refuse)


SIZES = {  # a size in config.json, and what the weights have
    "vocab_size": 20,
    "embedding_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
}


@pytest.mark.fault(
    "Resources", seen="a size edited in config.json took up to 9 GB or 89 s, then a bare allocator error"
)
@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize("half", [None, "encoder"])
@pytest.mark.parametrize("value", [1, 7, 10**6, 2**31 - 1])
@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_held_against_the_weights_first(folder: Path, name: str, value: int, half: Any) -> None:
    with edited(folder / CONFIG) as config:
        config[name] = value
    message = refusal(folder, half=half)
    assert f"{CONFIG}: {name}={value}, and the weights have {SIZES[name]}: the tensor 'electra." in message


@pytest.mark.fault("Resources", seen="an edited number of heads was believed, and other numbers came out")
@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize("name", ["max_position_embeddings", "num_attention_heads", "num_hidden_layers", "hidden_size"])
def test_sizes_of_a_rotary_network(rotary: Path, tmp_path: Path, name: str) -> None:
    written = Path(shutil.copytree(rotary, tmp_path / "copy"))
    with edited(written / CONFIG) as config:
        actual = config[name]
        config[name] = 4 * actual
    assert f"{name}={4 * actual}, and the weights have {actual}" in refusal(written)


def test_the_remedy_is_the_number_that_is_named(folder: Path) -> None:
    with edited(folder / CONFIG) as config:
        config["hidden_size"] = 10**9
    found = re.search(r"hidden_size=1000000000, and the weights have (\d+)", refusal(folder))
    assert found
    with edited(folder / CONFIG) as config:
        config["hidden_size"] = int(found[1])
    assert isinstance(from_transformers(folder), Discriminator)
    with edited(folder / CONFIG) as config:
        del config["hidden_size"]
    assert "hidden_size is not given, which means 256, and the weights have 12" in refusal(folder)


HOSTILE = {
    "huge": 10**400,
    "nan": float("nan"),
    "infinite": float("inf"),
    "true": True,
    "null": None,
    "list": [12],
    "object": {"a": {"b": {}}},
    "negative": -5,
    "text": "12",
    "long text": "x" * 10_000,
    "half": 0.5,
}


@pytest.mark.fault("Errors", seen="hidden_size=10**400: a bare OverflowError")
@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", [*SIZES, "num_attention_heads"])
def test_sizes_of_the_wrong_kind(folder: Path, name: str, kind: str) -> None:
    with edited(folder / CONFIG) as config:
        config[name] = HOSTILE[kind]
    message = refusal(folder)
    assert re.search(rf"{CONFIG}: {name}=.{{1,100}}: must be a whole number from 1 to \d+", message)
    assert len(message) < 600


@pytest.mark.fault("Errors", seen="layer_norm_eps=10**400 in config.json: a bare OverflowError")
@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind not in ("half", "negative")])
@pytest.mark.parametrize("name", ["layer_norm_eps", "hidden_dropout_prob", "initializer_range"])
def test_other_numbers_of_the_wrong_kind(folder: Path, name: str, kind: str) -> None:
    with edited(folder / CONFIG) as config:
        config[name] = HOSTILE[kind]
    assert re.search(rf"{CONFIG}: {name}=.{{1,100}}: must be a finite number", refusal(folder))


@pytest.mark.fault("Errors", seen="wrong kinds of the other fields were bare TypeErrors or repeated whole")
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize(
    "name",
    ["architectures", "model_type", "pad_token_id", "tie_word_embeddings", "hidden_act", "is_decoder", "written_by"],
)
def test_other_fields_of_the_wrong_kind(folder: Path, name: str, kind: str) -> None:
    with edited(folder / CONFIG) as config:
        config[name] = HOSTILE[kind]
    try:
        assert isinstance(from_transformers(folder), Discriminator)
    except CheckpointError as error:
        assert len(str(error)) < 600
        assert name in str(error) or "not an ELECTRA" in str(error)


@pytest.mark.parametrize("depth", [500, 900, 990, 5_000, 100_000])
@pytest.mark.parametrize("name", ["hidden_size", "hidden_act", "electra_edu", "architectures", "tokenizer_class"])
def test_nested_values(folder: Path, depth: int, name: str) -> None:
    text = json.dumps(json.loads((folder / CONFIG).read_text()) | {name: "HERE"})
    (folder / CONFIG).write_text(text.replace('"HERE"', "[" * depth + "]" * depth))
    try:
        from_transformers(folder)
    except CheckpointError as error:
        assert len(str(error)) < 600


def test_a_config_of_gigabytes_is_not_read(folder: Path) -> None:
    with (folder / CONFIG).open("wb") as file:
        file.truncate(10 * 2**30)  # a hole: it takes no room on the disk
    assert "far too many for such a file" in refusal(folder)


def test_other_kinds_of_model_are_named(tmp_path: Path) -> None:
    BertModel(
        BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=9, intermediate_size=8)
    ).save_pretrained(tmp_path)
    message = refusal(tmp_path)
    assert "is a BertModel, not an ELECTRA" in message
    assert "Use this checkpoint with transformers" in message
    assert isinstance(transformers.AutoModel.from_pretrained(tmp_path), BertModel)


@pytest.mark.fault("Security", seen="a folder's name with a slip in it was looked up on the network")
def test_the_network_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but local_files_only=False lets a name, a slip of a folder's for example, reach the network."""
    import huggingface_hub

    calls: list[dict[str, Any]] = []

    def snapshot_download(name: str, **arguments: Any) -> str:
        calls.append(arguments)
        raise OSError("not here")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(
        CheckpointError, match=r"To fetch it from the network: from_transformers\('modle', local_files_o"
    ):
        edu.interop.from_transformers("modle")
    assert [call["local_files_only"] for call in calls] == [True]
    with pytest.raises(CheckpointError, match="cannot be fetched"):
        edu.interop.from_transformers("modle", local_files_only=False)  # the remedy asks for it
    assert [call["local_files_only"] for call in calls] == [True, True, False]

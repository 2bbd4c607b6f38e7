"""Files and folders that are no checkpoint: each is called what it is, with a way out that works."""

import pickle
import re
from pathlib import Path

import pytest
import torch
import transformers
from hugging_face import inputs, refusal, run, their_model
from safetensors.torch import save
from small import small_run
from transformers import ElectraForMaskedLM, ElectraForPreTraining, PreTrainedModel

from electra_edu.interop import from_transformers
from electra_edu.model.discriminator import Discriminator

WEIGHTS, CONFIG = "model.safetensors", "config.json"
BATCH = inputs(20, 9)


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
        (b"GGUF\x03\x00\x00\x00" + b"\x00" * 40, "is a GGUF file under another name. .*cannot be converted back"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc", "is packed with gzip. Unpack it first"),
        (b"age-encryption.org/v1\n-> X25519", "is encrypted. Decrypt it first"),
        (b"Salted__12345678" + bytes(range(200, 250)), "is encrypted. Decrypt it first"),
        (bytes(range(100, 200)), "is no safetensors file: it does not begin with a header. It is encrypted, or"),
        (b"\x00" * 4096, "begins with zeros, as an unfinished download does"),
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
    "ONNX": (("onnx/model.onnx",), r"onnx/model.onnx is a network in another program's format.*ask for the saf"),
    "GGUF": (("electra.gguf",), r"electra.gguf is a network in another program's format.*ask for the saf"),
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
    "two others": (("a.safetensors", "b.safetensors"), r"a.safetensors, b.safetensors belong together.*Fetch it too"),
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

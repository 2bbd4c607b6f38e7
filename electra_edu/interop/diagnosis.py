"""Why a file or a folder cannot be read as a checkpoint: what it really is, and what to do about it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from electra_edu.interop.architectures import CONFIG, HEAD, INDEX, WEIGHTS
from electra_edu.support.arguments import shown

AGAIN = "Fetch or copy the folder again."
NEVER_OPENED = "Pickled weights are never opened here: opening one can run any program."
_NO_WAY_BACK = (
    "It is made for running and does not go back into a checkpoint: ask for the one with safetensors that it was made "
    "from."
)
_POINTER = (
    "Git LFS keeps the file itself elsewhere: run git lfs pull in the clone that it comes from, and copy the folder "
    "again."
)
_STARTS: tuple[tuple[bytes, str, str], ...] = (  # how a file begins, what it is then, what to do
    (b"version https://git-lfs.github.com/", "is a Git LFS pointer and not the file itself", _POINTER),
    (b"<!doctype", "is a web page and not the file", "Download the file itself, and not the page that shows it."),
    (b"<html", "is a web page and not the file", "Download the file itself, and not the page that shows it."),
    (b"pk\x03\x04", "is a zip archive, as torch.save makes: a pickle under another name", NEVER_OPENED),
    (b"\x80\x02", "is a pickle under another name", NEVER_OPENED),
    (b"\x80\x03", "is a pickle under another name", NEVER_OPENED),
    (b"\x80\x04", "is a pickle under another name", NEVER_OPENED),
    (b"\x80\x05", "is a pickle under another name", NEVER_OPENED),
    (b"\x89hdf", "is an HDF5 file, TensorFlow's weights under another name", AGAIN),
    (b"gguf", "is a GGUF file under another name", _NO_WAY_BACK),
    (b"salted__", "is encrypted", "Decrypt it first."),
    (b"-----begin pgp", "is encrypted", "Decrypt it first."),
    (b"age-encryption.org/", "is encrypted", "Decrypt it first."),
    (b"\x1f\x8b", "is packed with gzip", "Unpack it first."),
    (b"7z\xbc\xaf", "is packed with 7-Zip", "Unpack it first."),
    (b"\xfd7zxz", "is packed with xz", "Unpack it first."),
    (b"(\xb5/\xfd", "is packed with Zstandard", "Unpack it first."),
)


def what_it_is(path: Path) -> str | None:
    """Return what a file is where its first bytes tell that it is another kind of file, with a remedy; else None."""
    try:
        with path.open("rb") as file:
            start = file.read(64).lower()
    except OSError:
        return None
    if start[8:9] == b"{":  # safetensors, whose first bytes are a number
        return None
    start = start.lstrip(b"\xef\xbb\xbf \r\n\t")
    for signature, what, remedy in _STARTS:
        if start.startswith(signature):
            return f"{path} {what}. {remedy}"
    return None


def why_no_safetensors(path: Path, error: Exception) -> str:
    """Say why a file could not be read as safetensors: what it is, or how it is damaged."""
    if not path.exists():
        return f"{path} is missing. {AGAIN}"
    if found := what_it_is(path):
        return found
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")  # a file begins with the length of its header
            header = file.read(min(length, size))
    except OSError as failure:
        return f"{path} cannot be read ({failure}). Check its permissions."
    if size == 0:
        return f"{path} is empty. {AGAIN}"
    if not any(start) and not any(header[:4096]):
        return f"{path} begins with zeros, as a download does that never finished. {AGAIN}"
    if (begun := header.startswith(b"{") or size < 9) and length > size - 8:
        return f"{path} is damaged: it is cut short within its header, at {size} bytes. {AGAIN}"
    if not begun:
        return (
            f"{path} is no safetensors file: it does not begin with a header. It is encrypted, or another kind of file "
            f"under this name. {AGAIN}"
        )
    if (expected := _promised(header)) is not None and expected + 8 + length > size:
        return f"{path} is damaged: it is cut short, at {size} of {expected + 8 + length} bytes. {AGAIN}"
    return f"{path} is damaged ({error}). {AGAIN}"


def _promised(header: bytes) -> int | None:
    """Return how many bytes of numbers a header speaks of; None where it cannot be read."""
    try:
        tensors = {name: value for name, value in json.loads(header).items() if name != "__metadata__"}
        return max((int(tensor["data_offsets"][1]) for tensor in tensors.values()), default=0)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        return None


def why_no_config(folder: Path) -> str:
    """Say why a folder without a config.json is no checkpoint, and what it is."""
    start = f"{folder} holds no checkpoint: there is no {CONFIG}."
    if (folder / "run.json").is_file():
        return f"{start} It is a saved run: TrainingRun.load({str(folder)!r}) loads it, and to_transformers exports it."
    if inside := sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}")):
        return f"{start} Pass one of its folders: {', '.join(inside)}."
    if found := next(_other_weights(folder, {}), None):
        return f"{start} {found}"
    if any((folder / name).exists() for name in (WEIGHTS, INDEX)):
        return f"{start} Its weights are there: fetch their {CONFIG} too."
    return f"{start} Pass the folder that has it."


def why_no_weights(folder: Path, settings: dict[str, Any]) -> str:
    """Say why a folder with a config.json has no weights that can be read, and how to get some."""
    found = next(_other_weights(folder, settings), f"It has no weights at all: fetch {WEIGHTS} too.")
    return f"{folder} has no {WEIGHTS}. {found}"


def _other_weights(folder: Path, settings: dict[str, Any]) -> Iterator[str]:
    """Say what kinds of weights are in `folder` instead of safetensors, and what to do; the best way out first."""
    if (folder / "adapter_config.json").is_file() or any(folder.glob("adapter_model.*")):
        base = _base_model(folder)
        yield (
            f"It holds an adapter of {base}, which is a change to another network's weights. Put the two together once "
            f"with peft: PeftModel.from_pretrained({_loaded(settings, base)}, {str(folder)!r}).merge_and_unload()"
            ".save_pretrained('merged'). Pass that folder."
        )
    others = sorted(path.name for path in folder.glob("*.safetensors") if path.name not in (HEAD, WEIGHTS))
    if len(others) == 1:
        yield f"{others[0]} has a name that is not read: rename it to {WEIGHTS}."
    elif others:
        yield f"Of {', '.join(others)} it is not said which belong together: {INDEX} is missing. Fetch it too."
    if found := _first(folder, "pytorch_model*.bin", "*.bin", "*.pt", "*.pth", "*.ckpt"):
        yield (
            f"{NEVER_OPENED} {found} is one. On a computer where you trust it, convert it once with transformers: "
            f"{_loaded(settings, str(folder))}.save_pretrained('folder') and AutoTokenizer.from_pretrained("
            f"{str(folder)!r}).save_pretrained('folder'). Pass that folder."
        )
    if found := _first(folder, "*.ckpt*.index", "*.data-00000-of-*"):
        yield (
            f"{found} is part of a TensorFlow checkpoint, which is not read here. Convert it once with TensorFlow and "
            "transformers 4: python -m transformers.models.electra.convert_electra_original_tf_checkpoint_to_pytorch "
            "--tf_checkpoint_path … --config_file … --pytorch_dump_path pytorch_model.bin --discriminator_or_generator "
            f"discriminator. Then load the result with transformers, and save it with save_pretrained."
        )
    for patterns, kind, library, argument in (
        (("*.h5", "saved_model.pb"), "holds TensorFlow's weights", "TensorFlow", "from_tf"),
        (("*.msgpack",), "holds Flax's weights", "Flax", "from_flax"),
    ):
        if found := _first(folder, *patterns):
            yield (
                f"{found} {kind}, which are not read here. Convert them once with {library} and transformers 4: "
                f"{_loaded(settings, str(folder), f', {argument}=True')}.save_pretrained('folder'). Pass that folder."
            )
    if found := _first(
        folder, "*.onnx", "onnx/*.onnx", "*.gguf", "*.tflite", "*.mlmodel", "openvino_model.xml", "*.ot"
    ):
        yield f"{found} is a network in another program's format. {_NO_WAY_BACK}"


def _loaded(settings: dict[str, Any], source: str, arguments: str = "") -> str:
    """Return the call of transformers that loads a network of the class that config.json names."""
    kind = "AutoModelForMaskedLM" if "MaskedLM" in str(settings.get("architectures")) else "AutoModelForPreTraining"
    return f"{kind}.from_pretrained({source!r}{arguments})"


def _base_model(folder: Path) -> str:
    try:
        about = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        return str(about["base_model_name_or_path"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return "another network"


def _first(folder: Path, *patterns: str) -> str | None:
    """Return the first file of one of these patterns, as a path inside `folder`."""
    found = (path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file())
    return next((str(path.relative_to(folder)) for path in found), None)


def wrong_field(path: Path, name: str, value: object, what: str) -> str:
    """Say that a field of a JSON file must be something else."""
    return f"{path}: {name}={shown(value)}: must be {what}. Correct it, or fetch the folder again."

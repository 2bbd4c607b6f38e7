"""Explain why a file or a folder cannot be read as a checkpoint: what it really is, and what to do about it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from electra_edu.interop.file_names import CONFIG, HEAD, WEIGHTS, WEIGHTS_INDEX
from electra_edu.support.arguments import shown

FETCH_AGAIN = "Fetch or copy the folder again."
NO_PICKLE = "Pickled weights are never opened here: opening one can run any program."
_INFERENCE_ONLY = (
    "It is made for inference and cannot be converted back into a checkpoint: ask for the safetensors that it was made "
    "from."
)
_LFS_POINTER = (
    "Git LFS stores the file itself elsewhere: run git lfs pull in the clone that it comes from, and copy the folder "
    "again."
)
# The first bytes of a file, in lower case; what it is then; what to do.
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs.github.com/", "is a Git LFS pointer and not the file itself", _LFS_POINTER),
    (b"<!doctype", "is a web page and not the file", "Download the file itself, and not the page that shows it."),
    (b"<html", "is a web page and not the file", "Download the file itself, and not the page that shows it."),
    (b"pk\x03\x04", "is a zip archive, as torch.save makes: a pickle under another name", NO_PICKLE),
    (b"\x80\x02", "is a pickle under another name", NO_PICKLE),
    (b"\x80\x03", "is a pickle under another name", NO_PICKLE),
    (b"\x80\x04", "is a pickle under another name", NO_PICKLE),
    (b"\x80\x05", "is a pickle under another name", NO_PICKLE),
    (b"\x89hdf", "is an HDF5 file, TensorFlow's weights under another name", FETCH_AGAIN),
    (b"gguf", "is a GGUF file under another name", _INFERENCE_ONLY),
    (b"salted__", "is encrypted", "Decrypt it first."),
    (b"-----begin pgp", "is encrypted", "Decrypt it first."),
    (b"age-encryption.org/", "is encrypted", "Decrypt it first."),
    (b"\x1f\x8b", "is packed with gzip", "Unpack it first."),
    (b"7z\xbc\xaf", "is packed with 7-Zip", "Unpack it first."),
    (b"\xfd7zxz", "is packed with xz", "Unpack it first."),
    (b"(\xb5/\xfd", "is packed with Zstandard", "Unpack it first."),
)


def identify(path: Path) -> str | None:
    """Return what a file is, with a remedy, if its first bytes show that it is another kind of file; else None."""
    try:
        with path.open("rb") as file:
            start = file.read(64).lower()
    except OSError:
        return None
    # A safetensors file, which begins with a number of eight bytes.
    if start[8:9] == b"{":
        return None
    start = start.lstrip(b"\xef\xbb\xbf \r\n\t")
    for signature, what, remedy in _SIGNATURES:
        if start.startswith(signature):
            return f"{path} {what}. {remedy}"
    return None


def explain_unreadable_weights(path: Path, error: Exception) -> str:
    """Explain why a file could not be read as safetensors: what it is, or how it is damaged."""
    if not path.exists():
        return f"{path} is missing. {FETCH_AGAIN}"
    if found := identify(path):
        return found
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            # A file begins with the length of its header.
            length = int.from_bytes(start, "little")
            header = file.read(min(length, size))
    except OSError as failure:
        return f"{path} cannot be read ({failure}). Check its permissions."
    if size == 0:
        return f"{path} is empty. {FETCH_AGAIN}"
    if not any(start) and not any(header[:4096]):
        return f"{path} begins with zeros, as an unfinished download does. {FETCH_AGAIN}"
    if (has_header := header.startswith(b"{") or size < 9) and length > size - 8:
        return f"{path} is damaged: it is cut short within its header, at {size} bytes. {FETCH_AGAIN}"
    if not has_header:
        return (
            f"{path} is no safetensors file: it does not begin with a header. It is encrypted, or another kind of file "
            f"under this name. {FETCH_AGAIN}"
        )
    if (expected := _size_of_tensors(header)) is not None and expected + 8 + length > size:
        return f"{path} is damaged: it is cut short, at {size} of {expected + 8 + length} bytes. {FETCH_AGAIN}"
    return f"{path} is damaged ({error}). {FETCH_AGAIN}"


def _size_of_tensors(header: bytes) -> int | None:
    """Return the size in bytes of the tensors that a header describes; None if it cannot be read."""
    try:
        tensors = {name: value for name, value in json.loads(header).items() if name != "__metadata__"}
        return max((int(tensor["data_offsets"][1]) for tensor in tensors.values()), default=0)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        return None


def explain_missing_config(folder: Path) -> str:
    """Explain why a folder without a config.json is not a checkpoint, and what it is."""
    start = f"{folder} holds no checkpoint: there is no {CONFIG}."
    if (folder / "run.json").is_file():
        return f"{start} It is a saved run: TrainingRun.load({str(folder)!r}) loads it, and to_transformers exports it."
    if inside := sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}")):
        return f"{start} Pass one of its folders: {', '.join(inside)}."
    if found := next(_other_weights(folder, {}), None):
        return f"{start} {found}"
    if any((folder / name).exists() for name in (WEIGHTS, WEIGHTS_INDEX)):
        return f"{start} Its weights are there: fetch their {CONFIG} too."
    return f"{start} Pass the folder that has it."


def explain_missing_weights(folder: Path, settings: dict[str, Any]) -> str:
    """Explain why a folder with a config.json has no weights that can be read, and how to get them."""
    found = next(_other_weights(folder, settings), f"It has no weights at all: fetch {WEIGHTS} too.")
    return f"{folder} has no {WEIGHTS}. {found}"


def _other_weights(folder: Path, settings: dict[str, Any]) -> Iterator[str]:
    """Yield what kinds of weights are in `folder` instead of safetensors, and what to do; the best remedy first."""
    if (folder / "adapter_config.json").is_file() or any(folder.glob("adapter_model.*")):
        base = _base_model(folder)
        yield (
            f"It holds an adapter of {base}, which is a change to another network's weights. Merge the two once with "
            f"peft: PeftModel.from_pretrained({_loading_call(settings, base)}, {str(folder)!r}).merge_and_unload()"
            ".save_pretrained('merged'). Pass that folder."
        )
    others = sorted(path.name for path in folder.glob("*.safetensors") if path.name not in (HEAD, WEIGHTS))
    if len(others) == 1:
        yield f"{others[0]} has a name that is not read: rename it to {WEIGHTS}."
    elif others:
        yield f"It is unknown which of {', '.join(others)} belong together: {WEIGHTS_INDEX} is missing. Fetch it too."
    if found := _first(folder, "pytorch_model*.bin", "*.bin", "*.pt", "*.pth", "*.ckpt"):
        yield (
            f"{NO_PICKLE} {found} is one. On a computer where you trust it, convert it once with transformers: "
            f"{_loading_call(settings, str(folder))}.save_pretrained('folder') and AutoTokenizer.from_pretrained("
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
            call = _loading_call(settings, str(folder), f", {argument}=True")
            yield (
                f"{found} {kind}, which are not read here. Convert them once with {library} and transformers 4: "
                f"{call}.save_pretrained('folder'). Pass that folder."
            )
    if found := _first(
        folder, "*.onnx", "onnx/*.onnx", "*.gguf", "*.tflite", "*.mlmodel", "openvino_model.xml", "*.ot"
    ):
        yield f"{found} is a network in another program's format. {_INFERENCE_ONLY}"


def _loading_call(settings: dict[str, Any], source: str, arguments: str = "") -> str:
    """Return the call that loads the network with `transformers`, by the class that config.json names."""
    kind = "AutoModelForMaskedLM" if "MaskedLM" in str(settings.get("architectures")) else "AutoModelForPreTraining"
    return f"{kind}.from_pretrained({source!r}{arguments})"


def _base_model(folder: Path) -> str:
    try:
        about = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        return str(about["base_model_name_or_path"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return "another network"


def _first(folder: Path, *patterns: str) -> str | None:
    """Return the first file that matches one of the patterns, as a path inside `folder`."""
    found = (path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file())
    return next((str(path.relative_to(folder)) for path in found), None)


def describe_wrong_field(path: Path, name: str, value: object, what: str) -> str:
    """Return the message that a field of a JSON file has a wrong value."""
    return f"{path}: {name}={shown(value)}: must be {what}. Correct it, or fetch the folder again."

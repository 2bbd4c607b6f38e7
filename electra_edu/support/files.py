"""Files that are written atomically, and files of tensors that are checked against a digest."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

PART = ".part"  # the suffix of a file that is still being written; its name is hidden
DIGEST = "sha256"  # the metadata entry with the digest of everything else


class DamagedFileError(ValueError):
    """The content of a file has changed since it was written."""


@contextmanager
def atomic_replacement(path: Path) -> Iterator[Path]:
    """Yield a hidden path to write to, then move that file to `path`.

    A reader finds the old file or the whole new one, even after a kill or a power cut. Several processes may do this at
    once; the last file stays. Raises OSError where it cannot be written, and keeps the old file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex}{PART}")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if os.name == "posix":
        _sync_names(path.parent)


def _sync_names(folder: Path) -> None:
    """Flush the names of a folder's files to disk, where the system and the folder's permissions allow it."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def atomic_write(path: Path, data: str | bytes, *, mode: int = 0o666) -> None:
    """Write a small file by `atomic_replacement`; `mode` are its permissions before the umask."""
    with atomic_replacement(path) as part, open(part, "xb", opener=partial(os.open, mode=mode)) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write CPU tensors and texts, with their digest, to a safetensors file for `read_tensors`.

    Raises OSError where it cannot be written, and keeps the old file.
    """
    digest = {DIGEST: _digest(tensors, metadata)}
    # Written here, because safetensors' own writer leaves temporary files behind when it is killed.
    with atomic_replacement(path) as part:
        part.write_bytes(save(dict(tensors), {**metadata, **digest}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and texts of a file that `write_tensors` wrote, both from the same save.

    Raises DamagedFileError when the content has changed since, OSError when it cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise DamagedFileError(str(error)) from error
    if metadata.pop(DIGEST, None) != _digest(tensors, metadata):
        raise DamagedFileError("its content does not have the SHA-256 that it was written with")
    return tensors, metadata


def _digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name, text in sorted(metadata.items()):
        digest.update(f"{name}={len(text)}:{text}".encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name}:{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()

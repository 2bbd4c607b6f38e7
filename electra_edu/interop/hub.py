"""Find a checkpoint's folder: on this computer, or by its name on the Hugging Face hub."""

import re
from importlib import import_module
from pathlib import Path

from electra_edu.interop.file_names import CONFIG
from electra_edu.interop.files import holds_weights
from electra_edu.support.errors import CheckpointError

FILES = ("*.json", "*.txt", "*.safetensors")  # the only files that are ever fetched: no programs, no pickle
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")  # "owner/name", or "name"


def find_folder(source: Path | str, revision: str | None, local_files_only: bool) -> Path:
    """Return the folder of a checkpoint: `source` itself if it exists, or else the hub's model of that name.

    The network is never used for a path, nor for a name whose files are in the hub's cache on this computer; with
    `local_files_only` it is never used at all. Raises CheckpointError if there is no such folder, or it cannot be
    fetched.
    """
    try:
        folder = Path(source).expanduser()
        is_folder = folder.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # no home folder, a name too long, no permission
        raise CheckpointError(f"{source}: cannot be looked for ({error}). Pass the path of a folder.") from error
    if is_folder:
        return folder
    if folder.exists():
        raise CheckpointError(f"{folder} is a file. Pass the folder that holds it.")
    if not isinstance(source, str) or not _NAME.fullmatch(source):
        raise CheckpointError(f"There is no folder {folder}. Pass a folder, or a name on the Hugging Face hub.")
    return _fetch(source, revision, local_files_only)


def _fetch(name: str, revision: str | None, local_files_only: bool) -> Path:
    destination = name.split("/")[-1]
    patterns = " ".join(f"--include '{pattern}'" for pattern in FILES)
    chosen = f" --revision {revision}" if revision else ""
    ask = f"from_transformers({name!r}, {f'revision={revision!r}, ' if revision else ''}local_files_only=False)"
    elsewhere = (
        "If it is a folder on this computer, there is none of that name here. To get the files on another computer: "
        f"hf download {name}{chosen} {patterns} --local-dir {destination} (pip install huggingface_hub). Copy that "
        f"folder to this computer and pass its path: from_transformers('./{destination}')."
    )
    try:
        hub = import_module("huggingface_hub")
    except ImportError as error:
        raise CheckpointError(f"{name}: the Hugging Face hub needs pip install huggingface_hub. {elsewhere}") from error

    def snapshot(local_files_only: bool) -> Path:
        return Path(
            hub.snapshot_download(name, revision=revision, allow_patterns=FILES, local_files_only=local_files_only)
        )

    try:
        cached = snapshot(local_files_only=True)
        if (cached / CONFIG).is_file() and holds_weights(cached):
            return cached
    # Not in the cache, or no cache: each release of the hub's library has its own error for it.
    except Exception:
        pass
    if local_files_only:
        raise CheckpointError(
            f"{name}: is not in the hub's cache on this computer. To fetch it from the network: {ask}. {elsewhere}"
        )
    try:
        return snapshot(local_files_only=False)
    # The network and the hub each raise errors of their own.
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise CheckpointError(f"{name}: cannot be fetched: {type(error).__name__}: {reason}. {elsewhere}") from error

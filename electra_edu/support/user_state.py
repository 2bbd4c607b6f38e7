"""The user's own folder for the state that the course keeps on this computer; no other user can write to it."""

import os
import secrets
import stat
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from electra_edu.support.errors import ElectraEduError
from electra_edu.support.files import atomic_write

FOLDER_VARIABLE = "ELECTRA_EDU_STATE"  # environment variable that names another folder
POSIX = os.name == "posix"  # owners and permissions are checked on POSIX systems only
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
KEY_BYTES = 32
LOCK_TIMEOUT = 5.0  # seconds to wait for another process that makes the key


class StateError(ElectraEduError, OSError):
    """The state folder cannot be used, or another user could have written to it."""


def state_folder(*names: str) -> Path:
    """Return the folder `names` below ELECTRA_EDU_STATE, or else below the system's state folder of this user.

    It is made where it is missing. Raises StateError where that fails, and where another user owns one of these folders
    or may write to it, because its files could then be planted.
    """
    override = os.environ.get(FOLDER_VARIABLE)
    folder = Path(override) if override else user_state_path("electra_edu", appauthor=False)
    # Not absolute where the home folder is unknown, or where the variable is relative to the working directory.
    if not folder.is_absolute():
        raise unusable_folder(folder, "it is not a full path")
    for place in (folder, *(folder.joinpath(*names[: i + 1]) for i in range(len(names)))):
        try:
            place.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            reason = why_untrusted(place, place.stat())
        except OSError as error:
            raise unusable_folder(place, error.strerror or str(error)) from error
        if reason:
            raise unusable_folder(place, reason)
    return folder.joinpath(*names)


def unusable_folder(folder: Path, reason: str) -> StateError:
    """Return the error for a state folder that cannot be used, with the remedy."""
    return StateError(
        f"{folder}, where the course keeps its own settings, cannot be used: {reason}. Set {FOLDER_VARIABLE} to the "
        "full path of another folder of yours."
    )


def why_untrusted(path: Path, info: os.stat_result) -> str:
    """Return why another user could have written this file or folder; "" where only this one could."""
    if POSIX and info.st_uid != os.geteuid():
        return f"{path} belongs to another user"
    if POSIX and info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write to {path} (chmod go-w '{path}' ends that)"
    return ""


def secret_key() -> bytes:
    """Return 32 random bytes that only this user can read; they are made once. Raises StateError where that fails."""
    path = state_folder() / "key"
    try:
        with FileLock(path.with_name(".key.lock"), timeout=LOCK_TIMEOUT):
            if not path.exists():
                atomic_write(path, secrets.token_bytes(KEY_BYTES), mode=PRIVATE_FILE)
        with path.open("rb") as file:
            info, key = os.fstat(file.fileno()), file.read(KEY_BYTES + 1)
    except Timeout as error:
        raise unusable_folder(path, "another program holds it") from error
    except OSError as error:
        raise unusable_folder(path, error.strerror or str(error)) from error
    if POSIX and (info.st_uid != os.geteuid() or stat.S_IMODE(info.st_mode) != PRIVATE_FILE):
        raise StateError(f"{path} may be known to others: delete it, and a new key is made.")
    if len(key) != KEY_BYTES:
        raise StateError(f"{path} is damaged: delete it, and a new key is made.")
    return key

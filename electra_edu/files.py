"""Files that are there whole or not at all."""

import os
from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file so that a reader finds the old one or the whole new one, also after a kill or a power cut.

    Several processes may write the same file at once; the last one's stays. Raises OSError where it cannot be written,
    and leaves what was there then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with half.open("wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)

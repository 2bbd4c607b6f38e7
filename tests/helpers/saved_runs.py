"""Saved runs of the small corpus: load one, and rewrite one so that only its content is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from small import small_corpus
from torch import Tensor

from electra_edu.support import files
from electra_edu.training import TrainingRun


def load(folder: Path) -> TrainingRun:
    """Load a saved run of the small corpus."""
    return TrainingRun.load(folder, small_corpus(), device="cpu")


def rewrite(folder: Path, change: Callable[[dict[str, Any], dict[str, Tensor]], object]) -> None:
    """Change what a saved run says and its tensors, and write both as a save would: only the content is wrong."""
    tensors, metadata = files.read_tensors(folder / "run.safetensors")
    about = json.loads(metadata["about"])
    change(about, tensors)
    text = json.dumps(about)
    files.write_tensors(folder / "run.safetensors", tensors, metadata | {"about": text})
    files.atomic_write(folder / "run.json", text)

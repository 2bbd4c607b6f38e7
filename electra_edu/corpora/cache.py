"""Cache a corpus that takes long to build: one safetensors file, without pickle, written atomically."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path
from tokenizers import Tokenizer

from electra_edu.corpora.corpus import Corpus, Labels
from electra_edu.support.files import DamagedFileError, read_tensors, write_tensors

FOLDER_VARIABLE = "ELECTRA_EDU_CACHE"  # the environment variable for another folder
LABELS = "labels."  # the prefix of the label tensors' names in a file


def cache_folder() -> Path:
    """Return the folder for cached corpora: ELECTRA_EDU_CACHE, or else the user's cache folder on this system."""
    override = os.environ.get(FOLDER_VARIABLE)
    return Path(override) if override else user_cache_path("electra_edu", appauthor=False)


def cached(name: str, key: str, build: Callable[[], Corpus]) -> Corpus:
    """Return the cached corpus of this `name` and `key`, or build and cache it.

    `key` holds everything that the corpus depends on. A damaged file is rebuilt. A folder that cannot be written to
    causes a warning.
    """
    path = cache_folder() / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"
    corpus = _load(path)
    if corpus is None:
        corpus = build()
        try:
            _save(corpus, path)
        except OSError as error:
            warnings.warn(
                f"The corpus {name!r} could not be cached for next time: {error}. Set {FOLDER_VARIABLE} to a folder "
                "that can be written to.",
                stacklevel=2,
            )
    return corpus


def _save(corpus: Corpus, path: Path) -> None:
    tensors = {"train": corpus.train, "heldout": corpus.heldout}
    tensors |= {LABELS + name: labels.values for name, labels in corpus.heldout_labels.items()}
    tensors = {name: tensor.int() for name, tensor in tensors.items()}
    about = {
        "name": corpus.name,
        "sha256": corpus.sha256,
        "labels": {
            name: {"names": labels.names, "level": labels.level} for name, labels in corpus.heldout_labels.items()
        },
    }
    write_tensors(path, tensors, {"about": json.dumps(about), "tokenizer": corpus.tokenizer.to_str()})


def _load(path: Path) -> Corpus | None:
    """Return the corpus in a file, or None if it is missing or damaged."""
    try:
        tensors, metadata = read_tensors(path)
    except (OSError, DamagedFileError):
        return None
    about = json.loads(metadata["about"])
    labels = {
        name: Labels(tensors[LABELS + name].long(), tuple(entry["names"]), entry["level"])
        for name, entry in about["labels"].items()
    }
    return Corpus(
        about["name"],
        Tokenizer.from_str(metadata["tokenizer"]),
        tensors["train"].long(),
        tensors["heldout"].long(),
        about["sha256"],
        labels,
    )

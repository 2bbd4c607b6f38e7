"""Runs on disk: `write` a SavedRun into a folder, `read` one from it."""

from electra_edu.training.checkpoint.folder import read, write
from electra_edu.training.checkpoint.saved_corpus import SavedCorpus
from electra_edu.training.checkpoint.saved_run import SavedRun

__all__ = ["SavedCorpus", "SavedRun", "read", "write"]

"""Settings and fixtures of all tests: Hypothesis draws the same examples everywhere and has no deadline."""

from pathlib import Path

import pytest
from hypothesis import settings
from permissions import permissions_bind

__all__ = ["permissions_bind"]  # a fixture for all tests

settings.register_profile("course", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("course")


@pytest.fixture(autouse=True)
def _no_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test without progress: no test sees what another one answered."""
    monkeypatch.setenv("ELECTRA_EDU_PROGRESS", str(tmp_path.with_name(f"{tmp_path.name}-progress")))

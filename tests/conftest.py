"""For all tests: properties are checked on the same examples everywhere, and a slow computer is no fault."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("course", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("course")


@pytest.fixture(autouse=True)
def _nothing_done_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test as a learner who has done nothing: no test sees what another one answered."""
    monkeypatch.setenv("ELECTRA_EDU_PROGRESS", str(tmp_path.with_name(f"{tmp_path.name}-progress")))

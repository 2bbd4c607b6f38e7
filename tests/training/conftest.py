"""What the tests of training share: a folder with a saved run, and no waiting for other processes that save."""

from pathlib import Path

import pytest
from small import small_run

from electra_edu.training.checkpoint import folder as checkpoint


@pytest.fixture(autouse=True)
def _nobody_else_saves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PATIENCE", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a run of two steps in it."""
    run = small_run()
    run.advance(2)
    run.save(tmp_path / "run")
    return tmp_path / "run"

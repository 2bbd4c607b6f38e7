"""For tests and lessons alike: what they answer and solve is no learner's progress.

It goes to a temporary folder, and what `electra-edu lab` remembers to another; the kernels and servers that they start
inherit both. This file lies here because nbval runs notebooks/, to which tests/conftest.py does not apply.
"""

import os
import tempfile

import pytest


def pytest_configure(config: pytest.Config) -> None:
    for name in ("PROGRESS", "STATE"):
        folder = tempfile.TemporaryDirectory(prefix=f"electra-edu-{name.lower()}-", ignore_cleanup_errors=True)
        os.environ[f"ELECTRA_EDU_{name}"] = folder.name
        config.add_cleanup(folder.cleanup)

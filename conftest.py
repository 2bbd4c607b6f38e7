"""For tests and lessons alike: what they answer and solve is no learner's progress.

It goes to a temporary folder, which the kernels and servers that they start inherit. This file lies here because nbval
runs notebooks/, to which tests/conftest.py does not apply.
"""

import os
import tempfile

import pytest


def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory(prefix="electra-edu-progress-", ignore_cleanup_errors=True)
    os.environ["ELECTRA_EDU_PROGRESS"] = folder.name
    config.add_cleanup(folder.cleanup)

"""docs/reliability.md is what tools/build_reliability.py makes of the tests."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_page_of_faults_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/build_reliability.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

"""`make gpu` without a card: the same stages on the CPU, so that a slip does not cost the minutes of a card."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "tools" / "gpu.py"
STAGES = [
    "card",
    "tests",
    "step float32",
    "step bfloat16",
    "insight toy",
    "lessons",
    "insight docs",
    "step float32, larger",
]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_every_stage_passes_on_the_cpu_and_leaves_three_files(tmp_path: Path) -> None:
    done = run("--dry-run", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, (
        done.stdout[-3000:] + done.stderr[-2000:] + (tmp_path / "out/log.txt").read_text()[-6000:]
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["log.txt", "report.json", "summary.txt"]
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert [stage["name"] for stage in report["stages"]] == STAGES
    contests = [
        one for stage in report["stages"] for data in stage["data"].values() for one in data.get("contests", [])
    ]
    assert [one["dtype"] for one in contests] == ["float32", "bfloat16", "float32"]
    summary = (tmp_path / "out/summary.txt").read_text()
    assert len(summary.splitlines()) < 40
    assert "insight toy to 0.9, seed 0: not reached" in summary
    assert done.stdout.strip().endswith(str(tmp_path / "out"))


def test_a_stage_that_fails_or_outlasts_its_time_is_told_and_what_was_found_before_is_kept(tmp_path: Path) -> None:
    done = run("--dry-run", "--seconds", "0.9", "--only", "card", "--only", "step", "--out", str(tmp_path / "out"))
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert done.returncode == 1
    assert not all(stage["passed"] for stage in report["stages"])
    assert "FAILED (cut off after" in (tmp_path / "out/summary.txt").read_text()


def test_without_a_card_it_says_so_at_once(tmp_path: Path) -> None:
    done = run("--out", str(tmp_path / "out"), CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 1
    assert "There is no CUDA card that PyTorch can use here" in done.stdout
    assert "Traceback" in (tmp_path / "out/log.txt").read_text()

"""What `tools/gpu.py` writes: one screen for people, JSON for programs."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass
class Report:
    """What was found so far; written after every stage."""

    folder: Path
    about: dict[str, Any] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)

    def write(self) -> None:
        """Write report.json and summary.txt anew."""
        text = json.dumps({"about": self.about, "stages": self.stages}, indent=1)
        (self.folder / "report.json").write_text(text + "\n", encoding="utf-8")
        (self.folder / "summary.txt").write_text(summary(self) + "\n", encoding="utf-8")


def summary(report: Report) -> str:
    """Return one screen: the machine, each stage, what was measured against what was aimed at, what failed."""
    about = report.about
    card, version = about.get("card", about["cpu"]), about.get("torch", "?")
    lines = [f"{about['date']}  {card}  PyTorch {version}  driver {about['driver']}", ""]
    for stage in report.stages:
        verdict = "passed" if stage["passed"] else f"FAILED ({stage.get('why')})"
        lines.append(f"{stage['name']:<22}{stage['seconds']:>6.1f} s of {stage['limit']:<5}{verdict}")
    lines += ["", *measured(report.stages)]
    failures = [line for stage in report.stages for line in stage.get("failures", [])]
    lines += ["", f"{len(failures)} failures; tracebacks are in log.txt" if failures else "no failure", *failures[:12]]
    return "\n".join(line[:150] for line in lines)


def measured(done: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each contest and each time to insight in the stages' data."""
    lines = []
    for data in (content for stage in done for content in stage.get("data", {}).values()):
        for contest in data.get("contests", []):
            rows = {row["contender"]: row for row in contest["rows"]}
            ours = [name for name in rows if name.startswith("electra_edu")]
            rate = contest["product_rate"] / 1e12
            lines.append(
                f"step {contest['shape']}, {contest['dtype']}: products {rate:.3g} TFLOP/s; {best(contest, rows)}"
            )
            for name in ours:
                row = rows[name]
                ratio = "–" if row["ratio"] is None else f"{row['ratio']:.2f} times the best peer"
                lines.append(f"    {name:<34}{1e3 * row['median']:>9.3f} ms  {row['share']:>5.0%}  {ratio}")
        for row in data.get("rows", []):
            if "seconds" in row and "auc" in row:
                reached = "not reached" if row["steps"] is None else f"{row['seconds']:.1f} s, {row['steps']} steps"
                lines.append(f"insight {row['corpus']} to {row['auc']}, seed {row['seed']}: {reached}")
    aims = (
        "toy at least 5 times the best peer, small in bfloat16 1.5 times, base in bfloat16 40 % of the products' rate"
    )
    return [*lines, f"aimed at: {aims}"] if lines else []


def best(contest: dict[str, Any], rows: dict[str, Any]) -> str:
    """Name the best peer of a contest and its time."""
    name = contest["best_peer"]
    return "no peer ran" if name is None else f"best peer {name} {1e3 * rows[name]['median']:.3f} ms"


def is_installed(name: str, site: Path | None = None) -> bool:
    """Tell whether this Python, or the folder `site`, has a distribution of this name."""
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return site is not None and any(site.glob(f"{name.replace('-', '_')}-*.dist-info"))
    return True


def machine() -> dict[str, Any]:
    """Return what is known of this computer without PyTorch."""
    asked = [
        "nvidia-smi",
        "--query-gpu=name,driver_version,memory.total,memory.used,clocks.sm",
        "--format=csv,noheader",
    ]
    try:
        smi = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        smi = ""
    names = (
        "torch",
        "numpy",
        "tokenizers",
        "safetensors",
        "transformers",
        "scikit-learn",
        "pytest",
        "nbval",
        "ipykernel",
        "triton",
    )
    return {
        "date": datetime.now().isoformat(timespec="seconds"),
        "python": sys.version,
        "platform": platform.platform(),
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "nvidia-smi": smi,
        "driver": smi.split(",")[1].strip() if smi.count(",") > 1 else "none",
        "versions": {name: importlib.metadata.version(name) for name in names if is_installed(name)},
    }

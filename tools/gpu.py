"""Prove everything that needs a GPU, in one command of at most six minutes: `make gpu`, or `python tools/gpu.py`.

It needs a checkout and one CUDA card. The environment may be any: what is missing there is installed, for this run
alone, from wheels in a folder (`--wheels`, by default wheels/), without a network. Stages run in the order of their
worth, each in a process of its own and within a budget; what one has found is written as soon as it ends, so that a run
that is cut off leaves what it had. One folder is written: summary.txt (one screen), report.json (everything that was
measured) and log.txt (what every stage printed, with tracebacks). The exit status is 0 when every stage passed.

`--dry-run` runs the same stages on the CPU with tiny budgets, so that a slip in this script is found without a card.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gpu_report import Report, is_installed, machine

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 345  # of the six minutes; the rest is for starting and writing
PATIENCE = 10  # times as long as on a card may a dry run take: it looks for slips, on any computer
GRACE = 8  # seconds between asking a stage to stop, when it still says what it found, and ending it

ABOUT = """
import json, sys, torch
where = sys.argv[1]
a = torch.randn(512, 512, device=where)
error = float((a @ a - (a.double().cpu() @ a.double().cpu()).to(a)).abs().max())
about = {"torch": torch.__version__, "cuda": torch.version.cuda, "threads": torch.get_num_threads(),
         "float32 products": torch.get_float32_matmul_precision(), "error of a 512 x 512 product": error}
if where == "cuda":
    card = torch.cuda.get_device_properties(0)
    about |= {"card": card.name, "memory": card.total_memory, "multiprocessors": card.multi_processor_count,
              "capability": f"{card.major}.{card.minor}", "free": torch.cuda.mem_get_info()[0]}
import electra_edu
about["electra_edu"] = electra_edu.__file__
print("ABOUT " + json.dumps(about))
"""


@dataclass(frozen=True)
class Stage:
    """A command for this Python (`-m …` or `-c …`), and the seconds that it may take."""

    name: str
    budget: int
    command: list[str]
    needs: tuple[str, ...] = ()  # distributions beyond PyTorch


def stages(dry: bool) -> list[Stage]:
    """List the stages, the worthiest first."""
    device = "cpu" if dry else "cuda"
    pytest, bench = (
        ["-m", "pytest", "-p", "no:cacheprovider", "-o", "filterwarnings=default"],
        ["-m", "electra_edu", "bench"],
    )
    lessons = [f"notebooks/{path.name}" for path in sorted((ROOT / "notebooks").glob("0[06]_*.ipynb"))]

    def step(name: str, budget: int, shapes: Sequence[str], dtype: str) -> Stage:
        asked = [word for shape in (("toy",) if dry else shapes) for word in ("--shape", shape)]
        often = ["--rounds", "1", "--seconds", "0.001"] if dry else ["--rounds", "5", "--seconds", "0.25"]
        command = [*bench, "step", "--device", device, "--dtype", dtype, *asked, *often, "--out", "OUT"]
        return Stage(name, budget, command, ("typer", "platformdirs", "jupyter_core"))

    def insight(corpus: str, budget: int, seeds: int) -> Stage:
        few = ["--seeds", "1", "--patience", "5"] if dry else ["--seeds", str(seeds), "--first-seed", "3"]
        command = [*bench, "insight", "--corpus", corpus, "--device", device, *few, "--out", "OUT"]
        return Stage(f"insight {corpus}", budget, command, ("typer", "platformdirs", "jupyter_core"))

    return [
        Stage("card", 30, ["-c", ABOUT, device]),
        Stage("tests", 110, [*pytest, "-v", "--tb=short", "-m", "gpu", "tests/gpu"], ("pytest", "platformdirs")),
        step("step float32", 60, ("toy", "lab"), "float32"),
        step("step bfloat16", 75, ("small", "base"), "bfloat16"),
        insight("toy", 40, seeds=2),
        Stage(
            "lessons",
            120,
            [
                *pytest,
                "-v",
                "--nbval-lax",
                "--nbval-current-env",
                f"--nbval-cell-timeout={600 if dry else 60}",
                *(lessons[:1] if dry else lessons),
            ],
            ("nbval", "ipykernel", "ipywidgets", "anywidget", "pydantic"),
        ),
        insight("docs", 75, seeds=1),
        step("step float32, larger", 75, ("small", "base"), "float32"),
    ]


def environment(wheels: Path, site: Path, device: str) -> tuple[dict[str, str], str]:
    """Return the environment of the stages, and what pip said when it installed what is missing from `wheels`."""
    missing = [wheel for wheel in sorted(wheels.glob("*.whl")) if not is_installed(wheel.name.split("-")[0])]
    said = "nothing to install"
    if missing:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-index",
            "--find-links",
            wheels,
            "--no-deps",
            "--no-compile",
        ]
        done = subprocess.run([*pip, "--target", site, *missing], capture_output=True, text=True, check=False)
        said = f"{len(missing)} wheels, pip's status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    path = os.pathsep.join([str(ROOT), str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    extra = {
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "JUPYTER_PATH": os.pathsep.join([str(site / "share/jupyter"), os.environ.get("JUPYTER_PATH", "")]).rstrip(":"),
        "COLUMNS": "120",
        "ELECTRA_EDU_TEST_DEVICE": device,
    }
    return os.environ | extra, said


def run(stage: Stage, limit: float, env: dict[str, str], site: Path, log: Path) -> dict[str, Any]:
    """Run one stage for at most `limit` seconds and return what is to be known of it."""
    found: dict[str, Any] = {"name": stage.name, "limit": round(limit), "passed": False}
    lacking = [name for name in stage.needs if not is_installed(name, site)]
    if lacking:
        return found | {"seconds": 0.0, "why": f"not installed: {', '.join(lacking)}; put wheels of them into wheels/"}
    if limit <= 0:
        return found | {"seconds": 0.0, "why": "no time was left"}
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, *(out if word == "OUT" else word for word in stage.command)]
        shown = "python " + " ".join(word for word in stage.command if "\n" not in word)
        began = time.perf_counter()
        with log.open("a", encoding="utf-8") as log_file:
            log_file.write(f"\n===== {stage.name}: {shown}\n")
            log_file.flush()
            start = log_file.tell()
            done = subprocess.Popen(
                command,
                cwd=ROOT,
                env=env,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            code = wait(done, limit)
        found |= {"command": shown, "seconds": round(time.perf_counter() - began, 1), "code": done.returncode}
        found["data"] = {path.stem: json.loads(path.read_text()) for path in sorted(Path(out).glob("*.json"))}
    lines = log.read_bytes()[start:].decode(errors="replace").splitlines()
    found["passed"] = code == 0
    if code != 0:
        found["why"] = f"cut off after {limit:.0f} s" if code is None else f"exit status {code}"
    found["failures"] = [line for line in lines if line.startswith(("FAILED", "ERROR"))][:40]
    found["last lines"] = lines[-6:]
    found["about"] = next((json.loads(line[6:]) for line in lines if line.startswith("ABOUT ")), {})
    return found


def wait(process: subprocess.Popen[bytes], limit: float) -> int | None:
    """Return the exit status, or None where the process had to be ended after `limit` seconds."""
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        for sent in (signal.SIGINT, signal.SIGKILL):  # interrupted, pytest still tells what failed
            try:
                os.killpg(process.pid, sent)
                process.wait(GRACE)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        return None


def main(arguments: Sequence[str]) -> int:
    """Run the stages and return the exit status."""
    parser = argparse.ArgumentParser(description="Prove on a CUDA card what no other test can.")
    default = ROOT / "benchmarks" / "results" / f"gpu-{datetime.now():%Y-%m-%d-%H%M}"
    parser.add_argument("--out", type=Path, default=default, help="folder for the results")
    parser.add_argument("--wheels", type=Path, default=ROOT / "wheels", help="folder with wheels of what is missing")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for all stages together")
    parser.add_argument("--only", action="append", help="run the stages whose name begins so; may be repeated")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with tiny budgets")
    asked = parser.parse_args(arguments)
    times = PATIENCE if asked.dry_run else 1
    ends = time.perf_counter() + asked.seconds * times
    out = asked.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    log = out / "log.txt"
    report = Report(out, machine() | {"arguments": list(arguments), "dry run": asked.dry_run})
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        env, said = environment(asked.wheels.resolve(), site, "cpu" if asked.dry_run else "cuda")
        log.write_text(f"{json.dumps(report.about, indent=1)}\n\n===== wheels: {said}\n", encoding="utf-8")
        for stage in stages(asked.dry_run):
            if asked.only and not stage.name.startswith(tuple(asked.only)):
                continue
            print(f"{stage.name} …", flush=True)
            found = run(stage, min(stage.budget * times, ends - time.perf_counter()), env, site, log)
            report.about |= found.pop("about", {})
            report.stages.append(found)
            report.write()
            if stage.name == "card" and not found["passed"]:
                print(f"There is no CUDA card that PyTorch can use here: {log}", flush=True)
                break
    print((out / "summary.txt").read_text(encoding="utf-8"))
    print(f"\nEverything is in {out}")
    return 0 if all(stage["passed"] for stage in report.stages) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The processes of a sweep end with it, however it ends, and leave what is finished."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from joblib import parallel_config

from electra_edu.experiments import workers

WITHIN = 10.0  # seconds in which all workers have to be gone
SWEEP = ["sweep", "rtd_weight=1,10,50", "--tflop", "0.02", "--tflop", "3", "--seeds", "4", "--jobs", "2"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a sweep of minutes, in a group of its own, and end whatever is left of it."""
    command = [sys.executable, "-m", "electra_edu", *SWEEP, "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    family: list[psutil.Process] = []
    process.family = family  # type: ignore[attr-defined]
    with process:
        yield process
        for one in [*family, process]:
            try:
                one.kill()
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue


def training(sweep: subprocess.Popen[bytes], folder: Path) -> list[psutil.Process]:
    """Wait until both workers have read their first budget, and return all processes of the sweep but the first."""
    deadline = time.monotonic() + 120
    while len(list(folder.glob("sweep.trials/*.rows.json"))) < 2:
        assert sweep.poll() is None, sweep.stdout.read() if sweep.stdout else ""
        assert time.monotonic() < deadline, "the workers did not begin"
        time.sleep(0.2)
    family = psutil.Process(sweep.pid).children(recursive=True)
    sweep.family.extend(family)  # type: ignore[attr-defined]
    assert len(family) >= 2
    return family


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.fault("Experiments", seen="the workers of a killed sweep trained on and waited, for more than 150 seconds")
def test_workers_end_with_a_killed_sweep(
    number: signal.Signals, sweep: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    family = training(sweep, tmp_path)
    sweep.send_signal(number)
    _, alive = psutil.wait_procs(family, timeout=WITHIN)
    assert not alive
    assert list(tmp_path.glob("sweep.trials/*.rows.json")), "what was read is kept"


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [False, True])
def test_ctrl_c_ends_a_sweep_in_a_sentence(whole_group: bool, sweep: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """A terminal sends it to all processes; `kill -INT` to one."""
    family = training(sweep, tmp_path)
    for process in [psutil.Process(sweep.pid), *(family if whole_group else ())]:
        process.send_signal(signal.SIGINT)
    output, _ = sweep.communicate(timeout=30)
    assert sweep.returncode == 130
    text = " ".join(output.decode().split())
    assert "Stopped. What is finished is kept; the same command goes on from here." in text
    assert "Traceback" not in text
    _, alive = psutil.wait_procs(family, timeout=WITHIN)
    assert not alive
    assert list(tmp_path.glob("sweep.trials/*.rows.json"))


@pytest.mark.fault("Experiments", seen="a worker outlived the process that had started it")
def test_a_worker_ends_when_its_runner_is_gone() -> None:
    """A runner that starts a watching process and is killed: the watching one ends by itself."""
    watching = (
        "import os, sys, time; sys.path.insert(0, sys.argv[2]); import workers; workers.watch(int(sys.argv[1])); "
    )
    watching += "print(os.getpid(), flush=True); time.sleep(60)"
    runner = (
        "import os, subprocess, sys, time; "
        f"subprocess.Popen([sys.executable, '-c', {watching!r}, str(os.getpid()), sys.argv[1]]); time.sleep(60)"
    )
    folder = str(Path(workers.__file__).parent)
    process = subprocess.Popen([sys.executable, "-c", runner, folder], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.wait()
    try:
        worker.wait(timeout=WITHIN)
    finally:
        if worker.is_running():
            worker.kill()
        process.stdout.close()


def test_a_cluster_looks_after_its_own_workers() -> None:
    assert workers.settings()["initializer"] is workers.watch
    with parallel_config(backend="threading"):
        assert workers.settings() == {}

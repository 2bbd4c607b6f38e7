"""What the command line prints fits any terminal, and what it writes is UTF-8 on every one."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from electra_edu.cli import app, experiments
from electra_edu.experiments import load_record
from electra_edu.support.errors import ElectraEduError

ENCODINGS = ("ascii", "latin-1", "cp437", "shift_jis")
TOY = ("--tflop", "0.004", "--seeds", "1", "--jobs", "1")
COMMANDS = [
    (),
    ("--help",),
    ("--version",),
    *((name, "--help") for name in ("lab", "doctor", "race", "sweep", "record", "bench")),
    *(("bench", name, "--help") for name in ("step", "growth", "insight")),
    ("record", "--list"),
    ("doctor", "--no-speed"),
    ("docter",),
    ("race", "λ"),
    ("sweep", "λ=1"),
    ("sweep", "rtd_weight=\udcff"),
    ("record", "学校"),
    ("bench", "step", "--shape", "größe"),
    ("lab", "--dir", "FILE/ô"),
]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.fault(
    "Surroundings", seen="help, `record --list` and errors raised UnicodeEncodeError where output is not UTF-8"
)
def test_every_command_prints_on_every_terminal(command: tuple[str, ...], encoding: str, tmp_path: Path) -> None:
    (tmp_path / "FILE").write_text("")
    given = [word.replace("FILE", str(tmp_path / "FILE")) for word in command]
    result = CliRunner(charset=encoding).invoke(app, given)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code in (0, 1, 2)
    assert result.output_bytes.decode(encoding).strip()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.fault("Surroundings", seen="`sweep` trained, and then UnicodeEncodeError instead of its tables")
def test_a_sweep_shows_its_tables_and_writes_utf8(encoding: str, tmp_path: Path) -> None:
    folder = tmp_path / "größe"
    result = CliRunner(charset=encoding).invoke(app, ["sweep", "rtd_weight=1,50", *TOY, "--out", str(folder)])
    assert result.exit_code == 0, result.exception
    shown = result.output_bytes.decode(encoding)
    assert "Probe suite" in shown
    assert "? 50" in shown  # λ 50
    assert [row["arm"] for row in load_record("sweep", folder).rows] == ["λ 1", "λ 50"]
    assert "λ 50" in (folder / "sweep.jsonl").read_text(encoding="utf-8")


@pytest.mark.fault(
    "Surroundings", seen="in the C locale `sweep` trained, and then UnicodeEncodeError; `race --help` too"
)
def test_the_c_locale_is_enough(tmp_path: Path) -> None:
    """In a process of its own: there Python itself chooses how text is written."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHONIO"))}
    environment |= {"LC_ALL": "C", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "electra_edu", "sweep", "rtd_weight=1", *TOY, "--out", str(tmp_path)]
    ran = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "Probe suite" in ran.stdout.decode("ascii")
    assert json.loads((tmp_path / "sweep.jsonl").read_text(encoding="utf-8").splitlines()[0])["arm"] == "λ 1"


@pytest.mark.fault("Surroundings", seen="where standard output could not be written, the sweep's table was lost")
def test_results_are_on_disk_before_anything_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    with pytest.raises(OSError, match="No space left"):
        experiments.sweep(["rtd_weight=1"], "toy", [0.004], 1, 1, tmp_path, False, False)
    assert len(load_record("sweep", tmp_path).rows) == 1


@pytest.mark.parametrize("printed", ["λ", "\udcff\ud800", "½ – “x” …", "[red]not markup[/red]", "\0"])
def test_a_message_of_any_characters_is_printed(printed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> Any:
        raise ElectraEduError(f"before {printed} after")

    monkeypatch.setattr("electra_edu.cli.experiments.listing", fails)
    for encoding in (*ENCODINGS, "utf-8"):
        result = CliRunner(charset=encoding).invoke(app, ["record", "--list"])
        assert result.exit_code == 1
        text = result.output_bytes.decode(encoding)
        assert text.startswith("before ")
        assert text.rstrip().endswith(" after")
        if "red" in printed:
            assert printed in text


def test_a_name_that_is_no_text_is_written_into_the_record(tmp_path: Path) -> None:
    """A folder whose name is not valid UTF-8 reaches Python as halves of surrogate pairs."""
    place = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        place.mkdir()
    except OSError:
        pytest.skip("this file system has only names that are text")
    text = place / "own.txt"
    text.write_text("\n\n".join(f"The cook stirs soup number {i} in the kitchen." for i in range(2000)))
    arguments = ["sweep", "rtd_weight=1", "--corpus", str(text), "--tflop", "0.02", "--seeds", "1", "--jobs", "1"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(place / "results")])
    assert result.exit_code == 0, result.output
    assert str(text) in load_record("sweep", place / "results").about["command"]


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "Stopped."),
        (PermissionError(13, "Permission denied", "x"), 1, "Permission denied"),
        (ElectraEduError("a=1: must be 2."), 1, "a=1: must be 2."),
    ],
)
@pytest.mark.fault(
    "Errors", seen="an OSError ended in a traceback, and Ctrl-C in the exit code of whichever Typer it was"
)
def test_what_goes_wrong_is_a_sentence_and_an_exit_code(
    raised: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise raised

    monkeypatch.setattr("electra_edu.cli.doctor.checks", fails)
    result = CliRunner().invoke(app, ["doctor"])
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == code
    assert words in result.output
    assert "Traceback" not in result.output

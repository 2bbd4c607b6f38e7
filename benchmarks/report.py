"""What `electra-edu bench` does: times training steps, prints tables, and writes the measurements."""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.contest import device_named, dtype_named
from electra_edu import plots
from electra_edu.cli.terminal import say, writable
from electra_edu.experiments.hardware import hardware
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError
from electra_edu.support.files import atomic_write

ON_A_GPU_ONLY = ("base",)  # minutes for a step on a CPU


def step(names: Sequence[str], rounds: int, seconds: float, device: str, dtype: str, out: Path | None) -> None:
    """Hold a contest at each shape (by default those that suit the device) and print its table."""
    console = Console()
    # A wrong name is refused before anything is timed.
    about = hardware(device_named(device))
    dtype_named(dtype)
    arguments.finite_number("--seconds", seconds)
    shapes = [benchmarks.shape_named(name) for name in names or _suited(device)]
    path = _result(out, f"{about['date']}-step-{device}")
    found = []
    for shape in shapes:
        with console.status(f"{shape.name}: {rounds} rounds of about {seconds:g} s for each contender"):
            one = benchmarks.contest(shape, device=device, dtype=dtype, rounds=rounds, seconds=seconds)
        found.append(one)
        # Written after each shape, so that an interrupted benchmark keeps what it has.
        if path is not None:
            _write(path, {"hardware": about, "contests": found, "rounds": rounds, "seconds": seconds})
        console.print(step_table(one))
        for note in one["notes"]:
            say(f"Note: {note}")
    console.print(_hardware_line(about, dtype, [rate for one in found for rate in one["product_rates"]]))


def growth(rounds: int, seconds: float, device: str, dtype: str, out: Path | None) -> None:
    """Vary one size at a time, print how time and memory grow, and write the rows and the figure."""
    console = Console()
    about = hardware(device_named(device))
    dtype_named(dtype)
    arguments.finite_number("--seconds", seconds)
    path = _result(out, f"{about['date']}-growth-{device}")
    with console.status("Every size in turn, the others fixed"):
        rows = benchmarks.growth(device=device, dtype=dtype, rounds=rounds, seconds=seconds)
    found = benchmarks.slopes(rows)
    if path is not None:
        _write(path, {"hardware": about, "dtype": dtype, "rows": rows, "slopes": found})
        figure = plots.growth(rows, {one["varied"]: one["most"] for one in found})
        figure.savefig(path.with_suffix(".png"), dpi=150)
    for table in growth_tables(rows, found):
        console.print(table)
    holds = all(one["holds"] for one in found)
    console.print("Nothing grows faster than it must." if holds else "Something grows faster than it must: see above.")
    console.print(_hardware_line(about, dtype, ()))


def insight(
    corpora: Sequence[str], seeds: int, first_seed: int, device: str, patience: int | None, out: Path | None
) -> None:
    """Train the presets until they reach their target AUC, print how long that took, and write the rows."""
    console = Console()
    about = hardware(device_named(device))
    names = [*dict.fromkeys(corpora or benchmarks.TARGETS)]
    for name in names:
        benchmarks.target_of(name)
    arguments.seed("--first-seed", first_seed + seeds)
    stems = {name: f"{about['date']}-insight-{name}-{device}-{about['threads']}-threads" for name in names}
    paths = {name: _result(out, stem) for name, stem in stems.items()}
    rows = []
    for corpus, path in paths.items():
        with console.status(f"{corpus}: {seeds} runs, one after the other"):
            measured = benchmarks.time_to_insight(
                corpus, seeds=range(first_seed, first_seed + seeds), device=device, patience=patience
            )
        if path is not None:
            _write(path, {"hardware": about, "rows": measured})
        rows += measured
    console.print(insight_table(benchmarks.insight_summary(rows)))
    console.print(_hardware_line(about, "float32", ()))


def insight_table(summary: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of seconds from pressing Train to each target AUC."""
    table = Table(title="Time to insight", caption="Median over the seeds, and the range. Exams on the way included.")
    for column in ("corpus", "exam AUC", "passed", "seconds", "in steps", "steps"):
        table.add_column(column, justify="left" if column == "corpus" else "right")
    for one in summary:
        values = ("{:.1f} ({:.1f}–{:.1f})".format(*one[what]) for what in ("seconds", "training_seconds"))
        steps = "{:.0f} ({:.0f}–{:.0f})".format(*one["steps"])
        table.add_row(one["corpus"], f"{one['auc']:.2f}", f"{one['passed']} of {one['runs']}", *values, steps)
    return table


def step_table(contest: Mapping[str, Any]) -> Table:
    """Return one shape's table; ratios above 1 are faster than the best peer."""
    table = Table(title=f"One step, {contest['shape']}, {contest['dtype']}", caption=_caption(contest))
    table.add_column("contender")
    for column in ("ms", "least", "tokens/s", "ratio", "share", "faults"):
        table.add_column(column, justify="right")
    for row in contest["rows"]:
        table.add_row(
            row["contender"],
            f"{1e3 * row['median']:.2f}",
            f"{1e3 * row['least']:.2f}",
            f"{row['tokens_per_second']:,.0f}",
            "–" if row["ratio"] is None else f"{row['ratio']:.2f}",
            f"{row['share']:.0%}",
            "–" if row["page_faults"] is None else f"{row['page_faults']:,.0f}",
        )
    return table


def _caption(contest: Mapping[str, Any]) -> str:
    against = (
        "no peer ran" if contest["best_peer"] is None else f"times as fast as the best peer, {contest['best_peer']}"
    )
    return (
        f"ms per step: median over the rounds, and the least. Ratio: {against}. Share: of the rate of a large matrix "
        "product. Faults: minor page faults per step."
    )


def growth_tables(rows: Sequence[Mapping[str, Any]], slopes: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Return the values at every size, and the slopes over the last doubling beside what is expected."""
    values = Table(title="Time and memory of a step")
    for column in ("varied", "size", "ms", "MB"):
        values.add_column(column, justify="left" if column == "varied" else "right")
    for row in rows:
        values.add_row(row["varied"], f"{row['size']:,}", f"{row['milliseconds']:.2f}", f"{row['megabytes']:.1f}")
    last = Table(title="Exponents over the last doubling")
    for column in ("varied", "time", "memory", "time, expected", "bound"):
        last.add_column(column, justify="left" if column == "varied" else "right")
    for one in slopes:
        expected, verdict = f"{one['least']:g} to {one['most']:g}", "holds" if one["holds"] else "broken"
        last.add_row(one["varied"], f"{one['time']:.2f}", f"{one['memory']:.2f}", expected, verdict)
    return [values, last]


def _suited(device: str) -> list[str]:
    return [name for name in benchmarks.SHAPES if device == "cuda" or name not in ON_A_GPU_ONLY]


def _hardware_line(about: Mapping[str, Any], dtype: str, rates: Sequence[float]) -> str:
    processor = about["gpu"] or f"{about['cpu']}, {about['threads']} of {about['cores']} cores"
    line = f"{about['date']}: {processor}; Python {about['python']}, PyTorch {about['torch']}"
    for peer in ("transformers", "electra-pytorch"):
        line += f", {peer} {about[peer]}" if about[peer] else ""
    if not rates:
        return f"{line}."
    return f"{line}. A 2048 × 2048 product ({dtype}): {sorted(rates)[len(rates) // 2] / 1e9:,.0f} GFLOP/s."


def _result(out: Path | None, stem: str) -> Path | None:
    """Return a free path for a measurement, beside earlier ones; None where it is only printed.

    The folder is created now, so that minutes of measuring do not end in an error.
    """
    if out is None:
        return None
    numbered = (writable(out) / f"{stem}{f'-{n}' if n > 1 else ''}.json" for n in itertools.count(1))
    return next(path for path in numbered if not path.exists())


def _write(path: Path, content: Mapping[str, Any]) -> None:
    try:
        atomic_write(path, json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise ElectraEduError(f"{path}: cannot be written ({error}). Choose another --out.") from error

"""How a step's time and memory grow with one size while the others stay: nothing may grow faster than it must."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from benchmarks.contest import device_named, dtype_named
from benchmarks.memory import memory_of
from benchmarks.ours import plain
from benchmarks.shapes import Shape
from benchmarks.timing import measure, product_on, synchroniser

Row = dict[str, Any]  # plain values for JSON and for the figure

MIDDLE = Shape("middle", 4096, 64, 16, 128, 128, 4, 4, 64)
TOLERANCE = 0.15  # of a slope: 10 % of noise in one of the two times that it is read from


@dataclass(frozen=True)
class Varied:
    """A size that is varied, and the exponents between which time has to grow with it."""

    sizes: tuple[int, ...]
    change: Callable[[Shape, int], Shape]
    least: float  # where the part that does not depend on this size dominates
    most: float  # where only the part that grows fastest is left


def _length(shape: Shape, length: int) -> Shape:
    """Vary T at a constant number of tokens: per token, only attention costs more in a longer sequence."""
    return replace(shape, seq_length=length, batch_size=max(1, shape.tokens_per_step // length))


def _width(shape: Shape, width: int) -> Shape:
    share = shape.generator_hidden_size / shape.hidden_size
    return replace(shape, hidden_size=width, generator_hidden_size=round(share * width))


VARIED: Mapping[str, Varied] = MappingProxyType(
    {
        "sequence length": Varied((32, 64, 128, 256, 512), _length, 0, 1),
        "width": Varied((64, 128, 256, 512), _width, 1, 2),  # vectors, matrices
        "layers": Varied((1, 2, 4, 8, 16), lambda shape, layers: replace(shape, num_layers=layers), 0, 1),
        "vocabulary": Varied(
            (1024, 2048, 4096, 8192, 16384), lambda shape, words: replace(shape, vocab_size=words), 0, 1
        ),
    }
)


def growth(
    *,
    device: str = "cpu",
    dtype: str = "float32",
    rounds: int = 7,
    seconds: float = 1.0,
    middle: Shape = MIDDLE,
    varied: Mapping[str, Varied] = VARIED,
) -> list[Row]:
    """Measure time and memory of this package's step at every size and return one row for each.

    A row has what is `varied`, its `size`, the `shape`, `milliseconds` per step (median), and the `megabytes` (10⁶
    bytes) that training holds. The sizes of one family take turns. Raises ElectraEduError for an unknown device or
    dtype.
    """
    torch_device, torch_dtype = device_named(device), dtype_named(dtype)
    rows = []
    for name, family in varied.items():
        shapes = {str(size): family.change(middle, size) for size in family.sizes}
        held = {size: memory_of(shape, torch_device, torch_dtype) for size, shape in shapes.items()}
        measured = measure(
            {size: _on_its_own_tokens(shape, torch_device, torch_dtype) for size, shape in shapes.items()},
            torch.zeros(1),  # each step brings its own tokens: their shapes differ
            rounds=rounds,
            seconds=seconds,
            product=product_on(torch_device, torch_dtype),
            synchronise=synchroniser(torch_device),
        )
        rows += [
            {
                "varied": name,
                "size": int(size),
                "shape": vars(shape),
                "milliseconds": 1e3 * measured.timings[size].median,
                "megabytes": held[size] / 1e6,
            }
            for size, shape in shapes.items()
        ]
    return rows


def _on_its_own_tokens(shape: Shape, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    step = plain(shape, device, dtype)
    tokens = shape.tokens(1, torch.Generator(device).manual_seed(0))[0]
    return lambda _unused: step(tokens)


def last_slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the exponent p of values ∝ sizes^p between the last two points, where the largest term shows most."""
    return math.log(values[-1] / values[-2]) / math.log(sizes[-1] / sizes[-2])


def slopes(rows: Sequence[Row], varied: Mapping[str, Varied] = VARIED) -> list[Row]:
    """Return, for each varied size, the last slopes of time and memory, the expected range, and whether it holds.

    `holds` says that neither grows faster than the fastest-growing part must; slower growth is fine.
    """
    found = []
    for name, family in varied.items():
        mine = sorted((row for row in rows if row["varied"] == name), key=lambda row: row["size"])
        sizes = [row["size"] for row in mine]
        time, memory = (last_slope(sizes, [row[what] for row in mine]) for what in ("milliseconds", "megabytes"))
        found.append(
            {
                "varied": name,
                "time": time,
                "memory": memory,
                "least": family.least,
                "most": family.most,
                "holds": max(time, memory) <= family.most + TOLERANCE,
            }
        )
    return found

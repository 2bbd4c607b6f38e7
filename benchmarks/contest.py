"""One shape's contest: this package's steps and the peers', timed together, as plain rows."""

from collections.abc import Mapping
from typing import Any

import torch

from benchmarks.captured import PlainCapturedStep
from benchmarks.ours import RecordedStep, plain
from benchmarks.peers import PEERS, MissingPeer
from benchmarks.shapes import Shape
from benchmarks.steps import Factory, Step, seeded
from benchmarks.timing import fault_counter, measure, product_on, synchroniser
from electra_edu import efficiency
from electra_edu.support.errors import ElectraEduError
from electra_edu.training.devices import choose_device

BATCHES = 8  # different ones, so that no contender profits from one that stays in the cache
DTYPES: Mapping[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def our_factories(device: torch.device) -> dict[str, Factory]:
    """Return this package's contenders on `device`, by name."""
    ours: dict[str, Factory] = {"electra_edu": plain, "electra_edu, recorded": RecordedStep}
    if device.type == "cuda":
        ours["electra_edu, captured"] = PlainCapturedStep
    return ours


def contenders(shape: Shape, device: torch.device, dtype: torch.dtype) -> tuple[dict[str, Step], list[str]]:
    """Build every contender that can be built, by name; notes say which are missing and how to install them."""
    steps: dict[str, Step] = {}
    notes = []
    for name, factory in (our_factories(device) | dict(PEERS)).items():
        try:
            steps[name] = factory(shape, device, dtype)
        except MissingPeer as error:
            notes.append(f"{name} did not run: {error}")
    return steps, notes


def contest(
    shape: Shape, *, device: str = "cpu", dtype: str = "float32", rounds: int = 7, seconds: float = 1.0
) -> dict[str, Any]:
    """Time every contender at `shape` and return {shape, dtype, operations, product_rates, best_peer, rows, notes}.

    A row has the contender's name, its seconds per step in every round, their median and least, tokens per second,
    the ratio to the best peer, the share of the limit and page faults per step. The limit is the rate of a large
    matrix product: a step that did its matrix products at that rate, and nothing else, would have a share of 1.
    Raises ElectraEduError for an unknown device or dtype.
    """
    torch_device, torch_dtype = device_named(device), dtype_named(dtype)
    with seeded(torch_device):  # the peers draw from the global generator; the user's is put back
        steps, notes = contenders(shape, torch_device, torch_dtype)
        measured = measure(
            steps,
            shape.tokens(BATCHES, torch.Generator(torch_device).manual_seed(0)),
            rounds=rounds,
            seconds=seconds,
            product=product_on(torch_device, torch_dtype),
            synchronise=synchroniser(torch_device),
            faults=fault_counter(),
        )
    operations = efficiency.flops(shape.config())["total"]
    best = measured.best_of([*PEERS])
    rows = [
        {
            "contender": name,
            "steps_per_round": timing.steps,
            "seconds": list(timing.seconds),
            "median": timing.median,
            "least": timing.least,
            "tokens_per_second": shape.tokens_per_step / timing.median,
            "ratio": None if best is None else measured.ratio(name, best),
            "share": measured.share(name, operations),
            "page_faults": timing.median_faults,
        }
        for name, timing in measured.timings.items()
    ]
    return {
        "shape": shape.name,
        "dtype": dtype,
        "operations": operations,
        "product_rates": list(measured.product_rates),
        "product_rate": measured.product_rate,
        "best_peer": best,
        "rows": rows,
        "notes": notes,
    }


def device_named(name: str) -> torch.device:
    """Return the device "cpu" or "cuda"; raises ElectraEduError for another one, or one that is not there."""
    if name not in ("cpu", "cuda"):
        raise ElectraEduError(f"device={name!r}: must be 'cpu' or 'cuda'.")
    return choose_device(name)


def dtype_named(name: str) -> torch.dtype:
    """Return the dtype "float32" or "bfloat16"; raises ElectraEduError for another one."""
    if name not in DTYPES:
        raise ElectraEduError(f"dtype={name!r}: must be one of {', '.join(map(repr, DTYPES))}.")
    return DTYPES[name]

"""The computer that an experiment or a benchmark ran on."""

import os
import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

PEER_PACKAGES = ("transformers", "electra-pytorch")


def hardware(device: torch.device) -> dict[str, Any]:
    """Return the date, the processor, the GPU where `device` is one, and the versions, as plain values for JSON."""
    return {
        "date": date.today().isoformat(),
        "device": device.type,
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        **{name: _version(name) for name in PEER_PACKAGES},
    }


def _cpu(info: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name, from Linux's list where there is one, with its family and model.

    Virtual machines call processors of several generations by one name, and their last digits differ.
    """
    try:
        lines = info.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if "model name" not in said:
        return platform.processor() or platform.machine()
    generation = [f"{name} {said[key]}" for name, key in (("family", "cpu family"), ("model", "model")) if key in said]
    return said["model name"] + (f" ({', '.join(generation)})" if generation else "")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

"""What a benchmark ran on."""

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
    """Return the processor's name, from Linux's list where there is one."""
    try:
        lines = info.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

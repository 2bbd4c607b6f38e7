"""Finds the benchmarks for `electra-edu bench`: they are part of the repository, not of the installed package."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from electra_edu.support.errors import ElectraEduError

CHECKOUT = Path(__file__).resolve().parents[2]


def report() -> Any:
    """Return the module `benchmarks.report`; raises ElectraEduError outside a checkout."""
    if (CHECKOUT / "benchmarks" / "report.py").is_file() and str(CHECKOUT) not in sys.path:
        sys.path.insert(0, str(CHECKOUT))
    try:
        return import_module("benchmarks.report")
    except ModuleNotFoundError as error:
        if error.name not in ("benchmarks", "benchmarks.report"):
            raise
        raise ElectraEduError(
            "The benchmarks are not part of the installed package. Run this command in a checkout of the repository, "
            "after `pip install -e .` there: it times the code that is checked out."
        ) from None

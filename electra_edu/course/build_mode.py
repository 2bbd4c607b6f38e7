"""Whether the lessons are being built rather than taken."""

import os


def is_building_lessons() -> bool:
    """Whether ELECTRA_EDU_BUILD is 1, as in `make lessons`: panels then leave only what is seen without a kernel."""
    return os.environ.get("ELECTRA_EDU_BUILD") == "1"

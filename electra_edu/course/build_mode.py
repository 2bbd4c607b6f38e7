"""Whether lessons are being built rather than taken."""

import os


def is_building() -> bool:
    """Whether ELECTRA_EDU_BUILD is 1, as in `make lessons`: panels then leave only what needs no kernel to be seen."""
    return os.environ.get("ELECTRA_EDU_BUILD") == "1"

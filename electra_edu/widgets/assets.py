"""The scripts and style sheets of the panels."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"


def joined(*names: str) -> str:
    """Return files of `static` as one text: a widget has room for one script and one style sheet."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)

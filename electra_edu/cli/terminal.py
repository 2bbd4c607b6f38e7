"""What the command line prints, on any terminal: characters that it cannot show are replaced."""

import codecs
import io
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from rich.console import Console

from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError

# One character each, so that tables keep their alignment; all others become a question mark.
PLAIN: Mapping[str, str] = MappingProxyType(
    {"–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "…": ".", "‘": "'", "’": "'", "“": '"', "”": '"', "≤": "<"}
)
REPLACED = "electra_edu.plain"  # the name under which `_plain` is registered as an error handler


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(character, "?") for character in error.object[error.start : error.end]), error.end


codecs.register_error(REPLACED, _plain)


def accept_every_character() -> None:
    """Make standard output and error replace characters outside their encoding, for the rest of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=REPLACED)


def say(text: str, style: str | None = None) -> None:
    """Print a line as it is, without markup or wrapping."""
    Console().print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print a line on standard error, in red."""
    Console(stderr=True).print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def writable(out: Path) -> Path:
    """Create the folder of --out and test that it is writable, so that hours of training do not end in an error.

    Raises ElectraEduError.
    """
    arguments.path("--out", out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        why = error.strerror or error
        raise ElectraEduError(f"--out {out}: cannot be written ({why}). Choose another folder.") from error
    return out

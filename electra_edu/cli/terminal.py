"""What the command line prints, on any terminal: a character that it cannot show is replaced, and nothing raises."""

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

# One character each, so that tables keep their shape; what is not here becomes a question mark.
PLAIN: Mapping[str, str] = MappingProxyType(
    {"–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "…": ".", "‘": "'", "’": "'", "“": '"', "”": '"', "≤": "<"}
)
REPLACED = "electra_edu.plain"  # the name of `_plain` among Python's ways to treat what cannot be encoded


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(character, "?") for character in error.object[error.start : error.end]), error.end


codecs.register_error(REPLACED, _plain)


def accept_every_character() -> None:
    """Let standard output and standard error replace what their encoding has not, for as long as this process runs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=REPLACED)


def say(text: str, style: str | None = None) -> None:
    """Print a line as it is: no markup is read in it, and it is not wrapped."""
    Console().print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print a line on standard error, in red."""
    Console(stderr=True).print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def writable(out: Path) -> Path:
    """Make the folder of --out and try to write into it: hours of training should not end in an error.

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

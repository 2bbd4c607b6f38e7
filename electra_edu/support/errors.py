"""The errors of this package: each names the field at fault and the remedy."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_WORD = 100  # characters; nothing is near to a longer one, and looking would take long


class ElectraEduError(ValueError):
    """Base of every error raised on purpose by electra_edu."""

    def __str__(self) -> str:
        """Return the message so that it can be printed: half of a surrogate pair, as in some file names, is escaped."""
        return super().__str__().encode(errors="backslashreplace").decode()


class CorpusError(ElectraEduError):
    """A text cannot become a corpus (too short, not text, unknown name)."""


class CorpusFileError(CorpusError, OSError):
    """A file of text cannot be read (missing, a folder, binary, not UTF-8, too large)."""


class CheckpointError(ElectraEduError, OSError):
    """A saved run or a checkpoint cannot be read or written."""


class TrainingStopped(ElectraEduError):
    """A training step cannot go on; the run keeps the last good state."""


def nearest(word: object, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the known word nearest to `word`; nothing where none is, or `word` is no word."""
    if not isinstance(word, str) or len(word) > LONGEST_WORD:
        return ""
    matches = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" Did you mean {matches[0]!r}?" if matches else ""

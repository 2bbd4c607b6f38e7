"""The errors of this package: each names the field at fault and the remedy."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_WORD = 100  # characters; no name is near to a longer word, and the search would take long


class ElectraEduError(ValueError):
    """Base of every error raised on purpose by electra_edu."""

    def __str__(self) -> str:
        """Return a message that can be printed: half of a surrogate pair, as in some file names, is escaped."""
        return super().__str__().encode(errors="backslashreplace").decode()


class CorpusError(ElectraEduError):
    """A text cannot become a corpus: it is too short, not text, or of an unknown name."""


class CorpusFileError(CorpusError, OSError):
    """A text file cannot be read: it is missing, a folder, binary, not UTF-8, or too large."""


class CheckpointError(ElectraEduError, OSError):
    """A saved run or a checkpoint cannot be read or written."""


class TrainingStopped(ElectraEduError):
    """A training step cannot be taken; the run keeps its last finite state."""


def nearest(word: object, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the known word nearest to `word`; "" where none is near."""
    if not isinstance(word, str) or len(word) > LONGEST_WORD:
        return ""
    matches = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" Did you mean {matches[0]!r}?" if matches else ""

"""What load_corpus says about arguments that it refuses."""

from typing import Any

import pytest

from electra_edu.corpora import load_corpus
from electra_edu.support.errors import CorpusError, ElectraEduError


def refusal(*args: Any, kind: type[ElectraEduError] = CorpusError, **options: Any) -> str:
    """Return the message of the error of exactly this class that load_corpus raises."""
    with pytest.raises(kind) as caught:
        load_corpus(*args, **options)
    assert type(caught.value) is kind
    return str(caught.value)

"""from_transformers and to_transformers name the argument that is of the wrong type."""

from pathlib import Path

import pytest
from small import rng, small_config, small_tokenizer
from transformers import AutoTokenizer

from electra_edu.interop import from_transformers, to_transformers
from electra_edu.model.electra import Electra
from electra_edu.support.errors import CheckpointError, ElectraEduError


def a_model() -> Electra:
    return Electra(small_config(), rng())


@pytest.mark.fault("Errors", seen="a bare TypeError or AttributeError for a directory or a tokenizer of the wrong type")
def test_arguments_of_the_wrong_type(tmp_path: Path) -> None:
    for directory in (5, None, b"x", "\0", "", "\ud800", []):
        with pytest.raises(ElectraEduError, match=r"^directory=.*: must be a path"):
            to_transformers(a_model(), directory)  # type: ignore[arg-type]
        with pytest.raises(ElectraEduError, match=r"^path_or_name=.*: must be a path"):
            from_transformers(directory)  # type: ignore[arg-type]
    folder = to_transformers(a_model(), tmp_path, tokenizer=small_tokenizer())["generator"].folder
    theirs = AutoTokenizer.from_pretrained(folder)
    with pytest.raises(
        ElectraEduError, match=r"tokenizer: must be a tokenizers.Tokenizer.*tokenizer.backend_tokenizer"
    ):
        to_transformers(a_model(), tmp_path, tokenizer=theirs)
    to_transformers(a_model(), tmp_path, tokenizer=theirs.backend_tokenizer)  # the remedy
    for name in ("x" * 5000, "a/b/c", "~nobody_of_this_name/x"):
        with pytest.raises(CheckpointError, match=r"Pass a|Pass the path"):
            from_transformers(name)

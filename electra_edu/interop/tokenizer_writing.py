"""Write a tokenizer as the three files that `AutoTokenizer` reads."""

from tokenizers import Tokenizer

from electra_edu.config import ElectraConfig
from electra_edu.interop.architectures import ROLES
from electra_edu.interop.file_names import SPECIAL_TOKENS_MAP, TOKENIZER, TOKENIZER_CONFIG
from electra_edu.interop.files import json_text
from electra_edu.interop.tokenizer_reading import check_size, without_padding
from electra_edu.support.errors import CheckpointError


def tokenizer_files(tokenizer: Tokenizer, config: ElectraConfig) -> dict[str, str]:
    """Return the three files by name; model_max_length is the config's max_seq_length.

    Raises CheckpointError if the tokenizer does not fit the config.
    """
    check_size(tokenizer, config.vocab_size, "tokenizer")
    special = {}
    for role, token_id in zip(ROLES, config.special_token_ids, strict=True):
        token = tokenizer.id_to_token(token_id)
        if token is None:
            raise CheckpointError(f"tokenizer: has no token {token_id}, the config's {role}_token_id.")
        special[f"{role}_token"] = token
    settings = {
        # This class reads tokenizer.json as it is.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": config.max_seq_length,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    return {
        # A copy, so that the caller's tokenizer keeps its padding.
        TOKENIZER: without_padding(Tokenizer.from_str(tokenizer.to_str())).to_str(pretty=True),
        TOKENIZER_CONFIG: json_text(settings | special),
        SPECIAL_TOKENS_MAP: json_text(special),
    }

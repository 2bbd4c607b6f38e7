"""A tokenizer and the network that it belongs to: ids of special tokens, sizes, and the files that are written."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from electra_edu.config import ElectraConfig
from electra_edu.interop.architectures import CONFIG, ROLES
from electra_edu.interop.files import json_text
from electra_edu.interop.tokenizer_reading import SETTINGS, SPECIAL, TOKENIZER, plain, special_names, tokenizer_settings
from electra_edu.support.arguments import as_whole, whole_number
from electra_edu.support.errors import CheckpointError, ElectraEduError

FILES = (TOKENIZER, SETTINGS, SPECIAL)
RELEASED_VOCABULARY, RELEASED_IDS = 30522, (0, 100, 101, 102, 103)  # of the BERT vocabulary that ELECTRA took over


def special_token_ids(
    folder: Path, tokenizer: Tokenizer | None, settings: dict[str, Any], vocab_size: int
) -> dict[str, int]:
    """Return the fields pad_token_id … mask_token_id of an ElectraConfig.

    They are the tokenizer's, or else those that the model's `settings` (its config.json) name. What neither says is
    taken from the released vocabulary where the size is the same, and else is 0 to 4, or the lowest id that is free
    and no word's. Raises CheckpointError when there is none.
    """
    ids: dict[str, int] = {}
    for role, name in special_names(folder).items():
        found = tokenizer.token_to_id(name) if tokenizer is not None else None
        known = settings.get(f"{role}_token_id") if found is None else found
        if known is not None:
            try:
                ids[f"{role}_token_id"] = whole_number(f"{role}_token_id", known, 0, vocab_size - 1)
            except ElectraEduError as error:
                raise CheckpointError(f"{folder / CONFIG}: {error} Correct it, or fetch the folder again.") from error
    words = set() if tokenizer is None else set(tokenizer.get_vocab().values())
    released = vocab_size == RELEASED_VOCABULARY
    for i, field in enumerate(f"{role}_token_id" for role in ROLES):
        if field not in ids:
            taken = words.union(ids.values())
            likely = (RELEASED_IDS[i] if released else i, *range(vocab_size))
            free = next((token_id for token_id in likely if token_id not in taken), None)
            if free is None:
                raise CheckpointError(
                    f"{folder}: the tokenizer has no token for {field.removesuffix('_id')}, and all ids are words. Say "
                    f'in {SPECIAL} which one it is: {{"{field.removesuffix("_id")}": "…"}}.'
                )
            ids[field] = free
    return ids


def window_of(folder: Path, longest: int) -> int:
    """Return how many tokens a text may have: the tokenizer's model_max_length, and at most `longest`."""
    stated = as_whole(tokenizer_settings(folder).get("model_max_length"))
    return longest if stated is None or stated < 3 else min(stated, longest)  # [CLS], a word, [SEP]


def check_size(tokenizer: Tokenizer, vocab_size: int, where: str) -> None:
    """Refuse a tokenizer with ids that the model has no embedding for."""
    largest = max(tokenizer.get_vocab().values(), default=0)
    if largest >= vocab_size:
        raise CheckpointError(
            f"{where}: the tokenizer has ids up to {largest} and the model vocab_size={vocab_size}: they do not "
            f"belong together. If {tokenizer.id_to_token(largest)!r} was added to the tokenizer alone, enlarge the "
            "model too: model.resize_token_embeddings(len(tokenizer)) in transformers."
        )


def tokenizer_files(tokenizer: Tokenizer, config: ElectraConfig) -> dict[str, str]:
    """Return the three files that `AutoTokenizer` reads, by name; its model_max_length is the config's max_seq_length.

    Raises CheckpointError when the tokenizer does not fit the config.
    """
    check_size(tokenizer, config.vocab_size, "tokenizer")
    special = {}
    for role, token_id in zip(ROLES, config.special_token_ids, strict=True):
        token = tokenizer.id_to_token(token_id)
        if token is None:
            raise CheckpointError(f"tokenizer: has no token {token_id}, the config's {role}_token_id.")
        special[f"{role}_token"] = token
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",  # reads tokenizer.json as it is
        "model_max_length": config.max_seq_length,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    return {
        TOKENIZER: plain(Tokenizer.from_str(tokenizer.to_str())).to_str(pretty=True),  # of a copy
        SETTINGS: json_text(settings | special),
        SPECIAL: json_text(special),
    }

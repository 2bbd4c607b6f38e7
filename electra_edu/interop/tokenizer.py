"""A checkpoint's tokenizer, read from its folder and written so that `AutoTokenizer` encodes the same ids."""

import warnings
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, normalizers

from electra_edu.config import ElectraConfig
from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.corpora.wordpiece import wordpiece_tokenizer
from electra_edu.errors import CheckpointError
from electra_edu.interop.files import read_json, write_json

FILES = TOKENIZER, SETTINGS, SPECIAL = "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"
VOCABULARY = "vocab.txt"
ROLES = ("pad", "unk", "cls", "sep", "mask")  # in the order of SPECIAL_TOKENS
_WORDPIECE = (None, "BertTokenizer", "BertTokenizerFast", "ElectraTokenizer", "ElectraTokenizerFast")
RELEASED_VOCABULARY, RELEASED_IDS = 30522, (0, 100, 101, 102, 103)  # of the BERT vocabulary that ELECTRA took over


def read_tokenizer(folder: Path) -> Tokenizer | None:
    """Return the tokenizer that is in `folder`, or None: from tokenizer.json, else built from vocab.txt.

    Raises CheckpointError when the file is damaged. Warns when there is a tokenizer that is no data but a program.
    """
    settings = _read_settings(folder)
    if (folder / TOKENIZER).is_file():
        try:
            return _plain(Tokenizer.from_file(str(folder / TOKENIZER)))
        except Exception as error:  # the tokenizers library raises no class of its own
            raise CheckpointError(
                f"{folder / TOKENIZER} is damaged ({error}). Fetch or copy the folder again."
            ) from error
    if not (folder / VOCABULARY).is_file():
        return None
    if (kind := settings.get("tokenizer_class")) not in _WORDPIECE:
        warnings.warn(
            f"{folder}: tokenizer_class={kind!r} is a program of transformers and not just a vocabulary, so the model "
            "comes with tokenizer=None. Encode the text with transformers.AutoTokenizer.",
            stacklevel=3,
        )
        return None
    return _from_vocabulary(folder / VOCABULARY, settings)


def _plain(tokenizer: Tokenizer) -> Tokenizer:
    """Return `tokenizer` without padding and truncation, which are a caller's choice."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _from_vocabulary(path: Path, settings: dict[str, Any]) -> Tokenizer:
    """Build BERT's WordPiece tokenizer from one token a line; whether it keeps capitals is in `settings`."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: a token may be an odd line separator
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}). Fetch or copy the folder again.") from error
    vocab = {token: index for index, token in enumerate(lines) if token or index < len(lines) - 1}
    if missing := [token for token in SPECIAL_TOKENS if token not in vocab]:
        raise CheckpointError(f"{path} has no {', '.join(missing)}: it is not a vocabulary of BERT's kind.")
    tokenizer = wordpiece_tokenizer(vocab)
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=settings.get("do_lower_case", True),
        strip_accents=settings.get("strip_accents"),
        handle_chinese_chars=settings.get("tokenize_chinese_chars", True),
    )
    return tokenizer


def special_token_ids(folder: Path, tokenizer: Tokenizer | None, settings: dict[str, Any]) -> dict[str, int]:
    """Return the fields pad_token_id … mask_token_id of an ElectraConfig.

    They are the tokenizer's, or else those that the model's `settings` (its config.json) name. What neither says is
    taken from the released vocabulary where the size is the same, and else is 0 to 4, or the lowest ids still free.
    """
    names = _read_settings(folder)
    ids: dict[str, int] = {}
    for role, usual in zip(ROLES, SPECIAL_TOKENS, strict=True):
        name = names.get(f"{role}_token") or usual
        name = name["content"] if isinstance(name, dict) and "content" in name else name
        found = tokenizer.token_to_id(str(name)) if tokenizer is not None else None
        known = settings.get(f"{role}_token_id") if found is None else found
        if known is not None:
            ids[f"{role}_token_id"] = known
    released = settings.get("vocab_size", RELEASED_VOCABULARY) == RELEASED_VOCABULARY
    for i, field in enumerate(f"{role}_token_id" for role in ROLES):
        if field not in ids:
            likely = (RELEASED_IDS[i] if released else i, *range(len(ROLES)))
            ids[field] = next(token_id for token_id in likely if token_id not in ids.values())
    return ids


def _read_settings(folder: Path) -> dict[str, Any]:
    """Return what the folder says about its tokenizer, in either of the two files."""
    files = (folder / SPECIAL, folder / SETTINGS)
    return {name: value for file in files if file.is_file() for name, value in read_json(file).items()}


def check_size(tokenizer: Tokenizer, config: ElectraConfig, where: str) -> None:
    """Refuse a tokenizer with ids that the model has no embedding for."""
    largest = max(tokenizer.get_vocab().values(), default=0)
    if largest >= config.vocab_size:
        raise CheckpointError(
            f"{where}: the tokenizer has ids up to {largest} and the model vocab_size={config.vocab_size}: they do not "
            "belong together."
        )


def write_tokenizer(tokenizer: Tokenizer, config: ElectraConfig, longest: int, folder: Path) -> None:
    """Write the three files that `AutoTokenizer` reads; `longest` is the number of tokens the model can read.

    Raises CheckpointError when the tokenizer does not fit the config.
    """
    check_size(tokenizer, config, "tokenizer")
    special = {}
    for role, token_id in zip(ROLES, config.special_token_ids, strict=True):
        token = tokenizer.id_to_token(token_id)
        if token is None:
            raise CheckpointError(f"tokenizer: has no token {token_id}, the config's {role}_token_id.")
        special[f"{role}_token"] = token
    _plain(Tokenizer.from_str(tokenizer.to_str())).save(str(folder / TOKENIZER))  # of a copy
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",  # reads tokenizer.json as it is
        "model_max_length": longest,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    write_json(folder / SETTINGS, settings | special)
    write_json(folder / SPECIAL, special)

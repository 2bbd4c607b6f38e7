"""Read a checkpoint's tokenizer from its folder, so that it gives the same ids as `AutoTokenizer` does.

These files too are written by others, in forms that changed with the releases of `transformers`; what is read of them
is checked field by field.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.interop.architectures import ROLES
from electra_edu.interop.diagnosis import FETCH_AGAIN, describe_wrong_field, identify
from electra_edu.interop.file_names import (
    ADDED_TOKENS,
    CONFIG,
    SPECIAL_TOKENS_MAP,
    TOKENIZER,
    TOKENIZER_CONFIG,
    VOCABULARY,
)
from electra_edu.interop.files import read_json
from electra_edu.support.arguments import as_whole, flag, shown, whole_number
from electra_edu.support.errors import CheckpointError, ElectraEduError

_WORDPIECE = (None, "BertTokenizer", "BertTokenizerFast", "ElectraTokenizer", "ElectraTokenizerFast")
_BERT = {f"{role}_token": token for role, token in zip(ROLES, SPECIAL_TOKENS, strict=True)}
_PROPERTIES = ("single_word", "lstrip", "rstrip", "normalized", "special")  # of an added token
# Today's name of a setting, and its older name.
_EXTRA, _ADDITIONAL = "extra_special_tokens", "additional_special_tokens"
# Some editors put this before the first line.
_BYTE_ORDER_MARK = "\ufeff"
# The size and the special tokens' ids of the BERT vocabulary, which the released ELECTRA models use.
RELEASED_VOCAB_SIZE, RELEASED_IDS = 30522, (0, 100, 101, 102, 103)


def read_tokenizer(folder: Path, model: dict[str, Any]) -> Tokenizer | None:
    """Return the tokenizer in `folder`, from tokenizer.json or else built from vocab.txt; None if there is neither.

    `model` is the content of config.json. The tokens in added_tokens.json, special_tokens_map.json and
    tokenizer_config.json are added. If tokenizer_config.json names BERT's tokenizer, it also decides about capitals,
    accents and Chinese characters, as in `transformers`. Raises CheckpointError if a file is damaged. Warns if the
    tokenizer is a program and not data, and if a token gets another id than a file says.
    """
    settings = tokenizer_settings(folder)
    kind = settings.get("tokenizer_class") or model.get("tokenizer_class")
    if (folder / TOKENIZER).is_file():
        tokenizer = _from_json(folder / TOKENIZER)
        is_wordpiece = isinstance(tokenizer.model, models.WordPiece)
        if kind in _WORDPIECE and (folder / TOKENIZER_CONFIG).is_file() and is_wordpiece:
            settings = _BERT | settings
            _like_bert(tokenizer, settings, folder)
    elif not (folder / VOCABULARY).is_file():
        return None
    elif kind in _WORDPIECE:
        settings = _BERT | settings
        tokenizer = _from_vocabulary(folder, settings)
    else:
        warnings.warn(
            f"{folder}: tokenizer_class={shown(kind)} is a program of transformers and not just a vocabulary, so the "
            "model comes with tokenizer=None. Encode the text with transformers.AutoTokenizer.",
            stacklevel=3,
        )
        return None
    _add_tokens(tokenizer, folder, settings)
    tokenizer.encode_special_tokens = _switch(settings, "split_special_tokens", False, folder)
    return tokenizer


def tokenizer_settings(folder: Path) -> dict[str, Any]:
    """Return the tokenizer's settings from both files of the folder, combined as `transformers` does."""
    settings = read_json(folder / TOKENIZER_CONFIG) if (folder / TOKENIZER_CONFIG).is_file() else {}
    if not settings.get(_EXTRA) and _ADDITIONAL in settings:
        settings[_EXTRA] = settings.pop(_ADDITIONAL)
    # `transformers` does not read the older file if the newer one lists the added tokens.
    if "added_tokens_decoder" not in settings and (folder / SPECIAL_TOKENS_MAP).is_file():
        settings |= read_json(folder / SPECIAL_TOKENS_MAP)
    return settings


def special_names(folder: Path) -> dict[str, str]:
    """Return the token of each role, "pad" to "mask": the one that the folder names, or BERT's."""
    settings = tokenizer_settings(folder)
    return {
        role: str(_token(settings.get(f"{role}_token") or _BERT[f"{role}_token"], f"{role}_token", folder))
        for role in ROLES
    }


def without_padding(tokenizer: Tokenizer) -> Tokenizer:
    """Turn off padding and truncation, which are the caller's choice, and return `tokenizer`."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _from_json(path: Path) -> Tokenizer:
    try:
        return without_padding(Tokenizer.from_file(str(path)))
    except Exception as error:  # the tokenizers library raises no class of its own
        raise CheckpointError(identify(path) or f"{path} is damaged ({error}). {FETCH_AGAIN}") from error


def _from_vocabulary(folder: Path, settings: dict[str, Any]) -> Tokenizer:
    """Build BERT's WordPiece tokenizer from a file with one token per line."""
    path = folder / VOCABULARY
    try:
        # Ignores white space at the end of a line; of two equal lines the last one counts.
        vocab = models.WordPiece.read_file(str(path))
    except Exception as error:  # the tokenizers library raises no class of its own
        raise CheckpointError(identify(path) or f"{path} cannot be read as UTF-8 ({error}). {FETCH_AGAIN}") from error
    vocab = {token.removeprefix(_BYTE_ORDER_MARK) if index == 0 else token: index for token, index in vocab.items()}
    names = special_names(folder)
    added = {str(token) for token, _ in _listed_tokens(folder, settings)}
    if missing := [name for role, name in names.items() if name not in vocab and (name not in added or role == "unk")]:
        raise CheckpointError(
            f"{path} has no {', '.join(missing)}: it is not a vocabulary of BERT's kind. If its special tokens have "
            f'other names, name them in {SPECIAL_TOKENS_MAP}: {{"mask_token": "<mask>"}}, for example.'
        )
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token=names["unk"]))
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    _like_bert(tokenizer, settings, folder)
    return tokenizer


def _like_bert(tokenizer: Tokenizer, settings: dict[str, Any], folder: Path) -> None:
    """Make `tokenizer` split texts as BERT's does with these settings, and add [CLS] and [SEP]."""
    accents = settings.get("strip_accents")
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=_switch(settings, "do_lower_case", True, folder),
        strip_accents=None if accents is None else _switch(settings, "strip_accents", True, folder),
        handle_chinese_chars=_switch(settings, "tokenize_chinese_chars", True, folder),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = special_names(folder)
    ids = [tokenizer.token_to_id(names[role]) for role in ("cls", "sep")]
    if None not in ids:
        cls, sep = names["cls"], names["sep"]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=[cls, "$A", sep],
            pair=[cls, "$A", sep, "$B:1", f"{sep}:1"],
            special_tokens=list(zip((cls, sep), ids, strict=True)),
        )


def _switch(settings: dict[str, Any], name: str, default: bool, folder: Path) -> bool:
    try:
        return flag(name, settings.get(name, default))
    except ElectraEduError as error:
        raise CheckpointError(f"{folder / TOKENIZER_CONFIG}: {error} Correct it, or fetch the folder again.") from error


def _add_tokens(tokenizer: Tokenizer, folder: Path, settings: dict[str, Any]) -> None:
    """Add the tokens that are listed besides the vocabulary, and then the special tokens that are new."""
    known = tokenizer.get_added_tokens_decoder().values()
    there = {repr(token) for token in known}
    names = {str(token) for token in known}
    listed = [(token, index) for token, index in _listed_tokens(folder, settings) if repr(token) not in there]
    special = [
        token
        for token in _special_tokens(folder, settings)
        if str(token) not in names and str(token) not in {str(one) for one, _ in listed}
    ]
    tokenizer.add_tokens([token for token, _ in listed] + list({str(token): token for token in special}.values()))
    for token, index in listed:
        if (actual := tokenizer.token_to_id(str(token))) != index:
            warnings.warn(
                f"{folder}: the token {str(token)!r} should have the id {index} and gets {actual}, as in transformers: "
                "ids are given without a gap. Its embedding may be another token's.",
                stacklevel=4,
            )


def _listed_tokens(folder: Path, settings: dict[str, Any]) -> list[tuple[AddedToken, int]]:
    """Return the tokens for which a file lists an id, in the order of their ids."""
    listed: list[tuple[AddedToken, int]] = []
    if "added_tokens_decoder" in settings:
        path, field = folder / TOKENIZER_CONFIG, "added_tokens_decoder"
        entries = settings[field]
        if not isinstance(entries, dict) or not all(str(index).isdecimal() for index in entries):
            raise CheckpointError(describe_wrong_field(path, field, entries, "an object with a token for each id"))
        listed = [
            (_token(value, f"{field}.{index}", folder, listed=True), int(index)) for index, value in entries.items()
        ]
    elif (path := folder / ADDED_TOKENS).is_file():
        # transformers 5 does not treat tokens as special here if only special_tokens_map.json lists them as additional.
        special = {str(token) for token in _special_tokens(folder, settings | {_ADDITIONAL: []})}
        for text, index in read_json(path).items():
            if not isinstance(index, int) or isinstance(index, bool):
                raise CheckpointError(describe_wrong_field(path, shown(text), index, "the id of a token"))
            is_special = text in special
            listed.append((AddedToken(text, normalized=not is_special, special=is_special), index))
    return sorted(listed, key=lambda pair: pair[1])


def _special_tokens(folder: Path, settings: dict[str, Any]) -> Iterator[AddedToken]:
    """Yield the special tokens in the settings, those with a role first."""
    for name in (*(f"{role}_token" for role in ("bos", "eos", *ROLES)), *sorted(settings)):
        if name.endswith("_token") and settings.get(name) and isinstance(settings[name], str | dict):
            yield _token(settings[name], name, folder)
    extra = settings.get(_EXTRA) or settings.get(_ADDITIONAL) or []
    if not isinstance(extra, list | dict):
        raise CheckpointError(describe_wrong_field(folder, f"the tokenizer's {_ADDITIONAL}", extra, "a list of tokens"))
    for entry in extra.values() if isinstance(extra, dict) else extra:
        yield _token(entry, _ADDITIONAL, folder)


def _token(value: Any, name: str, folder: Path, listed: bool = False) -> AddedToken:
    """Return the token that a file describes by its text or its properties; it is special unless it is `listed`."""
    if isinstance(value, str) and value and not listed:
        return AddedToken(value, special=True)
    if isinstance(value, dict) and isinstance(value.get("content"), str) and value["content"]:
        switches = {key: on for key in _PROPERTIES if isinstance(on := value.get(key), bool)}
        return AddedToken(value["content"], **(switches if listed else switches | {"special": True}))
    expected = "a token, as transformers writes it"
    raise CheckpointError(describe_wrong_field(folder, f"the tokenizer's {name}", value, expected))


def special_token_ids(
    folder: Path, tokenizer: Tokenizer | None, settings: dict[str, Any], vocab_size: int
) -> dict[str, int]:
    """Return the fields pad_token_id … mask_token_id of an ElectraConfig.

    They are the tokenizer's ids, or else those in `settings` (config.json). An id that is in neither is that of the
    released vocabulary if the size is the same, and otherwise 0 to 4, or the lowest id that no other token has. Raises
    CheckpointError if there is none.
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
    released = vocab_size == RELEASED_VOCAB_SIZE
    for i, field in enumerate(f"{role}_token_id" for role in ROLES):
        if field not in ids:
            taken = words.union(ids.values())
            likely = (RELEASED_IDS[i] if released else i, *range(vocab_size))
            free = next((token_id for token_id in likely if token_id not in taken), None)
            if free is None:
                raise CheckpointError(
                    f"{folder}: the tokenizer has no token for {field.removesuffix('_id')}, and all ids are words. "
                    f'Name it in {SPECIAL_TOKENS_MAP}: {{"{field.removesuffix("_id")}": "…"}}.'
                )
            ids[field] = free
    return ids


def max_text_length(folder: Path, longest: int) -> int:
    """Return the number of tokens that a text may have: the tokenizer's model_max_length, at most `longest`."""
    # At least 3: [CLS], a word and [SEP].
    stated = as_whole(tokenizer_settings(folder).get("model_max_length"))
    return longest if stated is None or stated < 3 else min(stated, longest)


def check_size(tokenizer: Tokenizer, vocab_size: int, where: str) -> None:
    """Refuse a tokenizer with ids for which the model has no embedding."""
    largest = max(tokenizer.get_vocab().values(), default=0)
    if largest >= vocab_size:
        raise CheckpointError(
            f"{where}: the tokenizer has ids up to {largest} and the model vocab_size={vocab_size}: they do not "
            f"belong together. If {tokenizer.id_to_token(largest)!r} was added to the tokenizer alone, enlarge the "
            "model too: model.resize_token_embeddings(len(tokenizer)) in transformers."
        )

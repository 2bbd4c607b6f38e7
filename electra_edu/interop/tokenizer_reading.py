"""A checkpoint's tokenizer, read from its folder so that it gives the same ids as `AutoTokenizer` does."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.interop.architectures import ROLES
from electra_edu.interop.diagnosis import AGAIN, what_it_is, wrong_field
from electra_edu.interop.files import read_json
from electra_edu.support.arguments import flag, shown
from electra_edu.support.errors import CheckpointError, ElectraEduError

TOKENIZER, SETTINGS, SPECIAL = "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"
VOCABULARY, ADDED = "vocab.txt", "added_tokens.json"
_WORDPIECE = (None, "BertTokenizer", "BertTokenizerFast", "ElectraTokenizer", "ElectraTokenizerFast")
_FAST = ("PreTrainedTokenizerFast", "TokenizersBackend")  # whatever tokenizer.json says
_BERT = {f"{role}_token": token for role, token in zip(ROLES, SPECIAL_TOKENS, strict=True)}
_PROPERTIES = ("single_word", "lstrip", "rstrip", "normalized", "special")  # of an added token
_EXTRA, _ADDITIONAL = "extra_special_tokens", "additional_special_tokens"  # the same: today's name and the older one
_MARK = "\ufeff"  # a byte-order mark, which some editors put before the first line


def read_tokenizer(folder: Path, model: dict[str, Any]) -> Tokenizer | None:
    """Return the tokenizer that is in `folder`, or None: from tokenizer.json, else built from vocab.txt.

    `model` is the config.json. The tokens of added_tokens.json, special_tokens_map.json and tokenizer_config.json are
    added, and where that one says that it is BERT's tokenizer, it also decides on capitals, accents and Chinese
    characters, as in transformers. Raises CheckpointError when a file is damaged. Warns when there is a tokenizer that
    is no data but a program, and when a token gets another id than a file says.
    """
    settings = tokenizer_settings(folder)
    kind = settings.get("tokenizer_class") or model.get("tokenizer_class")
    if (folder / TOKENIZER).is_file():
        tokenizer = _from_json(folder / TOKENIZER)
        if kind in _WORDPIECE and (folder / SETTINGS).is_file() and isinstance(tokenizer.model, models.WordPiece):
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
    """Return what the folder says about its tokenizer in either of the two files, as transformers joins them."""
    settings = read_json(folder / SETTINGS) if (folder / SETTINGS).is_file() else {}
    if not settings.get(_EXTRA) and _ADDITIONAL in settings:  # the older name
        settings[_EXTRA] = settings.pop(_ADDITIONAL)
    if "added_tokens_decoder" not in settings and (folder / SPECIAL).is_file():  # else the older file is not read
        settings |= read_json(folder / SPECIAL)
    return settings


def special_names(folder: Path) -> dict[str, str]:
    """Return the token of each role, "pad" to "mask": as the folder names it, or BERT's."""
    settings = tokenizer_settings(folder)
    return {
        role: str(_token(settings.get(f"{role}_token") or _BERT[f"{role}_token"], f"{role}_token", folder))
        for role in ROLES
    }


def plain(tokenizer: Tokenizer) -> Tokenizer:
    """Return `tokenizer` without padding and truncation, which are a caller's choice."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _from_json(path: Path) -> Tokenizer:
    try:
        return plain(Tokenizer.from_file(str(path)))
    except Exception as error:  # the tokenizers library raises no class of its own
        raise CheckpointError(what_it_is(path) or f"{path} is damaged ({error}). {AGAIN}") from error


def _from_vocabulary(folder: Path, settings: dict[str, Any]) -> Tokenizer:
    """Build BERT's WordPiece tokenizer from a file with one token a line."""
    path = folder / VOCABULARY
    try:
        vocab = models.WordPiece.read_file(str(path))  # blanks at a line's end do not count; of two alike the last does
    except Exception as error:  # the tokenizers library raises no class of its own
        raise CheckpointError(what_it_is(path) or f"{path} cannot be read as UTF-8 ({error}). {AGAIN}") from error
    vocab = {token.removeprefix(_MARK) if index == 0 else token: index for token, index in vocab.items()}
    names = special_names(folder)
    added = {str(token) for token, _ in _listed_tokens(folder, settings)}
    if missing := [name for role, name in names.items() if name not in vocab and (name not in added or role == "unk")]:
        raise CheckpointError(
            f"{path} has no {', '.join(missing)}: it is not a vocabulary of BERT's kind. If its special tokens have "
            f'other names, say so in {SPECIAL}: {{"mask_token": "<mask>"}}, for example.'
        )
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token=names["unk"]))
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    _like_bert(tokenizer, settings, folder)
    return tokenizer


def _like_bert(tokenizer: Tokenizer, settings: dict[str, Any], folder: Path) -> None:
    """Let `tokenizer` split texts as BERT's does with these settings, and put [CLS] and [SEP] around them."""
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
        raise CheckpointError(f"{folder / SETTINGS}: {error} Correct it, or fetch the folder again.") from error


def _add_tokens(tokenizer: Tokenizer, folder: Path, settings: dict[str, Any]) -> None:
    """Add the tokens that are listed beside the vocabulary, and then the special ones that are new."""
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
    """Return the tokens that a file gives an id to, by rising id."""
    listed: list[tuple[AddedToken, int]] = []
    if "added_tokens_decoder" in settings:
        path, field = folder / SETTINGS, "added_tokens_decoder"
        entries = settings[field]
        if not isinstance(entries, dict) or not all(str(index).isdecimal() for index in entries):
            raise CheckpointError(wrong_field(path, field, entries, "an object with a token for each id"))
        listed = [
            (_token(value, f"{field}.{index}", folder, listed=True), int(index)) for index, value in entries.items()
        ]
    elif (path := folder / ADDED).is_file():
        # Those that only special_tokens_map.json calls additional are no special ones to transformers 5 here.
        special = {str(token) for token in _special_tokens(folder, settings | {_ADDITIONAL: []})}
        for text, index in read_json(path).items():
            if not isinstance(index, int) or isinstance(index, bool):
                raise CheckpointError(wrong_field(path, shown(text), index, "the id of a token"))
            is_special = text in special
            listed.append((AddedToken(text, normalized=not is_special, special=is_special), index))
    return sorted(listed, key=lambda pair: pair[1])


def _special_tokens(folder: Path, settings: dict[str, Any]) -> Iterator[AddedToken]:
    """Yield the special tokens that the settings name, those of the roles first."""
    for name in (*(f"{role}_token" for role in ("bos", "eos", *ROLES)), *sorted(settings)):
        if name.endswith("_token") and settings.get(name) and isinstance(settings[name], str | dict):
            yield _token(settings[name], name, folder)
    extra = settings.get(_EXTRA) or settings.get(_ADDITIONAL) or []
    if not isinstance(extra, list | dict):
        raise CheckpointError(wrong_field(folder, f"the tokenizer's {_ADDITIONAL}", extra, "a list of tokens"))
    for entry in extra.values() if isinstance(extra, dict) else extra:
        yield _token(entry, _ADDITIONAL, folder)


def _token(value: Any, name: str, folder: Path, listed: bool = False) -> AddedToken:
    """Return a token that a file describes, by its text or its properties; it is special unless it is just listed."""
    if isinstance(value, str) and value and not listed:
        return AddedToken(value, special=True)
    if isinstance(value, dict) and isinstance(value.get("content"), str) and value["content"]:
        switches = {key: on for key in _PROPERTIES if isinstance(on := value.get(key), bool)}
        return AddedToken(value["content"], **(switches if listed else switches | {"special": True}))
    raise CheckpointError(wrong_field(folder, f"the tokenizer's {name}", value, "a token, as transformers writes it"))

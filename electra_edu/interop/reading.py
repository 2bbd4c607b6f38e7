"""from_transformers: a checkpoint's folder in, the network that is in it out."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.encoder import encoder_of
from electra_edu.errors import CheckpointError, ElectraEduError, nearest
from electra_edu.interop.files import CONFIG, HEAD, WRITTEN_BY, read_json, read_tensors, read_weights
from electra_edu.interop.hub import find_folder
from electra_edu.interop.names import (
    ARCHITECTURES,
    BUFFERS,
    ENCODER_PARTS,
    SETTINGS,
    Architecture,
    Half,
    architecture_of,
    encoder_tensors,
    head_tensors,
    other_tensors,
)
from electra_edu.interop.networks import Pretrained, PretrainedDiscriminator, PretrainedEncoder, PretrainedGenerator
from electra_edu.interop.tokenizer import check_size, read_tokenizer, special_token_ids

_NETWORKS: dict[Half, type[Pretrained]] = {
    "discriminator": PretrainedDiscriminator,
    "generator": PretrainedGenerator,
    "encoder": PretrainedEncoder,
}
_HALVES: dict[str, Half] = {architecture.name: half for (_, half), architecture in ARCHITECTURES.items()}
_ARTICLES: dict[Half, str] = {"discriminator": "a discriminator", "generator": "a generator", "encoder": "an encoder"}
_HEADS: dict[Half, set[str]] = {  # what the names of a head's tensors begin with
    half: {name.split(".")[0] for name in [*architecture.head.values(), *architecture.tied]}
    for (positions, half), architecture in ARCHITECTURES.items()
    if positions == "learned"
}
_HEADLESS = {"electra", *(part.split(".")[0] for part in ENCODER_PARTS)}
_ONLY: dict[str, Any] = {  # settings of theirs that our encoder has one value of
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "rotary_value": False,
}


def from_transformers(
    path_or_name: str | os.PathLike[str], *, half: Half | None = None, revision: str | None = None
) -> Pretrained:
    """Return the network of a Hugging Face ELECTRA checkpoint, in eval mode, with `.config` and `.tokenizer`.

    `path_or_name` is a folder, or a model's name on the hub (`revision` is a branch, tag or commit there). What comes
    back is what is in it: a Discriminator for ElectraForPreTraining, a Generator for ElectraForMaskedLM, an Encoder
    for a bare ElectraModel; the folders that `to_transformers` writes for rotary positions can be read, too. `half`
    insists on one of "discriminator" and "generator"; "encoder" takes the encoder alone out of any ELECTRA
    checkpoint, a fine-tuned classifier's, for example.

    The config's sizes are the network's own: a discriminator's has generator_size_fraction=1 and a generator's
    objective="bert", since nothing is known of the other half. Dropout is `hidden_dropout_prob`. The tokenizer is
    read from tokenizer.json, or built from vocab.txt; None when there is neither.

    Only safetensors, JSON and text are read, so that nothing in a checkpoint can run code. An existing folder never
    touches the network. Raises CheckpointError, with the remedy, for what is missing, damaged or of another kind.
    """
    if half is not None and half not in get_args(Half):
        raise ElectraEduError(f"half={half!r}: must be one of {get_args(Half)}.{nearest(str(half), get_args(Half))}")
    source = path_or_name if isinstance(path_or_name, str) else Path(path_or_name)
    folder = find_folder(source, revision)
    settings = _read_settings(folder)
    tensors = read_weights(folder)
    found = _find_half(folder, settings, tensors, half)
    tokenizer = read_tokenizer(folder)
    try:
        config = _config(found, settings, special_token_ids(folder, tokenizer, settings))
    except ElectraEduError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from error
    if tokenizer is not None:
        check_size(tokenizer, config, str(folder))
    network = _NETWORKS[found](config, tokenizer)
    _fill(network, tensors, folder, tied=settings.get("tie_word_embeddings", True))
    return network.eval()


def _read_settings(folder: Path) -> dict[str, Any]:
    """Read config.json and refuse what our networks cannot express."""
    if not (folder / CONFIG).is_file():
        inside = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))
        hint = f" Pass one of its folders: {', '.join(inside)}." if inside else ""
        raise CheckpointError(f"{folder} holds no checkpoint: there is no {CONFIG}.{hint}")
    settings = read_json(folder / CONFIG)
    kind, name = settings.get("model_type") or "electra", _class_name(settings)
    ours = kind == "roformer" and settings.get(WRITTEN_BY) is not None
    if not ours and (kind != "electra" or not (name or "Electra").startswith("Electra")):
        raise CheckpointError(
            f"{folder} is a {name or kind}, not an ELECTRA. This reads ElectraForPreTraining, ElectraForMaskedLM and "
            "ElectraModel, and the RoFormer folders that to_transformers writes."
        )
    for setting, only in _ONLY.items():
        if settings.get(setting, only) != only:
            raise CheckpointError(
                f"{folder / CONFIG}: {setting}={settings[setting]!r}, and the networks here have {only!r} only. Use "
                "this checkpoint with transformers."
            )
    return settings


def _class_name(settings: dict[str, Any]) -> str | None:
    names = settings.get("architectures")
    return str(names[0]) if isinstance(names, list) and names else None


def _find_half(folder: Path, settings: dict[str, Any], tensors: Iterable[str], half: Half | None) -> Half:
    """Tell which half is in the folder, by the class that config.json names or else by the tensors' names."""
    if half == "encoder":
        return half
    name = _class_name(settings)
    heads = {tensor.split(".")[0] for tensor in tensors} - _HEADLESS
    found: Half | None
    if name == "RoFormerModel":
        found = "discriminator" if (folder / HEAD).is_file() else "encoder"
    elif name is not None:
        found = _HALVES.get(name)
    else:
        found = next((known for known, parts in _HEADS.items() if heads == parts), None)
    if found is None:
        raise CheckpointError(
            f"{folder} holds {name or 'the head ' + ', '.join(sorted(heads))}, which is neither a generator nor a "
            "discriminator. Its encoder alone can be read: from_transformers(…, half='encoder')."
        )
    if half not in (None, found):
        raise CheckpointError(
            f"{folder} holds {_ARTICLES[found]}, and half={half!r} was asked for. The two halves of an ELECTRA are two "
            "checkpoints: pass the other one (released models say which they are in their name)."
        )
    return found


def _config(half: Half, settings: dict[str, Any], special: dict[str, int]) -> ElectraConfig:
    """Return the config whose `discriminator` or `generator` has the network's sizes."""
    sizes = {setting.ours: settings.get(setting.theirs, setting.default) for setting in SETTINGS}
    method = {
        "max_seq_length": sizes["max_position_embeddings"],
        "positions": "rotary" if settings.get("model_type") == "roformer" else "learned",
        "objective": "bert" if half == "generator" else "electra",
        "generator_size_fraction": 1.0,
    }
    return ElectraConfig.from_dict(sizes | special | method)


@torch.no_grad()
def _fill(network: Pretrained, tensors: dict[str, Tensor], folder: Path, tied: bool) -> None:
    """Copy the checkpoint's tensors into `network`; refuse a missing, misshapen or surplus one by name."""
    architecture = architecture_of(network)
    prefix = f"{architecture.model_type}."
    prefix = prefix if any(name.startswith(prefix) for name in tensors) else ""  # a model without a head has none
    places = {
        tuple(prefix + name for name in names): ours for names, ours in encoder_tensors(encoder_of(network)).items()
    }
    for names, ours in (places | head_tensors(network, architecture)).items():
        rows = (len(ours) // len(names), *ours.shape[1:])
        ours.copy_(torch.cat([_take(tensors, name, rows, folder) for name in names]))
    if others := other_tensors(network, architecture):
        beside = read_tensors(folder / HEAD)
        for name, ours in others.items():
            ours.copy_(_take(beside, name, ours.shape, folder))
    _check_rest(architecture, tensors, {name for names in places for name in names}, prefix, folder, tied)


def _check_rest(
    architecture: Architecture, tensors: dict[str, Tensor], used: set[str], prefix: str, folder: Path, tied: bool
) -> None:
    """Refuse tensors of the encoder that were not used, and output weights that are not the embeddings'."""
    for name in tensors.keys() - used:
        bare = name.removeprefix(prefix)
        if bare.startswith(ENCODER_PARTS) and bare not in BUFFERS:
            raise CheckpointError(
                f"{folder}: the encoder that {CONFIG} describes has no place for the tensor {name!r}."
            )
    for name, repeated in architecture.tied.items():
        first = prefix + repeated
        if not (torch.equal(tensors[name], tensors[first]) if name in tensors else tied):
            raise CheckpointError(
                f"{folder}: the tensor {name!r} is not {first!r} again. A generator here predicts words with its "
                "embeddings; use this checkpoint with transformers."
            )


def _take(tensors: dict[str, Tensor], name: str, shape: Sequence[int], folder: Path) -> Tensor:
    if name not in tensors:
        heads = [
            _ARTICLES[half] for half, parts in _HEADS.items() if any(key.split(".")[0] in parts for key in tensors)
        ]
        inside = f" What it holds looks like {heads[0]}." if heads else ""
        raise CheckpointError(f"{folder}: the tensor {name!r} is missing.{inside} Fetch or copy the folder again.")
    tensor = tensors[name]
    if tensor.shape != torch.Size(shape):
        raise CheckpointError(
            f"{folder}: the tensor {name!r} is {tuple(tensor.shape)}, and {CONFIG} asks for {tuple(shape)}."
        )
    if not tensor.is_floating_point():
        raise CheckpointError(
            f"{folder}: the tensor {name!r} holds {tensor.dtype}; only floating-point weights are read."
        )
    return tensor

"""from_transformers: a checkpoint's folder in, the network that is in it out."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from electra_edu.config.electra_config import Positions
from electra_edu.interop import atomic_folder
from electra_edu.interop.architectures import (
    ARCHITECTURES,
    BUFFERS,
    CONFIG,
    ENCODER_PARTS,
    HEAD,
    WRITTEN_BY,
    Architecture,
    Half,
    architecture_of,
    encoder_tensors,
    head_tensors,
    other_tensors,
)
from electra_edu.interop.config_json import config_of
from electra_edu.interop.diagnosis import AGAIN, why_no_config
from electra_edu.interop.files import Stored, list_tensors, list_weights, read_json, read_tensors
from electra_edu.interop.hub import find_folder
from electra_edu.interop.pretrained import Pretrained, PretrainedDiscriminator, PretrainedEncoder, PretrainedGenerator
from electra_edu.interop.tensor_names import known_names, measured_sizes
from electra_edu.interop.tokenizer_reading import read_tokenizer
from electra_edu.interop.tokenizer_writing import check_size, special_token_ids, window_of
from electra_edu.model.encoder import encoder_of
from electra_edu.support.arguments import one_of, path, shown
from electra_edu.support.errors import CheckpointError

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
    path_or_name: str | os.PathLike[str],
    *,
    half: Half | None = None,
    revision: str | None = None,
    local_files_only: bool = True,
) -> Pretrained:
    """Return the network of a Hugging Face ELECTRA checkpoint, in eval mode, with `.config` and `.tokenizer`.

    `path_or_name` is a folder, or the name of a model that the hub's cache on this computer holds. With
    local_files_only=False a model that is not there is fetched from the hub (`revision` is a branch, tag or commit);
    nothing else ever touches the network. What comes back is what is in it: a Discriminator for ElectraForPreTraining,
    a Generator for ElectraForMaskedLM, an Encoder for a bare ElectraModel; the folders that `to_transformers` writes
    for rotary positions can be read, too. `half` insists on one of "discriminator" and "generator"; "encoder" takes
    the encoder alone out of any ELECTRA checkpoint, a fine-tuned classifier's, for example.

    A network that `to_transformers` wrote has the config that it had. Of others only the sizes are known: a
    discriminator's config has generator_size_fraction=1 and a generator's objective="bert"; dropout is
    `hidden_dropout_prob`, and max_seq_length the tokenizer's `model_max_length` where that is less than
    `max_position_embeddings`. The tokenizer is read from tokenizer.json, or built from vocab.txt; None when there is
    neither.

    Only safetensors, JSON and text are read, so that nothing in a checkpoint can run code; weights of 16 bits become
    float32. Raises CheckpointError, with the remedy, for what is missing, damaged or of another kind, for sizes that
    are not the weights', before memory is taken for them, and for weights that are NaN or infinite.
    """
    one_of("half", half, (*get_args(Half), None))
    named = path("path_or_name", path_or_name)
    source = path_or_name if isinstance(path_or_name, str) else named
    folder = find_folder(source, revision, local_files_only)
    try:
        atomic_folder.finish(folder)
    except OSError as error:
        raise CheckpointError(
            f"{folder} holds a network that is not yet in its place, and it cannot be moved there ({error}). Make the "
            "folder writable, or write the network again."
        ) from error
    settings = _read_settings(folder)
    stored = known_names(list_weights(folder, settings), half or _HALVES.get(_class_name(settings) or ""), folder)
    found = _find_half(folder, settings, stored, half)
    positions: Positions = "rotary" if settings.get("model_type") == "roformer" else "learned"
    prefix = _prefix(stored, positions)
    sizes = measured_sizes(settings, stored, prefix, positions, folder)
    tokenizer = read_tokenizer(folder, settings)
    if tokenizer is not None:
        check_size(tokenizer, int(sizes["vocab_size"]), str(folder))
    special = special_token_ids(folder, tokenizer, settings, int(sizes["vocab_size"]))
    window = window_of(folder, int(sizes["max_position_embeddings"]))
    config, shape = config_of(found, settings, sizes, special, window, folder / CONFIG)
    network: Pretrained
    if found == "generator":
        network = PretrainedGenerator(config, tokenizer, shape)
    else:
        network = (PretrainedDiscriminator if found == "discriminator" else PretrainedEncoder)(config, tokenizer)
    _fill(network, stored, prefix, folder, tied=settings.get("tie_word_embeddings", True) is not False)
    return network.eval()


def _read_settings(folder: Path) -> dict[str, Any]:
    """Read config.json and refuse what our networks cannot express."""
    if not (folder / CONFIG).is_file():
        raise CheckpointError(why_no_config(folder))
    settings = read_json(folder / CONFIG)
    kind, name = settings.get("model_type") or "electra", _class_name(settings)
    ours = kind == "roformer" and settings.get(WRITTEN_BY) is not None
    found = name or (kind if isinstance(kind, str) else shown(kind))
    if not ours and (kind != "electra" or not (name or "Electra").startswith("Electra")):
        raise CheckpointError(
            f"{folder} is a {found}, not an ELECTRA. This reads ElectraForPreTraining, "
            "ElectraForMaskedLM and ElectraModel, and the RoFormer folders that to_transformers writes. Use this "
            "checkpoint with transformers."
        )
    if settings.get("quantization_config"):
        raise CheckpointError(
            f"{folder / CONFIG}: quantization_config={shown(settings['quantization_config'])}: only floating-point "
            "weights of 16, 32 or 64 bits are read. Ask for the checkpoint as it was before it was quantised."
        )
    for setting, only in _ONLY.items():
        if settings.get(setting, only) != only:
            raise CheckpointError(
                f"{folder / CONFIG}: {setting}={shown(settings[setting])}, and the networks here have {only!r} only. "
                "Use this checkpoint with transformers."
            )
    return settings


def _class_name(settings: dict[str, Any]) -> str | None:
    names = settings.get("architectures")
    return names[0] if isinstance(names, list) and names and isinstance(names[0], str) else None


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


def _prefix(tensors: Iterable[str], positions: Positions) -> str:
    """Return what the names of the encoder's tensors begin with: of a model without a head, nothing."""
    prefix = "roformer." if positions == "rotary" else "electra."
    return prefix if any(name.startswith(prefix) for name in tensors) else ""


@torch.no_grad()
def _fill(network: Pretrained, stored: dict[str, Stored], prefix: str, folder: Path, tied: bool) -> None:
    """Copy the checkpoint's tensors into `network`; refuse a missing, misshapen, surplus or broken one by name."""
    architecture = architecture_of(network)
    places = {
        tuple(prefix + name for name in names): ours for names, ours in encoder_tensors(encoder_of(network)).items()
    }
    _copy(stored, places | head_tensors(network, architecture), folder)
    if others := other_tensors(network, architecture):
        _copy(list_tensors(folder / HEAD), {(name,): ours for name, ours in others.items()}, folder)
    _check_rest(architecture, stored, {name for names in places for name in names}, prefix, folder, tied)


def _copy(stored: dict[str, Stored], places: dict[tuple[str, ...], Tensor], folder: Path) -> None:
    """Fill the tensors in `places`, each with the rows of those that its key names."""
    for names, ours in places.items():
        for name in names:
            _check(stored, name, (len(ours) // len(names), *ours.shape[1:]), folder)
    tensors = read_tensors({name: stored[name] for names in places for name in names})
    for names, ours in places.items():
        ours.copy_(torch.cat([tensors.pop(name) for name in names]))


def _check_rest(
    architecture: Architecture, stored: dict[str, Stored], used: set[str], prefix: str, folder: Path, tied: bool
) -> None:
    """Refuse tensors of the encoder that were not used, and output weights that are not the embeddings'."""
    for name in sorted(stored.keys() - used):
        bare = name.removeprefix(prefix)
        if bare.startswith(ENCODER_PARTS) and bare not in BUFFERS:
            raise CheckpointError(
                f"{folder}: the encoder that {CONFIG} describes has no place for the tensor {name!r}. Use this "
                "checkpoint with transformers."
            )
    for name, repeated in architecture.tied.items():
        first = prefix + repeated
        if name in stored:
            both = read_tensors({name: stored[name], first: stored[first]})
            tied = torch.equal(both[name], both[first])
        if not tied:
            raise CheckpointError(
                f"{folder}: the tensor {name!r} is not {first!r} again. A generator here predicts words with its "
                "embeddings; use this checkpoint with transformers."
            )


def _check(stored: dict[str, Stored], name: str, shape: tuple[int, ...], folder: Path) -> None:
    if name not in stored:
        heads = [_ARTICLES[half] for half, parts in _HEADS.items() if any(key.split(".")[0] in parts for key in stored)]
        inside = f" What it holds looks like {heads[0]}." if heads else ""
        raise CheckpointError(f"{folder}: the tensor {name!r} is missing.{inside} {AGAIN}")
    if stored[name].shape != shape:
        raise CheckpointError(
            f"{folder}: the tensor {name!r} is {stored[name].shape}, and {CONFIG} asks for {shape}. {AGAIN}"
        )

"""from_transformers: read the network in a checkpoint's folder."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from electra_edu.config.electra_config import Positions
from electra_edu.interop.architectures import (
    ARCHITECTURES,
    BUFFERS,
    ENCODER_PARTS,
    Architecture,
    Half,
    architecture_of,
    encoder_tensors,
    extra_tensors,
    head_tensors,
)
from electra_edu.interop.atomic_folder import finish
from electra_edu.interop.config_json import check_sizes, class_name, config_of, read_config
from electra_edu.interop.diagnosis import FETCH_AGAIN
from electra_edu.interop.file_names import CONFIG, HEAD
from electra_edu.interop.files import StoredTensor, list_tensors, list_weights, read_tensors
from electra_edu.interop.hub import find_folder
from electra_edu.interop.pretrained import Pretrained, PretrainedDiscriminator, PretrainedEncoder, PretrainedGenerator
from electra_edu.interop.tensor_names import normalize_names
from electra_edu.interop.tokenizer_reading import check_size, max_text_length, read_tokenizer, special_token_ids
from electra_edu.model.encoder import encoder_of
from electra_edu.support.arguments import one_of, path
from electra_edu.support.errors import CheckpointError

_HALVES: dict[str, Half] = {architecture.name: half for (_, half), architecture in ARCHITECTURES.items()}
_ARTICLES: dict[Half, str] = {"discriminator": "a discriminator", "generator": "a generator", "encoder": "an encoder"}
# The prefixes of the tensors of each head.
_HEADS: dict[Half, set[str]] = {
    half: {name.split(".")[0] for name in [*architecture.head.values(), *architecture.tied]}
    for (positions, half), architecture in ARCHITECTURES.items()
    if positions == "learned"
}
_HEADLESS = {"electra", *(part.split(".")[0] for part in ENCODER_PARTS)}


def from_transformers(
    path_or_name: str | os.PathLike[str],
    *,
    half: Half | None = None,
    revision: str | None = None,
    local_files_only: bool = True,
) -> Pretrained:
    """Return the network of a Hugging Face ELECTRA checkpoint, in eval mode, with `.config` and `.tokenizer`.

    `path_or_name` is a folder, or the name of a model in the hub's cache on this computer. With local_files_only=False
    a model that is not in the cache is fetched from the hub (`revision` is a branch, tag or commit); nothing else ever
    uses the network.

    The result is a Discriminator for ElectraForPreTraining, a Generator for ElectraForMaskedLM, and an Encoder for a
    bare ElectraModel; folders that `to_transformers` wrote for rotary positions can be read too. `half`
    requires either "discriminator" or "generator"; "encoder" reads the encoder alone of any ELECTRA checkpoint, for
    example of a fine-tuned classifier.

    A network that `to_transformers` wrote gets its original config. Of other networks only the sizes are known: a
    discriminator's config has generator_size_fraction=1, and a generator's has objective="bert"; dropout is
    `hidden_dropout_prob`, and max_seq_length is the smaller of the tokenizer's `model_max_length` and
    `max_position_embeddings`. The tokenizer is read from tokenizer.json or built from vocab.txt; it is None if there is
    neither.

    Only safetensors, JSON and text are read, so that nothing in a checkpoint can run code. Weights of 16 bits become
    float32. Raises CheckpointError, with a remedy, if something is missing, damaged or of another kind, if the sizes
    differ from those of the weights (before memory is allocated), or if weights are NaN or infinite.
    """
    one_of("half", half, (*get_args(Half), None))
    named = path("path_or_name", path_or_name)
    source = path_or_name if isinstance(path_or_name, str) else named
    folder = find_folder(source, revision, local_files_only)
    try:
        finish(folder)
    except OSError as error:
        raise CheckpointError(
            f"{folder} holds a network whose files are still to be moved into place, which failed ({error}). Make the "
            "folder writable, or write the network again."
        ) from error

    # What is in the folder, from config.json and the headers of the weights.
    settings = read_config(folder)
    stored = normalize_names(list_weights(folder, settings), half or _HALVES.get(class_name(settings) or ""), folder)
    found = _find_half(folder, settings, stored, half)
    positions: Positions = "rotary" if settings.get("model_type") == "roformer" else "learned"
    prefix = _encoder_prefix(stored, positions)
    sizes = check_sizes(settings, stored, prefix, positions, folder)

    # The tokenizer and the config.
    tokenizer = read_tokenizer(folder, settings)
    if tokenizer is not None:
        check_size(tokenizer, int(sizes["vocab_size"]), str(folder))
    special = special_token_ids(folder, tokenizer, settings, int(sizes["vocab_size"]))
    window = max_text_length(folder, int(sizes["max_position_embeddings"]))
    config, shape = config_of(found, settings, sizes, special, window, folder / CONFIG)

    # The network.
    network: Pretrained
    if found == "generator":
        network = PretrainedGenerator(config, tokenizer, shape)
    else:
        network = (PretrainedDiscriminator if found == "discriminator" else PretrainedEncoder)(config, tokenizer)
    _load_weights(network, stored, prefix, folder, tied=settings.get("tie_word_embeddings", True) is not False)
    return network.eval()


def _find_half(folder: Path, settings: dict[str, Any], tensors: Iterable[str], half: Half | None) -> Half:
    """Return which half is in the folder, by the class that config.json names, or else by the tensors' names."""
    if half == "encoder":
        return half
    name = class_name(settings)
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
            f"{folder} holds {_ARTICLES[found]}, and half={half!r} was requested. The two halves of an ELECTRA are two "
            "checkpoints: pass the other one (released models say which they are in their name)."
        )
    return found


def _encoder_prefix(tensors: Iterable[str], positions: Positions) -> str:
    """Return the prefix of the encoder's tensors, which is empty in a model without a head."""
    prefix = "roformer." if positions == "rotary" else "electra."
    return prefix if any(name.startswith(prefix) for name in tensors) else ""


@torch.no_grad()
def _load_weights(network: Pretrained, stored: dict[str, StoredTensor], prefix: str, folder: Path, tied: bool) -> None:
    """Copy the checkpoint's tensors into `network`; refuse missing, misshapen, surplus and broken ones by name."""
    architecture = architecture_of(network)
    destinations = {
        tuple(prefix + name for name in names): ours for names, ours in encoder_tensors(encoder_of(network)).items()
    }
    _copy(stored, destinations | head_tensors(network, architecture), folder)
    if extra := extra_tensors(network, architecture):
        _copy(list_tensors(folder / HEAD), {(name,): ours for name, ours in extra.items()}, folder)
    _check_rest(architecture, stored, {name for names in destinations for name in names}, prefix, folder, tied)


def _copy(stored: dict[str, StoredTensor], destinations: dict[tuple[str, ...], Tensor], folder: Path) -> None:
    """Fill each tensor in `destinations` with the concatenated rows of the stored tensors that its key names."""
    for names, ours in destinations.items():
        for name in names:
            _check_shape(stored, name, (len(ours) // len(names), *ours.shape[1:]), folder)
    tensors = read_tensors({name: stored[name] for names in destinations for name in names})
    for names, ours in destinations.items():
        ours.copy_(torch.cat([tensors.pop(name) for name in names]))


def _check_rest(
    architecture: Architecture, stored: dict[str, StoredTensor], used: set[str], prefix: str, folder: Path, tied: bool
) -> None:
    """Refuse tensors of the encoder that were not used, and output weights that differ from the embeddings."""
    for name in sorted(stored.keys() - used):
        name_in_encoder = name.removeprefix(prefix)
        if name_in_encoder.startswith(ENCODER_PARTS) and name_in_encoder not in BUFFERS:
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
                f"{folder}: the tensor {name!r} is not tied to {first!r}. A generator here predicts words with its "
                "embeddings; use this checkpoint with transformers."
            )


def _check_shape(stored: dict[str, StoredTensor], name: str, shape: tuple[int, ...], folder: Path) -> None:
    if name not in stored:
        heads = [_ARTICLES[half] for half, parts in _HEADS.items() if any(key.split(".")[0] in parts for key in stored)]
        inside = f" What it holds looks like {heads[0]}." if heads else ""
        raise CheckpointError(f"{folder}: the tensor {name!r} is missing.{inside} {FETCH_AGAIN}")
    if stored[name].shape != shape:
        raise CheckpointError(
            f"{folder}: the tensor {name!r} is {stored[name].shape}, and {CONFIG} asks for {shape}. {FETCH_AGAIN}"
        )

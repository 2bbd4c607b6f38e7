"""to_transformers: write one of our networks, or all of a run's, as folders that `from_pretrained` loads."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from torch import Tensor

from electra_edu.interop.architectures import architecture_of, encoder_tensors, extra_tensors, half_of, head_tensors
from electra_edu.interop.atomic_folder import StagedFiles, finish, list_names, stage
from electra_edu.interop.config_json import WRITTEN_BY, Network, transformers_config, written_positions
from electra_edu.interop.file_names import CONFIG, EXPORTED, HEAD, MODEL_CARD, WEIGHTS
from electra_edu.interop.files import json_text, read_json, tensor_bytes
from electra_edu.interop.model_card import describe_extra_tensors, model_card
from electra_edu.interop.pretrained import Pretrained
from electra_edu.interop.tokenizer_writing import tokenizer_files
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.electra import Electra
from electra_edu.model.encoder import encoder_of, rotations
from electra_edu.support.arguments import path
from electra_edu.support.errors import CheckpointError, ElectraEduError
from electra_edu.training import TrainingRun


@dataclass(frozen=True)
class ExportedNetwork:
    """An exported network: its folder, and how to load it."""

    folder: Path
    architecture: str  # the class of `transformers`: transformers.<architecture>.from_pretrained(folder)
    note: str  # what that class leaves out; empty if it loads the whole network


def to_transformers(
    source: TrainingRun | Electra | Network, directory: str | os.PathLike[str], *, tokenizer: Tokenizer | None = None
) -> dict[str, ExportedNetwork]:
    """Export the networks of `source` to folders in `directory`; return the exported networks by folder name.

    Of a run, the average of its weights is exported, from which its metrics are computed too; pause a run that is
    training first. The folders are named "discriminator", "generator", "main" for a main network that predicts words,
    and "encoder" for a network without a head. Each holds config.json, model.safetensors and the tokenizer, if the
    source has one or `tokenizer` is given. Neither a network connection nor `transformers` is needed.

    Learned positions give ElectraForPreTraining and ElectraForMaskedLM. Rotary positions give RoFormerForMaskedLM and,
    since RoFormer has no head for replaced tokens, RoFormerModel with the discriminator's head in head.safetensors;
    they read at most max_position_embeddings tokens. The copy gate of All-Tokens MLM has no place in these classes
    either, and goes to head.safetensors. README.md in each folder shows how to load it.

    config.json holds the network's whole config in the field "electra_edu", and the tokenizer's model_max_length is the
    length of the sequences that the network was trained on, so that `from_transformers` reads texts as the run does.

    An earlier export in the same folder is replaced atomically: a kill at any moment leaves the old one or the new one.
    Files with other names are never changed. Raises CheckpointError for a folder that contains anything else, and if
    the files cannot be written.
    """
    directory = path("directory", directory)
    if tokenizer is not None and not isinstance(tokenizer, Tokenizer):
        raise ElectraEduError(
            f"tokenizer: must be a tokenizers.Tokenizer, not {type(tokenizer).__name__}. A fast tokenizer of "
            "transformers holds one: tokenizer.backend_tokenizer."
        )
    tokenizer = tokenizer or _tokenizer(source)
    staged: list[StagedFiles] = []
    try:
        networks = _networks(source)
        for name in networks:
            _check_replaceable(directory / name)
        written = {}
        for name, network in networks.items():
            written[name], files = network_files(network, tokenizer, directory / name)
            staged.append(stage(directory / name, files))
        for one in staged:
            one.commit()
    except ElectraEduError:
        raise
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{directory} cannot be written: {error}. Choose another folder.") from error
    finally:
        for one in staged:
            one.discard()
    return written


def transformers_state(network: Network) -> dict[str, Tensor]:
    """Return the network's weights by the names of its class of `transformers`; tied weights are there once."""
    architecture, encoder = architecture_of(network), encoder_of(network)
    state: dict[str, Tensor] = {}
    for names, tensor in encoder_tensors(encoder).items():
        rows = tensor.detach().chunk(len(names))
        state |= {f"{architecture.prefix}{name}": part for name, part in zip(names, rows, strict=True)}
    if encoder.positions == "rotary":
        # RoFormer keeps sines and cosines as a table. Ours are written, since its own would be rounded differently.
        length = written_positions(network.config)
        angles = rotations(length, encoder.shape.head_size, device=torch.device("cpu")).squeeze(1)
        state[f"{architecture.prefix}encoder.embed_positions.weight"] = torch.cat([angles.imag, angles.real], -1)
    return state | {name: tensor.detach() for (name,), tensor in head_tensors(network, architecture).items()}


def _networks(source: TrainingRun | Electra | Network) -> dict[str, Network]:
    """Return the networks of `source` by the names of their folders."""
    if isinstance(source, TrainingRun):
        source = source.average
    if isinstance(source, Network):
        return {half_of(source): source}
    if isinstance(source, Electra):
        return {
            half_of(part) if isinstance(part, Discriminator) else name: part
            for name, part in source.named_children()
            # A generator that samples by word frequency has no weights to export.
            if isinstance(part, Network)
        }
    raise ElectraEduError(
        f"source: must be a TrainingRun, an Electra, a Generator or a Discriminator, not {type(source).__name__}."
    )


def _tokenizer(source: TrainingRun | Electra | Network) -> Tokenizer | None:
    if isinstance(source, TrainingRun):
        return source.corpus.tokenizer
    return source.tokenizer if isinstance(source, Pretrained) else None


def _check_replaceable(folder: Path) -> None:
    """Refuse to replace anything but an earlier export that contains nothing else."""
    if not folder.exists():
        return
    if folder.is_dir():
        finish(folder)
        names = list_names(folder)
        is_export = CONFIG in names and WRITTEN_BY in read_json(folder / CONFIG) and names <= EXPORTED
        if is_export or not names:
            return
    raise CheckpointError(f"{folder} exists and was not written by to_transformers: choose another folder.")


def network_files(
    network: Network, tokenizer: Tokenizer | None, folder: Path
) -> tuple[ExportedNetwork, dict[str, str | bytes]]:
    """Return the exported network that `folder` will hold, and its files by name."""
    architecture = architecture_of(network)
    extra = extra_tensors(network, architecture)
    note = describe_extra_tensors(architecture, extra)
    state = transformers_state(network)
    for name, tensor in (state | extra).items():
        if not tensor.isfinite().all():
            raise ElectraEduError(
                f"source: its tensor {name!r} holds numbers that are NaN or infinite, so the network computes "
                "nothing. Export a run that still learns, or one that was saved earlier."
            )
    files: dict[str, str | bytes] = {WEIGHTS: tensor_bytes(state)}
    if extra:
        files[HEAD] = tensor_bytes(extra)
    if tokenizer is not None:
        files |= tokenizer_files(tokenizer, network.config)
    files[MODEL_CARD] = model_card(half_of(network), architecture, note, has_tokenizer=tokenizer is not None)
    files[CONFIG] = json_text(transformers_config(network))
    return ExportedNetwork(folder, architecture.name, note), files

"""to_transformers: one of our networks, or all of a run's, as folders that `from_pretrained` loads."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from torch import Tensor

from electra_edu.interop import atomic_folder, model_card
from electra_edu.interop.architectures import (
    CONFIG,
    HEAD,
    WEIGHTS,
    WRITTEN_BY,
    architecture_of,
    encoder_tensors,
    half_of,
    head_tensors,
    other_tensors,
)
from electra_edu.interop.config_json import Network, longest, transformers_config
from electra_edu.interop.files import json_text, read_json, tensor_bytes
from electra_edu.interop.pretrained import Pretrained
from electra_edu.interop.tokenizer_writing import tokenizer_files
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.electra import Electra
from electra_edu.model.encoder import encoder_of, rotations
from electra_edu.support.arguments import path
from electra_edu.support.errors import CheckpointError, ElectraEduError
from electra_edu.training import TrainingRun


@dataclass(frozen=True)
class Written:
    """One network on disk, and how to load it."""

    folder: Path
    architecture: str  # the class of `transformers`: transformers.<architecture>.from_pretrained(folder)
    note: str  # what that class leaves out; empty when it is the whole network


def to_transformers(
    source: TrainingRun | Electra | Network, directory: str | os.PathLike[str], *, tokenizer: Tokenizer | None = None
) -> dict[str, Written]:
    """Write the networks of `source` to folders of their own in `directory`, and return what is where.

    A run's networks are the average of its weights, the ones its scores are read from (pause a run that is training
    first). The folders are named "discriminator", "generator", "main" for a main network that predicts words,
    and "encoder" for a network without a head; each holds config.json, model.safetensors and, where the source has
    one or `tokenizer` is given, the tokenizer. No network connection and no `transformers` is needed.

    Learned positions become ElectraForPreTraining and ElectraForMaskedLM. Rotary positions become RoFormerForMaskedLM
    and, since no RoFormer tells fakes, RoFormerModel with the discriminator's head in head.safetensors; they read at
    most max_position_embeddings tokens. The copy gate of All-Tokens MLM has no place there either, and goes to
    head.safetensors. README.md in each folder shows how to load it.

    config.json holds the whole config of the network, under "electra_edu", and the tokenizer's model_max_length is the
    length of the sequences that it was trained on, so that `from_transformers` reads texts as the run does.

    A network that was written here before is replaced, file by file. A kill at any moment leaves the old one or the new
    one, and files of other names are never touched. Raises CheckpointError for a folder with anything else in it, and
    when the files cannot be written.
    """
    directory = path("directory", directory)
    if tokenizer is not None and not isinstance(tokenizer, Tokenizer):
        raise ElectraEduError(
            f"tokenizer: must be a tokenizers.Tokenizer, not {type(tokenizer).__name__}. A fast tokenizer of "
            "transformers holds one: tokenizer.backend_tokenizer."
        )
    tokenizer = tokenizer or _tokenizer(source)
    staged: list[atomic_folder.Staged] = []
    try:
        networks = _networks(source)
        for name in networks:
            _check_replaceable(directory / name)
        written = {}
        for name, network in networks.items():
            written[name], files = _files(network, tokenizer, directory / name)
            staged.append(atomic_folder.stage(directory / name, files))
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
    """Return the network's weights under the names of its class of `transformers`; tied weights once."""
    architecture, encoder = architecture_of(network), encoder_of(network)
    state: dict[str, Tensor] = {}
    for names, tensor in encoder_tensors(encoder).items():
        rows = tensor.detach().chunk(len(names))
        state |= {f"{architecture.prefix}{name}": part for name, part in zip(names, rows, strict=True)}
    if encoder.positions == "rotary":
        # RoFormer keeps sines and cosines as a table. Ours are written, whose rounding its own would not repeat.
        angles = rotations(longest(network.config), encoder.shape.head_size, device=torch.device("cpu")).squeeze(1)
        state[f"{architecture.prefix}encoder.embed_positions.weight"] = torch.cat([angles.imag, angles.real], -1)
    return state | {name: tensor.detach() for (name,), tensor in head_tensors(network, architecture).items()}


def _networks(source: TrainingRun | Electra | Network) -> dict[str, Network]:
    """Return the networks of `source` by the name of the folder they go to."""
    if isinstance(source, TrainingRun):
        source = source.average
    if isinstance(source, Network):
        return {half_of(source): source}
    if isinstance(source, Electra):
        return {
            half_of(part) if isinstance(part, Discriminator) else name: part
            for name, part in source.named_children()
            if isinstance(part, Network)  # a generator of word frequencies, for one, has no weights
        }
    raise ElectraEduError(
        f"source: must be a TrainingRun, an Electra, a Generator or a Discriminator, not {type(source).__name__}."
    )


def _tokenizer(source: TrainingRun | Electra | Network) -> Tokenizer | None:
    if isinstance(source, TrainingRun):
        return source.corpus.tokenizer
    return source.tokenizer if isinstance(source, Pretrained) else None


def _check_replaceable(folder: Path) -> None:
    """Refuse to replace anything but a folder that was written here and holds nothing else."""
    if not folder.exists():
        return
    if folder.is_dir():
        atomic_folder.finish(folder)
        names = atomic_folder.contents(folder)
        ours = CONFIG in names and WRITTEN_BY in read_json(folder / CONFIG) and names <= atomic_folder.OURS
        if ours or not names:
            return
    raise CheckpointError(f"{folder} exists and was not written by to_transformers: choose another folder.")


def _files(network: Network, tokenizer: Tokenizer | None, folder: Path) -> tuple[Written, dict[str, str | bytes]]:
    """Return what will be in `folder`, and its files by name."""
    architecture = architecture_of(network)
    beside = other_tensors(network, architecture)
    note = model_card.note(architecture, beside)
    state = transformers_state(network)
    for name, tensor in (state | beside).items():
        if not tensor.isfinite().all():
            raise ElectraEduError(
                f"source: its tensor {name!r} holds numbers that are NaN or infinite, so the network can judge "
                "nothing. Export a run that still learned, or one that was saved before."
            )
    files: dict[str, str | bytes] = {WEIGHTS: tensor_bytes(state)}
    if beside:
        files[HEAD] = tensor_bytes(beside)
    if tokenizer is not None:
        files |= tokenizer_files(tokenizer, network.config)
    files[model_card.FILE] = model_card.text(half_of(network), architecture, note, has_tokenizer=tokenizer is not None)
    files[CONFIG] = json_text(transformers_config(network))
    return Written(folder, architecture.name, note), files

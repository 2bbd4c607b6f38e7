"""to_transformers: one of our networks, or all of a run's, as folders that `from_pretrained` loads."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.discriminator import Discriminator
from electra_edu.electra import Electra
from electra_edu.encoder import encoder_of, rotations
from electra_edu.errors import CheckpointError, ElectraEduError
from electra_edu.generator import Generator
from electra_edu.interop import readme
from electra_edu.interop.files import CONFIG, HEAD, WEIGHTS, WRITTEN_BY, read_json, write_json, write_tensors
from electra_edu.interop.names import (
    SETTINGS,
    architecture_of,
    encoder_tensors,
    half_of,
    head_tensors,
    other_tensors,
)
from electra_edu.interop.networks import Pretrained, PretrainedEncoder
from electra_edu.interop.tokenizer import FILES, ROLES, write_tokenizer
from electra_edu.training import TrainingRun

Network = Generator | Discriminator | PretrainedEncoder  # what a folder can be written from
_FILES = {CONFIG, WEIGHTS, HEAD, readme.FILE, *FILES}  # all that a folder of ours can hold


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
    first). The folders are named "discriminator", "generator", "second" for a second network that predicts words,
    and "encoder" for a network without a head; each holds config.json, model.safetensors and, where the source has
    one or `tokenizer` is given, the tokenizer. No network connection and no `transformers` is needed.

    Learned positions become ElectraForPreTraining and ElectraForMaskedLM. Rotary positions become RoFormerForMaskedLM
    and, since no RoFormer tells fakes, RoFormerModel with the discriminator's head in head.safetensors; they read at
    most max_position_embeddings tokens. The copy gate of All-Tokens MLM has no place there either, and goes to
    head.safetensors. README.md in each folder shows how to load it.

    A folder that was written here before is replaced; raises CheckpointError for any other, and when the files
    cannot be written.
    """
    directory = Path(directory)
    tokenizer = tokenizer or _tokenizer(source)
    staged: list[tuple[Path, Path]] = []
    try:
        networks = _networks(source)
        for name in networks:
            _check_replaceable(directory / name)
        directory.mkdir(parents=True, exist_ok=True)
        written = {}
        for name, network in networks.items():
            temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=directory))
            temporary.chmod(0o755)  # mkdtemp makes a folder that no one else can read
            staged.append((temporary, directory / name))
            written[name] = _write(network, tokenizer, temporary, directory / name)
        for temporary, folder in staged:
            swap(temporary, folder)
    except ElectraEduError:
        raise
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{directory} cannot be written: {error}. Choose another folder.") from error
    finally:
        for temporary, _ in staged:
            shutil.rmtree(temporary, ignore_errors=True)
    return written


def transformers_config(network: Network) -> dict[str, Any]:
    """Return a network's config.json: arguments of `transformers.ElectraConfig` or, when rotary, `RoFormerConfig`."""
    config, encoder, architecture = network.config, encoder_of(network), architecture_of(network)
    shape = encoder.shape
    ours = config.to_dict() | {
        "hidden_size": shape.hidden_size,
        "num_layers": shape.num_layers,
        "num_heads": shape.num_heads,
        "intermediate_size": shape.intermediate_size,
        "max_position_embeddings": longest(config),
        "initializer_range": config.initializer_range or 0.02,  # of a head that is added later
    }
    return (
        {"architectures": [architecture.name], "model_type": architecture.model_type, WRITTEN_BY: "electra_edu"}
        | {setting.theirs: ours[setting.ours] for setting in SETTINGS}
        | {"attention_probs_dropout_prob": config.dropout, "hidden_act": "gelu"}
        | {f"{role}_token_id": token_id for role, token_id in zip(ROLES, config.special_token_ids, strict=True)}
        | ({"rotary_value": False} if encoder.positions == "rotary" else {})
    )


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


def longest(config: ElectraConfig) -> int:
    """Return how many tokens the written network can read: RoFormer has a table where ours needs none."""
    rotary = config.positions == "rotary"
    return max(config.max_position_embeddings, config.max_seq_length) if rotary else config.max_position_embeddings


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
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    config = folder / CONFIG
    ours = config.is_file() and WRITTEN_BY in read_json(config) and {path.name for path in folder.iterdir()} <= _FILES
    if not ours:
        raise CheckpointError(f"{folder} exists and was not written by to_transformers: choose another folder.")


def _write(network: Network, tokenizer: Tokenizer | None, folder: Path, final: Path) -> Written:
    """Write everything into `folder`, which will be renamed to `final`."""
    architecture = architecture_of(network)
    write_json(folder / CONFIG, transformers_config(network))
    write_tensors(folder / WEIGHTS, transformers_state(network))
    beside = other_tensors(network, architecture)
    if beside:
        write_tensors(folder / HEAD, beside)
    if tokenizer is not None:
        write_tokenizer(tokenizer, network.config, longest(network.config), folder)
    note = readme.note(architecture, beside)
    text = readme.text(half_of(network), architecture, note, has_tokenizer=tokenizer is not None)
    (folder / readme.FILE).write_text(text, encoding="utf-8")
    return Written(final, architecture.name, note)


def swap(new: Path, directory: Path) -> None:
    """Put `new` in `directory`'s place; if that fails, what was there before is put back."""
    aside = new.with_name(f"{new.name}-old")
    if directory.exists():
        directory.replace(aside)
    try:
        new.replace(directory)
    except OSError:
        if aside.exists():
            aside.replace(directory)
        raise
    shutil.rmtree(aside, ignore_errors=True)

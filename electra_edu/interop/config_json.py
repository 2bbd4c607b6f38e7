"""Read and write config.json: the sizes and settings of a network, and the config of ours that they describe.

Others wrote most of these files, with fields of every release of `transformers`. Unknown fields are therefore ignored,
and known ones are checked one by one, so that an error names the field and compares it with the weights.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from electra_edu.config import ElectraConfig, EncoderShape
from electra_edu.config.electra_config import Positions
from electra_edu.interop.architectures import ROLES, Half, architecture_of
from electra_edu.interop.diagnosis import describe_wrong_field, explain_missing_config
from electra_edu.interop.file_names import CONFIG
from electra_edu.interop.files import StoredTensor, read_json
from electra_edu.interop.pretrained import PretrainedEncoder
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.encoder import encoder_of
from electra_edu.model.generator import Generator
from electra_edu.support.arguments import as_number, finite_number, shown, whole_number
from electra_edu.support.errors import CheckpointError, ElectraEduError

WRITTEN_BY = "written_by"  # the field that marks the folders that we wrote
OUR_CONFIG = "electra_edu"  # the field that holds our config: most of its settings have no name in `transformers`
MAX_SIZE = 2**31 - 1  # a larger size is a typing error

Network = Generator | Discriminator | PretrainedEncoder  # the networks that can be exported
Sizes = Mapping[str, int | float]  # by the names in `transformers`, those of SIZE_FIELDS


@dataclass(frozen=True)
class SizeField:
    """A field of our config, its name in `transformers`, and the value that a config.json without it means."""

    ours: str
    theirs: str
    default: int | float


# The defaults are those of transformers.ElectraConfig.
SIZE_FIELDS = (
    SizeField("vocab_size", "vocab_size", 30522),
    SizeField("embedding_size", "embedding_size", 128),
    SizeField("hidden_size", "hidden_size", 256),
    SizeField("num_layers", "num_hidden_layers", 12),
    SizeField("num_heads", "num_attention_heads", 4),
    SizeField("intermediate_size", "intermediate_size", 1024),
    SizeField("max_position_embeddings", "max_position_embeddings", 512),
    SizeField("type_vocab_size", "type_vocab_size", 2),
    SizeField("layer_norm_eps", "layer_norm_eps", 1e-12),
    SizeField("dropout", "hidden_dropout_prob", 0.1),
    SizeField("initializer_range", "initializer_range", 0.02),
)

# Settings of `transformers` for which our encoder has one value only.
_SUPPORTED: dict[str, Any] = {
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "rotary_value": False,
}
_WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
# The tensor, and its dimension, that has the actual value of a size in config.json.
_MEASURED = {
    "vocab_size": (_WORD_EMBEDDINGS, 0),
    "embedding_size": (_WORD_EMBEDDINGS, 1),
    "type_vocab_size": ("embeddings.token_type_embeddings.weight", 0),
    "hidden_size": ("encoder.layer.0.attention.output.dense.weight", 0),
    "intermediate_size": ("encoder.layer.0.intermediate.dense.weight", 0),
}
_POSITIONS: Mapping[Positions, str] = {
    "learned": "embeddings.position_embeddings.weight",
    "rotary": "encoder.embed_positions.weight",
}


def transformers_config(network: Network) -> dict[str, Any]:
    """Return a network's config.json: arguments of `transformers.ElectraConfig`, or of `RoFormerConfig` if rotary.

    The field "electra_edu" holds our whole config. Half of its settings have no name in `transformers` and would be
    lost, among them the length of the sequences that the network was trained on.
    """
    config, encoder, architecture = network.config, encoder_of(network), architecture_of(network)
    return (
        {"architectures": [architecture.name], "model_type": architecture.model_type, WRITTEN_BY: "electra_edu"}
        | sizes_of(config, encoder.shape)
        | {"attention_probs_dropout_prob": config.dropout, "hidden_act": "gelu"}
        | {f"{role}_token_id": token_id for role, token_id in zip(ROLES, config.special_token_ids, strict=True)}
        | ({"rotary_value": False} if encoder.positions == "rotary" else {})
        | {OUR_CONFIG: config.to_dict()}
    )


def sizes_of(config: ElectraConfig, shape: EncoderShape) -> dict[str, int | float]:
    """Return the sizes of a network with this config and encoder shape, by the names in `transformers`."""
    ours = config.to_dict() | {
        "hidden_size": shape.hidden_size,
        "num_layers": shape.num_layers,
        "num_heads": shape.num_heads,
        "intermediate_size": shape.intermediate_size,
        "max_position_embeddings": written_positions(config),
        # For a head that is added later.
        "initializer_range": config.initializer_range or 0.02,
    }
    return {field.theirs: ours[field.ours] for field in SIZE_FIELDS}


def written_positions(config: ElectraConfig) -> int:
    """Return the number of positions of the exported network; RoFormer has a table of them, where ours needs none."""
    rotary = config.positions == "rotary"
    return max(config.max_position_embeddings, config.max_seq_length) if rotary else config.max_position_embeddings


def config_of(
    half: Half, settings: dict[str, Any], sizes: Sizes, special: dict[str, int], window: int, path: Path
) -> tuple[ElectraConfig, EncoderShape]:
    """Return the config that the config.json at `path` describes, and the shape of the network's encoder.

    It is the config in the field "electra_edu" if that fits `sizes`, the sizes of the weights. If it does not fit (a
    network without its head, a vocabulary that was enlarged later) or is missing, the config describes this network
    alone: generator_size_fraction=1, and objective="bert" for a generator. Its max_seq_length is then that of our
    config, or else `window`. Raises CheckpointError, naming the field, for an impossible value.
    """
    positions = "rotary" if settings.get("model_type") == "roformer" else "learned"
    try:
        ours = _our_config(settings, sizes, path)
        if ours is not None and ours.positions == positions:
            shapes = {"generator": (ours.generator, ours.discriminator)}.get(half, (ours.discriminator,))
            # A main network that predicts words has the discriminator's shape.
            for shape in shapes:
                if sizes_of(ours, shape) == sizes:
                    return ours.replace(**special), shape
        alone = {"positions": positions, "generator_size_fraction": 1.0}
        if half == "generator":
            alone |= {"objective": "bert", "scheme": "joint", "generator_kind": "learned"}
            alone |= {"generator_steps": 0, "copy_generator": False}
        known = {"max_seq_length": window} if ours is None else ours.to_dict()
        measured = {field.ours: sizes[field.theirs] for field in SIZE_FIELDS}
        config = ElectraConfig.from_dict(known | measured | special | alone)
        return config, config.generator if half == "generator" else config.discriminator
    except CheckpointError:
        raise
    except ElectraEduError as error:
        raise CheckpointError(f"{path}: {error} Correct it, or fetch the folder again.") from error


def _our_config(settings: dict[str, Any], sizes: Sizes, path: Path) -> ElectraConfig | None:
    """Return the config in the field "electra_edu", checked; None if there is no such field."""
    if OUR_CONFIG not in settings:
        return None
    values = settings[OUR_CONFIG]
    if not isinstance(values, dict):
        raise CheckpointError(
            describe_wrong_field(path, OUR_CONFIG, values, "an object with the fields of an ElectraConfig")
        )
    for name, value in values.items():
        if not isinstance(value, bool | str | None) and as_number(value) is None:
            raise CheckpointError(
                describe_wrong_field(path, f"{OUR_CONFIG}.{name}", value, "a finite number, a word, true or null")
            )
    try:
        ours = ElectraConfig.from_dict(values)
    except ElectraEduError as error:
        raise CheckpointError(
            f"{path}: {OUR_CONFIG}: {error} Correct it; if a newer electra_edu wrote it, update this one."
        ) from error
    if ours.max_seq_length > (most := sizes["max_position_embeddings"]):
        raise CheckpointError(
            describe_wrong_field(
                path, f"{OUR_CONFIG}.max_seq_length", ours.max_seq_length, f"at most max_position_embeddings={most}"
            )
        )
    return ours


def read_config(folder: Path) -> dict[str, Any]:
    """Read config.json, refusing what our networks cannot express."""
    if not (folder / CONFIG).is_file():
        raise CheckpointError(explain_missing_config(folder))
    settings = read_json(folder / CONFIG)
    kind, name = settings.get("model_type") or "electra", class_name(settings)
    is_our_roformer = kind == "roformer" and settings.get(WRITTEN_BY) is not None
    found = name or (kind if isinstance(kind, str) else shown(kind))
    if not is_our_roformer and (kind != "electra" or not (name or "Electra").startswith("Electra")):
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
    for setting, only in _SUPPORTED.items():
        if settings.get(setting, only) != only:
            raise CheckpointError(
                f"{folder / CONFIG}: {setting}={shown(settings[setting])}; the networks here support {only!r} only. "
                "Use this checkpoint with transformers."
            )
    return settings


def class_name(settings: dict[str, Any]) -> str | None:
    """Return the class of `transformers` that config.json names, if any."""
    names = settings.get("architectures")
    return names[0] if isinstance(names, list) and names and isinstance(names[0], str) else None


def check_sizes(
    settings: Mapping[str, Any], stored: Mapping[str, StoredTensor], prefix: str, positions: Positions, folder: Path
) -> dict[str, int | float]:
    """Return the sizes in config.json, after checking their types and comparing them with the weights.

    This happens before any memory is allocated for a network. `prefix` is the prefix of the encoder's tensors. Raises
    CheckpointError, naming the field, if config.json and the weights disagree.
    """
    sizes: dict[str, int | float] = {}
    for field in SIZE_FIELDS:
        value = settings.get(field.theirs, field.default)
        try:
            if isinstance(field.default, int):
                sizes[field.theirs] = whole_number(field.theirs, value, 1, MAX_SIZE)
            else:
                sizes[field.theirs] = finite_number(field.theirs, value)
        except ElectraEduError as error:
            also = "" if field.ours == field.theirs else f" ({field.ours} in electra_edu)"
            raise CheckpointError(f"{folder / CONFIG}: {error}{also} Correct it, or fetch the folder again.") from error

    def compare(name: str, actual: int, tensor: str, why: str = "") -> None:
        if sizes[name] != actual:
            said = f"{name}={sizes[name]}" if name in settings else f"{name} is not given, which means {sizes[name]}"
            shape = stored[tensor].shape
            raise CheckpointError(
                f"{folder / CONFIG}: {said}, and the weights have {actual}: the tensor {tensor!r} is {shape}{why}. "
                "Correct it, or fetch the folder again."
            )

    for name, (tensor, axis) in (_MEASURED | {"max_position_embeddings": (_POSITIONS[positions], 0)}).items():
        # A missing or misshapen tensor is reported later.
        if (one := stored.get(prefix + tensor)) is not None and axis < len(one.shape):
            compare(name, one.shape[axis], prefix + tensor)
    layers: dict[int, str] = {}
    for tensor in sorted(stored):
        if found := re.match(rf"{re.escape(prefix)}encoder\.layer\.(\d{{1,6}})\.", tensor):
            layers.setdefault(int(found[1]), tensor)
    if layers:
        last = layers[max(layers)]
        no_place = f", and the encoder that {CONFIG} describes has no place for the tensor {last!r}"
        compare("num_hidden_layers", len(layers), last, no_place if len(layers) > sizes["num_hidden_layers"] else "")
    if positions == "rotary" and (table := stored.get(prefix + _POSITIONS["rotary"])) and len(table.shape) == 2:
        compare(
            "num_attention_heads", int(sizes["hidden_size"]) // max(1, table.shape[1]), prefix + _POSITIONS["rotary"]
        )
    return sizes

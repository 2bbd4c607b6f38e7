"""config.json, both ways: what it says of a network, and the config that it describes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from electra_edu.config import ElectraConfig, EncoderShape
from electra_edu.interop.architectures import (
    OURS,
    ROLES,
    SETTINGS,
    WRITTEN_BY,
    Half,
    architecture_of,
)
from electra_edu.interop.diagnosis import wrong_field
from electra_edu.interop.pretrained import PretrainedEncoder
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.encoder import encoder_of
from electra_edu.model.generator import Generator
from electra_edu.support.arguments import as_number
from electra_edu.support.errors import CheckpointError, ElectraEduError

Network = Generator | Discriminator | PretrainedEncoder  # what a folder can be written from
Sizes = Mapping[str, int | float]  # by transformers' names, those of SETTINGS


def transformers_config(network: Network) -> dict[str, Any]:
    """Return a network's config.json: arguments of `transformers.ElectraConfig` or, when rotary, `RoFormerConfig`.

    The field "electra_edu" holds our own config whole. Half of its settings have no name there, and with them would be
    lost how long the sequences are that the network was trained on.
    """
    config, encoder, architecture = network.config, encoder_of(network), architecture_of(network)
    return (
        {"architectures": [architecture.name], "model_type": architecture.model_type, WRITTEN_BY: "electra_edu"}
        | sizes_of(config, encoder.shape)
        | {"attention_probs_dropout_prob": config.dropout, "hidden_act": "gelu"}
        | {f"{role}_token_id": token_id for role, token_id in zip(ROLES, config.special_token_ids, strict=True)}
        | ({"rotary_value": False} if encoder.positions == "rotary" else {})
        | {OURS: config.to_dict()}
    )


def sizes_of(config: ElectraConfig, shape: EncoderShape) -> dict[str, int | float]:
    """Return the sizes of a network of this config whose encoder has this shape, by transformers' names."""
    ours = config.to_dict() | {
        "hidden_size": shape.hidden_size,
        "num_layers": shape.num_layers,
        "num_heads": shape.num_heads,
        "intermediate_size": shape.intermediate_size,
        "max_position_embeddings": longest(config),
        "initializer_range": config.initializer_range or 0.02,  # of a head that is added later
    }
    return {setting.theirs: ours[setting.ours] for setting in SETTINGS}


def longest(config: ElectraConfig) -> int:
    """Return how many tokens the written network can read: RoFormer has a table where ours needs none."""
    rotary = config.positions == "rotary"
    return max(config.max_position_embeddings, config.max_seq_length) if rotary else config.max_position_embeddings


def config_of(
    half: Half, settings: dict[str, Any], sizes: Sizes, special: dict[str, int], window: int, path: Path
) -> tuple[ElectraConfig, EncoderShape]:
    """Return the config that the config.json at `path` describes, and the shape of the network's encoder.

    It is the one under "electra_edu" where that fits `sizes`, which are the weights' own. Where it does not (a network
    without its head, a vocabulary that was enlarged since) or there is none, it is one of this network alone:
    generator_size_fraction=1, and objective="bert" for a generator. `window` is then its max_seq_length, unless ours
    says it. Raises CheckpointError, naming the field, for a value that cannot be.
    """
    positions = "rotary" if settings.get("model_type") == "roformer" else "learned"
    try:
        ours = _ours(settings, sizes, path)
        if ours is not None and ours.positions == positions:
            shapes = {"generator": (ours.generator, ours.discriminator)}.get(half, (ours.discriminator,))
            for shape in shapes:  # a main network that predicts words has the discriminator's
                if sizes_of(ours, shape) == sizes:
                    return ours.replace(**special), shape
        alone = {"positions": positions, "generator_size_fraction": 1.0}
        if half == "generator":
            alone |= {"objective": "bert", "scheme": "joint", "generator_kind": "learned"}
            alone |= {"generator_steps": 0, "copy_generator": False}
        kept = {"max_seq_length": window} if ours is None else ours.to_dict()
        named = {setting.ours: sizes[setting.theirs] for setting in SETTINGS}
        config = ElectraConfig.from_dict(kept | named | special | alone)
        return config, config.generator if half == "generator" else config.discriminator
    except CheckpointError:
        raise
    except ElectraEduError as error:
        raise CheckpointError(f"{path}: {error} Correct it, or fetch the folder again.") from error


def _ours(settings: dict[str, Any], sizes: Sizes, path: Path) -> ElectraConfig | None:
    """Return the config that is in the field of our own, checked; None where there is no such field."""
    if OURS not in settings:
        return None
    values = settings[OURS]
    if not isinstance(values, dict):
        raise CheckpointError(wrong_field(path, OURS, values, "an object with the fields of an ElectraConfig"))
    for name, value in values.items():
        if not isinstance(value, bool | str | None) and as_number(value) is None:
            raise CheckpointError(wrong_field(path, f"{OURS}.{name}", value, "a finite number, a word, true or null"))
    try:
        ours = ElectraConfig.from_dict(values)
    except ElectraEduError as error:
        raise CheckpointError(
            f"{path}: {OURS}: {error} Correct it; if a newer electra_edu wrote it, update this one."
        ) from error
    if ours.max_seq_length > (most := sizes["max_position_embeddings"]):
        raise CheckpointError(
            wrong_field(path, f"{OURS}.max_seq_length", ours.max_seq_length, f"at most max_position_embeddings={most}")
        )
    return ours

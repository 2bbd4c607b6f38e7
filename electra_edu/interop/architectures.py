"""The classes of `transformers` that our networks fit, and the names of their tensors.

One table serves both directions, reading and writing. "Ours" are the names in electra_edu, "theirs" those in
`transformers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

from electra_edu.config.electra_config import Positions
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.encoder import Encoder, encoder_of
from electra_edu.model.generator import Generator

# The network in a folder; "encoder" is a network without its head.
Half = Literal["discriminator", "generator", "encoder"]

# The roles of the special tokens, in the order of SPECIAL_TOKENS.
ROLES = ("pad", "unk", "cls", "sep", "mask")

# A layer of ours, and the layers of theirs that hold its rows, in order. Query, key and value are one layer here.
_EMBEDDINGS = {
    "embeddings.token": ("embeddings.word_embeddings",),
    "embeddings.position": ("embeddings.position_embeddings",),
    "embeddings.token_type": ("embeddings.token_type_embeddings",),
    "embeddings.norm": ("embeddings.LayerNorm",),
    "project": ("embeddings_project",),
}
_BLOCK = {
    "attention.query_key_value": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention.output": ("attention.output.dense",),
    "attention_norm": ("attention.output.LayerNorm",),
    "widen": ("intermediate.dense",),
    "narrow": ("output.dense",),
    "feed_forward_norm": ("output.LayerNorm",),
}
# The prefixes of their encoder's tensors, and those of these tensors that are buffers, not parameters.
ENCODER_PARTS = ("embeddings.", "embeddings_project.", "encoder.")
BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids", "encoder.embed_positions.weight")


@dataclass(frozen=True)
class Architecture:
    """A class of `transformers` that one of our networks fits."""

    name: str
    model_type: str
    # A tensor of our head -> its name in their class.
    head: Mapping[str, str] = field(default_factory=dict)
    # A tensor of their head that may be missing -> the tensor of the encoder that it is tied to.
    tied: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """The prefix of the encoder's tensors."""
        return f"{self.model_type}." if self.head else ""


def _layers(names: dict[str, str]) -> dict[str, str]:
    return {f"{ours}.{kind}": f"{theirs}.{kind}" for ours, theirs in names.items() for kind in ("weight", "bias")}


ARCHITECTURES: Mapping[tuple[Positions, Half], Architecture] = MappingProxyType(
    {
        ("learned", "discriminator"): Architecture(
            "ElectraForPreTraining",
            "electra",
            _layers(
                {"dense": "discriminator_predictions.dense", "output": "discriminator_predictions.dense_prediction"}
            ),
        ),
        ("learned", "generator"): Architecture(
            "ElectraForMaskedLM",
            "electra",
            _layers({"dense": "generator_predictions.dense", "norm": "generator_predictions.LayerNorm"})
            | {"bias": "generator_lm_head.bias"},
            {"generator_lm_head.weight": "embeddings.word_embeddings.weight"},
        ),
        ("learned", "encoder"): Architecture("ElectraModel", "electra"),
        # RoFormer (arXiv 2104.09864) is this encoder with rotary positions; it has no head for replaced tokens.
        ("rotary", "discriminator"): Architecture("RoFormerModel", "roformer"),
        ("rotary", "generator"): Architecture(
            "RoFormerForMaskedLM",
            "roformer",
            _layers({"dense": "cls.predictions.transform.dense", "norm": "cls.predictions.transform.LayerNorm"})
            | {"bias": "cls.predictions.bias"},
            {"cls.predictions.decoder.weight": "embeddings.word_embeddings.weight"},
        ),
        ("rotary", "encoder"): Architecture("RoFormerModel", "roformer"),
    }
)


def half_of(network: nn.Module) -> Half:
    """Return which half a network of ours is."""
    if isinstance(network, Discriminator):
        return "discriminator"
    return "generator" if isinstance(network, Generator) else "encoder"


def architecture_of(network: nn.Module) -> Architecture:
    """Return the class of `transformers` that a Generator, Discriminator or Encoder fits."""
    return ARCHITECTURES[encoder_of(network).positions, half_of(network)]


def encoder_tensors(encoder: Encoder) -> dict[tuple[str, ...], Tensor]:
    """Return each tensor of our encoder, by the names of their tensors that hold its rows, in order.

    The names are those of a model without a head. The tensors are the encoder's own, so that copying into one loads it;
    only a weight that is computed from others (a DifferenceTable's) is read-only.
    """
    layers = dict(encoder.named_modules())
    names = _EMBEDDINGS | {
        f"blocks.{i}.{ours}": tuple(f"encoder.layer.{i}.{name}" for name in theirs)
        for i in range(encoder.shape.num_layers)
        for ours, theirs in _BLOCK.items()
    }
    return {
        tuple(f"{name}.{kind}" for name in theirs): getattr(layers[ours], kind)
        for ours, theirs in names.items()
        # Not every encoder has a position table or a projection, and an embedding has no bias.
        if ours in layers
        for kind in ("weight", "bias")
        if hasattr(layers[ours], kind)
    }


def head_tensors(network: nn.Module, architecture: Architecture) -> dict[tuple[str, ...], Tensor]:
    """Return each tensor of our head, by the name of theirs."""
    return {(theirs,): network.get_parameter(ours) for ours, theirs in architecture.head.items()}


def extra_tensors(network: nn.Module, architecture: Architecture) -> dict[str, Tensor]:
    """Return the tensors of our head that the architecture has no place for, by our names."""
    if isinstance(network, Encoder):
        return {}
    return {
        name: parameter
        for name, parameter in network.named_parameters()
        if not name.startswith("encoder.") and name not in architecture.head
    }

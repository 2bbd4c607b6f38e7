"""Our names and Hugging Face's for the same things: weights, sizes and classes. Read for both directions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

from electra_edu.config.electra_config import Positions
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.encoder import Encoder, encoder_of
from electra_edu.model.generator import Generator

Half = Literal["discriminator", "generator", "encoder"]  # "encoder": a network without its head

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
HEAD = "head.safetensors"  # the part of a head of ours that a class of transformers has no place for
WRITTEN_BY = "written_by"  # a field of config.json that says which folders are ours
OURS = "electra_edu"  # the field of config.json that holds our config: most of its settings have no name there
ROLES = ("pad", "unk", "cls", "sep", "mask")  # of special tokens, in the order of SPECIAL_TOKENS

# A layer of ours, the layers of theirs that hold its rows in this order. Query, key and value are one layer here.
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
# What the names of their encoder's tensors begin with, and those among them that nobody learns.
ENCODER_PARTS = ("embeddings.", "embeddings_project.", "encoder.")
BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids", "encoder.embed_positions.weight")


@dataclass(frozen=True)
class Architecture:
    """A class of `transformers` that one of our networks fits."""

    name: str
    model_type: str
    head: Mapping[str, str] = field(default_factory=dict)  # a tensor of our head -> theirs
    tied: Mapping[str, str] = field(
        default_factory=dict
    )  # a tensor that repeats one of the encoder, and may be left out

    @property
    def prefix(self) -> str:
        """What the names of the encoder's tensors begin with."""
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
        # RoFormer (arXiv 2104.09864) is this encoder with rotary positions; it has no head that tells fakes.
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


@dataclass(frozen=True)
class Setting:
    """A field of our config, their name for it, and what a config.json that does not name it means."""

    ours: str
    theirs: str
    default: int | float


# The defaults are those of transformers.ElectraConfig.
SETTINGS = (
    Setting("vocab_size", "vocab_size", 30522),
    Setting("embedding_size", "embedding_size", 128),
    Setting("hidden_size", "hidden_size", 256),
    Setting("num_layers", "num_hidden_layers", 12),
    Setting("num_heads", "num_attention_heads", 4),
    Setting("intermediate_size", "intermediate_size", 1024),
    Setting("max_position_embeddings", "max_position_embeddings", 512),
    Setting("type_vocab_size", "type_vocab_size", 2),
    Setting("layer_norm_eps", "layer_norm_eps", 1e-12),
    Setting("dropout", "hidden_dropout_prob", 0.1),
    Setting("initializer_range", "initializer_range", 0.02),
)


def half_of(network: nn.Module) -> Half:
    """Tell which half a network of ours is."""
    if isinstance(network, Discriminator):
        return "discriminator"
    return "generator" if isinstance(network, Generator) else "encoder"


def architecture_of(network: nn.Module) -> Architecture:
    """Return the class of `transformers` that a Generator, Discriminator or Encoder fits."""
    return ARCHITECTURES[encoder_of(network).positions, half_of(network)]


def encoder_tensors(encoder: Encoder) -> dict[tuple[str, ...], Tensor]:
    """Return each tensor of our encoder under the names of theirs that hold its rows, in this order.

    The names are those of a model without a head. The tensors are the encoder's own, so that writing into one loads
    it; only a weight that is computed from others (a DifferenceTable's) can just be read.
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
        if ours in layers  # not every encoder has a position table or a projection
        for kind in ("weight", "bias")
        if hasattr(layers[ours], kind)  # an embedding has no bias
    }


def head_tensors(network: nn.Module, architecture: Architecture) -> dict[tuple[str, ...], Tensor]:
    """Return each tensor of our head under their name for it."""
    return {(theirs,): network.get_parameter(ours) for ours, theirs in architecture.head.items()}


def other_tensors(network: nn.Module, architecture: Architecture) -> dict[str, Tensor]:
    """Return, under our names, the tensors of our head that the architecture has no place for."""
    if isinstance(network, Encoder):
        return {}
    return {
        name: parameter
        for name, parameter in network.named_parameters()
        if not name.startswith("encoder.") and name not in architecture.head
    }

"""The networks of a config and the work of their heads, as a table that every count is based on."""

from dataclasses import dataclass
from typing import Literal

from electra_edu.config import ElectraConfig, EncoderShape, masked_positions
from electra_edu.config.objectives import OBJECTIVES

CONFIG = "edu.preset('toy')"  # how errors say where a config comes from


@dataclass(frozen=True)
class Network:
    """An encoder and its head."""

    name: str  # the first word of its items
    head: str  # the item of its head
    shape: EncoderShape
    predicts: Literal["words", "words or copies", "replaced"]
    positions: Literal["masked", "all"]  # the positions that reach the head


def networks(config: ElectraConfig) -> tuple[Network, ...]:
    """List the networks of `config` that have weights: the generator if it learns, and the main network if any."""
    found = []
    if config.generator_kind == "learned":
        found.append(Network("generator", "vocabulary layer", config.generator, "words", "masked"))
    objective = OBJECTIVES[config.objective]
    if objective.predicts == "replaced":
        # The head computes a logit for every position, even where the loss of "electra-15" does not count it.
        found.append(Network("discriminator", "discriminator head", config.discriminator, "replaced", "all"))
    elif objective.predicts is not None:
        main = ("main network", "main vocabulary layer")
        found.append(Network(*main, config.discriminator, objective.predicts, objective.positions))
    return tuple(found)


def head_positions(config: ElectraConfig, network: Network) -> int:
    """Return how many positions of a sequence reach the head of `network`."""
    if network.positions == "all":
        return config.max_seq_length
    return masked_positions(config.max_seq_length, config.mask_prob)


def with_total(items: dict[str, int]) -> dict[str, int]:
    """Add the sum of the items under "total"."""
    return items | {"total": sum(items.values())}

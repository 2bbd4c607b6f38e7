"""The number of trainable parameters, item by item."""

from typing import TypedDict

from electra_edu.config import ElectraConfig, EncoderShape
from electra_edu.efficiency.networks import CONFIG, Network, networks
from electra_edu.support import arguments


class Parameters(TypedDict):
    """The counts that `parameters` returns."""

    discriminator: int  # the main network with its head, whatever it predicts; 0 where there is none
    generator: int  # with its head; 0 for a generator that does not learn
    shared: int  # counted in both of the above and once in the total
    total: int
    items: dict[str, int]  # every number once: the items add up to the total


def parameters(config: ElectraConfig) -> Parameters:
    """Count the trainable parameters of `config`.

    The output weights of a vocabulary layer are the token embeddings, so they add nothing. With `weight_sharing`
    "embeddings" the networks share all embeddings and their LayerNorm, with "all" the whole encoder. With "gdes" the
    discriminator has a table of differences as large as the generator's table, so nothing is shared.
    """
    arguments.instance("config", config, ElectraConfig, CONFIG)
    trained = networks(config)
    items: dict[str, int] = {}
    for network in trained:
        embeddings, blocks = _embeddings(config), _blocks(config, network.shape)
        common = {"embeddings": embeddings, "all": embeddings | blocks}.get(config.weight_sharing, {})
        for part, count in (embeddings | blocks | _head(config, network)).items():
            owner = "shared" if len(trained) == 2 and part in common else network.name
            items[f"{owner} {part}"] = count  # a shared part is set twice, to the same count
    if config.scheme == "adversarial":
        items["generator baseline"] = config.generator.hidden_size + 1

    def owned_by(*owners: str) -> int:
        return sum(count for name, count in items.items() if name.startswith(owners))

    shared = owned_by("shared")
    generator, discriminator = owned_by("generator"), owned_by("discriminator", "main network")
    return {
        "discriminator": discriminator + shared,
        "generator": generator + shared,
        "shared": shared,
        "total": generator + discriminator + shared,
        "items": items,
    }


def _embeddings(config: ElectraConfig) -> dict[str, int]:
    size = config.embedding_size
    items = {"token embeddings": config.vocab_size * size}
    if config.positions == "learned":
        items["position embeddings"] = config.max_position_embeddings * size
    return items | {"type embeddings": config.type_vocab_size * size, "embedding norm": 2 * size}


def _blocks(config: ElectraConfig, shape: EncoderShape) -> dict[str, int]:
    layers, hidden, wide = shape.num_layers, shape.hidden_size, shape.intermediate_size
    project = {"projection": config.embedding_size * hidden + hidden} if config.embedding_size != hidden else {}
    return project | {
        "attention matrices": layers * 4 * hidden * hidden,  # query, key, value, output
        "feed-forward matrices": layers * 2 * hidden * wide,
        "block biases": layers * (4 * hidden + wide + hidden),
        "block norms": layers * 2 * 2 * hidden,
    }


def _head(config: ElectraConfig, network: Network) -> dict[str, int]:
    hidden, size = network.shape.hidden_size, config.embedding_size
    if network.predicts == "replaced":
        return {"head dense": hidden * hidden + hidden, "head output": hidden + 1}
    items = {"head dense": hidden * size + size, "head norm": 2 * size, "vocabulary bias": config.vocab_size}
    return items | {"copy gate": hidden + 1} if network.predicts == "words or copies" else items

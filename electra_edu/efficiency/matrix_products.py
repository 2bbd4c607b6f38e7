"""Training FLOPs by the rule of the course's races: matrix products only."""

from electra_edu.config import ElectraConfig, check_trained, masked_positions
from electra_edu.config.objectives import Trained
from electra_edu.efficiency.networks import (
    CONFIG,
    Network,
    head_positions,
    networks,
    with_total,
)
from electra_edu.support import arguments

# The cost of a step in forward passes of each network: a backward pass costs twice the forward.
_PASSES = {
    "both": {"generator": 3, "main": 3},
    "generator": {"generator": 3, "main": 0},
    "discriminator": {"generator": 1, "main": 3},
}


def flops(config: ElectraConfig, steps: int = 1, *, trained: Trained = "both") -> dict[str, int]:
    """Count the floating-point operations of `steps` training steps, itemised, with their "total".

    Only matrix products count, 2mnk each, and the backward pass as twice the forward. In a generator only the masked
    positions go through the last block and the vocabulary layer. PyTorch's own counter finds the same numbers. (The
    paper's rule also counts look-ups, softmaxes and norms: `official_flops`.)

    `trained` says which network is trained. With "generator" it runs alone. With "discriminator", which stands for the
    main network whatever it predicts, the generator only runs forward. A generator without weights costs nothing.
    Raises ElectraEduError for `steps` below 0 and where there is no network to train.
    """
    arguments.instance("config", config, ElectraConfig, CONFIG)
    steps = arguments.whole_number("steps", steps, 0)
    check_trained(config, trained)
    items = {}
    for network in networks(config):
        passes = _PASSES[trained]["generator" if network.name == "generator" else "main"]
        if passes:
            scale = passes * steps * config.batch_size
            items[f"{network.name} encoder"] = scale * _encoder(config, network)
            items |= {name: scale * count for name, count in _head(config, network).items()}
    if config.scheme == "adversarial" and trained == "both":
        # Forward, and backward to its weights; no gradient goes on to its input. So it costs 2 passes and not 3.
        baseline = 2 * masked_positions(config.max_seq_length, config.mask_prob) * config.generator.hidden_size
        items["baseline"] = 2 * steps * config.batch_size * baseline
    return with_total(items)


def _encoder(config: ElectraConfig, network: Network) -> int:
    """Count one sequence's forward pass through an encoder; its last block makes only the states for the head."""
    length, hidden = config.max_seq_length, network.shape.hidden_size
    project = 0 if config.embedding_size == hidden else config.embedding_size * hidden
    query_key_value = 3 * hidden * hidden
    scores_and_mix = 2 * length * hidden
    output_and_feed_forward = hidden * hidden + 2 * hidden * network.shape.intermediate_size
    states = (network.shape.num_layers - 1) * length + head_positions(config, network)  # of all blocks together
    inputs = length * (project + network.shape.num_layers * query_key_value)
    return 2 * (inputs + states * (scores_and_mix + output_and_feed_forward))


def _head(config: ElectraConfig, network: Network) -> dict[str, int]:
    """Count one sequence's forward pass through a head."""
    hidden, positions = network.shape.hidden_size, head_positions(config, network)
    if network.predicts == "replaced":
        return {network.head: 2 * positions * hidden * (hidden + 1)}
    words = {network.head: 2 * positions * config.embedding_size * (hidden + config.vocab_size)}
    return words | {"copy gate": 2 * positions * hidden} if network.predicts == "words or copies" else words

"""Training FLOPs by the rule of the races: what the matrix products cost, and nothing else."""

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

# How often a network's forward pass is paid in a step: the backward pass costs twice the forward.
_PASSES = {
    "both": {"generator": 3, "main": 3},
    "generator": {"generator": 3, "main": 0},
    "discriminator": {"generator": 1, "main": 3},
}


def flops(config: ElectraConfig, steps: int = 1, *, trained: Trained = "both") -> dict[str, int]:
    """Count the floating-point operations of `steps` training steps, itemised, with their "total".

    Matrix products only, 2mnk each, the backward pass twice the forward; of a generator's sequence only the masked
    positions are carried through the last block and the vocabulary layer. This is what PyTorch's own counter finds.
    (The paper's rule also counts look-ups, softmaxes and norms: `official_flops`.)

    `trained` says which network learns: with "generator" it runs alone; with "discriminator", which stands for the
    main network whatever that predicts, the generator only runs forward. A generator that is not learned is free.
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
    if (
        config.scheme == "adversarial" and trained == "both"
    ):  # nothing goes back through the baseline: twice, not thrice
        baseline = 2 * masked_positions(config.max_seq_length, config.mask_prob) * config.generator.hidden_size
        items["baseline"] = 2 * steps * config.batch_size * baseline
    return with_total(items)


def _encoder(config: ElectraConfig, network: Network) -> int:
    """Count one sequence's forward pass through an encoder, whose last block makes only the states its head reads."""
    length, hidden = config.max_seq_length, network.shape.hidden_size
    project = 0 if config.embedding_size == hidden else config.embedding_size * hidden
    query_key_value = 3 * hidden * hidden
    scores_and_mix = 2 * length * hidden
    output_and_feed_forward = hidden * hidden + 2 * hidden * network.shape.intermediate_size
    made = (network.shape.num_layers - 1) * length + head_positions(config, network)  # states, in all blocks together
    read = length * (project + network.shape.num_layers * query_key_value)
    return 2 * (read + made * (scores_and_mix + output_and_feed_forward))


def _head(config: ElectraConfig, network: Network) -> dict[str, int]:
    """Count one sequence's forward pass through a head."""
    hidden, positions = network.shape.hidden_size, head_positions(config, network)
    if network.predicts == "replaced":
        return {network.head: 2 * positions * hidden * (hidden + 1)}
    words = {network.head: 2 * positions * config.embedding_size * (hidden + config.vocab_size)}
    return words | {"copy gate": 2 * positions * hidden} if network.predicts == "words or copies" else words

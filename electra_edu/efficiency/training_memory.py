"""The memory that training needs, in bytes, item by item."""

from electra_edu.config import ElectraConfig
from electra_edu.efficiency.networks import Network, head_positions, networks, with_total
from electra_edu.efficiency.parameter_counts import parameters

FLOAT32 = 4  # bytes


def memory(config: ElectraConfig) -> dict[str, int]:
    """Count the bytes that one training step of `config` needs in float32, itemised, with their "total".

    Exact are the parameters, a gradient for each, the average of the weights and the optimiser's state. Muon keeps one
    number for each entry of a block's matrices and Adam two for every other parameter; the paper's Adam keeps two for
    all. A TrainingRun also keeps copies of all these but the gradients, to undo a step that is interrupted.

    Estimated are the activations that a forward pass keeps for the backward pass, by this rule. Each token leaves its
    embedding before and after the LayerNorm, and in each block 8 vectors of the hidden size (the input, query, key,
    value, the output of attention, the input and output of its LayerNorm, the input of the other LayerNorm) and 2 of
    the feed-forward width (before and after the GELU). Rotary positions keep the rotated query and key as well. Dropout
    adds one byte for each unit that it may drop. Where a head reads only the masked positions, the last block keeps 4
    of its vectors (input, query, key, value; with rotary positions also the rotated ones) for every token, and the rest
    for the masked positions only. Attention is fused and stores no scores; with dropout it does, and needs more.
    "logits" are those of the vocabulary layers and their log-softmax. Temporary copies inside an operation are not
    counted.
    """
    count = parameters(config)
    matrices = sum(number for name, number in count["items"].items() if name.endswith("matrices"))
    moments = 2 * count["total"] - (matrices if config.optimizer == "muon" else 0)
    items = {
        "parameters": FLOAT32 * count["total"],
        "gradients": FLOAT32 * count["total"],
        "optimizer state": FLOAT32 * moments,
        "average of the weights": FLOAT32 * count["total"],
        "copies for undo": FLOAT32 * (2 * count["total"] + moments),
    }
    for network in networks(config):
        items[f"{network.name} activations"] = config.batch_size * _activations(config, network)
        if network.predicts != "replaced":
            logits = 2 * head_positions(config, network) * config.vocab_size
            items[f"{network.name} logits"] = FLOAT32 * config.batch_size * logits
    return with_total(items)


def _activations(config: ElectraConfig, network: Network) -> int:
    """Count the bytes that one sequence keeps in an encoder and in its head, without logits."""
    size, hidden, wide = config.embedding_size, network.shape.hidden_size, network.shape.intermediate_size
    layers, rotary = network.shape.num_layers, config.positions == "rotary"
    length, at_head = config.max_seq_length, head_positions(config, network)
    states = (layers - 1) * length + at_head  # of all blocks together
    inputs = length * (2 * size + layers * (4 + 2 * rotary) * hidden)
    # The head keeps its input, and the input and output of its GELU; a vocabulary layer also its norm's output.
    head = hidden + (2 * hidden if network.predicts == "replaced" else 3 * size)
    droppable = length * size + states * 2 * hidden if config.dropout else 0
    return FLOAT32 * (inputs + states * (4 * hidden + 2 * wide) + at_head * head) + droppable

"""The memory that training asks for, in bytes, item by item."""

from electra_edu.config import ElectraConfig
from electra_edu.efficiency.networks import Network, head_positions, networks, with_total
from electra_edu.efficiency.parameter_counts import parameters

FLOAT32 = 4  # bytes


def memory(config: ElectraConfig) -> dict[str, int]:
    """Count the bytes that one training step of `config` holds in float32, itemised, with their "total".

    Exact: the parameters, a gradient for each, the average of the weights, and the optimiser's state (Muon keeps one
    number for each entry of a block's matrices, Adam two for every other parameter; the paper's Adam two for all), and
    copies of all these but the gradients, by which a TrainingRun takes back a step that is cut off.

    Estimated: what a forward pass keeps for the backward pass, by this rule. Each token leaves its embedding before and
    after the LayerNorm, and in each block 8 vectors of the hidden size (the input, query, key, value, what attention
    mixed, the input and output of its LayerNorm, the input of the second) and 2 of the feed-forward width (before and
    after the GELU); rotary positions keep query and key once more, turned. Dropout adds one byte for each unit it may
    drop. Where a head reads only the masked positions, the last block keeps 4 of its vectors (input, query, key,
    value; of rotary positions both) for every token and the rest for these. Attention is fused and stores no scores
    (with dropout it does store them: more is needed then). "logits" are those of the vocabulary
    layers and their log-softmax. Temporary copies inside an operation come on top.
    """
    count = parameters(config)
    matrices = sum(number for name, number in count["items"].items() if name.endswith("matrices"))
    moments = 2 * count["total"] - (matrices if config.optimizer == "muon" else 0)
    items = {
        "parameters": FLOAT32 * count["total"],
        "gradients": FLOAT32 * count["total"],
        "optimizer state": FLOAT32 * moments,
        "average of the weights": FLOAT32 * count["total"],
        "copies to go back to": FLOAT32 * (2 * count["total"] + moments),
    }
    for network in networks(config):
        items[f"{network.name} activations"] = config.batch_size * _activations(config, network)
        if network.predicts != "replaced":
            logits = 2 * head_positions(config, network) * config.vocab_size
            items[f"{network.name} logits"] = FLOAT32 * config.batch_size * logits
    return with_total(items)


def _activations(config: ElectraConfig, network: Network) -> int:
    """Count the bytes that one sequence leaves behind in an encoder and in its head, logits aside."""
    size, hidden, wide = config.embedding_size, network.shape.hidden_size, network.shape.intermediate_size
    layers, rotary = network.shape.num_layers, config.positions == "rotary"
    length, at_head = config.max_seq_length, head_positions(config, network)
    made = (layers - 1) * length + at_head  # states, in all blocks together
    read = length * (2 * size + layers * (4 + 2 * rotary) * hidden)
    # The head keeps its input, and what stands before and after its GELU; a vocabulary layer also its norm's output.
    head = hidden + (2 * hidden if network.predicts == "replaced" else 3 * size)
    droppable = length * size + made * 2 * hidden if config.dropout else 0
    return FLOAT32 * (read + made * (4 * hidden + 2 * wide) + at_head * head) + droppable

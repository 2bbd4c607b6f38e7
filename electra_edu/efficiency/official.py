"""FLOPs by the rule of the paper's tables, which counts every mathematical operation.

Source of the rule: google-research/electra, flops_computation.py. It differs from `flops` in four ways. The backward
pass costs as much as the forward. A look-up counts as a product with a one-hot vector as long as the vocabulary.
Biases, sums, dropout, norms, activations and softmaxes count. And 0.15625 of the tokens reach a vocabulary layer,
whatever the mask rate. The rule knows only learned positions and a dropout above 0; rotary positions and a dropout of 0
are counted like them.
"""

from fractions import Fraction

from electra_edu.config import ElectraConfig, EncoderShape
from electra_edu.efficiency.networks import CONFIG, Network, networks, with_total
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError

# Operations for each element.
DROPOUT = 4  # draw, compare, multiply by the mask, rescale
LAYER_NORM = 5  # sum; square and sum; add; multiply
GELU = 8
SOFTMAX = 5  # largest, subtract, exponential, sum, divide
OUTPUT_SHARE = Fraction(5, 32)  # of the tokens reach a vocabulary layer: 20 of 128, 80 of 512


def official_flops(config: ElectraConfig, steps: int | None = None) -> dict[str, int]:
    """Count the operations of `steps` training steps (`config.training_steps` when None), itemised, with "total".

    The result is the paper's number for each of its BERTs and ELECTRAs but one. ELECTRA-Small gets 1.29e18, and the
    paper prints 1.4e18. With a generator of half the size the rule gives 1.42e18, which is also the cost of
    BERT-Small's 1.45 million steps.
    Raises ElectraEduError for `steps` below 0, or None where the config has no horizon.
    """
    arguments.instance("config", config, ElectraConfig, CONFIG)
    if steps is None and config.training_steps is None:
        raise ElectraEduError("steps=None: this config has no training_steps. Give the number of steps.")
    count = arguments.whole_number("steps", config.training_steps if steps is None else steps, 0)
    length, scale = config.max_seq_length, 2 * config.batch_size * count  # 2: forward and backward
    items = {}
    for network in networks(config):
        items[f"{network.name} embeddings"] = scale * length * _embeddings(config, length)
        items[f"{network.name} encoder"] = scale * length * _encoder(config, network.shape, length)
        items |= {name: int(scale * length * each) for name, each in _head(config, network).items()}
    return with_total(items)


def official_inference_flops(config: ElectraConfig, length: int = 128) -> dict[str, int]:
    """Count the operations of classifying one text of `length` tokens with the pre-trained network, with "total".

    At 128 tokens the paper's Table 1 has 3.7e9 for the small models and 2.9e10 for the base ones; the rule gives 3.68e9
    and 2.86e10. Raises ElectraEduError for a `length` below 1.
    """
    arguments.instance("config", config, ElectraConfig, CONFIG)
    length = arguments.whole_number("length", length, 1)
    items = {
        "embeddings": length * _embeddings(config, length),
        "encoder": length * _encoder(config, config.discriminator, length),
        "head": length * _binary_head(config.hidden_size),
    }
    return with_total(items)


def _embeddings(config: ElectraConfig, length: int) -> int:
    """Count one token's look-ups as products with one-hot vectors, their sum, LayerNorm and dropout."""
    look_ups = 2 * config.embedding_size * (config.vocab_size + length + config.type_vocab_size)
    return look_ups + (2 + LAYER_NORM + DROPOUT) * config.embedding_size


def _encoder(config: ElectraConfig, shape: EncoderShape, length: int) -> int:
    """Count one token's operations in the projection and the blocks, in a text of `length` tokens."""
    size, hidden = config.embedding_size, shape.hidden_size
    project = 0 if size == hidden else 2 * size * hidden + hidden
    return project + shape.num_layers * sum(_block(shape, length).values())


def _block(shape: EncoderShape, length: int) -> dict[str, int]:
    """Count one token's operations in a block, in a text of `length` tokens; a matrix counts with its bias."""
    hidden, wide, attended = shape.hidden_size, shape.intermediate_size, shape.num_heads * length
    return {
        "query, key, value": 3 * (2 * hidden * hidden + hidden),
        "attention scores": 2 * hidden * length + attended,  # and their scaling
        "attention softmax, dropout": (SOFTMAX + DROPOUT) * attended,
        "attention mix": 2 * hidden * length,
        "attention output": 2 * hidden * hidden + hidden,
        "attention dropout, residual": (DROPOUT + 1) * hidden,
        # The script lacks "× hidden" here as well: github.com/google-research/electra, issue 121.
        "attention norm": LAYER_NORM,
        "widen": 2 * hidden * wide + wide,
        "activation": GELU * wide,
        "narrow": 2 * wide * hidden + hidden,
        "feed-forward dropout, residual": (DROPOUT + 1) * hidden,
        "feed-forward norm": LAYER_NORM * hidden,
    }


def _head(config: ElectraConfig, network: Network) -> dict[str, Fraction]:
    """Count the head's operations, averaged over all tokens."""
    hidden = network.shape.hidden_size
    if network.predicts == "replaced":
        return {network.head: Fraction(_binary_head(hidden))}
    share = Fraction(1) if network.positions == "all" else OUTPUT_SHARE
    words = {network.head: share * _vocabulary_layer(config, hidden)}
    # The rule has no copy gate; it is counted like the discriminator's last layer.
    return words | {"copy gate": share * 2 * hidden} if network.predicts == "words or copies" else words


def _vocabulary_layer(config: ElectraConfig, hidden: int) -> int:
    """Count one token's prediction: dense layer, GELU, LayerNorm, logits, softmax and the loss."""
    size, words = config.embedding_size, config.vocab_size
    dense = 2 * hidden * size + size + (GELU + LAYER_NORM) * size
    return dense + 2 * size * words + (SOFTMAX + 2) * words


def _binary_head(hidden: int) -> int:
    """Count one token's logit: dense layer, GELU and output layer."""
    return 2 * hidden * hidden + hidden + GELU * hidden + 2 * hidden

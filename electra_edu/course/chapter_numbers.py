"""The numbers of a popular chapter on ELECTRA, computed as it does; each function says what is wrong.

They are here to be compared with the right ones: `efficiency.learning_signal` and `efficiency.parameters`. Source:
Michael Brenndoerfer, "ELECTRA: Efficient Pre-training with Replaced Token Detection", 2025.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from electra_edu.efficiency.networks import with_total
from electra_edu.support import arguments

VOCAB_SIZE, POSITIONS = 30522, 512

# (hidden size, layers) of the discriminator and of the generator; feed-forward layers are four times as wide. The
# paper's small generator is 64 wide, a quarter, and not 256. Only the model that was later released as "small" has a
# generator of full size.
SIZES: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = MappingProxyType(
    {
        "small": ((256, 12), (256, 12)),
        "base": ((768, 12), (256, 12)),
        "large": ((1024, 24), (256, 24)),
    }
)


def mlm_efficiency(length: int = 512, mask_prob: float = 0.15) -> dict[str, float]:
    """Return the masked share of a sequence as the "training efficiency" of BERT: 76 of 512 tokens, 14.8%.

    Wrong: the paper rounds up and the official code to the nearest, both to 77. The other 435 positions are not wasted:
    they are the context of a prediction, and gradients reach them through attention. They only have no loss.
    Raises ElectraEduError for a `length` below 1 and a rate outside [0, 1].
    """
    length = arguments.whole_number("length", length, 1, arguments.MAX_INT64)
    mask_prob = arguments.finite_number("mask_prob", mask_prob, 0, 1)
    masked = int(mask_prob * length)
    return {"masked": masked, "unmasked": length - masked, "efficiency": masked / length}


def learning_signal() -> dict[str, float]:
    """Return the "information" in the labels of 512 tokens: 76 × 14.9 = 1132 bits for MLM, 512 × 1 for RTD.

    Wrong: log2|V| is the entropy of a word drawn uniformly from the vocabulary, and in no language are words uniform. A
    label of RTD has 1 bit only if half of the tokens are replaced; with 10% it has 0.47, which is 240 bits in all. More
    positions do not "more than compensate" either: by these numbers MLM is ahead. Nor does the ratio of positions, 6.7,
    explain the gain: All-Tokens MLM also has a loss at all positions, and its result is below ELECTRA's (84.3 against
    85.0 on GLUE).
    """
    masked, length = int(0.15 * POSITIONS), POSITIONS
    bits = math.log2(VOCAB_SIZE)
    return {
        "MLM positions": masked,
        "MLM bits per position": bits,
        "MLM bits": masked * bits,
        "RTD positions": length,
        "RTD bits per position": 1.0,
        "RTD bits": 1.0 * length,
        "ratio of positions": length / masked,
    }


def estimated_parameters(size: str) -> dict[str, int]:
    """Estimate the parameters of "small", "base" or "large": 42.7, 134.2 and 368.8 million in all.

    Wrong: the embeddings are as wide as the network (the small model's have 128, which makes 13.5 million, not 17.4).
    They have no LayerNorm and no types. Both heads lack a layer. The generator has embeddings of its own, and a third
    table as its output layer, although they are to be shared. The small generator has full size.
    Right totals: 14.2, 119.4 and 354.7 million. "About 16 million more for the generator" fits none of these.
    Raises ElectraEduError for another size.
    """
    arguments.one_of("size", size, tuple(SIZES))
    (wide, deep), (generator_wide, generator_deep) = SIZES[size]
    items = {
        "discriminator": _tables(wide) + deep * _block(wide) + wide + 1,
        "generator": _tables(generator_wide) + generator_deep * _block(generator_wide) + _output(generator_wide),
    }
    return with_total(items)


def demo_generator_parameters() -> int:
    """Count the generator that the chapter builds, 256 wide with 4 layers: 19,014,714.

    Wrong: its output layer has 7.8 million weights of its own. Tied to the input embeddings, as in the paper, it has
    none.
    """
    wide = 256
    norms = 2 * wide + 2 * wide  # after the embeddings, and in the head
    return _tables(wide) + norms + 4 * _block(wide) + wide * wide + wide + _output(wide)


def demo_discriminator_parameters() -> int:
    """Count the discriminator that the chapter builds, of base size: 108,890,881.

    Wrong: it has no type embeddings, and its head is one layer where the official code has two, so 592,128 are missing.
    "Roughly 85 million" is the encoder without its embeddings.
    """
    wide = 768
    return _tables(wide) + 2 * wide + 12 * _block(wide) + wide + 1


def _tables(wide: int) -> int:
    return (VOCAB_SIZE + POSITIONS) * wide


def _block(wide: int) -> int:
    attention, feed_forward, norms = 4 * (wide * wide + wide), 2 * wide * 4 * wide + 4 * wide + wide, 4 * wide
    return attention + feed_forward + norms


def _output(wide: int) -> int:
    return wide * VOCAB_SIZE + VOCAB_SIZE

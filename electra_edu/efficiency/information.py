"""How much information the labels of the two losses carry: positions and bits."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from electra_edu.config import ElectraConfig, masked_positions
from electra_edu.efficiency.networks import CONFIG
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError

# The share of the masked tokens that end up replaced, as a generator's samples are right about 60% of the time (an
# author of the paper in github.com/ymcui/Chinese-ELECTRA, issue 19). At a mask rate of 15% that is 6% of all tokens.
WRONG_SAMPLES = 0.4

CAUTION = (
    "Bits of a label are not bits learned. Words are far from equally frequent, so a masked word carries less than "
    "log2|V|; an RTD label carries a full bit only if half of the tokens are replaced. And with the paper's settings "
    "the masked words carry more than the RTD labels, yet the RTD labels teach more. Only experiments tell: on GLUE, "
    "Table 5 of the paper has BERT at 82.2, RTD at the masked 15% alone at 82.4, words at all positions at 84.3, "
    "ELECTRA at 85.0."
)


@dataclass(frozen=True)
class Signal:
    """The labels of one loss in a sequence of `length` tokens."""

    length: int
    positions: int  # that carry the loss
    bits_per_label: float  # entropy of a label, given the frequencies of its values
    uniform_bits_per_label: float  # the entropy if all values were equally frequent: an upper bound

    @property
    def share(self) -> float:
        """Share of the sequence's positions that carry the loss."""
        return self.positions / self.length

    @property
    def bits(self) -> float:
        """Entropy of all labels of a sequence, as if they were independent."""
        return self.positions * self.bits_per_label

    @property
    def bits_per_token(self) -> float:
        """Bits of all labels, per token of the sequence."""
        return self.bits / self.length

    @property
    def uniform_bits(self) -> float:
        """Entropy of all labels of a sequence if all values were equally frequent."""
        return self.positions * self.uniform_bits_per_label


@dataclass(frozen=True)
class LearningSignal:
    """Masked language modelling and replaced token detection side by side."""

    mlm: Signal
    rtd: Signal
    caution: str = CAUTION  # why the bits do not decide which objective is better


def learning_signal(
    config: ElectraConfig, replaced_rate: float | None = None, word_frequencies: Iterable[float] | None = None
) -> LearningSignal:
    """Count the positions that carry a loss and the entropy of their labels, for a sequence of `max_seq_length`.

    `replaced_rate` is the share of *all* tokens that are replaced (None: 0.4 × mask_prob, which is 6% at the usual
    15%). `word_frequencies` holds how often each word of the vocabulary occurs, in any unit; None gives a masked
    word the uniform log2|V| bits. The objective of `config` does not matter: both losses are shown.
    Raises ElectraEduError for a rate outside [0, 1] and for frequencies that cannot be.
    """
    arguments.instance("config", config, ElectraConfig, CONFIG)
    rate = WRONG_SAMPLES * config.mask_prob if replaced_rate is None else arguments.as_number(replaced_rate)
    if rate is None or not 0 <= rate <= 1:
        arguments.refuse("replaced_rate", replaced_rate, "a number from 0 to 1, for example 0.06")
    length, uniform = config.max_seq_length, math.log2(config.vocab_size)
    word = uniform if word_frequencies is None else _entropy(_shares(word_frequencies, config.vocab_size))
    return LearningSignal(
        mlm=Signal(length, masked_positions(length, config.mask_prob), word, uniform),
        rtd=Signal(length, length, _entropy([rate, 1 - rate]), 1.0),
    )


def _entropy(shares: Iterable[float]) -> float:
    """Return the entropy of a distribution in bits."""
    return -sum(share * math.log2(share) for share in shares if share > 0) + 0.0  # + 0.0 turns -0.0 into 0.0


def _shares(frequencies: Iterable[float], most: int) -> list[float]:
    """Return frequencies, scaled to a sum of 1."""
    known = [arguments.as_number(value) for value in arguments.items("word_frequencies", frequencies, "[0.5, 0.5]")]
    values = [value for value in known if value is not None]
    total = sum(values)
    if len(values) < len(known) or len(values) > most or min(values, default=-1) < 0 or not 0 < total < math.inf:
        raise ElectraEduError(
            f"word_frequencies: must be at most vocab_size={most} finite numbers ≥ 0, at least one of them above 0."
        )
    return [value / total for value in values]

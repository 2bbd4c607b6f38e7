"""BitsExplorer: how much the labels of both losses can say, done right."""

import math

from electra_edu import efficiency
from electra_edu.config import preset
from electra_edu.efficiency.information import SAMPLES_WRONG
from electra_edu.plots.blocks import Block, Curve, Fact, Facts, Lines, Pair, Table, Text
from electra_edu.widgets.instrument import Instrument, choices

LENGTHS = (32, 64, 128, 256, 512)
RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.75)
WRONG = (0.05, 0.1, 0.2, 0.3, SAMPLES_WRONG, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
POINTS = 101


class BitsExplorer(Instrument):
    """The entropy of a verdict's label, and what all labels of a sequence carry by three ways of counting."""

    def __init__(self) -> None:
        """Begin with the paper's sequence and a trained generator, 40% of whose samples are wrong."""
        self.length = choices("length", LENGTHS, 512)
        self.mask_prob = choices("mask rate", RATES, 0.15, "{:.0%}".format)
        self.wrong = choices("samples that are wrong", WRONG, SAMPLES_WRONG, "{:.0%}".format)
        super().__init__("Bits in the labels", [[self.length, self.mask_prob, self.wrong]])

    def blocks(self) -> list[Block]:
        """Return the bits of both losses, the curve H(p) with the present point, and three ways of counting."""
        rate = self.mask_prob.value * self.wrong.value
        config = preset("paper-base", max_seq_length=self.length.value, mask_prob=self.mask_prob.value)
        signal = efficiency.learning_signal(config, replaced_rate=rate)
        mlm, rtd = signal.mlm, signal.rtd
        facts = Facts(
            (
                Fact(f"{rate:.1%}", "of all tokens are replaced"),
                Fact(f"{rtd.bits_per_label:.2f} bits", "in one verdict's label", "discriminator"),
                Fact(f"{rtd.bits:.0f} bits", f"in {rtd.positions} verdicts", "discriminator"),
                Fact(f"{mlm.uniform_bits:.0f} bits", f"at most, in {mlm.positions} masked words", "generator"),
            )
        )
        shares = tuple(i / (POINTS - 1) for i in range(POINTS))
        curve = Lines(
            "The entropy of a yes-or-no label",
            (
                Curve("H(p)", shares, tuple(map(_entropy, shares)), "discriminator"),
                Curve("“1 bit”", (0.0, 1.0), (1.0, 1.0), "neutral", True),
            ),
            "share of replaced tokens, p",
            "bits per label",
            (0.0, 1.0),
            (0.0, 1.1),
            dots=((rate, rtd.bits_per_label, f"p = {rate:.1%}"),),
        )
        table = Table(
            ("counted", "MLM", "RTD"),
            (
                ("positions", str(mlm.positions), str(rtd.positions)),
                ("bits, all answers equally likely", f"{mlm.uniform_bits:.0f}", f"{rtd.uniform_bits:.0f}"),
                ("bits, with the true frequencies", "less: words are not", f"{rtd.bits:.0f}"),
            ),
            "Three ways to count",
        )
        more = mlm.uniform_bits / rtd.bits if rtd.bits else math.inf
        return [
            facts,
            Pair(curve, table),
            Text(
                f"The masked words could carry {more:.1f} times as many bits as the verdicts. Yet ELECTRA learns more "
                "with the same computing: bits of labels do not decide. An experiment does."
            ),
        ]

    def code(self) -> str:
        """Return calls that give the same bits."""
        length, rate = self.length.value, self.mask_prob.value
        return "\n".join(
            [
                "import electra_edu as edu",
                "",
                f"config = edu.preset('paper-base', max_seq_length={length}, mask_prob={rate:g})",
                f"signal = edu.efficiency.learning_signal(config, replaced_rate={rate * self.wrong.value:.4g})",
                "print(signal.mlm.uniform_bits, signal.rtd.bits, signal.rtd.bits_per_label)",
            ]
        )


def _entropy(p: float) -> float:
    return -sum(share * math.log2(share) for share in (p, 1 - p) if share > 0) + 0.0

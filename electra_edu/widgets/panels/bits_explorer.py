"""BitsExplorer: how many bits the labels of the two losses hold, counted properly, and why they decide nothing."""

import math

import torch

from electra_edu.config import ElectraConfig
from electra_edu.corpora import load_corpus
from electra_edu.corpora.toy import exact_limits
from electra_edu.efficiency import learning_signal
from electra_edu.efficiency.information import WRONG_SAMPLES
from electra_edu.metrics import binary_entropy
from electra_edu.model.masking import mask
from electra_edu.plots.blocks import Block, Fact, Facts, Row, Text
from electra_edu.plots.charts import BarChart, Curve, Dot, LineChart, Series, Subplot
from electra_edu.widgets.parts.instrument import Instrument
from electra_edu.widgets.parts.knobs import Slider

LENGTHS = (22, 64, 128, 512)
VOCABULARIES = (324, 1024, 8192, 30522, 100_000)
RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50)
WRONG_SHARES = (0.1, 0.2, 0.3, WRONG_SAMPLES, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
N_STORIES = 64  # over which the entropy of the toy language is averaged
LN2 = math.log(2)


class BitsExplorer(Instrument):
    """The bits in the labels of one sequence: of the masked words, and of the verdicts on all tokens."""

    def __init__(self) -> None:
        """Begin with the paper's settings and a trained generator, 40% of whose samples are wrong."""
        self._toy = _toy_bits()
        self.length = Slider("tokens", LENGTHS, 512, width="46%")
        self.vocab_size = Slider("vocabulary", VOCABULARIES, 30522, "{:,}".format, width="46%")
        self.mask_prob = Slider("mask rate", RATES, 0.15, "{:.0%}".format, width="46%")
        self.wrong = Slider("wrong samples", WRONG_SHARES, WRONG_SAMPLES, "{:.0%}".format, width="46%")
        super().__init__("Bits in the labels", [[self.length, self.vocab_size], [self.mask_prob, self.wrong]])

    @property
    def replaced_rate(self) -> float:
        """Share of all tokens that are replaced: the mask rate times the share of wrong samples."""
        return float(self.mask_prob.value * self.wrong.value)

    def blocks(self) -> list[Block]:
        """Return the counts, the curve H(p) with today's p, the bits in four ways, and what they do not say."""
        signal = learning_signal(
            ElectraConfig(
                vocab_size=self.vocab_size.value, max_seq_length=self.length.value, mask_prob=self.mask_prob.value
            ),
            self.replaced_rate,
        )
        mlm, rtd, in_context = signal.mlm, signal.rtd, self._toy[self.mask_prob.value]
        known = mlm.positions * in_context
        facts = Facts(
            (
                Fact(
                    f"{mlm.uniform_bits:,.0f} bits",
                    f"{mlm.positions} words × {mlm.uniform_bits_per_label:.1f}: all words equally likely",
                    "generator",
                ),
                Fact(
                    f"{known:,.0f} bits",
                    f"{mlm.positions} words × {in_context:.2f}: as in the toy language",
                    "generator",
                ),
                Fact(
                    f"{rtd.uniform_bits:,.0f} bits",
                    f"{rtd.positions} verdicts × 1: if half were replaced",
                    "discriminator",
                ),
                Fact(
                    f"{rtd.bits:,.0f} bits",
                    f"{rtd.positions} verdicts × {rtd.bits_per_label:.2f}: {self.replaced_rate:.1%} are replaced",
                    "discriminator",
                ),
            )
        )
        x = tuple(i / 100 for i in range(101))
        entropy = LineChart(
            "Bits in one verdict: H(p)",
            [
                Subplot(
                    "bits",
                    [Curve("", x, [binary_entropy(p) / LN2 for p in x], "discriminator")],
                    ylim=(0.0, 1.1),
                    dots=[Dot(self.replaced_rate, rtd.bits_per_label, f"p = {self.replaced_rate:.1%}")],
                )
            ],
            "p, share of replaced tokens",
            (0.0, 1.0),
        )
        bars = BarChart(
            "Bits in the labels of one sequence",
            ("equally likely answers", "with their real chances"),
            (
                Series("MLM", (mlm.uniform_bits, known), "generator"),
                Series("RTD", (rtd.uniform_bits, rtd.bits), "discriminator", True),
            ),
            "bits",
        )
        return [
            facts,
            Row((entropy, bars)),
            Text(
                f"Counted with equally likely answers, {_comparison(mlm.uniform_bits, rtd.uniform_bits)}; "
                f"with real chances, {_comparison(known, rtd.bits)}. Which task teaches more, no such count can tell."
            ),
            Text(
                "The real chances of a word given the visible ones are known for the toy language alone. For other "
                "texts there is only the upper bound.",
                "neutral",
            ),
        ]

    def code(self) -> list[str]:
        """Return calls that count the same."""
        return [
            "import electra_edu as edu",
            "",
            f"config = edu.preset('paper-base', vocab_size={self.vocab_size.value}, "
            f"max_seq_length={self.length.value}, mask_prob={self.mask_prob.value:g})",
            f"signal = edu.efficiency.learning_signal(config, replaced_rate={self.replaced_rate:g})",
            "print(signal.mlm.positions, signal.mlm.uniform_bits)",
            "print(signal.rtd.positions, signal.rtd.bits_per_label, signal.rtd.bits)",
            "print(signal.caution)",
        ]


def _comparison(words: float, verdicts: float) -> str:
    """Return which of the two hold more bits, and by how much."""
    if min(words, verdicts) <= 0:
        return "only the masked words hold any" if words > verdicts else "neither holds any"
    most = "the masked words" if words > verdicts else "the verdicts"
    return f"{most} hold {max(words, verdicts) / min(words, verdicts):.1f} times as many"


def _toy_bits() -> dict[float, float]:
    """Return the bits of a hidden word of the toy language given all visible ones, for each mask rate."""
    stories = load_corpus("toy").heldout[:N_STORIES]
    config = ElectraConfig(vocab_size=int(stories.max()) + 1)
    found = {}
    for rate in RATES:
        masking = mask(stories, config.replace(mask_prob=rate), torch.Generator().manual_seed(0))
        found[rate] = exact_limits(stories, masking.is_masked).entropy / LN2
    return found

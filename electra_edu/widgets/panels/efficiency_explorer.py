"""EfficiencyExplorer: which tokens of a sequence carry a loss, by masked language modelling and by ELECTRA."""

import math

import torch

from electra_edu import efficiency
from electra_edu.config import masked_positions, preset
from electra_edu.plots.blocks import Block, Fact, Facts, Row, Table, Text
from electra_edu.plots.charts import Color, Squares
from electra_edu.widgets.parts.instrument import Instrument
from electra_edu.widgets.parts.knobs import Slider

LENGTHS = (32, 64, 128, 256, 512)
RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.75)
PER_ROW = 32


class EfficiencyExplorer(Instrument):
    """Two pictures of one sequence: the tokens whose prediction is scored, and what the scoring costs."""

    def __init__(self) -> None:
        """Begin with the paper's sequence: 512 tokens, 15% of them masked."""
        self.length = Slider("length", LENGTHS, 512)
        self.mask_prob = Slider("mask rate", RATES, 0.15, "{:.0%}".format)
        self._costs: dict[tuple[int, float], float] = {}
        super().__init__("What share of the work teaches?", [[self.length, self.mask_prob]])

    def blocks(self) -> list[Block]:
        """Return both pictures, the counts by three rules, and the price of a step."""
        length, rate = self.length.value, self.mask_prob.value
        masked = masked_positions(length, rate)
        chosen = set(torch.randperm(length, generator=torch.Generator().manual_seed(length))[:masked].tolist())
        of_mlm: tuple[Color | None, ...] = tuple("generator" if i in chosen else None for i in range(length))
        facts = Facts(
            (
                Fact(f"{masked} of {length}", f"tokens score in MLM ({masked / length:.1%})", "generator"),
                Fact(f"{length} of {length}", "tokens score in RTD", "discriminator"),
                Fact(f"{length / masked:.1f} ×", "as many scored places"),
                Fact(f"{self._cost():.2f} ×", "BERT's price of a step, at base size"),
            )
        )
        rules = Table(
            ("rule", "masked", "share"),
            tuple(
                (name, str(count), f"{count / length:.1%}")
                for name, count in (
                    (f"int({length} × {rate:g}), cut off", int(length * rate)),
                    ("round(…), the official code and here", masked),
                    ("ceil(…), the paper's formula", math.ceil(length * rate - 1e-9)),
                )
            ),
            "The count depends on the rounding",
        )
        squares = Squares("Masked language modelling", of_mlm, PER_ROW)
        all_of_them: tuple[Color | None, ...] = ("discriminator",) * length
        return [
            facts,
            Row((squares, Squares("Replaced token detection", all_of_them, PER_ROW))),
            rules,
            Text("An empty square is a token without a loss of its own. It is not idle: the guesses are made from it."),
        ]

    def code(self) -> list[str]:
        """Return calls that give the same figures."""
        length, rate = self.length.value, self.mask_prob.value
        return [
            "import electra_edu as edu",
            "",
            f"config = edu.preset('paper-base', max_seq_length={length}, mask_prob={rate:g})",
            "signal = edu.efficiency.learning_signal(config)",
            "print(signal.mlm.positions, signal.rtd.positions, signal.rtd.positions / signal.mlm.positions)",
            "both = [config.replace(objective=name) for name in ('electra', 'bert')]",
            "flops = [edu.efficiency.flops(each)['total'] for each in both]",
            "print(flops[0] / flops[1])",
        ]

    def _cost(self) -> float:
        """Return the FLOPs of an ELECTRA step over those of a BERT step of base size; counted once per setting."""
        key = (self.length.value, self.mask_prob.value)
        if key not in self._costs:
            config = preset("paper-base", max_seq_length=key[0], mask_prob=key[1])
            electra, bert = (efficiency.flops(config.replace(objective=name))["total"] for name in ("electra", "bert"))
            self._costs[key] = electra / bert
        return self._costs[key]

"""The objectives that the paper compares, as one table: what a main network predicts, and where.

All five start the same way: positions are masked and a masked language model guesses the hidden words. BERT stops
there. In the others a main network, the one that is kept, reads the sentence with the guesses filled in.
Source: arXiv 2003.10555, section 3.5 and Table 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Trained = Literal["both", "generator", "discriminator"]  # what a step trains; "discriminator": the main network


@dataclass(frozen=True)
class Objective:
    """One row of the table."""

    label: str
    predicts: Literal["replaced", "words", "words or copies"] | None  # by the main network; None: there is none
    at: Literal["masked", "all"]  # the positions that its loss counts
    asks: str  # the question it has to answer


OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "bert": Objective("BERT", None, "masked", "Which words are hidden?"),
        "replace-mlm": Objective("Replace MLM", "words", "masked", "Which words stood where a guess stands now?"),
        "electra-15": Objective("ELECTRA 15%", "replaced", "masked", "Was this replaced? (at the masked positions)"),
        "all-tokens-mlm": Objective("All-Tokens MLM", "words or copies", "all", "Which word stood at every position?"),
        "electra": Objective("ELECTRA", "replaced", "all", "Was this replaced? (at every position)"),
    }
)

"""The objectives that the paper compares, as one table: what the main network predicts, and at which positions.

All of them start the same way: some positions are masked, and a masked language model predicts the tokens there. BERT
is that model and nothing else. In the others it is the generator: the main network, which is the one kept after
pre-training, reads the sequence with the generator's samples filled in. Source: arXiv 2003.10555, section 3.5 and
Table 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

# What a step trains. "discriminator" stands for the main network, whatever it predicts.
Trained = Literal["both", "generator", "discriminator"]


@dataclass(frozen=True)
class Objective:
    """One row of the table."""

    label: str  # the paper's name
    # What the main network predicts of a token: whether it was replaced, the original word, or the original word with a
    # gate that copies the input. None where there is no main network.
    predicts: Literal["replaced", "words", "words or copies"] | None
    positions: Literal["masked", "all"]  # which ones the loss counts
    question: str  # what is asked at each of these positions


OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "bert": Objective("BERT", None, "masked", "Which word is hidden here?"),
        "replace-mlm": Objective("Replace MLM", "words", "masked", "Which word was here?"),
        "electra-15": Objective("ELECTRA 15%", "replaced", "masked", "Was this word replaced?"),
        "all-tokens-mlm": Objective("All-Tokens MLM", "words or copies", "all", "Which word was here?"),
        "electra": Objective("ELECTRA", "replaced", "all", "Was this word replaced?"),
    }
)

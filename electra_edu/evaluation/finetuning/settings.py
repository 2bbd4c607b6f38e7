"""How a network is fine-tuned: rates, batches, epochs; ours for tiny networks and the paper's."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from electra_edu.config.values import named_fields, plain_value
from electra_edu.evaluation.finetuning.classifiers import Head
from electra_edu.support.arguments import refuse


@named_fields
@dataclass(frozen=True)
class FineTuningSettings:
    """Rates, batches and epochs of fine-tuning; the defaults are for the course's tiny networks.

    Raises ElectraEduError for a value that cannot work, naming the field.
    """

    learning_rate: float = 2e-3  # of the head
    layerwise_decay: float = 0.8  # each layer below learns at this share of the rate above it
    off_by_one: bool = False  # the official code's layer-wise rates: see `layerwise_rates`
    warmup_share: float = 0.1  # of all steps; the rates then decay linearly to 0
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    dropout: float = 0.1  # of the head; the encoder keeps its own
    head: Head = "gelu"  # of sequence classification
    batch_size: int = 32
    epochs: int = 10
    min_steps: int = 100  # with few labels epochs are short: more of them are trained until there are so many steps
    validation_share: float = 0.0  # of the labelled sequences, held out to choose the best epoch; 0: the last one
    patience: int = 5  # epochs without a better validation score after which training stops

    def __post_init__(self) -> None:
        """Refuse what cannot work, by name; keep NumPy scalars as plain numbers."""
        for field in fields(self):
            object.__setattr__(self, field.name, plain_value(field.name, getattr(self, field.name), field.type))
        for name in ("batch_size", "epochs", "patience"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        self._require("min_steps", self.min_steps >= 0, "a whole number ≥ 0")
        self._require("learning_rate", 0 < self.learning_rate <= 1, "above 0 and at most 1, for example 1e-3")
        self._require("layerwise_decay", 0 < self.layerwise_decay <= 1, "above 0 and at most 1 (1: no decay)")
        self._require("warmup_share", 0 <= self.warmup_share < 1, "in [0, 1)")
        self._require("weight_decay", 0 <= self.weight_decay < 1, "in [0, 1)")
        self._require("max_grad_norm", self.max_grad_norm > 0, "above 0")
        self._require("dropout", 0 <= self.dropout < 1, "in [0, 1)")
        self._require("validation_share", 0 <= self.validation_share <= 0.5, "from 0 (none) to 0.5")

    def _require(self, field: str, holds: bool, what: str) -> None:
        if not holds:
            refuse(field, getattr(self, field), what)


# Source of the paper's: arXiv 2003.10555, Table 7; 3 epochs are for all tasks but RTE and STS (10) and SQuAD (2). The
# official code takes a rate of 1e-4 for small and base, and a weight decay of 0.01.
_PAPER = FineTuningSettings(learning_rate=1e-4, head="plain", epochs=3, min_steps=0)
PRESETS: Mapping[str, FineTuningSettings] = MappingProxyType(
    {
        "tiny": FineTuningSettings(),
        "paper-small": replace(_PAPER, learning_rate=3e-4),
        "paper-base": _PAPER,
        "paper-large": replace(_PAPER, learning_rate=5e-5, layerwise_decay=0.9),
    }
)

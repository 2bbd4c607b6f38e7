"""What a run records: a StepRecord for every step, an Evaluation where it is evaluated, a Change of a setting."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

from electra_edu.config.objectives import Trained
from electra_edu.metrics import binary_entropy


@dataclass(frozen=True)
class _Record:
    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: NaN becomes None."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build a record from plain values; the inverse of `to_dict`."""
        return cls(**{name: math.nan if value is None else value for name, value in values.items()})


@dataclass(frozen=True)
class StepRecord(_Record):
    """One training step, measured on its own batch. Losses and entropy are in nats, rates and scores in [0, 1].

    A score that does not exist is NaN: precision when no token is flagged, and scores of networks that the objective
    does not have.
    """

    step: int  # steps done, this one included
    tokens: int  # real tokens read so far
    flops: int  # spent so far, by `efficiency.flops`
    seconds: float  # spent in training so far
    learning_rate: float  # of AdamW or Adam at this step
    mask_prob: float
    rtd_weight: float
    temperature: float
    loss: float
    mlm_loss: float
    rtd_loss: float  # unweighted; in `loss` it is multiplied by rtd_weight
    word_loss: float  # of a main network that predicts words (Replace MLM, All-Tokens MLM)
    replaced_rate: float  # of all real tokens
    mlm_accuracy: float  # of the generator's most likely token
    sampled_accuracy: float  # of the token it drew
    entropy: float  # of the generator's prediction
    accuracy: float
    majority: float  # the accuracy of always saying "original"
    precision: float
    recall: float
    mlm_grad_norm: float  # of the generator's loss on the embeddings it reads with
    rtd_grad_norm: float  # of λ times the RTD loss (or of the word loss) on the embeddings it reads with
    grad_cosine: float  # between the two; NaN when the networks do not share their embeddings
    generator_grad_norm: float  # on the weights that only the generator has
    main_grad_norm: float  # on the weights that only the main network has
    grad_norm: float  # of all weights, before clipping
    trained: Trained = "both"  # the networks that this step trained

    @property
    def rtd_floor(self) -> float:
        """H(p) at this step's replaced rate: the lowest RTD loss with the same probability for every token."""
        return binary_entropy(self.replaced_rate)

    @property
    def mlm_grad_share(self) -> float:
        """The MLM loss's share of the two gradients' norms on the embeddings."""
        total = self.mlm_grad_norm + self.rtd_grad_norm
        return self.mlm_grad_norm / total if total else math.nan


@dataclass(frozen=True)
class Evaluation(_Record):
    """Scores on held-out text, from the average of the weights. NaN where an objective has no such part."""

    step: int
    auc: float  # on the fixed exam: 15 % of the words redrawn from word frequencies; comparable between runs
    live_auc: float  # on this generator's own samples: the task changes as it learns
    precision: float
    recall: float
    accuracy: float
    majority: float
    replaced_rate: float
    rtd_loss: float
    word_loss: float  # of a main network that predicts words
    mlm_loss: float
    mlm_accuracy: float
    sampled_accuracy: float
    entropy: float


@dataclass(frozen=True)
class Change(_Record):
    """A setting that was changed during a run: `field` went from `before` to `after` once `step` steps were done."""

    step: int
    field: str
    before: float
    after: float

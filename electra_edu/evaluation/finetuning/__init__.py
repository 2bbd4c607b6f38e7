"""Fine-tuning: a small head on a pre-trained encoder, and both trained on labels."""

from electra_edu.evaluation.finetuning.classifiers import Classifier, SequenceClassifier, TokenClassifier, predict
from electra_edu.evaluation.finetuning.loop import fine_tune, learning_curve
from electra_edu.evaluation.finetuning.rates import layerwise_rates, parameter_groups
from electra_edu.evaluation.finetuning.results import Epoch, FineTuned, Results
from electra_edu.evaluation.finetuning.settings import PRESETS, FineTuningSettings

__all__ = [
    "PRESETS",
    "Classifier",
    "Epoch",
    "FineTuned",
    "FineTuningSettings",
    "Results",
    "SequenceClassifier",
    "TokenClassifier",
    "fine_tune",
    "layerwise_rates",
    "learning_curve",
    "parameter_groups",
    "predict",
]

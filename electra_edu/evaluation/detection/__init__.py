"""Replaced-token detection: the discriminator's probability for each word of a text, and its calibration."""

from electra_edu.evaluation.detection.calibration import Calibration, calibrate
from electra_edu.evaluation.detection.probabilities import ScoredWord, detect, detect_words

__all__ = ["Calibration", "ScoredWord", "calibrate", "detect", "detect_words"]

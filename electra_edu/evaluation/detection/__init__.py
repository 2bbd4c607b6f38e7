"""Which words of a text were replaced, in the discriminator's opinion, and how far to trust it."""

from electra_edu.evaluation.detection.calibration import Calibration, calibrate
from electra_edu.evaluation.detection.probabilities import JudgedWord, detect, detect_words

__all__ = ["Calibration", "JudgedWord", "calibrate", "detect", "detect_words"]

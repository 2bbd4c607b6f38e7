"""The settings of a run: ElectraConfig, and the presets."""

from electra_edu.config.electra_config import (
    FIELD_NAMES,
    MIN_TEMPERATURE,
    SPECIAL_IDS,
    ElectraConfig,
    EncoderShape,
    masked_positions,
)
from electra_edu.config.networks import ARCHITECTURE_FIELDS, check_trained
from electra_edu.config.presets import PRESETS, preset

__all__ = [
    "ARCHITECTURE_FIELDS",
    "FIELD_NAMES",
    "MIN_TEMPERATURE",
    "PRESETS",
    "SPECIAL_IDS",
    "ElectraConfig",
    "EncoderShape",
    "check_trained",
    "masked_positions",
    "preset",
]

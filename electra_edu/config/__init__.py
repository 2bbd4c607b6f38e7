"""The settings of a run: ElectraConfig, and the presets."""

from electra_edu.config.electra_config import (
    COLDEST,
    FIELD_NAMES,
    SPECIAL_IDS,
    ElectraConfig,
    EncoderShape,
    masked_positions,
)
from electra_edu.config.networks import BUILT_FROM, check_trained
from electra_edu.config.presets import PRESETS, preset

__all__ = [
    "BUILT_FROM",
    "COLDEST",
    "FIELD_NAMES",
    "PRESETS",
    "SPECIAL_IDS",
    "ElectraConfig",
    "EncoderShape",
    "check_trained",
    "masked_positions",
    "preset",
]

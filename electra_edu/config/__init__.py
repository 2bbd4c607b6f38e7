"""The settings of a run: ElectraConfig, and the presets."""

from electra_edu.config.electra_config import FIELD_NAMES, ElectraConfig, EncoderShape, masked_positions
from electra_edu.config.presets import PRESETS, preset

__all__ = ["FIELD_NAMES", "PRESETS", "ElectraConfig", "EncoderShape", "masked_positions", "preset"]

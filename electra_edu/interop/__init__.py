"""Exchange networks with Hugging Face: read ELECTRA checkpoints, and export networks that `transformers` loads."""

from electra_edu.interop.config_json import transformers_config
from electra_edu.interop.pretrained import PretrainedDiscriminator, PretrainedEncoder, PretrainedGenerator
from electra_edu.interop.reading import from_transformers
from electra_edu.interop.writing import ExportedNetwork, to_transformers, transformers_state

__all__ = [
    "ExportedNetwork",
    "PretrainedDiscriminator",
    "PretrainedEncoder",
    "PretrainedGenerator",
    "from_transformers",
    "to_transformers",
    "transformers_config",
    "transformers_state",
]

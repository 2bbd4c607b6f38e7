"""What a config says of its networks: the fields that they are built from, and which of them a step can train."""

from typing import get_args

from electra_edu.config.electra_config import SPECIAL_IDS, ElectraConfig
from electra_edu.config.objectives import OBJECTIVES, Trained
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError

# A change of one of these asks for other networks, or for other token ids than they have learned.
ARCHITECTURE_FIELDS = (
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
    "embedding_size",
    "hidden_size",
    "num_layers",
    "num_heads",
    "intermediate_size",
    "layer_norm_eps",
    "dropout",
    "positions",
    "generator_size_fraction",
    "generator_kind",
    "weight_sharing",
    "objective",
    "scheme",
    *SPECIAL_IDS,
)


def check_trained(config: ElectraConfig, trained: Trained) -> None:
    """Raise ElectraEduError where `trained` names a network that there is not, or that has no weights."""
    arguments.one_of("trained", trained, get_args(Trained))
    if trained == "generator" and config.generator_kind != "learned":
        raise ElectraEduError(
            f"trained='generator': generator_kind={config.generator_kind!r} has nothing to train. Use "
            "trained='both', or generator_kind='learned'."
        )
    if trained == "discriminator" and OBJECTIVES[config.objective].predicts is None:
        raise ElectraEduError(
            f"trained='discriminator': objective={config.objective!r} has no main network. Use trained='both', or "
            "another objective."
        )

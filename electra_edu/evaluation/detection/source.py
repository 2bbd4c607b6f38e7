"""The discriminator of what a learner passes to `detect`; a source without one is refused with a remedy."""

from typing import TypeAlias

from tokenizers import Encoding, Tokenizer
from torch import nn

from electra_edu.config import ElectraConfig
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.corpora.encoding import encode_typed
from electra_edu.model.electra import Electra
from electra_edu.model.generator import Generator
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun

Source: TypeAlias = TrainingRun | Electra | nn.Module
"""A run (the average of its weights is used), an Electra, or a module with an ElectraConfig as its `.config` that, as
our Discriminator, returns logits (B, T) for (tokens, attention_mask=None, token_type_ids=None).
"""


def discriminator_of(source: Source) -> tuple[nn.Module, ElectraConfig]:
    """Return the discriminator and its config.

    Raises ElectraEduError when there is none, and when dropout is on, which would make its logits random.
    """
    network: object = source.average if isinstance(source, TrainingRun) else source
    if isinstance(network, Electra):
        objective = network.config.objective
        if OBJECTIVES[objective].predicts != "replaced":
            raise ElectraEduError(
                f"source: objective={objective!r} trains no discriminator, so nothing here tells replaced words from "
                "original ones. Train with objective='electra' or 'electra-15'."
            )
        network = network.discriminator
    if isinstance(network, Generator):
        raise ElectraEduError(
            "source: a generator predicts words and cannot tell whether one was replaced. Pass the discriminator half."
        )
    config = getattr(network, "config", None)
    if not isinstance(network, nn.Module) or not isinstance(config, ElectraConfig):
        raise ElectraEduError(
            f"source: must be a TrainingRun or a discriminator with an ElectraConfig as .config, not "
            f"{type(network).__name__}."
        )
    if network.training and config.dropout:
        raise ElectraEduError(
            "source: is in training mode, and dropout would make its probabilities random. Call source.eval()."
        )
    return network, config


def encode(tokenizer: Tokenizer, text: str) -> Encoding:
    """Return the tokens of `text`, without [CLS] and [SEP]; raises ElectraEduError where the tokenizer fails."""
    try:
        return encode_typed(tokenizer, text)
    except ElectraEduError:
        raise
    except Exception as error:  # the tokenizers library raises no class of its own
        unknown = getattr(tokenizer.model, "unk_token", None)
        if unknown is None or tokenizer.model.token_to_id(unknown) is not None:
            raise ElectraEduError(f"tokenizer: cannot encode this text ({error}). Pass another tokenizer.") from error
        raise ElectraEduError(
            f"tokenizer: the text has a word that it does not know, and its vocabulary has no {unknown!r} to stand for "
            "such words. Use words of the vocabulary (tokenizer.get_vocab()), or the tokenizer that the model was "
            "trained with."
        ) from error

"""The encoder of what a learner passes, and reading it without dropout."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from electra_edu.model.encoder import Encoder, encoder_of
from electra_edu.support.errors import ElectraEduError


def source_encoder(name: str, source: object) -> Encoder:
    """Return the encoder of what was passed as the argument `name`; raise ElectraEduError where it has none."""
    try:
        return encoder_of(source)  # type: ignore[arg-type]
    except (AttributeError, AssertionError):
        raise ElectraEduError(
            f"{name}: must be an Electra, a Discriminator, a Generator or an Encoder, not {type(source).__name__}; for "
            "example run.average."
        ) from None


def device_of_encoder(encoder: Encoder) -> torch.device:
    """Return the device that an encoder's weights are on."""
    return encoder.embeddings.norm.weight.device


def vocab_size_of(encoder: Encoder) -> int:
    """Return how many tokens an encoder has embeddings for."""
    return encoder.embeddings.token.weight.shape[0]


@contextmanager
def evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Switch dropout off for the block, and back to what it was afterwards."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)

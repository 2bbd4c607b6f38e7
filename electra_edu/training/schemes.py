"""Training schemes: which network a step trains, and where the main network starts."""

import torch

from electra_edu.config import ElectraConfig
from electra_edu.config.objectives import Trained
from electra_edu.model.electra import Electra


def trained_at(step: int, config: ElectraConfig) -> Trained:
    """Return what the step after `step` steps trains.

    The generator alone for the first `generator_steps`; then both (joint or adversarial), or, with two stages, the
    main network alone while the generator stays as it is. Source: arXiv 2003.10555, section 3.2.
    """
    if step < config.generator_steps:
        return "generator"
    return "discriminator" if config.scheme == "two-stage" else "both"


@torch.no_grad()
def copy_generator(model: Electra) -> None:
    """Start the main network from the generator's encoder: every weight that both have by the same name."""
    assert model.main is not None
    source = dict(model.generator.named_parameters(prefix="generator"))
    for name, parameter in model.main.encoder.named_parameters(prefix="generator.encoder"):
        if name in source:
            parameter.copy_(source[name])

"""Where the two losses of a joint step send their gradients."""

import torch
from torch import Tensor, nn

from electra_edu.electra import Electra


def pulls(model: Electra, mlm_loss: Tensor, rtd_loss: Tensor) -> tuple[tuple[float, ...], tuple[float, ...], float]:
    """Return the gradient norms of both losses on the generator's own, shared and discriminator's own weights.

    Last comes the cosine of the two gradients on what is shared; NaN where nothing is.
    """
    of_generator, of_discriminator = (list(part.parameters()) for part in (model.generator, model.discriminator))
    shared = [weight for weight in of_generator if any(weight is other for other in of_discriminator)]

    def own(weights: list[nn.Parameter]) -> list[nn.Parameter]:
        return [weight for weight in weights if not any(weight is other for other in shared)]

    groups = (own(of_generator), shared, own(of_discriminator))
    flat: list[list[Tensor]] = []
    for loss in (mlm_loss, rtd_loss):
        found = []
        for group in groups:
            grads = torch.autograd.grad(loss, group, retain_graph=True, allow_unused=True) if group else ()
            kept = [
                torch.zeros_like(weight) if grad is None else grad for weight, grad in zip(group, grads, strict=True)
            ]
            found.append(torch.cat([grad.flatten() for grad in kept]) if kept else torch.zeros(1))
        flat.append(found)
    norms = [tuple(float(part.norm()) for part in found) for found in flat]
    cosine = float(torch.cosine_similarity(flat[0][1], flat[1][1], dim=0)) if shared else float("nan")
    return norms[0], norms[1], cosine

"""The backward pass of the two losses, and the norms of their gradients: on the embeddings and on each network."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from electra_edu.model.electra import Electra, ElectraOutput
from electra_edu.model.encoder import Embeddings


@dataclass(frozen=True, eq=False)
class GradientNorms:
    """L2 norms of one step's gradients, each a scalar tensor; NaN for what the step does not train."""

    mlm: Tensor  # of the generator's loss on the embeddings it reads with
    rtd: Tensor  # of the main network's weighted loss on the embeddings it reads with
    cosine: Tensor  # similarity of these two gradients; NaN where they are not on the same embeddings
    generator: Tensor  # of the total loss on the weights that only the generator has
    main: Tensor  # of the total loss on the weights that only the main network has
    total: Tensor  # of the total loss on all weights, before clipping


@dataclass(frozen=True)
class ParameterSplit:
    """The weights of a model by the network that has them."""

    generator_only: list[nn.Parameter]
    shared: list[nn.Parameter]
    main_only: list[nn.Parameter]  # only the main network's


def split_parameters(model: Electra) -> ParameterSplit:
    """Sort the weights of `model`; a weight of neither network, such as a baseline's, counts as the generator's."""
    main = set() if model.main is None else set(model.main.parameters())
    generator = set(model.parameters()) - main | set(model.generator.parameters())

    def in_order(some: set[nn.Parameter]) -> list[nn.Parameter]:
        return [weight for weight in model.parameters() if weight in some]

    return ParameterSplit(in_order(generator - main), in_order(generator & main), in_order(main - generator))


class Backward:
    """Back-propagates the two losses of a model one after the other.

    The two graphs meet only in the weights that the networks share, so two backward passes cost what one costs. On
    these weights the main loss's gradient is the difference of the gradients before and after its backward pass.
    """

    def __init__(self, model: Electra) -> None:
        """Sort the weights of `model` into the generator's own, the main network's own, and the shared ones."""
        self._parameters = split_parameters(model)
        self._embeddings = [_embeddings(network) for network in (model.generator, model.main)]

    def __call__(self, out: ElectraOutput) -> GradientNorms:
        """Add both losses' gradients to the weights and return their norms."""
        missing, zero = out.mlm_loss.new_full((), math.nan), out.mlm_loss.new_zeros(())
        by_mlm = by_rtd = cosine = missing
        read_by = self._embeddings
        if out.generator_loss is not None:
            out.generator_loss.backward()
            by_mlm = _flat_gradient(read_by[0])
        if out.main_loss is not None:
            before = by_mlm if read_by[0] is read_by[1] and by_mlm.dim() else _flat_gradient(read_by[1])
            out.main_loss.backward()
            by_rtd = _flat_gradient(read_by[1]) - before
            if read_by[0] is read_by[1] and by_mlm.dim():
                cosine = torch.cosine_similarity(by_mlm, by_rtd, dim=0)
        generator, main, shared = (
            _norm(some, zero)
            for some in (self._parameters.generator_only, self._parameters.main_only, self._parameters.shared)
        )
        return GradientNorms(
            mlm=torch.linalg.vector_norm(by_mlm),
            rtd=torch.linalg.vector_norm(by_rtd),
            cosine=cosine,
            generator=missing if out.generator_loss is None else generator,
            main=missing if out.main_loss is None else main,
            total=torch.linalg.vector_norm(torch.stack([generator, main, shared])),
        )


def _embeddings(network: nn.Module | None) -> Embeddings | None:
    encoder = getattr(network, "encoder", None)
    return None if encoder is None else encoder.embeddings


def _flat_gradient(embeddings: Embeddings | None) -> Tensor:
    """Return a copy of the gradients on all of the embeddings as one vector, 0 where there is none."""
    assert embeddings is not None
    gradients = (torch.zeros_like(p) if p.grad is None else p.grad for p in embeddings.parameters())
    return torch.cat([gradient.flatten() for gradient in gradients])


def _norm(parameters: Iterable[nn.Parameter], zero: Tensor) -> Tensor:
    """Return the norm of all their gradients together; `zero`, a tensor on their device, where there is none."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return get_total_norm(gradients) if gradients else zero

"""The optimisers, Muon, the paper's Adam and AdamW, and which parameters each of them updates."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from electra_edu.config import ElectraConfig
from electra_edu.model.encoder import Attention, Block

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # coefficients of the quintic iteration; Keller Jordan, "Muon", 2024


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """Push every singular value of each matrix (N, rows, columns), rows ≤ columns, towards 1 (to about 0.7–1.2).

    Newton–Schulz iteration of "Muon" (Jordan, 2024), in float32 on a CPU and bfloat16 on a GPU: CPUs without bfloat16
    units are ten times slower in it.
    """
    a, b, c = NEWTON_SCHULZ
    x = matrices if matrices.device.type == "cpu" else matrices.bfloat16()
    x = x / torch.linalg.vector_norm(x, dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.to(matrices.dtype)


class Muon(Optimizer):
    """Momentum, orthogonalised (Jordan, 2024): for the matrices inside the blocks.

    A group's `splits` says how many matrices are stacked in each of its parameters (3 for query, key and value).
    Matrices of equal shape, in whatever group, are orthogonalised together.
    """

    def __init__(self, params: Iterable[dict[str, Any]], lr: float, momentum: float = 0.95) -> None:
        """Take groups of 2-D parameters."""
        super().__init__(params, {"lr": lr, "momentum": momentum, "splits": 1})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step along the gradients; parameters without one are left alone."""
        assert closure is None, "Muon evaluates no closure"
        batches: dict[tuple[int, int], list[tuple[Tensor, Tensor, float | Tensor]]] = defaultdict(list)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(momentum, group["momentum"])  # Nesterov
                for weight, direction in zip(
                    parameter.chunk(group["splits"]), update.chunk(group["splits"]), strict=True
                ):
                    rows, columns = weight.shape
                    wide = direction if rows <= columns else direction.mT
                    batches[wide.shape[0], wide.shape[1]].append((weight, wide, group["lr"]))
        for batch in batches.values():
            orthogonal = orthogonalise(torch.stack([wide for _, wide, _ in batch]))
            for (weight, _, rate), wide in zip(batch, orthogonal, strict=True):
                rows, columns = weight.shape
                direction, factor = wide if rows <= columns else wide.mT, max(1.0, rows / columns) ** 0.5
                if isinstance(rate, Tensor):
                    weight.addcmul_(direction, rate, value=-factor)
                else:
                    weight.sub_(direction, alpha=rate * factor)


class PaperAdam(Optimizer):
    """Adam as the official ELECTRA code has it: no bias correction, ε outside the root, decoupled weight decay.

    Source: google-research/electra, model/optimization.py, AdamWeightDecayOptimizer.
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
    ) -> None:
        """Take groups of parameters; a group may set its own `weight_decay`."""
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step along the gradients; parameters without one are left alone."""
        assert closure is None, "PaperAdam evaluates no closure"
        for group in self.param_groups:
            (beta1, beta2), rate = group["betas"], group["lr"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
                mean = state["mean"].lerp_(parameter.grad, 1 - beta1)
                square = state["square"].lerp_(parameter.grad.square(), 1 - beta2)
                parameter.mul_(1 - rate * group["weight_decay"])
                scale = square.sqrt().add_(group["eps"])
                if isinstance(rate, Tensor):
                    parameter.sub_(mean.div(scale).mul_(rate))
                else:
                    parameter.addcdiv_(mean, scale, value=-rate)


def adamw(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.AdamW:
    """Make PyTorch's fused AdamW without weight decay."""
    return torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)


def make_optimizers(model: nn.Module, config: ElectraConfig) -> list[Optimizer]:
    """Make the optimisers that `config.optimizer` names; `schedule.set_rates` sets their rates at every step."""
    parameters = list(model.parameters())  # a tied parameter once
    if config.optimizer == "adamw":
        return [adamw(parameters, config.learning_rate)]
    if config.optimizer == "paper-adam":
        decayed = [parameter for parameter in parameters if parameter.dim() > 1]
        others = [parameter for parameter in parameters if parameter.dim() <= 1]  # biases and LayerNorms
        return [PaperAdam([{"params": decayed}, {"params": others, "weight_decay": 0.0}], lr=config.learning_rate)]
    attentions = [part for part in model.modules() if isinstance(part, Attention)]
    blocks = [part for part in model.modules() if isinstance(part, Block)]
    stacked = [attention.query_key_value.weight for attention in attentions]
    single = [attention.output.weight for attention in attentions]
    single += [layer.weight for block in blocks for layer in (block.widen, block.narrow)]
    groups = [{"params": stacked, "splits": 3}, {"params": single, "splits": 1}]
    matrices = {*stacked, *single}
    rest = [parameter for parameter in parameters if parameter not in matrices]
    return [Muon(groups, lr=config.muon_learning_rate), adamw(rest, config.learning_rate)]

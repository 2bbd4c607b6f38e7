"""Muon, the paper's Adam and AdamW, which parameters they get, their schedule, and an average of the weights."""

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
    """Make the optimisers that `config.optimizer` names; see `set_rates`."""
    parameters = dict.fromkeys(model.parameters())  # a tied parameter once
    stacked = [part.query_key_value.weight for part in model.modules() if isinstance(part, Attention)]
    single = [part.output.weight for part in model.modules() if isinstance(part, Attention)]
    single += [
        layer.weight for part in model.modules() if isinstance(part, Block) for layer in (part.widen, part.narrow)
    ]
    if config.optimizer == "muon":
        matrices = {*stacked, *single}
        rest = [parameter for parameter in parameters if parameter not in matrices]
        groups = [{"params": stacked, "splits": 3}, {"params": single, "splits": 1}]
        optimizers: list[Optimizer] = [
            Muon(groups, lr=config.muon_learning_rate),
            adamw(rest, config.learning_rate),
        ]
    elif config.optimizer == "adamw":
        optimizers = [adamw(parameters, config.learning_rate)]
    else:
        decayed = [parameter for parameter in parameters if parameter.dim() > 1]
        kept = [parameter for parameter in parameters if parameter.dim() <= 1]  # biases and LayerNorms, as in the code
        optimizers = [PaperAdam([{"params": decayed}, {"params": kept, "weight_decay": 0.0}], lr=config.learning_rate)]
    return optimizers


def rate_factor(step: int, config: ElectraConfig) -> float:
    """Multiplier of the rates at `step` (counted from 0): linear warm-up, then constant.

    With a horizon (`training_steps`) the warm-up is multiplied by a linear decay to 0, as in the official code, so
    that the two overlap.
    """
    warmup = min(1.0, (step + 1) / (config.warmup_steps + 1))
    decay = 1.0 if config.training_steps is None else max(0.0, 1 - step / config.training_steps)
    return warmup * decay


def set_rates(optimizers: Iterable[Optimizer], config: ElectraConfig, step: int) -> float:
    """Set every group's rate for `step` and return the AdamW (or Adam) one."""
    factor = rate_factor(step, config)
    for optimizer in optimizers:
        rate = config.muon_learning_rate if isinstance(optimizer, Muon) else config.learning_rate
        for group in optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate * factor)
            else:
                group["lr"] = rate * factor
    return config.learning_rate * factor


def keep_rates_on(device: torch.device, optimizers: Iterable[Optimizer]) -> None:
    """Keep every group's rate on `device`, where `set_rates` changes it in place: a recorded step reads it there."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = torch.full((), float(group["lr"]), device=device)


def average_share(step: int, horizon: int = 50) -> float:
    """Return how far the average moves towards the weights after `step`: it spans about `horizon` steps.

    Early on it spans a third of the steps so far, so that it never drags the initial weights along.
    """
    return max(1 / horizon, 3 / (step + 3))


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, step: int, horizon: int = 50) -> None:
    """Move the exponential average of the weights towards `model`'s, as `average_share` says of `step`."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), average_share(step, horizon))


@torch.no_grad()
def move_average(average: nn.Module, model: nn.Module, share: Tensor) -> None:
    """Do what `update_average` does, with a share that lies on the device."""
    averages: list[Tensor] = list(average.parameters())
    ways = list(torch._foreach_sub(list(model.parameters()), averages))
    torch._foreach_mul_(ways, share)
    torch._foreach_add_(averages, ways)

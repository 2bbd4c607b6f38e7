"""TrainingState: everything that a training step changes, and its conversion to and from named tensors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from electra_edu.model.electra import Electra
from electra_edu.support.files import DamagedFileError
from electra_edu.training.optim import Muon, PaperAdam

OPTIMIZER_STATE: Mapping[type[Optimizer], tuple[str, ...]] = {  # what each optimiser keeps for a weight
    Muon: ("momentum",),
    PaperAdam: ("mean", "square"),
    torch.optim.AdamW: ("step", "exp_avg", "exp_avg_sq"),
}


@dataclass(frozen=True, eq=False)
class TrainingState:
    """The networks, the average of their weights, the optimisers and the generator of random draws, on one device."""

    model: Electra
    average: Electra
    optimizers: Sequence[Optimizer]
    rng: torch.Generator

    def to_tensors(self) -> dict[str, Tensor]:
        """Return every tensor of the state by name, on the CPU; a tied parameter once."""
        tensors = {f"model.{name}": value.detach() for name, value in self.model.named_parameters()}
        tensors |= {f"average.{name}": value for name, value in self.average.named_parameters()}
        names: dict[Tensor, str] = {parameter: name for name, parameter in self.model.named_parameters()}
        for optimizer in self.optimizers:
            for parameter, state in optimizer.state.items():
                tensors |= {f"optimizer.{names[parameter]}.{key}": value for key, value in state.items()}
        tensors["rng"] = self.rng.get_state()
        return {name: value.cpu().contiguous() for name, value in tensors.items()}

    def load_tensors(self, tensors: Mapping[str, Tensor], *, is_trained: bool, with_draws: bool) -> None:
        """Take over the state that `to_tensors` returned.

        `is_trained` says that the optimisers have taken a step, so that their state has to be there. `with_draws`
        takes over the generator's state too, which only a device of the same kind understands. Raises an error of
        Python's or PyTorch's, or a DamagedFileError, where the tensors do not belong to these networks.
        """
        self._load_weights(tensors)
        self._load_optimizers(tensors, is_trained)
        if with_draws:
            self.rng.set_state(tensors["rng"])

    @torch.no_grad()
    def _load_weights(self, tensors: Mapping[str, Tensor]) -> None:
        for prefix, model in (("model.", self.model), ("average.", self.average)):
            weights = {prefix + name: parameter for name, parameter in model.named_parameters()}
            surplus = {name for name in tensors if name.startswith(prefix)} - weights.keys()
            if surplus:
                raise DamagedFileError(f"there is no weight {min(surplus)}")
            for name, weight in weights.items():
                _check_like(name, tensors[name], weight)
                weight.copy_(tensors[name])

    def _load_optimizers(self, tensors: Mapping[str, Tensor], is_trained: bool) -> None:
        """Give each optimiser its state: for every weight that it has trained so far, all of it."""
        names: dict[Tensor, str] = {
            parameter: f"optimizer.{name}." for name, parameter in self.model.named_parameters()
        }
        unused = {name for name in tensors if name.startswith("optimizer.")}
        if is_trained and not unused:
            raise DamagedFileError("the optimisers' state is missing")
        for optimizer in self.optimizers:
            for parameter in _parameters(optimizer):
                wanted = {key: names[parameter] + key for key in OPTIMIZER_STATE[type(optimizer)]}
                if unused.isdisjoint(wanted.values()):  # not trained yet
                    continue
                for key, name in wanted.items():
                    _check_like(name, tensors[name], tensors[name].new_zeros(()) if key == "step" else parameter)
                optimizer.state[parameter] = {
                    key: tensors[name].to(parameter.device, copy=True) for key, name in wanted.items()
                }
                unused -= set(wanted.values())
        if unused:
            raise DamagedFileError(f"no optimiser has a {min(unused)}")


def _parameters(optimizer: Optimizer) -> Iterable[Tensor]:
    return (parameter for group in optimizer.param_groups for parameter in group["params"])


def _check_like(name: str, tensor: Tensor, like: Tensor) -> None:
    if (tensor.shape, tensor.dtype) != (like.shape, like.dtype):
        raise DamagedFileError(
            f"{name} is {tensor.dtype} {tuple(tensor.shape)}, and has to be {like.dtype} {tuple(like.shape)}"
        )

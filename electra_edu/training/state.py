"""A run's tensors by name, and a run brought back to the state that such tensors hold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim import Optimizer

from electra_edu.support.errors import CheckpointError
from electra_edu.support.files import DamagedFileError
from electra_edu.training.optim import Muon, PaperAdam
from electra_edu.training.records import Evaluation
from electra_edu.training.saved_run import SavedRun

if TYPE_CHECKING:
    from electra_edu.training.run import TrainingRun

STATE: Mapping[type[Optimizer], tuple[str, ...]] = {  # what each optimiser keeps of a weight
    Muon: ("momentum",),
    PaperAdam: ("mean", "square"),
    torch.optim.AdamW: ("step", "exp_avg", "exp_avg_sq"),
}


def restore(run: TrainingRun, saved: SavedRun) -> None:
    """Bring a fresh `run` to the saved state; warn when the same numbers cannot be promised."""
    about = saved.about
    try:
        device, threads = about["device"], int(about["threads"])
        run.history = saved.history
        run.evaluations = [Evaluation.from_dict(evaluation) for evaluation in about["evaluations"]]
        run.changes = saved.changes
        run.devices = [(int(step), str(kind)) for step, kind in about.get("devices", [(0, device)])]
        if device != run.device.type:
            run.devices.append((run.step, run.device.type))
        _restore_weights(run, saved.tensors)
        _restore_optimizers(run, saved.tensors)
        if device == run.device.type:
            run.rng.set_state(saved.tensors["rng"])
    except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"The saved run is damaged ({error}). Use a copy, or train it again.") from error
    if device != run.device.type:
        warnings.warn(
            f"This run was saved on {device!r} and goes on on {run.device.type!r}, which draws other random numbers. "
            f"For the same ones: TrainingRun.load(directory, device={device!r}).",
            stacklevel=3,
        )
    elif device == "cpu" and threads != torch.get_num_threads():
        warnings.warn(
            f"This run was saved with {threads} threads and goes on with {torch.get_num_threads()}: the last bits may "
            f"differ. For the same numbers: torch.set_num_threads({threads}).",
            stacklevel=3,
        )


def state_of(run: TrainingRun) -> dict[str, Tensor]:
    """Name every tensor of the run's state; a tied parameter once."""
    tensors = {f"model.{name}": value.detach() for name, value in run.model.named_parameters()}
    tensors |= {f"average.{name}": value for name, value in run.average.named_parameters()}
    names: dict[Tensor, str] = {parameter: name for name, parameter in run.model.named_parameters()}
    for optimizer in run.optimizers:
        for parameter, state in optimizer.state.items():
            tensors |= {f"optimizer.{names[parameter]}.{key}": value for key, value in state.items()}
    tensors["rng"] = run.rng.get_state()
    return {name: value.cpu().contiguous() for name, value in tensors.items()}


@torch.no_grad()
def _restore_weights(run: TrainingRun, tensors: Mapping[str, Tensor]) -> None:
    for prefix, model in (("model.", run.model), ("average.", run.average)):
        weights = {prefix + name: parameter for name, parameter in model.named_parameters()}
        surplus = {name for name in tensors if name.startswith(prefix)} - weights.keys()
        if surplus:
            raise DamagedFileError(f"there is no weight {min(surplus)}")
        for name, weight in weights.items():
            _check_like(name, tensors[name], weight)
            weight.copy_(tensors[name])


def _restore_optimizers(run: TrainingRun, tensors: Mapping[str, Tensor]) -> None:
    """Give each optimiser its state: for every weight that it has trained so far, all of it."""
    names = {parameter: f"optimizer.{name}." for name, parameter in run.model.named_parameters()}
    left = {name for name in tensors if name.startswith("optimizer.")}
    if run.history and not left:
        raise DamagedFileError("the optimisers' state is missing")
    for optimizer in run.optimizers:
        keys = STATE[type(optimizer)]
        for parameter in (p for group in optimizer.param_groups for p in group["params"]):
            wanted = {key: names[parameter] + key for key in keys}
            if left.isdisjoint(wanted.values()):  # not trained yet
                continue
            for key, name in wanted.items():
                _check_like(name, tensors[name], tensors[name].new_zeros(()) if key == "step" else parameter)
            optimizer.state[parameter] = {
                key: tensors[name].to(parameter.device, copy=True) for key, name in wanted.items()
            }
            left -= set(wanted.values())
    if left:
        raise DamagedFileError(f"no optimiser has a {min(left)}")


def _check_like(name: str, tensor: Tensor, like: Tensor) -> None:
    if (tensor.shape, tensor.dtype) != (like.shape, like.dtype):
        raise DamagedFileError(
            f"{name} is {tensor.dtype} {tuple(tensor.shape)}, and has to be {like.dtype} {tuple(like.shape)}"
        )

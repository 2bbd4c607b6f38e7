"""A step whose loss or gradient is not a finite number: which one, and what to do about it."""

from dataclasses import dataclass

from electra_edu.config import ElectraConfig
from electra_edu.model.electra import Electra, ElectraOutput
from electra_edu.support.errors import TrainingStopped

LOWER = 10  # a learning rate that was too high is divided by this


@dataclass(frozen=True)
class _Ordinary:
    """A setting's ordinary range, the value that is usual, and whether it may change during a run."""

    low: float
    high: float
    usual: float
    is_live: bool = False


_ORDINARY = {
    "rtd_weight": _Ordinary(0, 1e4, 50.0, is_live=True),
    "temperature": _Ordinary(1e-3, 1e3, 1.0, is_live=True),
    "initializer_range": _Ordinary(0, 1, 0.02),
    "dropout": _Ordinary(0, 0.5, 0.1),
    "layer_norm_eps": _Ordinary(1e-20, 1e-2, 1e-12),
}
_ORDINARY_RATE = 0.02  # of either optimiser


def training_stopped(what: str, step: int, config: ElectraConfig) -> TrainingStopped:
    """Return the error of a step, after `step` steps, in which `what` is not finite."""
    return TrainingStopped(
        f"Step {step + 1} was not taken: {what} is not a finite number. The run keeps its state after step {step}. "
        f"{remedy(config)}"
    )


def remedy(config: ElectraConfig) -> str:
    """Say in a sentence or two what makes such a run go on, with the call that does it.

    A run that is asked for the same step again fails again: batch, draws and weights are the same. So a setting that
    can change during the run is changed there, if that is where the fault is. Any other asks for a new run; so do
    learning rates that were too high, since they have already spoilt the weights.
    """
    unusual = {name: usual for name, usual in _ORDINARY.items() if not _is_ordinary(config, name, usual)}
    values = {name: usual.usual for name, usual in unusual.items()}
    rates = ("learning_rate", "muon_learning_rate") if config.optimizer == "muon" else ("learning_rate",)
    too_high = [name for name in rates if getattr(config, name) > _ORDINARY_RATE]
    if not values or too_high:
        values |= {name: getattr(config, name) / LOWER for name in too_high or rates}
    named = " and ".join(f"{name} (now {getattr(config, name):.3g}) to {value:g}" for name, value in values.items())
    call = ", ".join(f"{name}={value:.3g}" for name, value in values.items())
    verb = "Set" if unusual else "Lower"
    if unusual and not too_high and all(usual.is_live for usual in unusual.values()):
        return f"{verb} {named}, then go on: run.change({call})."
    return f"{verb} {named}, in a new run: edu.TrainingRun(run.config.replace({call}), run.corpus)."


def first_non_finite(model: Electra, out: ElectraOutput) -> str:
    """Name the first number of a step that is not finite, in the order in which the step computes them."""
    losses = {
        "the generator's MLM loss": out.mlm_loss,
        "the generator's loss": out.generator_loss,
        "the discriminator's RTD loss": out.rtd_loss,
        "the main network's loss": out.word_loss,
    }
    for name, loss in losses.items():
        if loss is not None and not loss.isfinite():
            return name
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not parameter.grad.isfinite().all():
            return f"the gradient of {name}"
    return "the weighted loss"


def _is_ordinary(config: ElectraConfig, name: str, usual: _Ordinary) -> bool:
    value = getattr(config, name)
    return value is None or usual.low <= value <= usual.high

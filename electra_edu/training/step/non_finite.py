"""Steps whose loss or gradient is not finite: which number it is, and the change of settings that helps."""

from dataclasses import dataclass

from electra_edu.config import ElectraConfig
from electra_edu.model.electra import Electra, ElectraOutput
from electra_edu.support.errors import TrainingStopped

RATE_DIVISOR = 10  # a learning rate that was too high is divided by this


@dataclass(frozen=True)
class _UsualRange:
    """The range in which a setting is not suspect, its usual value, and whether it may change during a run."""

    low: float
    high: float
    value: float
    is_live: bool = False


_USUAL = {
    "rtd_weight": _UsualRange(0, 1e4, 50.0, is_live=True),
    "temperature": _UsualRange(1e-3, 1e3, 1.0, is_live=True),
    "initializer_range": _UsualRange(0, 1, 0.02),
    "dropout": _UsualRange(0, 0.5, 0.1),
    "layer_norm_eps": _UsualRange(1e-20, 1e-2, 1e-12),
}
_HIGHEST_USUAL_RATE = 0.02  # of either optimiser


def training_stopped(what: str, step: int, config: ElectraConfig) -> TrainingStopped:
    """Return the error of a step, after `step` steps, in which `what` is not finite."""
    return TrainingStopped(
        f"Step {step + 1} was not taken: {what} is not a finite number. The run keeps its state after step {step}. "
        f"{remedy(config)}"
    )


def remedy(config: ElectraConfig) -> str:
    """Say which settings to change so that training goes on, with the call that does it.

    The same step would fail again: batch, draws and weights are the same. If the fault is in settings that can change
    during a run, they are changed there. All others need a new run, and so do learning rates that were too high, since
    they have already spoilt the weights.
    """
    unusual = {name: usual for name, usual in _USUAL.items() if not _is_usual(config, name, usual)}
    values = {name: usual.value for name, usual in unusual.items()}
    rates = ("learning_rate", "muon_learning_rate") if config.optimizer == "muon" else ("learning_rate",)
    too_high = [name for name in rates if getattr(config, name) > _HIGHEST_USUAL_RATE]
    if not values or too_high:
        values |= {name: getattr(config, name) / RATE_DIVISOR for name in too_high or rates}
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


def _is_usual(config: ElectraConfig, name: str, usual: _UsualRange) -> bool:
    value = getattr(config, name)
    return value is None or usual.low <= value <= usual.high

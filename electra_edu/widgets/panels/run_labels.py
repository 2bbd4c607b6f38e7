"""What a panel calls a run: its settings in a few words, a change of one of them, a generator's size."""

from collections.abc import Callable, Iterable, Sequence

from electra_edu.config import ElectraConfig
from electra_edu.training import Change, Stage

NAMES = {"mask_prob": "mask", "rtd_weight": "λ", "temperature": "temperature", "learning_rate": "rate"}
MOST_VALUES = 3  # of one setting in a label; of more, the first and the last


def settings_label(config: ElectraConfig, stages: Sequence[Stage] = (), usual_rate: float | None = None) -> str:
    """Say in a few words what a run was trained with: `config` at first, then what its `stages` changed.

    A setting that no step was trained with is left out. Of the temperature, the learning rate and the sharing only
    what is unusual is said; a rate of `usual_rate` is not, and None means that of `config`.
    """
    mask, weight, temperature, rate = (_trained_with(config, stages, name) for name in NAMES)
    parts = [
        f"mask {_arrows(mask, lambda share: f'{100 * share:.0f}')}%",
        f"λ {_arrows(weight, '{:g}'.format)}",
        f"size {size_label(config.generator_size_fraction)}",
    ]
    if config.weight_sharing != "embeddings":
        parts.append(f"sharing {config.weight_sharing}")
    if temperature != [1.0]:
        parts.append(f"temperature {_arrows(temperature, '{:g}'.format)}")
    if rate != [config.learning_rate if usual_rate is None else usual_rate]:
        parts.append(f"rate {_arrows(rate, '{:.2g}'.format)}")
    return ", ".join(parts)


def change_label(change: Change) -> str:
    """Say a change as a learner would: "λ 50 → 10", "mask 15% → 30%"."""
    form = ".0%" if change.field == "mask_prob" else ".3g"
    before, after = format(change.before, form), format(change.after, form)
    return f"{NAMES[change.field]} {before} → {after}"


def size_label(fraction: float) -> str:
    """Write a generator size as learners say it: 0.25 is "1/4"."""
    numerator, denominator = fraction.as_integer_ratio()
    return (
        f"{fraction:.2g}" if denominator > 64 else str(numerator) if denominator == 1 else f"{numerator}/{denominator}"
    )


def _trained_with(config: ElectraConfig, stages: Iterable[Stage], name: str) -> list[float]:
    """Return the values of one setting that steps were trained with, in order; its first one where there are none."""
    used: list[float] = []
    value = getattr(config, name)
    for stage in stages:
        value = stage.changes.get(name, value)
        if stage.steps and value not in used[-1:]:
            used.append(value)
    return used or [value]


def _arrows(values: Sequence[float], written: Callable[[float], str]) -> str:
    shown = [written(value) for value in values]
    return "→".join(shown) if len(shown) <= MOST_VALUES else f"{shown[0]}→…→{shown[-1]}"

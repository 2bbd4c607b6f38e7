"""What is on screen, as code: the preset call for a config, and a few lines that reproduce a run."""

from electra_edu.config import FIELD_NAMES, PRESETS, ElectraConfig
from electra_edu.training import TrainingRun


def preset_call(config: ElectraConfig) -> str:
    """Return the shortest `edu.preset(…)` call that makes `config`."""

    def differences(name: str) -> dict[str, object]:
        base = PRESETS[name]
        return {
            field: getattr(config, field) for field in FIELD_NAMES if getattr(config, field) != getattr(base, field)
        }

    nearest = min(PRESETS, key=lambda name: len(differences(name)))
    arguments = [repr(nearest), *(f"{field}={value!r}" for field, value in differences(nearest).items())]
    return f"edu.preset({', '.join(arguments)})"


def run_code(run: TrainingRun, initial: ElectraConfig) -> str:
    """Return at most 12 lines of public calls that repeat `run` from its `initial` config, live changes included."""
    stages: list[tuple[dict[str, float], int]] = [({}, 0)]
    done = 0
    for change in run.changes:
        stages[-1] = (stages[-1][0], change.step - done)
        done = change.step
        stages.append(({change.field: change.after}, 0))
    stages[-1] = (stages[-1][0], run.step - done)
    lines = [
        "import electra_edu as edu",
        "",
        f"config = {preset_call(initial)}",
        f"run = edu.TrainingRun(config, edu.load_corpus({run.corpus.name!r}), seed={run.seed})",
    ]
    if len(stages) == 1:
        lines.append(f"run.advance({run.step})")
    else:
        lines += [f"for settings, steps in {stages!r}:", "    run.change(**settings)", "    run.advance(steps)"]
    return "\n".join([*lines, "print(run.evaluate())"])

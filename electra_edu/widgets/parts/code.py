"""The code that a panel shows: the preset call for a config, and a few lines that reproduce a run."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from electra_edu.config import FIELD_NAMES, PRESETS, ElectraConfig
from electra_edu.corpora import MAX_SEQ_LENGTH, VOCAB_SIZE
from electra_edu.corpora.corpus import Corpus
from electra_edu.training import Stage, TrainingRun
from electra_edu.training.devices import choose_device

WIDTH = 100  # characters of a line in a wrapped list
MAX_CALLS = 3  # written one below the other; more become a loop
SHOWN_DIGITS = 12  # of a SHA-256
DEFAULT_SIZES = {"vocab_size": VOCAB_SIZE, "max_seq_length": MAX_SEQ_LENGTH}


def preset_call(config: ElectraConfig) -> str:
    """Return the shortest `edu.preset(…)` call that makes `config`."""

    def differences(name: str) -> dict[str, object]:
        base = PRESETS[name]
        return {
            field: getattr(config, field) for field in FIELD_NAMES if getattr(config, field) != getattr(base, field)
        }

    nearest = min(PRESETS, key=lambda name: len(differences(name)))
    arguments = [repr(nearest), *(f"{field}={_written(value)}" for field, value in differences(nearest).items())]
    return f"edu.preset({', '.join(arguments)})"


def corpus_line(corpus: Corpus) -> str:
    """Return the line that loads `corpus` again; a comment says what the reader has to provide."""
    source, digits = corpus.source, corpus.sha256[:SHOWN_DIGITS]
    if source is None:
        return f"corpus = my_corpus  # the corpus that the run was made with: {corpus.name!r}, SHA-256 {digits}…"
    arguments = source.arguments()
    given = [repr(arguments.pop("name_or_path"))] if "name_or_path" in arguments else ["text=my_text"]
    given += [f"{name}={size}" for name, size in arguments.items() if size != DEFAULT_SIZES.get(name)]
    call = f"corpus = edu.load_corpus({', '.join(given)})"
    if source.kind == "text":
        return f"{call}  # my_text: the text you pasted ({source.n_characters:,} characters, SHA-256 {digits}…)"
    if source.name == "toy":
        return call
    return f"{call}  # the same text if corpus.sha256 begins with {digits}"


def run_code(run: TrainingRun, stages: Sequence[Stage] | None = None) -> str:
    """Return lines of public calls that repeat `run` from its first config, and evaluate it.

    There are at most 12 lines, where a long list of stages, which is wrapped, counts as one. `stages` are the run's
    stages where they are known already.
    """
    return "\n".join([*run_lines(run, stages), "print(run.evaluate())"])


def run_lines(run: TrainingRun, stages: Sequence[Stage] | None = None) -> list[str]:
    """Return the lines of `run_code` that make the run: at most eight, besides those of a wrapped list."""
    device = "" if run.device.type == choose_device("auto").type else f", device={run.device.type!r}"
    return [
        "import electra_edu as edu",
        "",
        corpus_line(run.corpus),
        f"config = {preset_call(run.first_config)}",
        f"run = edu.TrainingRun(config, corpus, seed={run.seed}{device}){_device_comment(run)}",
        *_calls(run.stages if stages is None else stages),
    ]


def stages_until(stages: Sequence[Stage], step: int) -> list[Stage]:
    """Return the stages of a run's first `step` steps."""
    shortened: list[Stage] = []
    for stage in stages:
        if step <= 0:
            break
        shortened.append(Stage(stage.changes, min(stage.steps, step), stage.trained))
        step -= stage.steps
    return shortened


def _device_comment(run: TrainingRun) -> str:
    """Return a comment on a run that was loaded on another device: this one cannot repeat the draws of the first."""
    if len(run.devices) == 1:
        return ""
    (_, first), *others = run.devices
    devices = ", then ".join([first, *(f"{kind} from step {step + 1}" for step, kind in others)])
    return f"  # trained on {devices}: devices draw different random numbers, so this gives another history"


def _calls(stages: Sequence[Stage]) -> list[str]:
    calls = []
    for stage in stages:
        if stage.changes:
            calls.append(f"run.change({', '.join(f'{name}={_written(v)}' for name, v in stage.changes.items())})")
        if stage.steps:
            trained = f", {stage.trained!r}" if stage.trained else ""
            calls.append(f"run.advance({stage.steps}{trained})")
    if len(calls) <= MAX_CALLS:
        return calls
    trains_all = all(stage.trained is None for stage in stages)
    names = "steps" if trains_all else "steps, trained"
    return [
        f"for settings, {names} in {_stage_list(stages, trains_all)}:",
        "    run.change(**settings)",
        f"    run.advance({names})",
    ]


def _stage_list(stages: Sequence[Stage], trains_all: bool) -> str:
    """Write stages as a list of tuples: on one line, or wrapped where they are too many."""
    rows = []
    for stage in stages:
        settings = ", ".join(f"{name!r}: {_written(value)}" for name, value in stage.changes.items())
        rows.append(f"({{{settings}}}, {stage.steps}{'' if trains_all else f', {stage.trained!r}'})")
    line = ", ".join(rows)
    if len(line) <= WIDTH:
        return f"[{line}]"
    indent = " " * 4
    filled = textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
    return f"[\n{filled},\n]"


def _written(value: Any) -> str:
    """Write a value so that Python reads it without a library: NumPy's numbers as plain ones."""
    return repr(value.item() if hasattr(value, "item") else value)

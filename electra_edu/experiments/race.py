"""Races: an experiment's arms at one budget, on as many seeds as one likes."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from electra_edu.experiments.definition import load_experiment
from electra_edu.experiments.experiment import Experiment, corpus_named
from electra_edu.experiments.runner import Outcome, run_experiment
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError, nearest

# The name of a race, and the experiment whose arms run in it: the paper's Table 5, and the right side of its Figure 3.
RACES: Mapping[str, str] = MappingProxyType({"objectives": "ladder", "schemes": "schemes"})


def race_of(name: str, *, corpus: str = "toy", flops: float = 0.5e12, seeds: int = 3) -> Experiment:
    """Return the race `name` as an experiment with one budget: what each run may spend, by `efficiency.flops`.

    Raises ElectraEduError for an unknown race or corpus.
    """
    if name not in RACES:
        raise ElectraEduError(f"There is no race {name!r}.{nearest(name, RACES)} Races: {', '.join(RACES)}.")
    arguments.whole_number("seeds", seeds, 1)
    if not arguments.finite_number("flops", flops) > 0:
        arguments.refuse("flops", flops, "above 0")
    corpus_named(corpus)  # an unknown name is answered here, not in a worker
    whole = load_experiment(RACES[name])
    return replace(whole, name=f"race-{name}", corpus=corpus, seeds=tuple(range(seeds)), budgets=(flops,))


def race(
    name: str,
    *,
    corpus: str = "toy",
    flops: float = 0.5e12,
    seeds: int = 3,
    jobs: int | None = None,
    folder: Path | None = None,
    on_trial: Callable[[int, int], None] = lambda _done, _of: None,
) -> Outcome:
    """Run every arm of the race `name` on `seeds` seeds; see `run_experiment`.

    Without a `folder` nothing is kept beyond what is returned.
    """
    experiment = race_of(name, corpus=corpus, flops=flops, seeds=seeds)
    if folder is not None:
        return run_experiment(experiment, folder, jobs=jobs, on_trial=on_trial)
    with tempfile.TemporaryDirectory() as temporary:
        return run_experiment(experiment, Path(temporary), jobs=jobs, on_trial=on_trial)

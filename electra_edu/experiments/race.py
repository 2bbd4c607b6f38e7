"""Races: ways to train that may each spend the same number of floating-point operations, over several seeds."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from electra_edu.errors import ElectraEduError, nearest
from electra_edu.experiments.plan import Arm, Experiment, corpus_named
from electra_edu.experiments.runner import Outcome, run_experiment
from electra_edu.objectives import OBJECTIVES

RACES: Mapping[str, tuple[Arm, ...]] = MappingProxyType(
    {
        "objectives": tuple(
            Arm(row.label, {"objective": name}) for name, row in OBJECTIVES.items()
        ),  # the paper's Table 5
        "schemes": (  # the right side of its Figure 3
            Arm("joint"),
            Arm("two-stage", {"scheme": "two-stage", "weight_sharing": "none"}, 0.5),
            Arm("joint, size 1", {"generator_size_fraction": 1.0}),
            Arm(
                "two-stage, size 1, copied",
                {
                    "scheme": "two-stage",
                    "weight_sharing": "none",
                    "generator_size_fraction": 1.0,
                    "copy_generator": True,
                },
                0.5,
            ),
            Arm("adversarial", {"scheme": "adversarial"}),
            Arm("adversarial after MLM", {"scheme": "adversarial"}, 0.25),
        ),
    }
)


def race_of(name: str, *, corpus: str = "toy", flops: float = 0.5e12, seeds: int = 3) -> Experiment:
    """Return the race `name` as an experiment with one mark: what each run may spend, by `efficiency.flops`.

    Raises ElectraEduError for an unknown race or corpus.
    """
    if name not in RACES:
        raise ElectraEduError(f"There is no race {name!r}.{nearest(name, RACES)} Races: {', '.join(RACES)}.")
    for what, value in (("flops", flops), ("seeds", seeds)):
        if not value > 0:
            raise ElectraEduError(f"{what}={value!r}: must be above 0.")
    corpus_named(corpus)  # an unknown name is answered here, not in a worker
    return Experiment(f"race-{name}", corpus, RACES[name], tuple(range(seeds)), (flops,))


def race(
    name: str,
    *,
    corpus: str = "toy",
    flops: float = 0.5e12,
    seeds: int = 3,
    jobs: int | None = None,
    folder: Path | None = None,
    on_cell: Callable[[int, int], None] = lambda _done, _of: None,
) -> Outcome:
    """Run every arm of the race `name` on `seeds` seeds; see `run_experiment`.

    Without a `folder` nothing is kept beyond what is returned.
    """
    experiment = race_of(name, corpus=corpus, flops=flops, seeds=seeds)
    if folder is not None:
        return run_experiment(experiment, folder, jobs=jobs, on_cell=on_cell)
    with tempfile.TemporaryDirectory() as temporary:
        return run_experiment(experiment, Path(temporary), jobs=jobs, on_cell=on_cell)

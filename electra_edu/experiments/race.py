"""Races: contenders that may each spend the same number of floating-point operations, over several seeds."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import fmean
from types import MappingProxyType
from typing import Any

import torch

from electra_edu import efficiency
from electra_edu.config import PRESETS, ElectraConfig, preset
from electra_edu.corpora import load_corpus
from electra_edu.corpora.corpus import Corpus
from electra_edu.errors import ElectraEduError, nearest
from electra_edu.objectives import OBJECTIVES, Trained
from electra_edu.probes import probe_suite
from electra_edu.training import TrainingRun

Row = dict[str, Any]  # one result: what ran, what it cost, and its scores; plain values for JSON


@dataclass(frozen=True)
class Contender:
    """A way to train: a name, and how its settings differ from the corpus's preset.

    `head_start` is the share of its steps in which the generator trains alone (½ for two stages of equal length).
    """

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    head_start: float = 0.0


def _objectives() -> tuple[Contender, ...]:
    return tuple(Contender(row.label, {"objective": name}) for name, row in OBJECTIVES.items())


RACES: Mapping[str, tuple[Contender, ...]] = MappingProxyType(
    {
        "objectives": _objectives(),  # the paper's Table 5
        "schemes": (  # the right side of its Figure 3
            Contender("joint"),
            Contender("two-stage", {"scheme": "two-stage", "weight_sharing": "none"}, 0.5),
            Contender("joint, size 1", {"generator_size_fraction": 1.0}),
            Contender(
                "two-stage, size 1, copied",
                {
                    "scheme": "two-stage",
                    "weight_sharing": "none",
                    "generator_size_fraction": 1.0,
                    "copy_generator": True,
                },
                0.5,
            ),
            Contender("adversarial", {"scheme": "adversarial"}),
            Contender("adversarial after MLM", {"scheme": "adversarial"}, 0.25),
        ),
    }
)


@dataclass(frozen=True)
class Entry:
    """One run of a race: it stops when another step would exceed `flops`."""

    contender: Contender
    corpus: str
    seed: int
    flops: float

    def config(self, corpus: Corpus) -> ElectraConfig:
        """Return the settings it trains with, the length of a first stage included."""
        name = self.corpus if self.corpus in PRESETS else "docs"
        base = preset(name, vocab_size=corpus.vocab_size, max_seq_length=corpus.max_seq_length)
        if not self.contender.head_start:
            return base.replace(**self.contender.changes)
        share = self.contender.head_start
        config = base.replace(**self.contender.changes, generator_steps=1)
        after: Trained = "discriminator" if config.scheme == "two-stage" else "both"
        cost = share * _cost(config, "generator") + (1 - share) * _cost(config, after)
        return config.replace(generator_steps=max(1, round(share * self.flops / cost)))


def race(
    name: str,
    *,
    corpus: str = "toy",
    flops: float = 0.5e12,
    seeds: int = 3,
    jobs: int | None = None,
    on_row: Callable[[Row], None] = lambda _row: None,
) -> list[Row]:
    """Run every contender of the race `name` on `seeds` seeds and return one row for each run.

    `flops` is what each run may spend, by `efficiency.flops`. `jobs` runs go on at a time, one thread each (as many as
    there are cores when None); `on_row` hears of each as it ends. Raises ElectraEduError for an unknown race.
    """
    from joblib import Parallel, delayed  # here: the course never needs it

    if name not in RACES:
        raise ElectraEduError(f"There is no race {name!r}.{nearest(name, RACES)} Races: {', '.join(RACES)}.")
    for what, value in (("flops", flops), ("seeds", seeds)):
        if not value > 0:
            raise ElectraEduError(f"{what}={value!r}: must be above 0.")
    _corpus(corpus)  # an unknown name is answered here, not in a worker
    entries = [Entry(contender, corpus, seed, flops) for seed in range(seeds) for contender in RACES[name]]
    ended: Iterator[Row] = Parallel(n_jobs=jobs or os.cpu_count() or 1, return_as="generator_unordered")(
        delayed(run_entry)(entry) for entry in entries
    )
    rows = []
    for row in ended:
        on_row(row)
        rows.append(row)
    order = [contender.name for contender in RACES[name]]
    return sorted(rows, key=lambda row: (order.index(row["contender"]), row["seed"]))


def run_entry(entry: Entry) -> Row:
    """Train one entry to the end of its budget and score it: the probe suite on what is kept, and the exam."""
    torch.set_num_threads(1)
    began = time.perf_counter()
    corpus = _corpus(entry.corpus)
    run = TrainingRun(entry.config(corpus), corpus, seed=entry.seed, device="cpu")
    while True:
        spent = run.flops
        run.advance(1)
        if 2 * run.flops - spent > entry.flops:  # another step of this price would be too much
            break
    evaluation = run.evaluate()
    return {
        "contender": entry.contender.name,
        "corpus": entry.corpus,
        "seed": entry.seed,
        "steps": run.step,
        "tokens": run.tokens,
        "flops": run.flops,
        "seconds": time.perf_counter() - began,
        "config": run.config.to_dict(),
        "probes": probe_suite(run.average.encoder, corpus, seed=entry.seed),
        "scores": {name: value for name, value in evaluation.to_dict().items() if name != "step"},
    }


def summary(rows: Sequence[Row]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return, for each contender and score, the mean, least and greatest value over the seeds.

    Scores are the probes and the exam's; one that an objective has not is left out.
    """
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for name, value in (row["probes"] | row["scores"]).items():
            if value is not None and value == value:
                values[row["contender"]][name].append(value)
    return {
        contender: {name: (fmean(some), min(some), max(some)) for name, some in scores.items()}
        for contender, scores in values.items()
    }


def _cost(config: ElectraConfig, trained: Trained) -> int:
    return efficiency.flops(config, trained=trained)["total"]


@cache
def _corpus(name: str) -> Corpus:
    return load_corpus(name)

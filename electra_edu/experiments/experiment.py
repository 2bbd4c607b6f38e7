"""What an experiment is: ways to train, seeds, and the budgets at which each run is evaluated. Plain data."""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, get_args

from electra_edu import efficiency
from electra_edu.config import PRESETS, ElectraConfig, preset
from electra_edu.config.objectives import Trained
from electra_edu.corpora import load_corpus
from electra_edu.corpora.corpus import Corpus
from electra_edu.experiments.code_version import code_version
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError, nearest
from electra_edu.support.validation import Strict
from electra_edu.training.schemes import trained_at

TFLOP = 1e12

# A race compares methods over their budgets, a grid the values of a setting. A search looks for the best settings among
# many. "labels" fine-tunes what was trained on few labels.
Kind = Literal["race", "grid", "search", "labels"]

# What a setting is called in the name of an arm, where its own name is long.
SHORT: Mapping[str, str] = MappingProxyType(
    {
        "rtd_weight": "λ",
        "mask_prob": "mask rate",
        "generator_size_fraction": "generator",
        "weight_sharing": "sharing",
        "muon_learning_rate": "Muon rate",
        "learning_rate": "rate",
    }
)


@dataclass(frozen=True)
class Arm:
    """A way to train: a name, and how its settings differ from the corpus's preset.

    `head_start` is the share of its steps in which the generator trains alone (½ for two stages of equal length).
    `is_trained` False leaves the network as it was drawn: the control of a fine-tuning experiment.
    """

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    head_start: float = 0.0
    is_trained: bool = True

    def config(self, corpus: Corpus, budget: float) -> ElectraConfig:
        """Return the settings it trains with for `budget` FLOPs, the length of a first stage included."""
        base = preset(
            corpus.name if corpus.name in PRESETS else "docs",
            vocab_size=corpus.vocab_size,
            max_seq_length=corpus.max_seq_length,
        )
        if not self.head_start:
            return base.replace(**self.changes)
        config = base.replace(**self.changes, generator_steps=1)
        after: Trained = "discriminator" if config.scheme == "two-stage" else "both"
        cost = self.head_start * _cost(config, "generator") + (1 - self.head_start) * _cost(config, after)
        return config.replace(generator_steps=max(1, round(self.head_start * budget / cost)))


@dataclass(frozen=True)
class FineTuning(Strict):
    """What is done with each trained network at the end: fine-tune it on tasks with few labels."""

    tasks: tuple[str, ...]
    labels_per_class: tuple[int, ...]


@dataclass(frozen=True)
class Trial:
    """One run of an experiment: an arm and a seed. It can be trained without knowing of any other."""

    arm: Arm
    corpus: str
    seed: int
    budgets: tuple[float, ...]  # FLOPs at which the run is evaluated, ascending; it ends at the last
    fine_tuning: FineTuning | None = None
    keep: bool = False  # the trained networks themselves, beside what was read
    layers: tuple[int, ...] = ()  # whose states are probed, each in a row of its own; none: the last, in the one row

    @property
    def key(self) -> str:
        """Return a name that depends on everything the trial's results depend on, the code too, but for the machine."""
        corpus = corpus_named(self.corpus)
        config = self.arm.config(corpus, self.budgets[-1]).to_dict()
        tuning = self.fine_tuning and [self.fine_tuning.tasks, self.fine_tuning.labels_per_class]
        about = [
            code_version(),
            config,
            self.arm.is_trained,
            corpus.sha256,
            self.seed,
            self.budgets,
            tuning,
            *["keep"] * self.keep,
            *self.layers,
        ]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Experiment:
    """Arms × seeds on one corpus. `title`, `question` and `paper` say what it is for.

    `keep` names the arm whose networks, of the first seed, go with the record. `shows` are the columns that matter
    beside the probes, and `over` the setting along which the arms are drawn (None: along their FLOPs). With `layers`
    each arm becomes several, one for each layer that is probed (0: the embeddings).
    """

    name: str
    corpus: str
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    budgets: tuple[float, ...]  # FLOPs
    title: str = ""
    question: str = ""
    paper: str = ""  # what the paper found, with its place
    remark: str = ""  # why what is found here may differ
    fine_tuning: FineTuning | None = None
    keep: str = ""
    shows: tuple[str, ...] = ("train_mlm_loss", "auc", "recall")
    over: str | None = None
    layers: tuple[int, ...] = ()
    kind: Kind = "race"

    def __post_init__(self) -> None:
        """Refuse what cannot be run, by name."""
        arguments.one_of("kind", self.kind, get_args(Kind))
        for what, values in (("arms", self.arms), ("seeds", self.seeds), ("tflop", self.budgets)):
            if not values:
                raise ElectraEduError(f"{what}: give at least one.")
        names = [arm.name for arm in self.arms]
        for what, each in (("seeds", self.seeds), ("arms", names)):
            if len(set(each)) < len(each):
                raise ElectraEduError(f"{what}: {list(each)} has one of them twice.")
        for seed in self.seeds:
            arguments.seed("seeds", seed)
        if self.keep and self.keep not in names:
            raise ElectraEduError(f"keep={self.keep!r}: is none of the arms.{nearest(self.keep, names)}")
        given = [budget / TFLOP for budget in self.budgets]
        if not all(math.isfinite(budget) and budget > 0 for budget in self.budgets):
            raise ElectraEduError(f"tflop={given}: must be finite and above 0, for example 0.3.")
        if list(self.budgets) != sorted(set(self.budgets)):
            raise ElectraEduError(f"tflop={given}: must ascend, and have none twice.")

    def check(self) -> None:
        """Refuse what would fail in every run: settings that are none, or not the corpus's, and too small a budget.

        Raises ElectraEduError.
        """
        corpus = corpus_named(self.corpus)
        for arm in self.arms:
            config = arm.config(corpus, self.budgets[-1])
            for name in ("vocab_size", "max_seq_length"):
                if getattr(config, name) != getattr(corpus, name):
                    raise ElectraEduError(
                        f"{name}={getattr(config, name)} in the arm {arm.name!r}: the corpus {corpus.name!r} has "
                        f"{getattr(corpus, name)}, and that is not a setting of an experiment. Leave it out."
                    )
            step = _cost(config, trained_at(0, config)) / TFLOP
            if arm.is_trained and TFLOP * step > self.budgets[0]:
                raise ElectraEduError(
                    f"tflop={self.budgets[0] / TFLOP:g}: one step of {arm.name!r} takes {step:.2g}. Give at least that."
                )

    def trials(self) -> Iterator[Trial]:
        """Yield every run, one seed of all arms before the next: what is done early can be compared."""
        for seed in self.seeds:
            for arm in self.arms:
                keep = arm.name == self.keep and seed == self.seeds[0]
                yield Trial(arm, self.corpus, seed, self.budgets, self.fine_tuning, keep, self.layers)


def grid(choices: Mapping[str, Sequence[Any]], shared: Mapping[str, Any] | None = None) -> tuple[Arm, ...]:
    """Return an arm for each combination of the settings `choices`, named after it; `shared` holds for all."""
    arms = []
    for values in itertools.product(*choices.values()):
        own = dict(zip(choices, values, strict=True))
        arms.append(Arm(", ".join(called(*each) for each in own.items()), {**(shared or {}), **own}))
    return tuple(arms)


def called(name: str, value: Any) -> str:
    """Write a setting for people: "λ 50", "mask rate 0.15"; different values look different."""
    return f"{SHORT.get(name, name)} {number(value) if isinstance(value, float) else value}"


def number(value: float) -> str:
    """Write a number without ".0", and so that reading it gives the same one."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


@cache
def corpus_named(name: str) -> Corpus:
    """Load a corpus once in each process."""
    return load_corpus(name)


def _cost(config: ElectraConfig, trained: Trained) -> int:
    return efficiency.flops(config, trained=trained)["total"]

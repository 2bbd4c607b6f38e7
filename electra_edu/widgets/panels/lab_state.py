"""The Training Lab's state: one value that says all, and what each event makes of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from electra_edu.config import PRESETS, ElectraConfig
from electra_edu.corpora.corpus import Corpus
from electra_edu.training import TrainingRun
from electra_edu.widgets.panels.run_blocks import EarlierRun

RATES = {"÷ 10": 0.1, "÷ 3": 1 / 3, "× 1": 1.0, "× 3": 3.0, "× 10": 10.0}
CORPORA = ("toy", "docs")  # that every panel offers
MOST_EARLIER = 3  # runs whose curves stay behind


@dataclass(frozen=True)
class Knobs:
    """What every knob says. The first four act at once, the others with Reset."""

    mask: float
    rtd_weight: float
    temperature: float
    rate: float  # multiplies the learning rates of the base config
    size: float
    sharing: str
    corpus: str  # the name under which it is offered
    seed: int


LIVE = ("mask", "rtd_weight", "temperature", "rate")
NAMES = tuple(knob.name for knob in fields(Knobs))


@dataclass(frozen=True, eq=False)
class Offer:
    """A corpus that is at hand, and the config that the knobs act on when it is trained on."""

    corpus: Corpus
    base: ElectraConfig


@dataclass(frozen=True, eq=False)
class LabState:
    """All that a panel knows but what its run has measured. Never changed: an event makes a new one."""

    run: TrainingRun  # the current one
    corpus: str  # the name under which its corpus is offered
    base: ElectraConfig  # the config that the knobs act on
    knobs: Knobs
    offers: Mapping[str, Offer]  # the corpora that were loaded so far, the one that the panel was given first
    suggested: float | None = None  # λ of the chosen corpus's own settings, for the next Reset
    pending: frozenset[str] = field(default_factory=frozenset)  # live knobs that have not been applied to the run yet
    earlier: tuple[EarlierRun, ...] = ()
    sentence: int = 0  # of the exam, on the screen
    is_training: bool = False
    is_closed: bool = False
    note: str = ""  # for the status line
    stopped: str | None = None  # what ended the training

    @property
    def choices(self) -> tuple[str, ...]:
        """The names of the corpora that can be chosen."""
        return tuple(dict.fromkeys((*CORPORA, *self.offers)))

    @property
    def waiting(self) -> tuple[str, ...]:
        """What Reset would change, as the learner calls it."""
        config, knobs = self.run.config, self.knobs
        differs = {
            "generator size": knobs.size != config.generator_size_fraction,
            "sharing": knobs.sharing != config.weight_sharing,
            "corpus": knobs.corpus != self.corpus,
            f"λ {self.suggested or 0:g}": self.suggested is not None,
            "seed": knobs.seed != self.run.seed,
        }
        return tuple(name for name, waits in differs.items() if waits)

    @property
    def wanted(self) -> dict[str, float]:
        """The settings that the run has yet to obey."""
        return {name: value for knob in self.pending for name, value in live_settings(self, knob).items()}


def opened(run: TrainingRun) -> LabState:
    """Begin with a run, which may have been trained and changed already."""
    base, factor = _base(run)
    name = _name(run.corpus)
    config = run.config
    knobs = Knobs(
        mask=config.mask_prob,
        rtd_weight=config.rtd_weight,
        temperature=config.temperature,
        rate=factor,
        size=config.generator_size_fraction,
        sharing=config.weight_sharing,
        corpus=name,
        seed=run.seed,
    )
    return LabState(run, name, base, knobs, {name: Offer(run.corpus, base)})


def moved(state: LabState, knob: str, value: Any) -> LabState:
    """Note that a knob was moved."""
    if getattr(state.knobs, knob) == value:
        return state
    knobs = replace(state.knobs, **{knob: value})
    pending = state.pending | {knob} if knob in LIVE else state.pending
    suggested = state.suggested
    if knob == "rtd_weight":  # the learner has decided
        suggested = None
    elif knob == "corpus":
        own = None if value == state.corpus else _preset_of(state, value).rtd_weight
        suggested = None if own == knobs.rtd_weight else own
    return replace(state, knobs=knobs, pending=pending, suggested=suggested, note="")


def applied(state: LabState) -> LabState:
    """Note that the run has the settings that were wanted."""
    return replace(state, pending=frozenset())


def synchronised(state: LabState) -> LabState:
    """Adopt settings of the run that were changed elsewhere, in a cell for example, where no knob was moved since."""
    config, knobs, base = state.run.config, state.knobs, state.base
    settings: dict[str, Any] = {
        "mask": config.mask_prob,
        "rtd_weight": config.rtd_weight,
        "temperature": config.temperature,
    }
    if "rate" not in state.pending and _rates(config) != _scaled(base, knobs.rate):
        base, settings["rate"] = _rebased(base, config)
    changed = {n: v for n, v in settings.items() if n not in state.pending and v != getattr(knobs, n)}
    return replace(state, base=base, knobs=replace(knobs, **changed)) if changed or base is not state.base else state


def started(state: LabState) -> LabState:
    """Begin to train."""
    return replace(state, is_training=True, stopped=None, note="")


def ended(state: LabState, stopped: str | None = None) -> LabState:
    """End the training, after a pause or with what an error said."""
    return replace(state, is_training=False, stopped=stopped)


def noted(state: LabState, note: str) -> LabState:
    """Tell the learner something in the status line."""
    return replace(state, note=note)


def offered(state: LabState, name: str, corpus: Corpus) -> LabState:
    """Keep a corpus that was loaded at hand from now on."""
    sizes = {"vocab_size": corpus.vocab_size, "max_seq_length": corpus.max_seq_length}
    return replace(state, offers={**state.offers, name: Offer(corpus, _preset_of(state, name).replace(**sizes))})


def began(state: LabState, run: TrainingRun) -> LabState:
    """Take the new run that Reset has made with `reset_config`."""
    name = state.knobs.corpus
    return replace(
        state,
        run=run,
        corpus=name,
        base=_chosen_base(state),
        knobs=replace(state.knobs, rtd_weight=run.config.rtd_weight),
        suggested=None,
        pending=frozenset(),
        stopped=None,
        note="",
    )


def curve_kept(state: LabState, run: EarlierRun) -> LabState:
    """Leave a run's curves behind; the oldest make place."""
    return replace(state, earlier=(*state.earlier, run)[-MOST_EARLIER:], note="")


def sentence_chosen(state: LabState, sentence: int) -> LabState:
    """Show another sentence."""
    return replace(state, sentence=sentence)


def closed(state: LabState) -> LabState:
    """Let nothing happen any more."""
    return replace(state, is_closed=True)


def reset_config(state: LabState) -> ElectraConfig:
    """Return the config of the run that Reset would make. The chosen corpus has to be at hand.

    Raises ElectraEduError where the knobs' settings cannot go together.
    """
    knobs, base = state.knobs, _chosen_base(state)
    learning_rate, muon_learning_rate = _scaled(base, knobs.rate)
    return base.replace(
        mask_prob=knobs.mask,
        rtd_weight=knobs.rtd_weight if state.suggested is None else state.suggested,
        temperature=knobs.temperature,
        learning_rate=learning_rate,
        muon_learning_rate=muon_learning_rate,
        generator_size_fraction=knobs.size,
        weight_sharing=knobs.sharing,
    )


def live_settings(state: LabState, knob: str) -> dict[str, float]:
    """Return the settings of the run that one of its live knobs stands for."""
    if knob == "rate":
        return dict(zip(("learning_rate", "muon_learning_rate"), _scaled(state.base, state.knobs.rate), strict=True))
    return {"mask_prob" if knob == "mask" else knob: getattr(state.knobs, knob)}


def _chosen_base(state: LabState) -> ElectraConfig:
    return state.base if state.knobs.corpus == state.corpus else state.offers[state.knobs.corpus].base


def _preset_of(state: LabState, name: str) -> ElectraConfig:
    """Return the settings that come with a corpus: its own, where it is at hand, else its preset."""
    return state.offers[name].base if name in state.offers else PRESETS[name]


def _name(corpus: Corpus) -> str:
    """Name a corpus that a panel is given; one that only shares the name of one on offer is somebody's own."""
    is_own = corpus.name in CORPORA and corpus.source is not None and corpus.source.name != corpus.name
    return f"{corpus.name} (yours)" if is_own else corpus.name


def _base(run: TrainingRun) -> tuple[ElectraConfig, float]:
    """Return the config that the knobs of a panel on `run` act on, and what the learning rates are multiplied by."""
    return _rebased(run.first_config, run.config)


def _rebased(base: ElectraConfig, config: ElectraConfig) -> tuple[ElectraConfig, float]:
    """Return a base and a factor that give the rates of `config`; both rates of `base` if one factor does for both."""
    factors = [rate / before for rate, before in zip(_rates(config), _rates(base), strict=True)]
    factor = next((known for known in RATES.values() if math.isclose(known, factors[0])), factors[0])
    if _rates(config) == _scaled(base, factor):
        return base, factor
    return base.replace(learning_rate=config.learning_rate, muon_learning_rate=config.muon_learning_rate), 1.0


def _rates(config: ElectraConfig) -> tuple[float, float]:
    return config.learning_rate, config.muon_learning_rate


def _scaled(base: ElectraConfig, factor: float) -> tuple[float, float]:
    return min(1.0, base.learning_rate * factor), min(1.0, base.muon_learning_rate * factor)

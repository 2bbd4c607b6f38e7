"""The Training Lab's knobs: buttons, three sliders, and the rest under "More"."""

import math
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from electra_edu.config import PRESETS, ElectraConfig
from electra_edu.training import TrainingRun
from electra_edu.widgets.knobs import button, choices

MASK_RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.75)
LAMBDAS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
SIZES = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)
TEMPERATURES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
RATES = {"÷ 10": 0.1, "÷ 3": 1 / 3, "× 1": 1.0, "× 3": 3.0, "× 10": 10.0}
CORPORA = ("toy", "docs")


class Controls:
    """The knobs and what they say; knows nothing of training."""

    def __init__(self, config: ElectraConfig, corpus: str, seed: int) -> None:
        """Set every knob to `config`; values a slider lacks are added to it."""
        self.train = _button("Train", "play", "Train until you press Pause", "primary")
        self.step = _button("Step", "step-forward", "Take one training step")
        self.reset = _button("Reset", "refresh", "Begin a new run with the settings of all knobs")
        self.keep = _button("Keep curve", "thumb-tack", "Leave this run's curves behind, to compare the next run with")
        self.mask = _choices("mask rate", MASK_RATES, config.mask_prob, "{:.0%}".format)
        self.rtd_weight = _choices("λ", LAMBDAS, config.rtd_weight, "{:g}".format)
        self.size = _choices("generator size", SIZES, config.generator_size_fraction, size_label)
        self.temperature = _choices("temperature", TEMPERATURES, config.temperature, "{:g}".format)
        self.rate = widgets.SelectionSlider(
            options=list(RATES.items()),
            value=1.0,
            description="learning rate",
            continuous_update=False,
            style={"description_width": "initial"},
            layout=_third(),
        )
        self.sharing = widgets.Dropdown(
            options=[
                ("embeddings shared", "embeddings"),
                ("nothing shared", "none"),
                ("all shared (size 1)", "all"),
                ("GDES", "gdes"),
            ],
            value=config.weight_sharing,
            description="sharing",
            style={"description_width": "initial"},
            layout=_third(),
        )
        self.corpus = widgets.Dropdown(
            options=list(dict.fromkeys((*CORPORA, corpus))),
            value=corpus,
            description="corpus",
            style={"description_width": "initial"},
            layout=_third(),
        )
        self.seed = widgets.BoundedIntText(
            seed,
            min=0,
            max=10_000,
            description="seed",
            style={"description_width": "initial"},
            layout=_third(),
        )
        self.note = widgets.HTML()
        self.details = widgets.HTML()
        self._live = (self.mask, self.rtd_weight, self.temperature, self.rate)
        self._on_reset = (self.size, self.sharing, self.corpus, self.seed)
        self._current: ElectraConfig = config
        self._current_corpus, self._current_seed = corpus, seed
        for knob in self._on_reset:
            knob.observe(lambda _change: self._mark_reset(), "value")
        self.corpus.observe(lambda change: self._suggest(change["new"]), "value")
        self.main = widgets.VBox(
            [
                widgets.HBox([self.train, self.step, self.reset, self.keep, self.note]),
                widgets.HBox([self.mask, self.rtd_weight, self.size]),
            ]
        )
        drawer = widgets.VBox(
            [
                widgets.HBox([self.temperature, self.rate, self.sharing]),
                widgets.HBox([self.corpus, self.seed]),
                self.details,
            ]
        )
        self.more = widgets.Accordion([drawer], titles=("More: temperature, rates, sharing, corpus, seed, gradients",))
        for name in (
            "train",
            "step",
            "reset",
            "keep",
            "mask",
            "rtd_weight",
            "size",
            "temperature",
            "rate",
            "sharing",
            "corpus",
            "seed",
        ):
            getattr(self, name).add_class(f"edu-{name.replace('_', '-')}")

    def on_live_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever a knob that acts at once was moved."""
        for knob in self._live:
            knob.observe(lambda _change: callback(), "value")

    def live_settings(self, base: ElectraConfig) -> dict[str, float]:
        """Return the settings that may change during a run; the learning rates multiply those of `base`."""
        return {
            "mask_prob": self.mask.value,
            "rtd_weight": self.rtd_weight.value,
            "temperature": self.temperature.value,
            "learning_rate": min(1.0, base.learning_rate * self.rate.value),
            "muon_learning_rate": min(1.0, base.muon_learning_rate * self.rate.value),
        }

    def settings(self, base: ElectraConfig) -> dict[str, Any]:
        """Every setting, for a new run."""
        return self.live_settings(base) | {
            "generator_size_fraction": self.size.value,
            "weight_sharing": self.sharing.value,
        }

    def show_training(self, is_training: bool) -> None:
        """Make the first button say what it does now."""
        self.train.description, self.train.icon = ("Pause", "pause") if is_training else ("Train", "play")

    @property
    def says_pause(self) -> bool:
        """Whether the first button would pause."""
        return bool(self.train.description == "Pause")

    def show_run(self, config: ElectraConfig, corpus: str) -> None:
        """Note what the current run was made with, so that knobs waiting for a Reset can be told."""
        self._current, self._current_corpus, self._current_seed = config, corpus, self.seed.value
        self._mark_reset()

    def show_details(self, run: TrainingRun) -> None:
        """Say who pulls on the shared embeddings, and how sure the generator is."""
        if not run.history:
            self.details.value = ""
            return
        last = run.history[-1]
        is_shared = not math.isnan(last.grad_cosine)
        cosine = f", cosine {last.grad_cosine:+.2f}" if is_shared else ""
        owner = "the shared embeddings" if is_shared else "each network's own embeddings"
        self.details.value = (
            f"Gradient on {owner}: MLM {last.mlm_grad_share:.0%}, λ·RTD {1 - last.mlm_grad_share:.0%}{cosine}. "
            f"Generator: entropy {last.entropy:.2f} nats, right {last.mlm_accuracy:.0%} (most likely token), "
            f"{last.sampled_accuracy:.0%} (drawn token). Replaced: {last.replaced_rate:.1%} of all tokens."
        )

    def _mark_reset(self) -> None:
        waiting = [
            name
            for name, differs in (
                ("generator size", self.size.value != self._current.generator_size_fraction),
                ("sharing", self.sharing.value != self._current.weight_sharing),
                ("corpus", self.corpus.value != self._current_corpus),
                ("seed", self.seed.value != self._current_seed),
            )
            if differs
        ]
        self.reset.button_style = "warning" if waiting else ""
        self.note.value = f"<b>Reset</b> applies: {', '.join(waiting)}" if waiting else ""

    def _suggest(self, corpus: str) -> None:
        """Real text wants another λ than the toy: move the slider to the corpus's own preset."""
        if corpus in PRESETS:
            self.rtd_weight.value = PRESETS[corpus].rtd_weight


def size_label(fraction: float) -> str:
    """Write a generator size as learners say it: 0.25 is "1/4"."""
    numerator, denominator = fraction.as_integer_ratio()
    return (
        f"{fraction:.2g}" if denominator > 64 else str(numerator) if denominator == 1 else f"{numerator}/{denominator}"
    )


def _button(text: str, icon: str, about: str, style: str = "") -> widgets.Button:
    return button(text, about, style=style, icon=icon, width="112px")


def _choices(
    name: str, values: tuple[float, ...], value: float, label: Callable[[float], str]
) -> widgets.SelectionSlider:
    """Make a slider over a few values; `value` is added where it is not one of them."""
    return choices(name, sorted({*values, value}), value, label, while_moving=False)


def _third() -> widgets.Layout:
    return widgets.Layout(width="33%", min_width="180px")

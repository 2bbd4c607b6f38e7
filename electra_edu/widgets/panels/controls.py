"""The Training Lab's knobs: buttons, three sliders, and the rest under "More"."""

import math
import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from electra_edu.training import TrainingRun
from electra_edu.widgets.panels.lab_state import NAMES, RATES, LabState
from electra_edu.widgets.panels.run_labels import size_label
from electra_edu.widgets.parts.knobs import button, choices

MASK_RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.75)
LAMBDAS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
SIZES = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)
TEMPERATURES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
BUTTONS = ("train", "step", "reset", "keep")


def _rate_label(factor: float) -> str:
    return next((text for text, known in RATES.items() if known == factor), f"× {factor:.3g}")


LABELS: dict[str, Callable[[float], str]] = {
    "mask": "{:.0%}".format,
    "rtd_weight": "{:g}".format,
    "size": size_label,
    "temperature": "{:g}".format,
    "rate": _rate_label,
}


class Controls:
    """Buttons and knobs. They show a `LabState`, and tell `on_move` what the learner moves; nothing is kept here."""

    def __init__(self, state: LabState, on_move: Callable[[str, Any], None]) -> None:
        """Set every knob to `state`; values a slider lacks are added to it."""
        self.train = _button("Train", "play", "Train until you press Pause", "primary")
        self.step = _button("Step", "step-forward", "Take one training step")
        self.reset = _button("Reset", "refresh", "Begin a new run with the settings of all knobs")
        self.keep = _button("Keep curve", "thumb-tack", "Leave this run's curves behind, to compare the next run with")
        knobs = state.knobs
        self.mask = _choices("mask rate", MASK_RATES, knobs.mask, LABELS["mask"])
        self.rtd_weight = _choices("λ", LAMBDAS, knobs.rtd_weight, LABELS["rtd_weight"])
        self.size = _choices("generator size", SIZES, knobs.size, LABELS["size"])
        self.temperature = _choices("temperature", TEMPERATURES, knobs.temperature, LABELS["temperature"])
        self.rate = _choices("learning rate", tuple(RATES.values()), knobs.rate, LABELS["rate"])
        sharing = [
            ("embeddings shared", "embeddings"),
            ("nothing shared", "none"),
            ("all shared (size 1)", "all"),
            ("GDES", "gdes"),
        ]
        plain = {"description_width": "initial"}
        self.sharing = widgets.Dropdown(
            options=sharing, value=knobs.sharing, description="sharing", style=plain, layout=_third()
        )
        self.corpus = widgets.Dropdown(
            options=state.choices, value=knobs.corpus, description="corpus", style=plain, layout=_third()
        )
        self.seed = widgets.IntText(knobs.seed, description="seed", style=plain, layout=_third())
        self.note = widgets.HTML()
        self.details = widgets.HTML()
        self._on_move = on_move
        self._shown_by: int | None = None  # the thread that is setting the knobs just now: that moves none
        for name in NAMES:
            getattr(self, name).observe(lambda change, name=name: self._moved(name, change["new"]), "value")
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
        for name in (*BUTTONS, *NAMES):
            getattr(self, name).add_class(f"edu-{name.replace('_', '-')}")

    def show(self, state: LabState) -> None:
        """Show a state: what the knobs say, what waits for Reset, and what the first button does now."""
        self._shown_by = threading.get_ident()
        try:
            self.corpus.options = state.choices
            for name in NAMES:
                knob, value = getattr(self, name), getattr(state.knobs, name)
                if isinstance(knob, widgets.SelectionSlider):
                    _offer(knob, value, LABELS[name])
                if knob.value != value:
                    knob.value = value
        finally:
            self._shown_by = None
        self.train.description, self.train.icon = ("Pause", "pause") if state.is_training else ("Train", "play")
        self.reset.button_style = "warning" if state.waiting else ""
        self.note.value = f"<b>Reset</b> applies: {', '.join(state.waiting)}" if state.waiting else ""

    @property
    def says_pause(self) -> bool:
        """Whether the first button would pause."""
        return bool(self.train.description == "Pause")

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

    def _moved(self, name: str, value: Any) -> None:
        if threading.get_ident() != self._shown_by:
            self._on_move(name, value)


def _button(text: str, icon: str, about: str, style: str = "") -> widgets.Button:
    return button(text, about, style=style, icon=icon, width="112px")


def _choices(
    name: str, values: tuple[float, ...], value: float, label: Callable[[float], str]
) -> widgets.SelectionSlider:
    """Make a slider over a few values; `value` is added where it is not one of them."""
    return choices(name, sorted({*values, value}), value, label, while_moving=False)


def _offer(slider: widgets.SelectionSlider, value: float, label: Callable[[float], str]) -> None:
    """Add a value to a slider that lacks it."""
    values = [known for _, known in slider.options]
    if value not in values:
        slider.options = [(label(each), each) for each in sorted({*values, value})]


def _third() -> widgets.Layout:
    return widgets.Layout(width="33%", min_width="180px")

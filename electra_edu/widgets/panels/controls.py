"""The Training Lab's knobs: buttons, three sliders, and the rest under "More"."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets

from electra_edu.training import TrainingRun
from electra_edu.widgets.panels.lab_state import NAMES, RATES, LabState
from electra_edu.widgets.panels.run_labels import size_label
from electra_edu.widgets.parts.knobs import Button, Menu, NumberField, Slider

MASK_RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.75)
LAMBDAS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
SIZES = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)
TEMPERATURES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
SHARING = {
    "embeddings shared": "embeddings",
    "nothing shared": "none",
    "all shared (size 1)": "all",
    "GDES": "gdes",
}
BUTTONS = ("train", "step", "reset", "keep")

# A run that trains is changed once a slider is released, not at every value on the way
_slider = partial(Slider, while_moving=False)
_button = partial(Button, width="112px")


class Controls:
    """Buttons and knobs. They show a `LabState` and keep nothing themselves."""

    def __init__(self, state: LabState, on_move: Callable[[str, Any], None]) -> None:
        """Set every knob to `state`. `on_move(name, value)` is called when the learner moves one of them."""
        self.train = _button("Train", "Train until you press Pause", style="primary", icon="play")
        self.step = _button("Step", "Take one training step", icon="step-forward")
        self.reset = _button("Reset", "Begin a new run with the settings of all knobs", icon="refresh")
        self.keep = _button(
            "Keep curve", "Leave this run's curves behind, to compare the next run with", icon="thumb-tack"
        )
        knobs = state.knobs
        self.mask = _slider("mask rate", MASK_RATES, knobs.mask, "{:.0%}".format)
        self.rtd_weight = _slider("λ", LAMBDAS, knobs.rtd_weight, "{:g}".format)
        self.size = _slider("generator size", SIZES, knobs.size, size_label)
        self.temperature = _slider("temperature", TEMPERATURES, knobs.temperature, "{:g}".format)
        self.rate = _slider("learning rate", tuple(RATES.values()), knobs.rate, _rate_label)
        self.sharing = Menu("sharing", SHARING, knobs.sharing)
        self.corpus = Menu("corpus", {name: name for name in state.choices}, knobs.corpus)
        self.seed = NumberField("seed", knobs.seed)
        self.note = widgets.HTML()
        self.details = widgets.HTML()
        for name in NAMES:
            getattr(self, name).on_move(partial(on_move, name))
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
        self.corpus.offer({name: name for name in state.choices}, state.knobs.corpus)
        for name in NAMES:
            getattr(self, name).show(getattr(state.knobs, name))
        self.train.description, self.train.icon = ("Pause", "pause") if state.is_training else ("Train", "play")
        self.reset.button_style = "warning" if state.waiting else ""
        self.note.value = f"<b>Reset</b> applies: {', '.join(state.waiting)}" if state.waiting else ""

    @property
    def says_pause(self) -> bool:
        """Whether the first button would pause."""
        return bool(self.train.description == "Pause")

    def show_details(self, run: TrainingRun) -> None:
        """Show each loss's share of the gradient on the embeddings, and how sure the generator is."""
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


def _rate_label(factor: float) -> str:
    return next((text for text, known in RATES.items() if known == factor), f"× {factor:.3g}")

"""A panel that is closed leaves nothing: no thread, no widget, and nothing that keeps its run in memory."""

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances as open_widgets
from small import small_run, toy_corpus

import electra_edu as edu
from electra_edu.training import TrainingRun

PANELS: dict[str, Callable[[TrainingRun], Any]] = {
    "TrainingLab": edu.widgets.TrainingLab,
    "LabelExplorer": edu.widgets.LabelExplorer,
    "Stepper": edu.widgets.Stepper,
    "TypedSentence": edu.widgets.TypedSentence,
    "VerdictsOverTraining": edu.widgets.VerdictsOverTraining,
    "MaskedModel": edu.widgets.MaskedModel,
    "GeneratorBench": lambda run: edu.widgets.GeneratorBench([run]),
    "FindTheFakes": edu.widgets.FindTheFakes,
    "MaskExplorer": lambda run: edu.widgets.MaskExplorer(run.corpus, "the cook stirs a soup"),
}


@pytest.mark.fault("Resources", seen="a closed panel left its sliders open, and they kept the run in memory")
@pytest.mark.parametrize("name", PANELS)
def test_a_closed_panel_leaves_nothing(name: str) -> None:
    before, threads = set(open_widgets), set(threading.enumerate())
    toy = edu.preset("toy", batch_size=4)
    run = TrainingRun(toy, toy_corpus(), device="cpu") if name == "FindTheFakes" else small_run()
    panel = PANELS[name](run)
    if isinstance(panel, edu.widgets.TrainingLab | edu.widgets.FindTheFakes):
        panel.train()
    panel.close()
    kept = weakref.ref(run)
    del panel, run
    gc.collect()
    assert kept() is None
    assert set(open_widgets) == before
    assert set(threading.enumerate()) <= threads


@pytest.mark.fault("Panel state", seen="a button pressed after close began a new training")
def test_a_closed_lab_does_nothing_any_more() -> None:
    lab = edu.widgets.TrainingLab(small_run())
    lab.close()
    run = lab.run
    for act in (lab.train, lab.step, lab.reset, lab.keep_curve, lab.pause, lab.close, lab._new_sentence):
        act()
    assert (lab.run, lab.run.step, lab.is_training) == (run, 0, False)

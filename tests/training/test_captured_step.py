"""Recorded steps: what a replay computes, when a recording is made anew, and what is never half done.

CUDA graphs need a card; here tapes stand in for them, which write down and replay every operation in the same way.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from operation_tape import TapedRun, assert_alike
from small import KINDS, equal, small_config, small_corpus, state, weights
from torch import nn

from electra_edu.support.errors import TrainingStopped
from electra_edu.training import TrainingRun
from electra_edu.training.optim import adamw
from electra_edu.training.step.recording import WARM_UP, Replayed, Work, capturable


def runs(**changes: Any) -> tuple[TrainingRun, TapedRun]:
    """Return a run, and one of the same settings that records its steps."""
    config, corpus = small_config(**changes), small_corpus()
    return TrainingRun(config, corpus, device="cpu"), TapedRun(config, corpus, device="cpu")


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_replayed_steps_are_the_steps_of_a_run(kind: dict[str, Any]) -> None:
    """Over the warm-up of the rates, the average's early shares, several epochs and both stages of a scheme."""
    plain, taped = runs(**kind)
    plain.advance(9)
    taped.advance(9)
    assert taped.recordings == 1
    assert_alike(taped, plain)


def test_only_what_a_recording_cannot_read_anew_makes_another() -> None:
    plain, taped = runs(warmup_steps=20)
    recordings = []
    changes: list[dict[str, float]] = [
        {},
        {"learning_rate": 1e-3, "muon_learning_rate": 1e-3},
        {"mask_prob": 0.5},
        {"rtd_weight": 5.0},
        {"temperature": 2.0},
        {"temperature": 2.0},
    ]
    for change in changes:
        for run in (plain, taped):
            run.change(**change)
            run.advance(WARM_UP + 2)
        recordings.append(taped.recordings)
    assert recordings == [1, 1, 2, 3, 4, 4]
    assert_alike(taped, plain)
    taped.advance(WARM_UP + 1, "generator")
    assert taped.recordings == 5


def test_a_replayed_step_whose_loss_is_not_finite_is_not_taken() -> None:
    plain, taped = runs()
    for run in (plain, taped):
        run.advance(WARM_UP + 2)
        before, bias = state(run), next(run.model.generator.parameters())
        kept = bias.detach().clone()
        with torch.no_grad():
            bias.fill_(torch.inf)
        with pytest.raises(TrainingStopped, match=rf"Step {WARM_UP + 3} was not taken: .* Lower learning_rate"):
            run.advance(1)
        with torch.no_grad():
            bias.copy_(kept)
        assert equal(state(run), before)
        run.advance(WARM_UP + 2)
    assert_alike(taped, plain)


@pytest.mark.parametrize("place", [0, 1], ids=["learning", "updating"])
@pytest.mark.parametrize("steps", range(WARM_UP + 2))
def test_an_interrupted_step_is_taken_as_a_whole_or_not_at_all(
    place: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the steps before the recording, where taking one back may take an optimiser's new state away."""
    plain, taped = runs()
    plain.advance(steps + WARM_UP + 2)
    taped.advance(steps)
    do = Replayed.do

    def interrupted(self: Replayed, at: int) -> None:
        do(self, at)
        if at == place:
            raise KeyboardInterrupt

    monkeypatch.setattr(Replayed, "do", interrupted)
    before = state(taped)
    for _ in range(WARM_UP + 1):
        with pytest.raises(KeyboardInterrupt):
            taped.advance(1)
        assert equal(state(taped), before)
    monkeypatch.undo()
    taped.advance(WARM_UP + 2)
    assert_alike(taped, plain)


def test_a_recording_run_is_saved_and_copied(tmp_path: Path) -> None:
    _, taped = runs()
    taped.advance(WARM_UP + 2)
    taped.save(tmp_path / "run")
    others = [TapedRun.load(tmp_path / "run", taped.corpus, device="cpu"), copy.deepcopy(taped)]
    others.append(TrainingRun.load(tmp_path / "run", taped.corpus, device="cpu"))
    taped.advance(WARM_UP + 2)
    for other in others:
        other.advance(WARM_UP + 2)
        assert_alike(other, taped)


class Listed:
    """A graph or a recorder that only lists what is asked of it."""

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def aside(self, work: Work) -> None:
        self.calls.append("aside")
        work()

    def record(self, works: Any) -> list[Any]:
        self.calls.append(f"record {len(works)}")
        return [Listed(self.calls) for _ in works]

    def replay(self) -> None:
        self.calls.append("replay")


def test_works_are_recorded_together_after_so_many_times_and_again_for_another_key() -> None:
    calls: list[str] = []
    replayed = Replayed([lambda: calls.append("a"), lambda: calls.append("b")], Listed(calls))

    def all_for(key: str) -> str:
        calls.clear()
        replayed.begin(key)
        replayed.do(0)
        replayed.do(1)
        return " ".join(calls)

    assert [all_for("x") for _ in range(WARM_UP)] == ["aside a aside b"] * WARM_UP
    assert not replayed.is_recorded
    assert all_for("x") == "record 2 replay replay"
    assert replayed.is_recorded
    assert all_for("x") == "replay replay"
    assert all_for("y") == "aside a aside b"
    for _ in range(WARM_UP):
        replayed.begin("y")
        replayed.do(0)  # and not the second: an optimiser may not have made its state yet
    assert not replayed.is_recorded
    replayed.forget()
    assert all_for("y") == "aside a aside b"


def test_pytorchs_optimisers_may_be_recorded_only_while_they_are() -> None:
    """Told so for good, they warn at every step that is taken as usual, and warnings are errors here."""
    parameter = nn.Parameter(torch.zeros(2))
    optimizer = adamw([parameter], 0.1)
    with capturable([optimizer]):
        assert optimizer.param_groups[0]["capturable"]
    assert not optimizer.param_groups[0]["capturable"]


def test_weights_are_where_they_were() -> None:
    """A recording writes to the memory it was made with: nothing may put a run's tensors elsewhere."""
    _, taped = runs()
    taped.advance(1)
    places = [weight.data_ptr() for weight in [*taped.model.parameters(), *taped.average.parameters()]]
    before = weights(taped.model)
    taped.advance(WARM_UP + 2)
    assert places == [weight.data_ptr() for weight in [*taped.model.parameters(), *taped.average.parameters()]]
    assert not equal(before, weights(taped.model))

"""On a card a recorded step is the step of a run, and everything is given back."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from operation_tape import assert_alike
from small import KINDS, EagerRun, equal, small_config, small_corpus, state
from torch import Tensor

import electra_edu as edu
from benchmarks.captured import PlainCapturedStep
from benchmarks.shapes import Shape
from electra_edu.support.errors import TrainingStopped
from electra_edu.training import TrainingRun
from electra_edu.training.step.captured import CapturedStep
from electra_edu.training.step.recording import WARM_UP

pytestmark = pytest.mark.gpu

STEPS = WARM_UP + 4


def runs(device: str, **changes: Any) -> tuple[TrainingRun, TrainingRun]:
    """Return a run that takes its steps operation by operation, and one that has them replayed."""
    config, corpus = small_config(**changes), small_corpus()
    return EagerRun(config, corpus, device=device), TrainingRun(config, corpus, device=device)


def is_recorded(run: TrainingRun) -> bool:
    return isinstance(run._stepper, CapturedStep) and run._stepper.is_recorded


def assert_recorded(run: TrainingRun) -> None:
    assert is_recorded(run) == (run.device.type == "cuda")


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_recorded_step_is_the_step_of_a_run(
    device: str, kind: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same draws to the token, the same numbers to rounding.

    Muon rounds to bfloat16 on a card, which spreads the last bits of any two gradients; here it rounds to float32.
    """
    monkeypatch.setattr(Tensor, "bfloat16", lambda self: self)
    plain, captured = runs(device, **kind)
    for run in (plain, captured):
        run.advance(STEPS + run.config.generator_steps)
    assert_recorded(captured)
    assert_alike(captured, plain, tolerance=1e-2)
    assert torch.equal(captured.rng.get_state(), plain.rng.get_state())


def test_a_changed_setting_is_obeyed_at_once(device: str) -> None:
    plain, captured = runs(device, optimizer="adamw")
    for change in ({}, {"learning_rate": 1e-3}, {"rtd_weight": 2.0}, {"mask_prob": 0.5}, {"temperature": 2.0}):
        for run in (plain, captured):
            run.change(**change)
            run.advance(STEPS)
        assert_recorded(captured)
    assert_alike(captured, plain, tolerance=2e-2)


def test_a_resumed_run_is_recorded_too_and_goes_on_as_if_it_had_not_stopped(device: str, tmp_path: Path) -> None:
    _, captured = runs(device)
    captured.advance(STEPS)
    captured.save(tmp_path / "run")
    captured.advance(STEPS)
    resumed = TrainingRun.load(tmp_path / "run", captured.corpus, device=device)
    resumed.advance(STEPS)
    assert_recorded(resumed)
    assert equal(state(resumed), state(captured))


def test_the_exact_generator_which_computes_on_the_cpu_is_not_recorded(device: str) -> None:
    run = TrainingRun(edu.preset("toy", generator_kind="exact", batch_size=4), edu.load_corpus("toy"), device=device)
    run.advance(STEPS)
    assert not is_recorded(run)
    assert run.step == STEPS


def test_a_recorded_step_that_is_not_finite_or_interrupted_is_not_taken(device: str, monkeypatch: Any) -> None:
    _, captured = runs(device)
    captured.advance(STEPS)
    weight = captured.model.generator.bias
    kept, before = weight.detach().clone(), state(captured)
    with torch.no_grad():
        weight.fill_(torch.inf)
    with pytest.raises(TrainingStopped):
        captured.advance(1)
    with torch.no_grad():
        weight.copy_(kept)
    assert equal(state(captured), before)
    captured.advance(STEPS)
    before, update = state(captured), captured._stepper.update

    def interrupted(step: int) -> None:
        update(step)
        raise KeyboardInterrupt

    monkeypatch.setattr(captured._stepper, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        captured.advance(1)
    monkeypatch.undo()
    assert equal(state(captured), before)
    captured.advance(STEPS)
    assert_recorded(captured)


def test_a_recorded_step_waits_once_and_can_be_graded_between(card: torch.device, monkeypatch: Any) -> None:
    _, captured = runs("cuda", batch_size=2)
    captured.advance(STEPS - 2)
    assert_recorded(captured)
    read, waits = Tensor.tolist, []

    def allowed(self: Tensor) -> Any:
        torch.cuda.set_sync_debug_mode("default")
        waits.append(self.shape)
        values = read(self)
        torch.cuda.set_sync_debug_mode("error")
        return values

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tensor, "tolist", allowed)
        torch.cuda.set_sync_debug_mode("error")
        try:
            captured.advance(3)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert len(waits) == 3
    captured.evaluate()
    captured.advance(3)


@pytest.mark.parametrize("kind", [EagerRun, TrainingRun])
def test_memory_is_given_back(card: torch.device, kind: type[TrainingRun]) -> None:
    def use() -> None:
        run = kind(small_config(hidden_size=128, embedding_size=64), small_corpus(), device="cuda")
        run.advance(STEPS)
        run.evaluate()

    def held() -> int:
        gc.collect()
        torch.cuda.synchronize()
        torch._C._cuda_clearCublasWorkspaces()  # PyTorch keeps them for the next product
        torch.cuda.empty_cache()
        return torch.cuda.memory_allocated()

    use()
    before = held()
    for _ in range(3):
        use()
    assert held() - before < 100_000  # bytes: tables of a few numbers for each mask rate are kept


class Again:
    """A recorder for the dry run: its graphs do the work anew."""

    def __init__(self, work: Callable[[], None] | None = None) -> None:
        self.replay = work

    def aside(self, work: Callable[[], None]) -> None:
        work()

    def record(self, works: Any) -> Any:
        return [Again(work) for work in works]


def test_the_benchmarks_step_learns_and_draws_anew(device: str) -> None:
    place = torch.device(device)
    shape = Shape("tiny", 64, 12, 8, 16, 32, 2, 2, 16)
    step = PlainCapturedStep(shape, place, torch.float32, None if device == "cuda" else Again())
    tokens = shape.tokens(1, torch.Generator().manual_seed(2))[0].to(place)
    before = [parameter.detach().clone() for parameter in step.parameters]
    losses = [float(step(tokens)) for _ in range(30)]
    assert not any(torch.equal(old, new) for old, new in zip(before, step.parameters, strict=True))
    assert losses[-1] < losses[0] - 1
    after = [parameter.detach().clone() for parameter in step.parameters]
    again = set()
    for _ in range(5):  # from the same weights on the same tokens: only the draws can differ
        for parameter, kept in zip(step.parameters, after, strict=True):
            parameter.data.copy_(kept)
        again.add(float(step(tokens)))
    assert len(again) == 5

"""On a card a run computes what it computes on the CPU, to rounding, and waits for the card once a step."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from small import KINDS, EagerRun, equal, small_config, small_corpus, state
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

import electra_edu as edu
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.evaluation.detection import calibrate
from electra_edu.training import TrainingRun
from electra_edu.training.optim import orthogonalise
from electra_edu.training.state import TrainingState
from electra_edu.training.step.eager import EagerStep

pytestmark = pytest.mark.gpu

SHARING: list[dict[str, Any]] = [
    {"weight_sharing": sharing, "objective": objective, "generator_size_fraction": 1.0 if sharing == "all" else 0.5}
    for sharing in ("none", "embeddings", "all", "gdes")
    for objective in OBJECTIVES
]


def run_on(device: str, **changes: Any) -> TrainingRun:
    return TrainingRun(small_config(**changes), small_corpus(), device=device)


@contextmanager
def draws_of_the_cpu() -> Iterator[None]:
    """Draw all numbers on the CPU, so that a run on any device masks and samples the same."""
    rng = torch.Generator().manual_seed(5)
    rand, bernoulli = torch.rand, Tensor.bernoulli_

    def there(*size: Any, generator: torch.Generator, device: Any, **rest: Any) -> Tensor:
        return rand(*size, generator=rng, **rest).to(device)

    def drop(self: Tensor, p: float, *, generator: torch.Generator) -> Tensor:
        return self.copy_(bernoulli(torch.empty(self.shape), p, generator=rng))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "rand", there)
        patch.setattr(Tensor, "bernoulli_", drop)
        yield


def learned(device: str, kind: dict[str, Any]) -> tuple[dict[str, float], dict[str, Tensor]]:
    """Return the metrics and all gradients of a first step."""
    run = run_on(device, **kind)
    step = EagerStep(TrainingState(run.model, run.average, run.optimizers, run.rng))
    with draws_of_the_cpu():
        metrics = step.learn(run.batches.at(0))
    gradients = {name: weight.grad.cpu() for name, weight in run.model.named_parameters() if weight.grad is not None}
    return metrics, gradients


@pytest.mark.parametrize("kind", [*KINDS, *SHARING], ids=str)
def test_a_step_is_the_cpus_to_float32_rounding(device: str, kind: dict[str, Any]) -> None:
    (metrics, gradients), (expected, theirs) = learned(device, kind), learned("cpu", kind)
    assert metrics == {name: pytest.approx(value, rel=1e-4, abs=1e-6, nan_ok=True) for name, value in expected.items()}
    assert gradients.keys() == theirs.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(
            gradient, theirs[name], rtol=1e-3, atol=1e-5, msg=lambda text, n=name: f"{n}: {text}"
        )


@pytest.mark.parametrize("optimizer", ["muon", "adamw", "paper-adam"])
def test_twenty_steps_lead_where_the_cpus_lead(device: str, optimizer: str) -> None:
    """Muon orthogonalises in bfloat16 on a card, so its weights differ more."""
    ends = []
    for place in (device, "cpu"):
        run = EagerRun(small_config(optimizer=optimizer, training_steps=100), small_corpus(), device=place)
        with draws_of_the_cpu():
            run.advance(20)
        ends.append(run.history[-1])
    assert ends[0].mlm_loss == pytest.approx(ends[1].mlm_loss, rel=0.05 if optimizer == "muon" else 5e-3)


def test_losses_in_bfloat16_are_within_its_rounding(device: str) -> None:
    """Eight bits of mantissa: a relative error of 0.4 % an operation."""
    run = run_on(device, optimizer="adamw")
    run.advance(30)
    tokens, where = run.batches.at(30), torch.device(device)
    losses, logits = [], []
    for cast in (False, True):
        rng = torch.Generator(where).manual_seed(3)
        with torch.no_grad(), torch.autocast(where.type, torch.bfloat16, enabled=cast):
            losses.append(float(run.model(tokens, rng=rng).mlm_loss))
            logits.append(run.model.discriminator(tokens).float())
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    torch.testing.assert_close(logits[1], logits[0], rtol=0.05, atol=0.05)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_step_waits_for_the_card_once(card: torch.device, kind: dict[str, Any], monkeypatch: Any) -> None:
    """Only reading the metrics may wait; any other wait is an error here."""
    config = small_config(batch_size=2, **kind)
    run = EagerRun(config, small_corpus(), device="cuda")  # an epoch of ten steps: its order was copied before
    run.advance(5)
    read, waits = Tensor.tolist, []

    def allowed(self: Tensor) -> Any:
        torch.cuda.set_sync_debug_mode("default")
        waits.append(self.shape)
        values = read(self)
        torch.cuda.set_sync_debug_mode("error")
        return values

    monkeypatch.setattr(Tensor, "tolist", allowed)
    torch.cuda.set_sync_debug_mode("error")
    try:
        run.advance(3)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(waits) == 3


@pytest.mark.parametrize("attention", [None, SDPBackend.MATH], ids=["any attention", "plain attention"])
@pytest.mark.parametrize("kind", [{}, {"dropout": 0.2}, {"weight_sharing": "gdes", "positions": "learned"}], ids=str)
def test_the_same_seed_and_a_resumed_run_agree_to_the_bit(
    device: str, kind: dict[str, Any], attention: SDPBackend | None, tmp_path: Path
) -> None:
    """Both kinds of attention, so that a failure says whether it is attention's backward pass that varies."""
    with nullcontext() if attention is None else sdpa_kernel(attention):
        run, twin = run_on(device, **kind), run_on(device, **kind)
        run.advance(6)
        run.save(tmp_path / "run")
        run.advance(6)
        twin.advance(12)
        resumed = TrainingRun.load(tmp_path / "run", run.corpus, device=device)
        resumed.advance(6)
    assert equal(state(twin), state(run))
    assert equal(state(resumed), state(run))


def test_dropout_on_the_card_leaves_the_global_generator_alone(device: str) -> None:
    global_state = torch.cuda.get_rng_state if device == "cuda" else torch.get_rng_state
    before = global_state()
    run = run_on(device, dropout=0.3)
    run.advance(4)
    assert torch.equal(global_state(), before)


def test_a_run_moves_between_cpu_and_card_with_a_warning_and_is_graded_alike(
    card: torch.device, tmp_path: Path
) -> None:
    run = run_on("cpu")
    run.advance(60)
    run.save(tmp_path / "cpu")
    with pytest.warns(UserWarning, match="saved on 'cpu' and goes on on 'cuda'"):
        there = TrainingRun.load(tmp_path / "cpu", run.corpus, device="cuda")
    on_cpu, on_card = run.evaluate(), there.evaluate()
    assert on_card.auc == pytest.approx(on_cpu.auc, abs=2e-3)  # the exam is the same to the token
    assert on_card.mlm_loss == pytest.approx(on_cpu.mlm_loss, rel=0.15)  # positions are drawn by the device
    words = "the cook stirs a soup"
    for (mine, p), (theirs, q) in zip(edu.detect(there, words), edu.detect(run, words), strict=True):
        assert mine == theirs
        assert p == pytest.approx(q, abs=1e-4)
    calibrate(there)
    there.advance(5)
    there.save(tmp_path / "card")
    with pytest.warns(UserWarning, match="saved on 'cuda' and goes on on 'cpu'"):
        back = TrainingRun.load(tmp_path / "card", run.corpus, device="cpu")
    back.advance(5)
    assert back.step == 70


def test_newton_schulz_in_bfloat16_still_orthogonalises(device: str) -> None:
    matrices = torch.randn(3, 32, 64, generator=torch.Generator().manual_seed(0)).to(device)
    values = torch.linalg.svdvals(orthogonalise(matrices).float())
    assert values.min() > 0.4
    assert values.max() < 1.4

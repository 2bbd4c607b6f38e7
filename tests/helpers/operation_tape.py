"""A recorder for the CPU: like a CUDA graph, it records every operation and replays them on the same memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from small import state
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from electra_edu.support import tensors
from electra_edu.training import StepRecord, TrainingRun
from electra_edu.training.step.captured import CapturedStep
from electra_edu.training.step.recording import Recorder, Work

FORBIDDEN = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "_unique2", "bincount", "one_hot"}


class Tape(TorchDispatchMode):
    """Records operations with the tensors that they read and return; it keeps both, so that their memory stays."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[tuple[Any, Any, Any, list[Tensor]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        masks = [one for one in (args[1] if name == "index" else ()) if one is not None and one.dtype == torch.bool]
        if name in FORBIDDEN or masks:
            raise RuntimeError(f"{name}: operation not permitted when stream is capturing")
        made = func(*args, **(kwargs or {}))
        self.noted.append((func, args, kwargs or {}, _tensors(made)))
        return made

    @torch.no_grad()
    def replay(self) -> None:
        for func, args, kwargs, made in self.noted:
            for kept, again in zip(made, _tensors(func(*args, **kwargs)), strict=True):
                if kept.data_ptr() != again.data_ptr():  # not in place, and no view
                    kept.copy_(again)


def _tensors(made: Any) -> list[Tensor]:
    parts = made if isinstance(made, list | tuple) else [made]
    return [part for part in parts if isinstance(part, Tensor)]


class TapeRecorder:
    """Records by executing, then restores what that changed: recording a CUDA graph executes nothing."""

    def __init__(self, run: TrainingRun) -> None:
        self._run = run
        self.recordings = 0

    def aside(self, work: Work) -> None:
        work()

    def record(self, works: Sequence[Work]) -> list[Tape]:
        self.recordings += 1
        tapes = []
        # The values of token ids are checked on a CPU only; a graph cannot read them.
        with self._unchanged(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(tensors, "check_range", lambda *_: None)
            for work in works:
                tapes.append(Tape())
                with tapes[-1]:
                    work()
        return tapes

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
        run = self._run
        states = [one for made in run.optimizers for one in made.state.values()]
        tensors = [*run.model.parameters(), *run.average.parameters(), *(t for one in states for t in one.values())]
        before, draws = [tensor.detach().clone() for tensor in tensors], run.rng.get_state()
        yield
        assert sum(len(one) for made in run.optimizers for one in made.state.values()) == sum(map(len, states))
        with torch.no_grad():
            for tensor, kept in zip(tensors, before, strict=True):
                tensor.copy_(kept)
        run.rng.set_state(draws)


class TapedRun(TrainingRun):
    """A run on the CPU that replays tapes, as a run on CUDA replays graphs."""

    def recorder(self) -> Recorder:
        return TapeRecorder(self)

    @property
    def recordings(self) -> int:
        """How many recordings were made."""
        assert isinstance(self._stepper, CapturedStep)
        recorder = self._stepper._halves._recorder
        assert isinstance(recorder, TapeRecorder)
        return recorder.recordings


def numbers(record: StepRecord) -> list[float]:
    """Return the metrics of a record, except the seconds."""
    return [value for name, value in vars(record).items() if name not in ("seconds", "trained")]


def assert_alike(ours: TrainingRun, theirs: TrainingRun, tolerance: float = 1e-3) -> None:
    """Check that two runs agree to rounding: their records, and all that the next step depends on."""
    assert [record.trained for record in ours.history] == [record.trained for record in theirs.history]
    for mine, other in zip(ours.history, theirs.history, strict=True):
        np.testing.assert_allclose(numbers(mine), numbers(other), rtol=tolerance, atol=tolerance / 10)
    for one, another in zip(state(ours), state(theirs), strict=True):
        torch.testing.assert_close(one, another, rtol=tolerance, atol=tolerance / 10)

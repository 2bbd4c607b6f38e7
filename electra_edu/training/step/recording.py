"""Work recorded once as CUDA graphs and replayed: the GPU then runs it without Python launching each of its kernels."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch.optim import Optimizer

WARM_UP = 3  # times as usual before recording: they make the optimiser's state and let libraries choose their kernels

Work = Callable[[], None]


class Graph(Protocol):
    """What was recorded."""

    def replay(self) -> None:
        """Do it again, on what its tensors hold now."""


class Recorder(Protocol):
    """How work is recorded: `CudaRecorder`, or a stand-in of the tests."""

    def aside(self, work: Work) -> None:
        """Do work as usual, where its traces do not disturb the recording that follows."""

    def record(self, works: Sequence[Work]) -> list[Graph]:
        """Record the works one after another, without doing them."""


class Replayed:
    """Works that are done as usual a few times, then recorded together and from then on replayed.

    What a work reads and writes are tensors that keep their addresses. Everything else that it depends on, shapes and
    settings, is in the key, and a change of the key discards the recording.
    """

    def __init__(self, works: Sequence[Work], recorder: Recorder) -> None:
        """Take the works in the order in which they are done."""
        self._works, self._recorder = tuple(works), recorder
        self._key: Hashable = None
        self._graphs: list[Graph] = []
        self._taken = 0  # times that all works were done as usual

    @property
    def is_recorded(self) -> bool:
        """Whether the works are replayed by now."""
        return bool(self._graphs)

    def begin(self, key: Hashable) -> None:
        """Prepare a round of the works, which depends on `key`; record them once they have been done often enough."""
        if key != self._key:
            self.forget()
            self._key = key
        if self._taken >= WARM_UP and not self._graphs:
            self._graphs = self._recorder.record(self._works)

    def do(self, place: int) -> None:
        """Do the work at `place`."""
        if self._graphs:
            self._graphs[place].replay()
            return
        self._recorder.aside(self._works[place])
        self._taken += place == len(self._works) - 1

    def forget(self) -> None:
        """Discard the recording, for example because an optimiser's state has become another tensor."""
        self._graphs, self._taken, self._key = [], 0, None


class CudaRecorder:
    """Records on a CUDA device; needs a PyTorch whose graphs can register a generator (2.4 or later).

    Every replay draws new numbers from `rng`, the same ones as without a recording. Nothing in the work may wait for
    the device. Source of the recipe: docs.pytorch.org, "CUDA semantics", "Whole-network capture".
    """

    def __init__(self, device: torch.device, rng: torch.Generator, optimizers: Iterable[Optimizer]) -> None:
        """Take what the works draw from, and the optimisers that they step."""
        self._rng, self._optimizers = rng, list(optimizers)
        self._stream = torch.cuda.Stream(device)  # one for all works: every stream has a workspace of megabytes

    def aside(self, work: Work) -> None:
        """Do work on the stream on which it will be recorded."""
        current = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            work()
        current.wait_stream(self._stream)

    def record(self, works: Sequence[Work]) -> list[Graph]:
        """Record the works as graphs that share their memory."""
        graphs: list[Graph] = []
        pool = None
        with capturable(self._optimizers):
            for work in works:
                graph = torch.cuda.CUDAGraph()
                graph.register_generator_state(self._rng)  # else every replay would draw the same numbers
                # thread_local: another thread, such as one that shows a panel, may use the GPU meanwhile.
                with torch.cuda.graph(graph, pool=pool, stream=self._stream, capture_error_mode="thread_local"):
                    work()
                pool = graph.pool()
                graphs.append(graph)
        return graphs


@contextmanager
def capturable(optimizers: Iterable[Optimizer]) -> Iterator[None]:
    """Let PyTorch's own optimisers be recorded; with the flag set, they would warn outside of a recording."""
    groups = [group for one in optimizers for group in one.param_groups if "capturable" in group]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False

"""The training sequences in batches: every epoch has a new order, drawn from the seed and the epoch alone."""

import torch
from torch import Tensor

from electra_edu.training.random_streams import random_stream


class Batches:
    """Batches of equal size; an epoch leaves out the sequences that would not fill one more."""

    def __init__(self, sequences: Tensor, batch_size: int, seed: int) -> None:
        """Take the sequences (N, T) on the device that reads them; no batch is larger than N."""
        self._sequences, self._seed = sequences, seed
        self._size = min(batch_size, len(sequences))
        self._order: tuple[int, Tensor] | None = None  # (epoch, permutation)

    def at(self, step: int) -> Tensor:
        """Return the sequences (B, T) that are read after `step` steps."""
        epoch, number = divmod(step, len(self._sequences) // self._size)
        if self._order is None or self._order[0] != epoch:
            rng = random_stream(self._seed, "order", epoch=epoch)
            order = torch.randperm(len(self._sequences), generator=rng)
            self._order = epoch, order.to(self._sequences.device)
        return self._sequences[self._order[1][number * self._size : (number + 1) * self._size]]

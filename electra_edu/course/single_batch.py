"""A training step to be walked through: its tensors, the gradient norms of both losses, and steps on one loss alone."""

import copy
import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from electra_edu.config.objectives import Trained
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.electra import ElectraOutput
from electra_edu.model.generator import Generator
from electra_edu.model.masking import Masking, mask
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.training.gradients import split_parameters
from electra_edu.training.optim import make_optimizers, set_rates

BATCH = 16
NAMES = {"generator": "generator only", "discriminator": "discriminator only", "both": "both"}


@dataclass(frozen=True)
class LossGradientNorms:
    """Norms of the gradients of the MLM loss and of λ · RTD loss, by whose weights they are on: see `Walk.weights`."""

    mlm: dict[str, float]
    rtd: dict[str, float]
    cosine: float  # between both on the shared weights; NaN where nothing is shared


@dataclass(frozen=True)
class Taken:
    """A step that was taken: both losses after it, and which weights it moved."""

    name: str
    mlm: float
    rtd: float
    moved: str = "–"


class Walk:
    """A small training batch on its way through copies of a run's networks, and real optimiser steps on it.

    Every pass hides the same words and uses the same random numbers, so that losses before and after a step differ
    by the step alone.
    """

    def __init__(self, run: TrainingRun, seed: int = 0) -> None:
        """Copy networks and optimisers of `run`; raises ElectraEduError where they are not a learned pair."""
        model = run.model
        if not isinstance(model.generator, Generator) or not isinstance(model.second, Discriminator):
            raise ElectraEduError(
                "run: needs a learned generator and a discriminator. Use objective='electra' and "
                "generator_kind='learned'."
            )
        self.seed, self.batch = seed, min(BATCH, len(run.corpus.train))
        self.tokens = run.corpus.train[: self.batch].to(run.device)  # (B, T)
        self.model = copy.deepcopy(model).eval()  # without dropout, or the same step would not be the same
        self._optimizers = make_optimizers(self.model, run.config)
        for mine, of_run in zip(self._optimizers, run.optimizers, strict=True):
            mine.load_state_dict(copy.deepcopy(of_run.state_dict()))
        set_rates(self._optimizers, run.config, run.step)
        split = split_parameters(self.model)
        self.weights = {
            "generator's own": split.generator_only,
            "shared": split.shared,
            "discriminator's own": split.main_only,
        }
        self._pass()
        self.start = self._taken("before")
        self.taken: list[Taken] = []

    def places(self, story: int) -> list[int]:
        """Return the places of the gaps in a story of the batch, in order."""
        places: list[int] = self.out.is_masked[story].nonzero().flatten().tolist()
        return places

    def shares(self, story: int) -> Tensor:
        """Return what the generator gives each word in those gaps: (n_gaps, V)."""
        slots = [self.masking.positions[story].tolist().index(place) for place in self.places(story)]
        logits = self.out.mlm_logits[story, slots].detach().float()
        return (logits / self.model.config.temperature).softmax(-1)

    @cached_property
    def gradient_norms(self) -> LossGradientNorms:
        """Back-propagate each loss by itself."""
        assert self.out.second_loss is not None
        mlm, rtd = (
            {name: _gradient(loss, weights) for name, weights in self.weights.items()}
            for loss in (self.out.mlm_loss, self.out.second_loss)
        )
        is_shared = bool(self.weights["shared"])
        cosine = torch.cosine_similarity(mlm["shared"], rtd["shared"], dim=0) if is_shared else torch.tensor(math.nan)
        return LossGradientNorms(_norms(mlm), _norms(rtd), float(cosine))

    def step(self, trained: Trained) -> None:
        """Take one optimiser step on the MLM loss, on λ · RTD loss, or on both, and pass the batch through again."""
        losses = {"generator": self.out.mlm_loss, "discriminator": self.out.second_loss, "both": self.out.loss}
        loss = losses[trained]
        assert loss is not None
        before = {name: _values(weights) for name, weights in self.weights.items()}
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.model.config.max_grad_norm or math.inf)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        moved = [name for name, weights in self.weights.items() if not torch.equal(before[name], _values(weights))]
        self._pass()
        self.taken.append(self._taken(NAMES[trained], ", ".join(moved)))

    def _pass(self) -> None:
        """Send the batch through the networks, with the same random numbers as ever."""
        self.__dict__.pop("gradient_norms", None)
        device = self.tokens.device
        self.out: ElectraOutput = self.model(self.tokens, rng=torch.Generator(device).manual_seed(self.seed))
        rng = torch.Generator(device).manual_seed(self.seed)
        self.masking: Masking = mask(self.tokens, self.model.config, rng, self.out.is_real)

    def _taken(self, name: str, moved: str = "–") -> Taken:
        assert self.out.rtd_loss is not None
        return Taken(name, float(self.out.mlm_loss.detach()), float(self.out.rtd_loss.detach()), moved)


def _norms(gradients: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(gradient.norm()) for name, gradient in gradients.items()}


def _gradient(loss: Tensor, weights: list[nn.Parameter]) -> Tensor:
    """Return the gradient of `loss` on all of `weights` as one vector, 0 where none arrives."""
    if not weights:
        return torch.zeros(1, device=loss.device)
    gradients = torch.autograd.grad(loss, weights, retain_graph=True, materialize_grads=True, allow_unused=True)
    return torch.cat([gradient.flatten() for gradient in gradients])


def _values(weights: list[nn.Parameter]) -> Tensor:
    """Return a copy of all of `weights` as one vector."""
    return torch.cat([weight.detach().flatten() for weight in weights]) if weights else torch.zeros(0)

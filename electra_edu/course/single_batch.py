"""Training on a single batch, step by step: its tensors, the gradient norms of both losses, steps on one loss alone."""

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
from electra_edu.training.optim import make_optimizers
from electra_edu.training.schedule import set_rates
from electra_edu.training.step.gradients import split_parameters

BATCH_SIZE = 16
STEP_NAMES = {"generator": "generator only", "discriminator": "discriminator only", "both": "both"}


@dataclass(frozen=True)
class LossGradientNorms:
    """Norms of the gradients of the MLM loss and of λ · RTD loss, for each group of `SingleBatchTrainer.weights`."""

    mlm: dict[str, float]
    rtd: dict[str, float]
    cosine: float  # similarity of the two on the shared weights; NaN where nothing is shared


@dataclass(frozen=True)
class StepLosses:
    """Both losses after an optimiser step, and which weights the step moved."""

    name: str
    mlm: float
    rtd: float
    moved: str = "–"


class SingleBatchTrainer:
    """Takes real optimiser steps on one small batch, with copies of a run's networks and optimisers.

    Every forward pass masks the same words and uses the same random numbers, so that the losses before and after a
    step differ by the step alone.
    """

    def __init__(self, run: TrainingRun, seed: int = 0) -> None:
        """Copy the networks and optimisers of `run`.

        Raises ElectraEduError where the run has no learned generator or no discriminator.
        """
        model = run.model
        if not isinstance(model.generator, Generator) or not isinstance(model.main, Discriminator):
            raise ElectraEduError(
                "run: needs a learned generator and a discriminator. Use objective='electra' and "
                "generator_kind='learned'."
            )
        self.seed, self.batch_size = seed, min(BATCH_SIZE, len(run.corpus.train))
        self.tokens = run.corpus.train[: self.batch_size].to(run.device)  # (B, T)
        # Without dropout, or the same step would not give the same losses again
        self.model = copy.deepcopy(model).eval()
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
        self._forward()
        self.initial = self._losses("before")
        self.steps: list[StepLosses] = []

    def masked_positions(self, story: int) -> list[int]:
        """Return the masked positions of a story of the batch, in order."""
        positions: list[int] = self.out.is_masked[story].nonzero().flatten().tolist()
        return positions

    def probabilities(self, story: int) -> Tensor:
        """Return the generator's probability of every word at those positions: (n_masked, V)."""
        slots = [self.masking.positions[story].tolist().index(position) for position in self.masked_positions(story)]
        logits = self.out.mlm_logits[story, slots].detach().float()
        return (logits / self.model.config.temperature).softmax(-1)

    @cached_property
    def gradient_norms(self) -> LossGradientNorms:
        """Back-propagate each loss by itself."""
        assert self.out.main_loss is not None
        mlm, rtd = (
            {name: _gradient(loss, weights) for name, weights in self.weights.items()}
            for loss in (self.out.mlm_loss, self.out.main_loss)
        )
        is_shared = bool(self.weights["shared"])
        cosine = torch.cosine_similarity(mlm["shared"], rtd["shared"], dim=0) if is_shared else torch.tensor(math.nan)
        return LossGradientNorms(_norms(mlm), _norms(rtd), float(cosine))

    def step(self, trained: Trained) -> None:
        """Take one optimiser step on the MLM loss, on λ · RTD loss or on their sum, then run the batch again."""
        losses = {"generator": self.out.mlm_loss, "discriminator": self.out.main_loss, "both": self.out.loss}
        loss = losses[trained]
        assert loss is not None
        before = {name: _values(weights) for name, weights in self.weights.items()}
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.model.config.max_grad_norm or math.inf)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        moved = [name for name, weights in self.weights.items() if not torch.equal(before[name], _values(weights))]
        self._forward()
        self.steps.append(self._losses(STEP_NAMES[trained], ", ".join(moved)))

    def _forward(self) -> None:
        """Run the batch through the networks, with the same random numbers every time."""
        self.__dict__.pop("gradient_norms", None)
        device = self.tokens.device
        self.out: ElectraOutput = self.model(self.tokens, rng=torch.Generator(device).manual_seed(self.seed))
        rng = torch.Generator(device).manual_seed(self.seed)
        self.masking: Masking = mask(self.tokens, self.model.config, rng, self.out.is_real)

    def _losses(self, name: str, moved: str = "–") -> StepLosses:
        assert self.out.rtd_loss is not None
        return StepLosses(name, float(self.out.mlm_loss.detach()), float(self.out.rtd_loss.detach()), moved)


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

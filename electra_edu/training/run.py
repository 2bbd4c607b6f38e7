"""TrainingRun: one ELECTRA being trained on one corpus; it takes steps and knows nothing of who watches."""

import copy
import math
import os
import threading
import time
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_

from electra_edu import efficiency
from electra_edu.config import ElectraConfig
from electra_edu.corpora.corpus import Corpus
from electra_edu.electra import Electra, ElectraOutput
from electra_edu.encoder import lent_random_state
from electra_edu.errors import ElectraEduError, TrainingStopped, nearest
from electra_edu.generator import FrequencyGenerator
from electra_edu.objectives import Trained
from electra_edu.optim import make_optimizers, set_rates, update_average
from electra_edu.training import checkpoint
from electra_edu.training.exam import Exam
from electra_edu.training.figures import step_figures
from electra_edu.training.gradients import Backward
from electra_edu.training.records import Change, Evaluation, StepRecord
from electra_edu.training.schemes import copy_generator, trained_at
from electra_edu.training.stages import Stage, stages

LIVE_FIELDS = ("mask_prob", "rtd_weight", "temperature", "learning_rate", "muon_learning_rate")

# Each kind of random draw has its own stream, so that changing how often one is used leaves the others alone.
_INIT, _DRAWS, _ORDER = 1, 2, 3


class TrainingRun:
    """An ELECTRA, its optimisers, its place in the corpus and everything it has measured.

    Every random draw comes from the run's own generators: the same seed, device, thread count and library versions
    give the same numbers to the last bit. Methods may be called from several threads; one at a time is served.
    """

    def __init__(self, config: ElectraConfig, corpus: Corpus, seed: int = 0, device: str = "auto") -> None:
        """Build the model and draw its weights.

        `device` is "auto" (CUDA if there is one, else the CPU), "cpu", "cuda" or "mps". Raises ElectraEduError when
        config and corpus disagree or the device is not there.
        """
        _check_fit(config, corpus)
        self.corpus = corpus
        self.first_config = config
        self.seed = seed
        self.device = choose_device(device)
        self.model = Electra(config, _stream(seed, _INIT)).to(self.device)
        if isinstance(self.model.generator, FrequencyGenerator) and self.model.generator.needs_frequencies:
            self.model.generator.use(corpus.unigram)
        self.average = copy.deepcopy(self.model).requires_grad_(False).eval()  # scores are read from this one
        self.optimizers = make_optimizers(self.model, config)
        self.backward = Backward(self.model)
        self.rng = _stream(seed, _DRAWS, self.device)  # positions and samples
        self.history: list[StepRecord] = []
        self.evaluations: list[Evaluation] = []
        self.changes: list[Change] = []
        self.step = self.tokens = self.flops = 0
        self.seconds = 0.0
        self._train = corpus.train.to(self.device)
        self._order: tuple[int, Tensor] | None = None  # (epoch, permutation)
        self._exam: Exam | None = None
        self._one_at_a_time = threading.RLock()

    @property
    def config(self) -> ElectraConfig:
        """The settings in force now; `change` replaces them."""
        return self.model.config

    @property
    def stages(self) -> list[Stage]:
        """What was asked of the run so far: a new run that is asked the same, stage by stage, becomes this one."""
        return stages(self.first_config, self.history, self.changes)

    def advance(self, steps: int, trained: Trained | None = None) -> list[StepRecord]:
        """Take `steps` training steps and return their records.

        `trained` = "generator" or "discriminator" (the second network) trains one and leaves the other as it is; None
        trains what the config's scheme says. Raises TrainingStopped when a loss or gradient is not finite; the steps
        taken before are kept, the bad one is undone.
        """
        if not isinstance(steps, int) or steps < 0:
            raise ElectraEduError(f"steps={steps!r}: must be a whole number of at least 0.")
        if trained is not None:
            efficiency.flops(self.config, trained=trained)  # raises for a network that is not there
        with self._one_at_a_time:
            return [self._take_step(trained) for _ in range(steps)]

    def change(self, **settings: float) -> None:
        """Change mask_prob, rtd_weight, temperature or a learning rate from the next step on; noted in `changes`."""
        for name in settings:
            if name not in LIVE_FIELDS:
                raise ElectraEduError(
                    f"{name!r} cannot change during a run.{nearest(name, LIVE_FIELDS)} These can: "
                    f"{', '.join(LIVE_FIELDS)}. For another {name}, start a new TrainingRun."
                )
        with self._one_at_a_time:
            before, after = self.config, self.config.replace(**settings)
            self.changes += [
                Change(self.step, name, getattr(before, name), getattr(after, name))
                for name in settings
                if getattr(before, name) != getattr(after, name)
            ]
            self.model.config = self.average.config = after

    def evaluate(self) -> Evaluation:
        """Score the average of the weights on held-out text; disturbs nothing, and is kept in `evaluations`."""
        with self._one_at_a_time:
            evaluation = self.exam.grade(self.average, self.step)
            self.evaluations.append(evaluation)
            return evaluation

    @property
    def exam(self) -> Exam:
        """The fixed held-out exam."""
        if self._exam is None:
            self._exam = Exam(self.corpus, self.config, self.device)
        return self._exam

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write everything needed to continue into `directory`, replacing a run saved there before.

        Raises CheckpointError when it cannot be written; what was there stays then.
        """
        with self._one_at_a_time:
            checkpoint.save(self, Path(directory))

    @classmethod
    def load(cls, directory: str | os.PathLike[str], corpus: Corpus | None = None, device: str = "auto") -> Self:
        """Continue a saved run exactly where it was.

        `corpus` is loaded again by its name when None. Warns when the thread count differs from the saved one (the
        last bits of the numbers may then differ). Raises CheckpointError when the folder holds no readable run or the
        corpus is not the same text.
        """
        saved = checkpoint.read(Path(directory))
        run = cls(saved.config, saved.find_corpus(corpus), saved.seed, device)
        checkpoint.restore(run, saved)
        return run

    def _batch(self) -> Tensor:
        """Return the next step's sequences (B, T): every epoch a new order, drawn from the seed and the epoch alone."""
        size = min(self.config.batch_size, len(self._train))
        epoch, place = divmod(self.step, len(self._train) // size)
        if self._order is None or self._order[0] != epoch:
            rng = _stream(self.seed, _ORDER + epoch)
            self._order = epoch, torch.randperm(len(self._train), generator=rng).to(self.device)
        return self._train[self._order[1][place * size : (place + 1) * size]]

    def _take_step(self, trained: Trained | None = None) -> StepRecord:
        started = time.perf_counter()
        rate = set_rates(self.optimizers, self.config, self.step)
        trained = trained or trained_at(self.step, self.config)
        if self.config.copy_generator and self.step == self.config.generator_steps:
            copy_generator(self.model)
        draws_before = self.rng.get_state()
        try:
            out = self._forward(self._batch(), trained)
            anatomy = self.backward(out)
            figures = step_figures(out, anatomy)
            if not (math.isfinite(figures["loss"]) and math.isfinite(figures["grad_norm"])):
                raise TrainingStopped(
                    f"Step {self.step + 1} was not taken: {self._culprit(out)} is not a finite number. "
                    f"The run keeps its state after step {self.step}. Lower learning_rate (now {rate:.2g}), then go "
                    "on or start anew."
                )
        except BaseException:  # an interrupted cell too: nothing of half a step may reach the next one
            self._forget_gradients()
            self.rng.set_state(draws_before)
            raise

        clip_grads_with_norm_(self.model.parameters(), self.config.max_grad_norm or math.inf, anatomy.total)
        for optimizer in self.optimizers:
            optimizer.step()
        self._forget_gradients()
        update_average(self.average, self.model, self.step)
        self.step += 1
        self.tokens += int(figures.pop("tokens"))
        self.flops += efficiency.flops(self.config, trained=trained)["total"]
        self.seconds += time.perf_counter() - started
        record = StepRecord(
            step=self.step,
            tokens=self.tokens,
            flops=self.flops,
            seconds=self.seconds,
            learning_rate=rate,
            mask_prob=self.config.mask_prob,
            rtd_weight=self.config.rtd_weight,
            temperature=self.config.temperature,
            trained=trained,
            **figures,
        )
        self.history.append(record)
        return record

    def _forward(self, tokens: Tensor, trained: Trained) -> ElectraOutput:
        if not self.config.dropout:
            return self.model(tokens, rng=self.rng, trained=trained)  # type: ignore[no-any-return]
        with lent_random_state(self.rng, self.device):
            return self.model(tokens, rng=self.rng, trained=trained)  # type: ignore[no-any-return]

    def _culprit(self, out: ElectraOutput) -> str:
        losses = {
            "the generator's MLM loss": out.mlm_loss,
            "the generator's loss": out.generator_loss,
            "the discriminator's RTD loss": out.rtd_loss,
            "the second network's loss": out.word_loss,
        }
        for name, loss in losses.items():
            if loss is not None and not loss.isfinite():
                return name
        for name, parameter in self.model.named_parameters():
            if parameter.grad is not None and not parameter.grad.isfinite().all():
                return f"the gradient of {name}"
        return "the weighted loss"

    def _forget_gradients(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)

    def __repr__(self) -> str:
        """Say in one line what this is and how far it is."""
        where = f"{self.corpus.name!r}, seed {self.seed}, {self.device}"
        return f"<TrainingRun on {where}: {self.step} steps, {self.seconds:.1f} s>"


def choose_device(device: str) -> torch.device:
    """Turn "auto", "cpu", "cuda" or "mps" into a device that is there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    available: dict[str, Any] = {
        "cpu": lambda: True,
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    if device not in available:
        raise ElectraEduError(f"device={device!r}: must be one of 'auto', 'cpu', 'cuda', 'mps'.")
    if not available[device]():
        raise ElectraEduError(
            f"device={device!r}: this computer (or this build of PyTorch) has none. Use device='cpu'."
        )
    return torch.device(device)


def _stream(seed: int, purpose: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Make a generator of its own for one purpose of one seed."""
    return torch.Generator(device).manual_seed((seed * 1_000_003 + purpose) % 2**63)


def _check_fit(config: ElectraConfig, corpus: Corpus) -> None:
    wanted = {"vocab_size": corpus.vocab_size, "max_seq_length": corpus.max_seq_length}
    changes = {name: value for name, value in wanted.items() if getattr(config, name) != value}
    if changes:
        has = " and ".join(f"{name}={getattr(config, name)}" for name in changes)
        call = ", ".join(f"{name}={value}" for name, value in changes.items())
        raise ElectraEduError(
            f"The config has {has}, but the corpus {corpus.name!r} needs another: config.replace({call})."
        )

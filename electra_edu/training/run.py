"""TrainingRun: one ELECTRA being trained on one corpus; it takes steps and knows nothing of who watches."""

import copy
import os
import time
from typing import Any, Self

import torch

from electra_edu import efficiency
from electra_edu.config import ElectraConfig
from electra_edu.config.objectives import Trained
from electra_edu.corpora.corpus import Corpus
from electra_edu.model.electra import Electra
from electra_edu.model.generator import FrequencyGenerator
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError, nearest
from electra_edu.support.gradients import gradients_enabled
from electra_edu.training import checkpoint
from electra_edu.training.batches import Batches
from electra_edu.training.checkpoint import SavedCorpus, SavedRun
from electra_edu.training.compatibility import check_compatible, check_token_ids
from electra_edu.training.devices import choose_device
from electra_edu.training.exam import Exam
from electra_edu.training.optim import make_optimizers
from electra_edu.training.process_lock import ProcessLock
from electra_edu.training.random_streams import random_stream
from electra_edu.training.records import Change, Evaluation, StepRecord
from electra_edu.training.schedule import set_rates
from electra_edu.training.schemes import copy_generator, trained_at
from electra_edu.training.stages import Stage, StageLog
from electra_edu.training.state import TrainingState
from electra_edu.training.step.captured import CapturedStep
from electra_edu.training.step.eager import EagerStep
from electra_edu.training.step.metrics import is_finite
from electra_edu.training.step.non_finite import training_stopped
from electra_edu.training.step.recording import CudaRecorder, Recorder
from electra_edu.training.step.undo import Undo

LIVE_FIELDS = ("mask_prob", "rtd_weight", "temperature", "learning_rate", "muon_learning_rate")

# Attributes that no copy of a run takes along: `_prepare` makes them anew.
_NOT_COPIED = ("_lock", "_state", "_stepper", "_undo")


class TrainingRun:
    """A model, its optimisers, its position in the corpus and everything measured so far.

    Every random draw comes from the run's own generators: the same seed, device, thread count and library versions
    give the same numbers to the last bit. Methods may be called from several threads; they are served one at a time. A
    step is taken as a whole or not at all, wherever it is interrupted. A run can be copied and pickled, but not be used
    in a forked process.
    """

    @gradients_enabled()
    def __init__(self, config: ElectraConfig, corpus: Corpus, seed: int = 0, device: str = "auto") -> None:
        """Build the model and draw its weights.

        `device` is "auto" (CUDA if there is one, else the CPU), "cpu", "cuda" or "mps". Raises ElectraEduError when
        config and corpus disagree or the device is not there.
        """
        check_compatible(config, corpus)
        seed = arguments.seed("seed", seed)
        self.corpus = corpus
        self.first_config = config
        self.seed = seed
        self.device = choose_device(device)
        if self.device.type != "cpu":
            check_token_ids(config, corpus)
        self.model = Electra(config, random_stream(seed, "weights")).to(self.device)
        if isinstance(self.model.generator, FrequencyGenerator) and self.model.generator.needs_frequencies:
            self.model.generator.set_frequencies(corpus.unigram)
        self.average = copy.deepcopy(self.model).requires_grad_(False).eval()  # scores are read from this one
        self.optimizers = make_optimizers(self.model, config)
        self.rng = random_stream(seed, "steps", self.device)  # masked positions, samples and dropout
        self.batches = Batches(corpus.train.to(self.device), config.batch_size, seed)
        self.history: list[StepRecord] = []
        self.evaluations: list[Evaluation] = []
        self.changes: list[Change] = []
        self.devices = [(0, self.device.type)]  # (steps done, the kind of device from then on)
        self._n_applied = 0  # changes that have reached the models' configs
        self._exam: Exam | None = None
        self._prepare()

    @property
    def config(self) -> ElectraConfig:
        """The settings in force now; `change` replaces them."""
        return self.model.config

    @property
    def step(self) -> int:
        """Steps taken so far."""
        return len(self.history)

    @property
    def tokens(self) -> int:
        """Real tokens read so far."""
        return self.history[-1].tokens if self.history else 0

    @property
    def flops(self) -> int:
        """Operations spent so far, by `efficiency.flops`."""
        return self.history[-1].flops if self.history else 0

    @property
    def seconds(self) -> float:
        """Time spent in training steps so far."""
        return self.history[-1].seconds if self.history else 0.0

    @property
    def stages(self) -> list[Stage]:
        """The calls that led here: a new run that is changed and advanced alike, stage by stage, equals this one."""
        return StageLog(self.first_config).read(self.history, self.changes)

    @property
    def exam(self) -> Exam:
        """The fixed held-out exam."""
        if self._exam is None:
            self._exam = Exam(self.corpus, self.config, self.device)
        return self._exam

    @gradients_enabled()
    def advance(self, steps: int, trained: Trained | None = None) -> list[StepRecord]:
        """Take `steps` training steps and return their records.

        `trained` = "generator" or "discriminator" (the main network) trains one and leaves the other as it is; None
        trains what the config's scheme says. Raises TrainingStopped when a loss or gradient is not finite; the steps
        taken before it stay, and that step is undone.
        """
        steps = arguments.whole_number("steps", steps, least=0, most=arguments.MAX_INT64)
        arguments.one_of("trained", trained, (None, "both", "generator", "discriminator"))
        if trained is not None:
            efficiency.flops(self.config, trained=trained)  # raises for a network that is not there
        with self._lock.of_this_process():
            self._recover()
            return [self._take_step(trained) for _ in range(steps)]

    def change(self, **settings: float) -> None:
        """Change mask_prob, rtd_weight, temperature or a learning rate from the next step on; noted in `changes`."""
        for name in settings:
            if name not in LIVE_FIELDS:
                raise ElectraEduError(
                    f"{name!r} cannot change during a run.{nearest(name, LIVE_FIELDS)} These can: "
                    f"{', '.join(LIVE_FIELDS)}. For another {name}, start a new TrainingRun."
                )
        with self._lock.of_this_process():
            self._recover()
            before, after = self.config, self.config.replace(**settings)
            changes = [Change(self.step, name, getattr(before, name), getattr(after, name)) for name in settings]
            self.changes += [change for change in changes if change.before != change.after]
            self._apply_changes()

    @gradients_enabled()
    def evaluate(self) -> Evaluation:
        """Score the average of the weights on held-out text and add the scores to `evaluations`.

        Training goes on as if nothing had happened.
        """
        with self._lock.of_this_process():
            self._recover()
            evaluation = self.exam.grade(self.average, self.step)
            self.evaluations.append(evaluation)
            return evaluation

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write everything needed to continue into `directory`, as run.safetensors and run.json.

        Of what is there, only these two files are replaced, and only where they are a saved run. Wherever a save is cut
        off, the older run or this one can be loaded. Raises CheckpointError when it cannot be written.
        """
        folder = arguments.path("directory", directory)
        with self._lock.of_this_process():
            self._recover()
            checkpoint.write(self._to_saved(), folder)

    @classmethod
    @gradients_enabled()
    def load(cls, directory: str | os.PathLike[str], corpus: Corpus | None = None, device: str = "auto") -> Self:
        """Continue a saved run exactly where it was.

        `corpus` is loaded again by its name when None. Warns when the thread count differs from the saved one (the
        last bits of the numbers may then differ). Raises CheckpointError when the folder holds no readable run, when
        its files are not as they were written, and when the corpus is not the same text.
        """
        if corpus is not None:
            arguments.instance("corpus", corpus, Corpus, 'edu.load_corpus("toy")')
        saved = checkpoint.read(arguments.path("directory", directory))
        run = cls(saved.first_config, saved.corpus.find(corpus), saved.seed, device)
        run._resume(saved)
        saved.warn_of_differences(run.device.type)
        return run

    def _take_step(self, trained: Trained | None) -> StepRecord:
        """Take one step, or none where it is cut off: a step counts as taken once `history` has its record."""
        started = time.perf_counter()
        self._undo.begin(self.step)
        try:
            self.history.append(self._step(trained, started))
        except BaseException:  # an interrupted cell, a full memory
            self._recover()
            raise
        return self.history[-1]

    def _step(self, requested: Trained | None, started: float) -> StepRecord:
        rate = set_rates(self.optimizers, self.config, self.step)
        trained = requested or trained_at(self.step, self.config)
        if self.config.copy_generator and self.step == self.config.generator_steps:
            copy_generator(self.model)
        metrics = self._stepper.learn(self.batches.at(self.step), trained)
        if not is_finite(metrics):
            raise training_stopped(self._stepper.first_non_finite(), self.step, self.config)
        self._stepper.update(self.step)
        return StepRecord(
            step=self.step + 1,
            tokens=self.tokens + int(metrics.pop("tokens")),
            flops=self.flops + efficiency.flops(self.config, trained=trained)["total"],
            seconds=self.seconds + time.perf_counter() - started,
            learning_rate=rate,
            mask_prob=self.config.mask_prob,
            rtd_weight=self.config.rtd_weight,
            temperature=self.config.temperature,
            trained=trained,
            **metrics,
        )

    def _recover(self) -> None:
        """Finish what an interrupt cut off: undo half a step, apply changes that were noted."""
        if self._undo.step == self.step:
            # Restoring may take an optimiser's state away, which a recording reads.
            self._stepper.forget()
            self._undo.restore()
        self._apply_changes()

    def _apply_changes(self) -> None:
        if self._n_applied != len(self.changes):
            new = {change.field: change.after for change in self.changes[self._n_applied :]}
            self.model.config = self.average.config = self.config.replace(**new)
            self._n_applied = len(self.changes)

    def recorder(self) -> Recorder | None:
        """Return what records this run's steps so that the device can replay them; None where it cannot."""
        # The exact generator computes on the CPU.
        if self.device.type != "cuda" or self.config.generator_kind == "exact":
            return None
        return CudaRecorder(self.device, self.rng, self.optimizers)

    def _to_saved(self) -> SavedRun:
        return SavedRun(
            first_config=self.first_config,
            config=self.config,
            seed=self.seed,
            corpus=SavedCorpus.of(self.corpus),
            device=self.device.type,
            devices=self.devices,
            threads=torch.get_num_threads(),
            history=self.history,
            evaluations=self.evaluations,
            changes=self.changes,
            state=self._state.to_tensors(),
        )

    def _resume(self, saved: SavedRun) -> None:
        """Bring this run, which has taken no step, to the saved state."""
        is_same_device = saved.device == self.device.type
        self.history, self.evaluations, self.changes = saved.history, saved.evaluations, saved.changes
        self.devices = saved.devices if is_same_device else [*saved.devices, (self.step, self.device.type)]
        saved.restore(self._state, with_draws=is_same_device)
        self._apply_changes()

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        """Return a run that goes on by itself; the corpus, which never changes, is shared."""
        copied = object.__new__(type(self))
        copied.__setstate__(self.__getstate__())
        return copied

    def __getstate__(self) -> dict[str, Any]:
        """Return a copy of the state between two steps."""
        with self._lock.of_this_process():
            self._recover()
            state = {name: value for name, value in vars(self).items() if name not in _NOT_COPIED}
            return copy.deepcopy(state, {id(self.corpus): self.corpus})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become the run that `__getstate__` copied."""
        vars(self).update(state)
        self._prepare()

    def _prepare(self) -> None:
        """Make what belongs to this object in this process alone."""
        self._lock = ProcessLock()
        self._state = TrainingState(self.model, self.average, self.optimizers, self.rng)
        self._undo = Undo(self._state)
        recorder = self.recorder()
        self._stepper = EagerStep(self._state) if recorder is None else CapturedStep(self._state, recorder)

    def __repr__(self) -> str:
        """Say in one line what this is and how far it is."""
        where = f"{self.corpus.name!r}, seed {self.seed}, {self.device}"
        return f"<TrainingRun on {where}: {self.step} steps, {self.seconds:.1f} s>"

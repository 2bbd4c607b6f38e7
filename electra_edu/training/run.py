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
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from electra_edu import efficiency
from electra_edu.config import ElectraConfig
from electra_edu.corpora.corpus import Corpus
from electra_edu.electra import Electra, ElectraOutput
from electra_edu.errors import ElectraEduError, TrainingStopped, nearest
from electra_edu.metrics import detection, detection_counts
from electra_edu.optim import make_optimizers, set_rates, update_average
from electra_edu.training import checkpoint
from electra_edu.training.exam import Exam, generator_figures
from electra_edu.training.records import Change, Evaluation, StepRecord

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
        self.seed = seed
        self.device = choose_device(device)
        self.model = Electra(config, _stream(seed, _INIT)).to(self.device)
        self.average = copy.deepcopy(self.model).requires_grad_(False).eval()  # scores are read from this one
        self.optimizers = make_optimizers(self.model, config)
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

    def advance(self, steps: int) -> list[StepRecord]:
        """Take `steps` training steps and return their records.

        Raises TrainingStopped when a loss or gradient is not finite; the steps taken before are kept, the bad one is
        undone.
        """
        if not isinstance(steps, int) or steps < 0:
            raise ElectraEduError(f"steps={steps!r}: must be a whole number of at least 0.")
        with self._one_at_a_time:
            return [self._take_step() for _ in range(steps)]

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

    def _take_step(self) -> StepRecord:
        started = time.perf_counter()
        rate = set_rates(self.optimizers, self.config, self.step)
        draws_before = self.rng.get_state()
        try:
            out = self._forward(self._batch())
            mlm_norm, rtd_norm, cosine = self._backward(out)
            grad_norm = get_total_norm([p.grad for p in self.model.parameters() if p.grad is not None])
            losses = [out.loss, out.mlm_loss, out.rtd_loss]
            figures = torch.cat(
                [
                    torch.stack([*losses, mlm_norm, rtd_norm, cosine, grad_norm, out.mlm_used.sum()]).detach(),
                    generator_figures(out.mlm_logits, out.mlm_targets, out.mlm_used),
                    detection_counts(out.rtd_logits, out.is_replaced, out.is_real),
                ]
            ).tolist()  # one transfer from the device for all of them
            loss, mlm_loss, rtd_loss, mlm_norm_, rtd_norm_, cosine_, grad_norm_, masked, guessed, entropy = figures[:10]
            tokens, replaced, accused, found = figures[10:]
            if not (math.isfinite(loss) and math.isfinite(grad_norm_)):
                raise TrainingStopped(
                    f"Step {self.step + 1} was not taken: {self._culprit(mlm_loss, rtd_loss)} is not a finite number. "
                    f"The run keeps its state after step {self.step}. Lower learning_rate (now {rate:.2g}), then go "
                    "on or start anew."
                )
        except BaseException:  # an interrupted cell too: nothing of half a step may reach the next one
            self._forget_gradients()
            self.rng.set_state(draws_before)
            raise

        clip_grads_with_norm_(self.model.parameters(), self.config.max_grad_norm or math.inf, grad_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        self._forget_gradients()
        update_average(self.average, self.model, self.step)
        self.step += 1
        self.tokens += int(tokens)
        self.flops += efficiency.flops(self.config)["total"]
        self.seconds += time.perf_counter() - started
        seen = detection(tokens, replaced, accused, found)
        record = StepRecord(
            step=self.step,
            tokens=self.tokens,
            flops=self.flops,
            seconds=self.seconds,
            learning_rate=rate,
            mask_prob=self.config.mask_prob,
            rtd_weight=self.config.rtd_weight,
            temperature=self.config.temperature,
            loss=loss,
            mlm_loss=mlm_loss,
            rtd_loss=rtd_loss,
            replaced_rate=seen.replaced_rate,
            mlm_accuracy=guessed,
            sampled_accuracy=1 - replaced / masked if masked else math.nan,
            entropy=entropy,
            accuracy=seen.accuracy,
            majority=seen.majority,
            precision=seen.precision,
            recall=seen.recall,
            mlm_grad_norm=mlm_norm_,
            rtd_grad_norm=rtd_norm_,
            grad_cosine=cosine_,
            grad_norm=grad_norm_,
        )
        self.history.append(record)
        return record

    def _forward(self, tokens: Tensor) -> ElectraOutput:
        if not self.config.dropout:
            return self.model(tokens, rng=self.rng)  # type: ignore[no-any-return]
        # PyTorch's dropout draws from the global generator: lend it a state of ours and give the user's back.
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(int(torch.randint(2**62, (), generator=self.rng, device=self.device)))
            return self.model(tokens, rng=self.rng)  # type: ignore[no-any-return]

    def _backward(self, out: ElectraOutput) -> tuple[Tensor, Tensor, Tensor]:
        """Back-propagate both losses, one after the other: the two graphs meet only in the shared embeddings.

        Returns each loss's gradient norm on the token embeddings it trains, and the cosine between the two.
        """
        guess, detect = (
            part.encoder.embeddings.token.weight for part in (self.model.generator, self.model.discriminator)
        )
        out.mlm_loss.backward()
        assert guess.grad is not None
        by_mlm = guess.grad.clone()
        (self.config.rtd_weight * out.rtd_loss).backward()
        assert detect.grad is not None
        shared = guess is detect
        by_rtd = detect.grad - by_mlm if shared else detect.grad
        cosine = (
            torch.cosine_similarity(by_mlm.flatten(), by_rtd.flatten(), dim=0)
            if shared
            else by_mlm.new_tensor(math.nan)
        )
        return by_mlm.norm(), by_rtd.norm(), cosine

    def _culprit(self, mlm_loss: float, rtd_loss: float) -> str:
        if not math.isfinite(mlm_loss):
            return "the generator's MLM loss"
        if not math.isfinite(rtd_loss):
            return "the discriminator's RTD loss"
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

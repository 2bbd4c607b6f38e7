"""Fine-tune a copy of a pre-trained encoder on a task, several times, and say how well it does."""

import copy
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import LambdaLR

from electra_edu.config import ElectraConfig
from electra_edu.evaluation.finetuning.classifiers import (
    Classifier,
    SequenceClassifier,
    TokenClassifier,
    classification_loss,
    predict,
)
from electra_edu.evaluation.finetuning.rates import layerwise_rates, parameter_groups
from electra_edu.evaluation.finetuning.settings import PRESETS, FineTuningSettings
from electra_edu.evaluation.probes import source_encoder
from electra_edu.evaluation.tasks import Task
from electra_edu.model.encoder import Embeddings, Encoder, HasEncoder, initialise
from electra_edu.support import arguments, tensors
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.training.schedule import rate_factor

Source = TrainingRun | HasEncoder | Encoder | ElectraConfig


@dataclass(frozen=True)
class Epoch:
    """What one pass over the labels gave."""

    loss: float  # mean training loss, in nats
    validation: float  # score on the validation sequences; NaN without any


@dataclass(frozen=True, eq=False)
class FineTuned:
    """One fine-tuned network."""

    seed: int
    score: float  # on the task's test part
    classifier: Classifier
    epochs: tuple[Epoch, ...]
    best_epoch: int  # the one whose weights were kept, counted from 0


@dataclass(frozen=True, eq=False)
class Results:
    """The same fine-tuning with several seeds: other labelled examples, another head, another order."""

    task: Task
    n_labels: int  # that each of them learned from
    runs: tuple[FineTuned, ...]

    @property
    def scores(self) -> list[float]:
        """The test scores, one per seed."""
        return [run.score for run in self.runs]

    @property
    def mean(self) -> float:
        """Mean of the test scores."""
        return statistics.fmean(self.scores)

    @property
    def median(self) -> float:
        """Median of the test scores, which is what the paper reports (of ten)."""
        return statistics.median(self.scores)

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest test score."""
        return min(self.scores), max(self.scores)

    def __repr__(self) -> str:
        """Say in one line what came out."""
        low, high = self.range
        spread = (
            f"{self.mean:.3f} ({low:.3f} to {high:.3f} over {len(self.runs)} seeds; majority {self.task.majority:.3f})"
        )
        return f"<{self.task.name} from {self.n_labels} labels: {self.task.metric} {spread}>"


def fine_tune(
    source: Source,
    task: Task,
    *,
    labels_per_class: int | None = None,
    n_labels: int | None = None,
    seeds: Iterable[int] = (0, 1, 2),
    settings: FineTuningSettings = PRESETS["tiny"],
) -> Results:
    """Fine-tune a copy of `source`'s encoder on a task, once per seed, and grade each on the task's test part.

    `source` is a TrainingRun (its averaged weights), an Electra, a Discriminator, a Generator or an Encoder; it is
    never changed. An ElectraConfig stands for a network of that size that starts from scratch. With `labels_per_class`
    or `n_labels` only so many labels are given; each seed draws its own. Raises ElectraEduError when the text of the
    task does not fit the network, or when the loss is not finite.
    """
    arguments.instance("task", task, Task, "edu.tasks.load_task(corpus, 'topic')")
    arguments.instance("settings", settings, FineTuningSettings, "edu.finetuning.PRESETS['tiny']")
    runs, given = [], 0
    for seed in _seeds(seeds):
        rng = torch.Generator().manual_seed(seed)
        few = task
        if labels_per_class is not None or n_labels is not None:
            few = task.few(rng, per_class=labels_per_class, total=n_labels)
        given = few.n_labels
        encoder = starting_encoder(source, rng)
        _check_fit(encoder, task)
        with tensors.gradients_on():
            runs.append(_fine_tune_once(encoder, few, settings, seed, rng))
    return Results(task, given, tuple(runs))


def learning_curve(
    source: Source,
    task: Task,
    labels_per_class: Sequence[int] = (1, 3, 10, 30, 100),
    *,
    seeds: Iterable[int] = (0, 1, 2),
    settings: FineTuningSettings = PRESETS["tiny"],
) -> dict[int, Results]:
    """Return the `fine_tune` results for several numbers of labels per class."""
    seeds = _seeds(seeds)
    given = arguments.items("labels_per_class", labels_per_class, "(1, 10, 100)")
    numbers = [arguments.whole_number("labels_per_class", number, 1) for number in given]
    return {
        number: fine_tune(source, task, labels_per_class=number, seeds=seeds, settings=settings) for number in numbers
    }


def _seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    """Return seeds as plain numbers; refuse what is none, and none at all."""
    numbers = tuple(arguments.seed("seeds", seed) for seed in arguments.items("seeds", seeds, "(0, 1, 2)"))
    if not numbers:
        raise ElectraEduError("seeds: give at least one, for example seeds=(0, 1, 2).")
    return numbers


def starting_encoder(source: Source, rng: torch.Generator) -> Encoder:
    """Return a trainable copy of the source's encoder; for an ElectraConfig a new one, its weights drawn from `rng`."""
    tensors.generator(rng, torch.device("cpu"))
    if isinstance(source, ElectraConfig):
        encoder = Encoder(source, source.discriminator, Embeddings(source))
        initialise(encoder, source.initializer_range, rng)
        return encoder
    encoder = source_encoder("source", source.average if isinstance(source, TrainingRun) else source)
    return copy.deepcopy(encoder).requires_grad_(True)


def _fine_tune_once(
    encoder: Encoder, task: Task, settings: FineTuningSettings, seed: int, rng: torch.Generator
) -> FineTuned:
    """Train one classifier; every draw comes from `rng`."""
    device = encoder.embeddings.norm.weight.device
    training, validation = task, None
    if settings.validation_share:
        training, validation = task.hold_out(settings.validation_share, rng)
        if not (len(training.train_tokens) and len(validation.train_tokens)):
            raise ElectraEduError(
                f"validation_share={settings.validation_share}: {len(task.train_tokens)} labelled sequences are too "
                "few to hold some of them out. Give more labels, or validation_share=0."
            )
    n_labels = len(task.names)
    model: Classifier = (
        SequenceClassifier(encoder, n_labels, rng, settings.head, settings.dropout)
        if task.level == "sequence"
        else TokenClassifier(encoder, n_labels, rng, settings.dropout)
    ).to(device)

    tokens, labels = training.train_tokens.to(device), training.train_labels.to(device)
    steps_per_epoch = math.ceil(len(tokens) / settings.batch_size)
    n_epochs = max(settings.epochs, math.ceil(settings.min_steps / steps_per_epoch))
    n_steps = n_epochs * steps_per_epoch
    rates = layerwise_rates(
        settings.learning_rate, settings.layerwise_decay, encoder.shape.num_layers, settings.off_by_one
    )
    optimizer = torch.optim.AdamW(parameter_groups(model, rates, settings.weight_decay), eps=1e-6)
    horizon = ElectraConfig(warmup_steps=int(settings.warmup_share * n_steps), training_steps=n_steps)
    scheduler = LambdaLR(optimizer, lambda step: rate_factor(step, horizon))

    epochs: list[Epoch] = []
    best: tuple[float, int, dict[str, Tensor]] | None = None
    drops = torch.Generator(device).manual_seed(int(torch.randint(2**62, (), generator=rng, device=rng.device)))
    for number in range(n_epochs):
        order = torch.randperm(len(tokens), generator=rng).to(device)
        losses = []
        model.train()
        for rows in order.split(settings.batch_size):
            batch = tokens[rows]
            loss = classification_loss(model(batch, batch != task.pad_token_id, rng=drops), labels[rows])
            if not loss.isfinite():
                raise ElectraEduError(
                    f"The loss in epoch {number + 1} is not a finite number. Lower learning_rate (now "
                    f"{settings.learning_rate:.2g})."
                )
            optimizer.zero_grad()
            loss.backward()
            clip_grad_norm_(model.parameters(), settings.max_grad_norm)
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        score = math.nan if validation is None else _score(model, validation, test=False)
        epochs.append(Epoch(statistics.fmean(losses), score))
        if validation is None:
            continue
        if best is None or score > best[0]:
            best = score, number, copy.deepcopy(model.state_dict())
        elif number - best[1] >= settings.patience:
            break
    if best is not None:
        model.load_state_dict(best[2])
    kept = len(epochs) - 1 if best is None else best[1]
    model.eval()
    return FineTuned(seed, _score(model, task, test=True), model, tuple(epochs), kept)


def _score(model: Classifier, task: Task, *, test: bool) -> float:
    tokens, labels = (task.test_tokens, task.test_labels) if test else (task.train_tokens, task.train_labels)
    return task.grade(predict(model, tokens, tokens != task.pad_token_id), labels)


def _check_fit(encoder: Encoder, task: Task) -> None:
    largest, vocab_size = int(task.train_tokens.max()), encoder.embeddings.token.weight.shape[0]
    if largest >= vocab_size:
        raise ElectraEduError(
            f"The task {task.name!r} has the token id {largest}, but the network was pre-trained with vocab_size="
            f"{vocab_size}. Use a task of the corpus that it was pre-trained on."
        )

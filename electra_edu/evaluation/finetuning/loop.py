"""Fine-tune a copy of a pre-trained encoder on a task, once per seed, and score each on the task's test part."""

import copy
import math
import statistics
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from electra_edu.config import ElectraConfig
from electra_edu.evaluation.encoders import device_of_encoder, source_encoder, vocab_size_of
from electra_edu.evaluation.finetuning.classifiers import (
    Classifier,
    SequenceClassifier,
    TokenClassifier,
    classification_loss,
    predict,
)
from electra_edu.evaluation.finetuning.rates import layerwise_rates, parameter_groups
from electra_edu.evaluation.finetuning.results import Epoch, FineTuned, Results
from electra_edu.evaluation.finetuning.settings import PRESETS, FineTuningSettings
from electra_edu.evaluation.tasks import Task
from electra_edu.model.encoder import Embeddings, Encoder, HasEncoder, initialise
from electra_edu.support import arguments, tensors
from electra_edu.support.errors import ElectraEduError
from electra_edu.support.gradients import gradients_enabled
from electra_edu.training import TrainingRun
from electra_edu.training.schedule import rate_factor

Source = TrainingRun | HasEncoder | Encoder | ElectraConfig


def fine_tune(
    source: Source,
    task: Task,
    *,
    labels_per_class: int | None = None,
    n_labels: int | None = None,
    seeds: Iterable[int] = (0, 1, 2),
    settings: FineTuningSettings = PRESETS["tiny"],
) -> Results:
    """Fine-tune a copy of `source`'s encoder on a task, once per seed, and score each on the task's test part.

    `source` is a TrainingRun (its averaged weights), an Electra, a Discriminator, a Generator or an Encoder; it is
    never changed. An ElectraConfig stands for a network of that size that starts from scratch. `labels_per_class` or
    `n_labels` limits the labels to learn from; each seed draws its own. Raises ElectraEduError when the task's token
    ids are not in the network's vocabulary, or when the loss is not finite.
    """
    arguments.instance("task", task, Task, "edu.tasks.load_task(corpus, 'topic')")
    arguments.instance("settings", settings, FineTuningSettings, "edu.finetuning.PRESETS['tiny']")
    runs, n_given = [], 0
    for seed in _seeds(seeds):
        rng = torch.Generator().manual_seed(seed)
        few = task
        if labels_per_class is not None or n_labels is not None:
            few = task.few(rng, per_class=labels_per_class, total=n_labels)
        n_given = few.n_labels
        encoder = starting_encoder(source, rng)
        _check_vocabulary(encoder, task)
        with gradients_enabled():
            runs.append(_fine_tune_once(encoder, few, settings, seed, rng))
    return Results(task, n_given, tuple(runs))


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
    items = arguments.items("labels_per_class", labels_per_class, "(1, 10, 100)")
    numbers = [arguments.whole_number("labels_per_class", number, 1) for number in items]
    return {
        number: fine_tune(source, task, labels_per_class=number, seeds=seeds, settings=settings) for number in numbers
    }


def _seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    """Return the seeds as plain numbers; raise ElectraEduError for what is no seed, and where there is none."""
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
    training, validation = _hold_out(task, settings.validation_share, rng)
    model = _new_classifier(encoder, task, settings, rng)
    device = device_of_encoder(encoder)
    tokens, labels = training.train_tokens.to(device), training.train_labels.to(device)
    steps_per_epoch = math.ceil(len(tokens) / settings.batch_size)
    n_epochs = max(settings.epochs, math.ceil(settings.min_steps / steps_per_epoch))
    optimizer, scheduler = _make_optimizer(model, settings, n_epochs * steps_per_epoch)
    dropout_rng = torch.Generator(device)
    dropout_rng.manual_seed(int(torch.randint(2**62, (), generator=rng, device=rng.device)))

    epochs: list[Epoch] = []
    best: tuple[float, int, dict[str, Tensor]] | None = None  # score, epoch and weights
    for number in range(n_epochs):
        order = torch.randperm(len(tokens), generator=rng).to(device)
        losses = []
        model.train()
        for rows in order.split(settings.batch_size):
            batch = tokens[rows]
            loss = classification_loss(model(batch, batch != task.pad_token_id, rng=dropout_rng), labels[rows])
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
        score = math.nan
        if validation is not None:
            score = _score(model, task, validation.train_tokens, validation.train_labels)
        epochs.append(Epoch(statistics.fmean(losses), score))
        if validation is None:
            continue
        if best is None or score > best[0]:
            best = score, number, copy.deepcopy(model.state_dict())
        elif number - best[1] >= settings.patience:
            break
    if best is not None:
        model.load_state_dict(best[2])
    best_epoch = len(epochs) - 1 if best is None else best[1]
    model.eval()
    return FineTuned(seed, _score(model, task, task.test_tokens, task.test_labels), model, tuple(epochs), best_epoch)


def _hold_out(task: Task, share: float, rng: torch.Generator) -> tuple[Task, Task | None]:
    """Return the task to train on, and the one whose training part is for validation; None where `share` is 0."""
    if not share:
        return task, None
    training, validation = task.hold_out(share, rng)
    if not (len(training.train_tokens) and len(validation.train_tokens)):
        raise ElectraEduError(
            f"validation_share={share}: {len(task.train_tokens)} labelled sequences are too few to hold some of them "
            "out. Give more labels, or validation_share=0."
        )
    return training, validation


def _new_classifier(encoder: Encoder, task: Task, settings: FineTuningSettings, rng: torch.Generator) -> Classifier:
    n_labels = len(task.names)
    model: Classifier = (
        SequenceClassifier(encoder, n_labels, rng, settings.head, settings.dropout)
        if task.level == "sequence"
        else TokenClassifier(encoder, n_labels, rng, settings.dropout)
    )
    return model.to(device_of_encoder(encoder))


def _make_optimizer(model: Classifier, settings: FineTuningSettings, n_steps: int) -> tuple[AdamW, LambdaLR]:
    """Return AdamW with layer-wise rates, and their schedule: warm-up, then linear decay to 0 over `n_steps`."""
    num_layers = model.encoder.shape.num_layers
    rates = layerwise_rates(settings.learning_rate, settings.layerwise_decay, num_layers, settings.off_by_one)
    optimizer = AdamW(parameter_groups(model, rates, settings.weight_decay), eps=1e-6)
    horizon = ElectraConfig(warmup_steps=int(settings.warmup_share * n_steps), training_steps=n_steps)
    return optimizer, LambdaLR(optimizer, lambda step: rate_factor(step, horizon))


def _score(model: Classifier, task: Task, tokens: Tensor, labels: Tensor) -> float:
    return task.grade(predict(model, tokens, tokens != task.pad_token_id), labels)


def _check_vocabulary(encoder: Encoder, task: Task) -> None:
    largest, vocab_size = int(task.train_tokens.max()), vocab_size_of(encoder)
    if largest >= vocab_size:
        raise ElectraEduError(
            f"The task {task.name!r} has the token id {largest}, but the network was pre-trained with vocab_size="
            f"{vocab_size}. Use a task of the corpus that it was pre-trained on."
        )

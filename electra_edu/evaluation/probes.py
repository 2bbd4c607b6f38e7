"""Linear probes: how well a linear classifier on an encoder's frozen states predicts labels, given few examples."""

import math
import warnings
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from electra_edu.corpora.corpus import IGNORE, Corpus
from electra_edu.evaluation.encoders import device_of_encoder, evaluation_mode, source_encoder
from electra_edu.evaluation.tasks import Task, load_task, task_names
from electra_edu.model.encoder import Encoder, HasEncoder
from electra_edu.support import arguments

# Labels of each class that a probe is trained on, of sequences or of single tokens. They are few, so that it takes good
# features to score well.
LABELS_PER_CLASS: Mapping[str, int] = MappingProxyType(
    {
        "topic": 3,
        "subject_number": 12,
        "agreement": 100,
        "part_of_speech": 5,
        "antecedent": 25,
        "module": 4,
        "capitals": 25,
    }
)
DEFAULT_LABELS_PER_CLASS = 5
TEST_SEQUENCES = 512
MAX_DRAWS = 10_000


def probe(
    model: Encoder | HasEncoder, corpus: Corpus, task: str, seed: int = 0, draws: int = 4, layer: int | None = None
) -> float:
    """Score a logistic regression on frozen states, trained on few labels and tested on up to 512 other sequences.

    Its features are the mean state of a sequence or the state of a token, standardised, after `layer` blocks (0: the
    embeddings; None: the last, which is the most specialised to the pre-training objective). `task` is one of
    `task_names(corpus)` and decides between accuracy and macro F1. The score is the mean over `draws` draws of the
    labelled examples, LABELS_PER_CLASS of each class; NaN when a state is not finite. Raises ElectraEduError for a task
    that the corpus does not have or has too few examples of, and for a layer that the encoder does not have.
    """
    encoder = source_encoder("model", model)
    n_layers = len(encoder.blocks)
    if layer is not None:
        number = arguments.as_whole(layer)
        if number is None or number not in range(n_layers + 1):
            arguments.refuse("layer", layer, f"a whole number from 0 to {n_layers}, or None for the last")
        layer = number
    draws = arguments.whole_number("draws", draws, 1, MAX_DRAWS)
    rng = torch.Generator().manual_seed(arguments.seed("seed", seed))
    full = load_task(corpus, task, seed)
    per_class = LABELS_PER_CLASS.get(task, DEFAULT_LABELS_PER_CLASS)
    test = full.test_tokens[:TEST_SEQUENCES], full.test_labels[:TEST_SEQUENCES]
    test_features, test_labels = _examples(encoder, full, *test, layer)
    scores = []
    for _ in range(draws):
        few = full.few(rng, per_class=per_class)
        features, labels = _examples(encoder, few, few.train_tokens, few.train_labels, layer)
        if not (np.isfinite(features).all() and np.isfinite(test_features).all()):
            return math.nan
        guesses = _predict(features, labels, test_features)
        scores.append(full.grade(guesses, torch.from_numpy(test_labels)))
    return float(np.mean(scores))


def probe_suite(
    model: Encoder | HasEncoder, corpus: Corpus, seed: int = 0, draws: int = 2, layer: int | None = None
) -> dict[str, float]:
    """Return the `probe` score of every task of the corpus, by its name."""
    return {task: probe(model, corpus, task, seed, draws, layer) for task in task_names(corpus)}


@torch.no_grad()
def states(encoder: Encoder, tokens: Tensor, is_real: Tensor, layer: int | None = None) -> Tensor:
    """Hidden states (B, T, H) of tokens (B, T), without dropout."""
    device = device_of_encoder(encoder)
    with evaluation_mode(encoder):
        return encoder(tokens.to(device), is_real.to(device), layers=layer).cpu()  # type: ignore[no-any-return]


def mean_states(hidden: Tensor, is_real: Tensor) -> Tensor:
    """Mean of the hidden states (B, T, H) of the real tokens (B, T): (B, H)."""
    weight = is_real[..., None].float()
    return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)


def _examples(
    encoder: Encoder, task: Task, tokens: Tensor, labels: Tensor, layer: int | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the features (n, H) and labels (n,) of every sequence or token that has a label."""
    is_real = tokens != task.pad_token_id
    hidden = states(encoder, tokens, is_real, layer)
    labelled = labels != IGNORE
    features = mean_states(hidden, is_real) if task.level == "sequence" else hidden
    return features[labelled].numpy(), labels[labelled].numpy()


def _predict(features: NDArray[np.float32], labels: NDArray[np.int64], test_features: NDArray[np.float32]) -> Tensor:
    """Fit a logistic regression on standardised features (n, H) and labels (n,); predict the labels of others (m,)."""
    # Imported here: it takes a second.
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    with warnings.catch_warnings():
        # "Did not converge" and the like: on bad features a probe need not.
        warnings.simplefilter("ignore")
        classifier.fit(features, labels)
    return torch.from_numpy(classifier.predict(test_features))

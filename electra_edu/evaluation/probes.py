"""Linear probes: how much of a label can be read off an encoder's frozen states, given a few examples."""

import math
import warnings
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from electra_edu.corpora.corpus import IGNORE, Corpus
from electra_edu.evaluation.tasks import Task, load_task, task_names
from electra_edu.model.encoder import Encoder, HasEncoder, encoder_of
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError

# How many labels of each class a probe is given: few, so that good features show. Of sequences, or of single tokens.
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
OTHERS_PER_CLASS = 5
TEST_SEQUENCES = 512
MOST_DRAWS = 10_000


def probe(
    model: Encoder | HasEncoder, corpus: Corpus, task: str, seed: int = 0, draws: int = 4, layer: int | None = None
) -> float:
    """Score of a logistic regression on frozen states, trained on a few labels and graded on up to 512 other sequences.

    It reads the mean state of a sequence or the state of a token, standardised, after `layer` blocks (0: the
    embeddings; None: the last, which is the most specialised to the pre-training objective). `task` is one of
    `task_names(corpus)` and says which score: accuracy, or macro F1. The mean over `draws` draws of the labelled
    examples, LABELS_PER_CLASS of each; NaN when a state is not finite. Raises ElectraEduError for a task that the
    corpus has not or has too few examples of, and for a layer that the encoder has not.
    """
    encoder = source_encoder("model", model)
    n_layers = len(encoder.blocks)
    if layer is not None:
        number = arguments.as_whole(layer)
        if number is None or number not in range(n_layers + 1):
            arguments.refuse("layer", layer, f"a whole number from 0 to {n_layers}, or None for the last")
        layer = number
    draws = arguments.whole_number("draws", draws, 1, MOST_DRAWS)
    rng = torch.Generator().manual_seed(arguments.seed("seed", seed))
    whole = load_task(corpus, task, seed)
    per_class = LABELS_PER_CLASS.get(task, OTHERS_PER_CLASS)
    test = whole.test_tokens[:TEST_SEQUENCES], whole.test_labels[:TEST_SEQUENCES]
    asked, truth = _examples(encoder, whole, *test, layer)
    scores = []
    for _ in range(draws):
        few = whole.few(rng, per_class=per_class)
        given, labels = _examples(encoder, few, few.train_tokens, few.train_labels, layer)
        if not (np.isfinite(given).all() and np.isfinite(asked).all()):
            return math.nan
        scores.append(whole.grade(_predict(given, labels, asked), torch.from_numpy(truth)))
    return float(np.mean(scores))


def source_encoder(name: str, model: object) -> Encoder:
    """Return the encoder of what was passed as the argument `name`; raise ElectraEduError where it has none."""
    try:
        return encoder_of(model)  # type: ignore[arg-type]
    except (AttributeError, AssertionError):
        raise ElectraEduError(
            f"{name}: must be an Electra, a Discriminator, a Generator or an Encoder, not {type(model).__name__}; for "
            "example run.average."
        ) from None


def probe_suite(
    model: Encoder | HasEncoder, corpus: Corpus, seed: int = 0, draws: int = 2, layer: int | None = None
) -> dict[str, float]:
    """Return the `probe` score of every task of the corpus, by its name."""
    return {task: probe(model, corpus, task, seed, draws, layer) for task in task_names(corpus)}


@torch.no_grad()
def states(encoder: Encoder, tokens: Tensor, is_real: Tensor, layer: int | None = None) -> Tensor:
    """Hidden states (B, T, H) of tokens (B, T), without dropout."""
    was_training = encoder.training
    encoder.eval()
    device = encoder.embeddings.norm.weight.device
    hidden = encoder(tokens.to(device), is_real.to(device), layers=layer).cpu()
    encoder.train(was_training)
    return hidden  # type: ignore[no-any-return]


def mean_states(hidden: Tensor, is_real: Tensor) -> Tensor:
    """Mean of the hidden states (B, T, H) of the real tokens (B, T): (B, H)."""
    weight = is_real[..., None].float()
    return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)


def _examples(
    encoder: Encoder, task: Task, tokens: Tensor, labels: Tensor, layer: int | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the features (n, H) and labels (n,) of everything that is labelled."""
    is_real = tokens != task.pad_token_id
    hidden = states(encoder, tokens, is_real, layer)
    labelled = labels != IGNORE
    features = mean_states(hidden, is_real) if task.level == "sequence" else hidden
    return features[labelled].numpy(), labels[labelled].numpy()


def _predict(given: NDArray[np.float32], labels: NDArray[np.int64], asked: NDArray[np.float32]) -> Tensor:
    """Fit a logistic regression on standardised features (n, H) and labels (n,), and label others (m, H): (m,)."""
    from sklearn.linear_model import LogisticRegression  # here: it takes a second to import
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "did not converge" and the like: a probe of bad features may not
        classifier.fit(given, labels)
    return torch.from_numpy(classifier.predict(asked))

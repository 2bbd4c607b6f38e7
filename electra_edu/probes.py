"""Linear probes: how much of a label can be read off the discriminator's frozen features, given a few examples."""

import math
import warnings
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from electra_edu.corpora.corpus import IGNORE, Corpus
from electra_edu.discriminator import Discriminator
from electra_edu.errors import ElectraEduError, nearest

LABELS_PER_CLASS = MappingProxyType({"topic": 3, "subject_number": 12})  # few, so that good features show
TEST_SEQUENCES = 512


@torch.no_grad()
def sentence_features(discriminator: Discriminator, tokens: Tensor) -> Tensor:
    """Mean of the last hidden states over the real tokens: (B, H) for tokens (B, T)."""
    is_real = tokens != discriminator.config.pad_token_id
    hidden = discriminator.encoder(tokens, is_real)  # (B, T, H)
    weight = is_real[..., None].float()
    return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)  # type: ignore[no-any-return]


def probe(discriminator: Discriminator, corpus: Corpus, task: str, seed: int = 0, draws: int = 4) -> float:
    """Accuracy of a logistic regression on frozen features: trained on a few labels, tested on up to 512 others.

    `task` names sequence-level labels of the corpus's held-out part ("topic": 3 labels per class, "subject_number":
    12, others: 5). The mean over `draws` draws of the labelled examples; NaN when a feature is not finite. Raises
    ElectraEduError for a task that the corpus has not, or has too few examples of.
    """
    from sklearn.linear_model import LogisticRegression  # here: it takes a second to import
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    labels = corpus.heldout_labels.get(task)
    if labels is None or labels.level != "sequence":
        known = [name for name, some in corpus.heldout_labels.items() if some.level == "sequence"]
        raise ElectraEduError(
            f"task={task!r}: the corpus {corpus.name!r} has no such sequence labels.{nearest(task, known)} "
            f"It has: {', '.join(known) or 'none'}."
        )
    device = next(discriminator.parameters()).device
    per_class = LABELS_PER_CLASS.get(task, 5)
    count = min(len(corpus.heldout), TEST_SEQUENCES + 4 * per_class * len(labels.names))
    features = sentence_features(discriminator, corpus.heldout[-count:].to(device)).cpu().numpy()
    truth = labels.values[-count:].numpy()
    features, truth = features[truth != IGNORE], truth[truth != IGNORE]
    if len(truth) == 0 or np.bincount(truth, minlength=len(labels.names)).min() <= per_class:
        raise ElectraEduError(
            f"task={task!r}: the held-out part of {corpus.name!r} has too few sequences of some label "
            f"(more than {per_class} of each are needed). Use a larger text."
        )
    if not np.isfinite(features).all():
        return math.nan
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(draws):
        order = rng.permutation(len(truth))
        given = np.concatenate([order[truth[order] == label][:per_class] for label in range(len(labels.names))])
        asked = np.setdiff1d(order, given)[:TEST_SEQUENCES]
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "did not converge" and the like: a probe of bad features may not
            classifier.fit(features[given], truth[given])
        scores.append(float(classifier.score(features[asked], truth[asked])))
    return float(np.mean(scores))

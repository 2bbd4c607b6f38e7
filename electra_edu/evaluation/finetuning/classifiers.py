"""Classifiers: a pre-trained encoder with a head for one label per sequence, or one per token."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from electra_edu.corpora.corpus import IGNORE
from electra_edu.evaluation.encoders import evaluation_mode, vocab_size_of
from electra_edu.model.encoder import Dropout, Encoder, Linear, initialise
from electra_edu.support import tensors
from electra_edu.support.arguments import MAX_INT64, as_number, instance, refuse, whole_number

Head = Literal["gelu", "plain"]
HEAD_STD = 0.02  # of a new head's weights, as in the official code and in Hugging Face's
EVALUATION_BATCH = 256


class SequenceClassifier(nn.Module):
    """Encoder + a head on the state of [CLS].

    The head is "gelu", Linear, GELU and Linear with dropout before each Linear, as Hugging Face's
    ElectraForSequenceClassification; or "plain", dropout and one Linear, as the original (google-research/electra,
    finetune/classification/classification_tasks.py).
    """

    def __init__(
        self, encoder: Encoder, n_labels: int, rng: torch.Generator, head: Head = "gelu", dropout: float = 0.1
    ) -> None:
        """Build it around `encoder`, which will be trained too, and draw the head's weights from `rng`."""
        super().__init__()
        if not isinstance(head, str) or head not in ("gelu", "plain"):
            refuse("head", head, "'gelu' (as Hugging Face's) or 'plain' (as the original's)")
        n_labels, dropout = _check(encoder, n_labels, rng, dropout)
        self.encoder = encoder
        size = encoder.shape.hidden_size
        self.dense = Linear(size, size) if head == "gelu" else None
        self.dropout = Dropout(dropout)
        self.output = Linear(size, n_labels)
        _initialise_head(self, rng)

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """Return logits (B, n_labels) for tokens (B, T), which begin with [CLS]; attention_mask 1 = real.

        In training mode `rng` draws for dropout (None: the global generator).
        """
        inputs = _inputs(self, tokens, attention_mask, token_type_ids, rng)
        x: Tensor = self.dropout(self.encoder(*inputs, rng=rng)[:, 0], rng)  # (B, H)
        if self.dense is not None:
            x = self.dropout(F.gelu(self.dense(x)), rng)
        logits: Tensor = self.output(x)
        return logits


class TokenClassifier(nn.Module):
    """Encoder + dropout and one Linear on the state of every token, as Hugging Face's ElectraForTokenClassification."""

    def __init__(self, encoder: Encoder, n_labels: int, rng: torch.Generator, dropout: float = 0.1) -> None:
        """Build it around `encoder`, which will be trained too, and draw the head's weights from `rng`."""
        super().__init__()
        n_labels, dropout = _check(encoder, n_labels, rng, dropout)
        self.encoder = encoder
        self.dropout = Dropout(dropout)
        self.output = Linear(encoder.shape.hidden_size, n_labels)
        _initialise_head(self, rng)

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """Return logits (B, T, n_labels) for tokens (B, T); attention_mask 1 = real.

        In training mode `rng` draws for dropout (None: the global generator).
        """
        inputs = _inputs(self, tokens, attention_mask, token_type_ids, rng)
        logits: Tensor = self.output(self.dropout(self.encoder(*inputs, rng=rng), rng))
        return logits


Classifier = SequenceClassifier | TokenClassifier


def _check(encoder: Encoder, n_labels: int, rng: torch.Generator, dropout: float) -> tuple[int, float]:
    instance("encoder", encoder, Encoder, "run.average.encoder")
    tensors.generator(rng, torch.device("cpu"))
    share = as_number(dropout)
    if share is None or not 0 <= share < 1:
        refuse("dropout", dropout, "in [0, 1)")
    return whole_number("n_labels", n_labels, 1, MAX_INT64), share


def _inputs(
    model: Classifier,
    tokens: Tensor,
    attention_mask: Tensor | None,
    token_type_ids: Tensor | None,
    rng: torch.Generator | None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return what a classifier reads, checked."""
    sizes = vocab_size_of(model.encoder), model.encoder.embeddings.token_type.num_embeddings
    return tensors.network_inputs(sizes, model.output.weight.device, tokens, attention_mask, token_type_ids, rng)


def _initialise_head(model: nn.Module, rng: torch.Generator) -> None:
    for name, part in model.named_children():
        if name != "encoder":
            initialise(part, HEAD_STD, rng)


def classification_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, of logits (..., n_labels) over the labels (...) that are not -100; 0 if all are.

    Padding, special tokens and the later pieces of a word carry -100: they add to no loss and get no gradient of their
    own.
    """
    total = F.cross_entropy(logits.flatten(0, -2).float(), labels.flatten(), ignore_index=IGNORE, reduction="sum")
    return total / (labels != IGNORE).sum().clamp(min=1)


@torch.no_grad()
def predict(model: Classifier, tokens: Tensor, attention_mask: Tensor | None = None) -> Tensor:
    """Return the most likely label of each sequence, (B,), or of each token, (B, T), for tokens (B, T); no dropout."""
    instance("model", model, (SequenceClassifier, TokenClassifier), "results.runs[0].classifier")
    tokens, attention_mask, _ = tensors.network_inputs(
        (vocab_size_of(model.encoder), 1), tensors.device_of(tokens), tokens, attention_mask
    )
    device = model.output.weight.device
    masks = [None] * len(tokens) if attention_mask is None else attention_mask.split(EVALUATION_BATCH)
    with evaluation_mode(model):
        guesses = [
            model(part.to(device), None if mask is None else mask.to(device)).argmax(-1).cpu()
            for part, mask in zip(tokens.split(EVALUATION_BATCH), masks, strict=False)
        ]
    return torch.cat(guesses)

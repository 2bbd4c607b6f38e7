"""The metrics of a step, from its forward and backward pass: the plain numbers of a StepRecord."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from electra_edu.metrics import detection, detection_counts
from electra_edu.model.electra import ElectraOutput
from electra_edu.training.step.gradients import GradientNorms

SCALARS = (  # the metrics that `pack_metrics` begins with
    "loss",
    "mlm_loss",
    "rtd_loss",
    "word_loss",
    "mlm_grad_norm",
    "rtd_grad_norm",
    "grad_cosine",
    "generator_grad_norm",
    "main_grad_norm",
    "grad_norm",
)


def step_metrics(out: ElectraOutput, norms: GradientNorms) -> dict[str, float]:
    """Return the fields of a StepRecord that a step measures, and "tokens", its number of real tokens.

    Metrics of what the objective does not have, or the step did not train, are NaN. All values come in one transfer
    from the device, since every transfer waits for it.
    """
    return unpack_metrics(pack_metrics(out, norms).tolist(), *parts_of(out))


def parts_of(out: ElectraOutput) -> tuple[bool, bool]:
    """Tell whether masked tokens were replaced, and whether a discriminator read the result."""
    return out.main_loss is not None, out.rtd_logits is not None


def pack_metrics(out: ElectraOutput, norms: GradientNorms) -> Tensor:
    """Return all that `unpack_metrics` needs as one float tensor, still on the device."""
    nothing = out.mlm_loss.new_full((), math.nan)
    losses = (out.mlm_loss, out.rtd_loss, out.word_loss)
    gradients = (norms.mlm, norms.rtd, norms.cosine, norms.generator, norms.main, norms.total)
    scalars = [out.loss, *(nothing if loss is None else loss for loss in losses), *gradients]
    return torch.cat(
        [
            torch.stack([*scalars, out.mlm_used.sum()]).detach(),
            generator_metrics(out.mlm_logits, out.mlm_targets, out.mlm_used),
            rtd_counts(out),
        ]
    )


def unpack_metrics(values: Sequence[float], has_replacements: bool, has_discriminator: bool) -> dict[str, float]:
    """Turn the values of `pack_metrics` into the metrics of a step; see `parts_of`."""
    *scalars, masked, mlm_accuracy, entropy, tokens, replaced, flagged, true_positives = values
    scores = detection(tokens, replaced, flagged, true_positives)
    metrics = dict(zip(SCALARS, scalars, strict=True))
    metrics |= {"tokens": tokens, "mlm_accuracy": mlm_accuracy, "entropy": entropy}
    metrics["sampled_accuracy"] = 1 - replaced / masked if masked and has_replacements else math.nan
    metrics["replaced_rate"] = scores.replaced_rate if has_replacements else math.nan
    for name in ("accuracy", "majority", "precision", "recall"):
        metrics[name] = getattr(scores, name) if has_discriminator else math.nan
    return metrics


def is_finite(metrics: Mapping[str, float]) -> bool:
    """Whether loss and gradients of the step with these metrics are finite, so that it may change the weights."""
    return math.isfinite(metrics["loss"]) and math.isfinite(metrics["grad_norm"])


def rtd_counts(out: ElectraOutput) -> Tensor:
    """Return the `detection_counts` of a pass, over its real tokens; without a discriminator no token is flagged."""
    logits = torch.zeros_like(out.is_real, dtype=torch.float32) if out.rtd_logits is None else out.rtd_logits
    return detection_counts(logits, out.is_replaced, out.is_real)


def generator_metrics(logits: Tensor, targets: Tensor, used: Tensor) -> Tensor:
    """Return the accuracy of the most likely token and the mean entropy in nats over the used slots (B, K): (2,)."""
    logits, weight = logits.detach(), used.float()
    log_probabilities = logits.float().log_softmax(-1)
    right = (logits.argmax(-1) == targets).float()
    entropy = -(log_probabilities.exp() * log_probabilities).sum(-1)
    return torch.stack([(right * weight).sum(), (entropy * weight).sum()]) / weight.sum().clamp(min=1)

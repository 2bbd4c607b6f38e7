"""Calibration: how well the probabilities of `detect` agree with the truth, and a threshold to flag tokens above."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from electra_edu.evaluation.detection.source import discriminator_of
from electra_edu.metrics import (
    Detection,
    ReliabilityCurve,
    check_precision,
    choose_threshold,
    detection_at,
    expected_calibration_error,
    reliability_curve,
)
from electra_edu.support import arguments
from electra_edu.training import TrainingRun
from electra_edu.training.exam import EXAM_SEED


@dataclass(frozen=True)
class Calibration:
    """A discriminator's probabilities compared with the truth, on held-out text with known replacements."""

    reliability: ReliabilityCurve
    calibration_error: float  # expected calibration error, over ten bins
    threshold: float  # above which a token is flagged; NaN when none reaches the wanted precision
    at_threshold: Detection
    at_half: Detection


def calibrate(
    run: TrainingRun, fakes: Literal["generator", "exam"] = "generator", precision: float | None = None
) -> Calibration:
    """Compare the probabilities of the run's averaged weights with the truth, on the sentences of its exam.

    `fakes` come from the run's own generator, as in training, or are those of the exam, drawn from word frequencies.
    The threshold is the one with the highest F1, or the lowest with the wanted `precision`. It is chosen on every other
    sentence, and everything reported is measured on the rest. Special and unknown tokens, for which `detect` has no
    probability, do not count. The same run gives the same numbers every time. Raises ElectraEduError for other
    `fakes`, for a precision outside (0, 1], and when the run has no discriminator.
    """
    arguments.instance("run", run, TrainingRun, "edu.TrainingRun(config, corpus)")
    discriminator_of(run)  # refuses a run that has none
    if not isinstance(fakes, str) or fakes not in ("generator", "exam"):
        arguments.refuse("fakes", fakes, "'generator' or 'exam'")
    check_precision(precision)
    logits, is_replaced, counted = _exam_logits(run, fakes)

    def tokens_of(rows: slice) -> tuple[Tensor, Tensor]:
        return logits[rows][counted[rows]].float().sigmoid(), is_replaced[rows][counted[rows]]

    threshold = choose_threshold(*tokens_of(slice(0, None, 2)), precision)
    probabilities, labels = tokens_of(slice(1, None, 2))
    return Calibration(
        reliability=reliability_curve(probabilities, labels),
        calibration_error=expected_calibration_error(probabilities, labels),
        threshold=threshold,
        at_threshold=detection_at(probabilities, labels, threshold),
        at_half=detection_at(probabilities, labels),
    )


@torch.no_grad()
def _exam_logits(run: TrainingRun, fakes: Literal["generator", "exam"]) -> tuple[Tensor, Tensor, Tensor]:
    """Return for the exam's M sentences logits, which tokens were replaced, which are counted: (M, T) on the CPU."""
    config, exam = run.config, run.exam
    rng = torch.Generator(run.device).manual_seed(EXAM_SEED)  # as in the exam: the same draws every time
    parts = []
    for rows in torch.arange(len(exam.original)).split(config.batch_size):
        original = exam.original[rows]
        is_real = original != config.pad_token_id
        if fakes == "generator":
            out = run.average(original, is_real, rng=rng)
            parts.append((out.rtd_logits, out.corrupted, out.is_replaced))
        else:
            read = exam.corrupted[rows]
            parts.append((run.average.discriminator(read, is_real), read, exam.is_replaced[rows]))
    logits, read, is_replaced = (torch.cat(part) for part in zip(*parts, strict=True))
    counted = exam.is_ordinary & (read != config.unk_token_id)
    return logits.cpu(), is_replaced.cpu(), counted.cpu()

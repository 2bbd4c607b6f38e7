"""The held-out exam: the same sentences with the same corruption for every run, so that scores can be compared."""

import math
from collections import defaultdict

import torch
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.corpora.corpus import Corpus
from electra_edu.metrics import auc, detection
from electra_edu.model.electra import Electra, ElectraOutput
from electra_edu.model.masking import Corruption, choose_positions, is_ordinary
from electra_edu.training.records import Evaluation
from electra_edu.training.step.metrics import generator_metrics, rtd_counts

# Never changed: with another seed, new scores could not be compared with recorded ones.
EXAM_SEED = 20030
EXAM_SEQUENCES = 256
EXAM_RATE = 0.15


def corrupt_by_unigram(tokens: Tensor, corpus: Corpus, config: ElectraConfig, rng: torch.Generator) -> Corruption:
    """Redraw 15 % of the ordinary tokens of `tokens` (B, T) from the corpus's word frequencies.

    A word that happens to be drawn again counts as original, as in training.
    """
    positions, used = choose_positions(is_ordinary(tokens, config), EXAM_RATE, rng)
    drawn = torch.multinomial(corpus.unigram, positions.numel(), replacement=True, generator=rng).view_as(positions)
    filled = tokens.scatter(-1, positions, torch.where(used, drawn, tokens.gather(-1, positions)))
    return Corruption(filled, filled != tokens)


class Exam:
    """A fixed set of held-out sequences with a fixed corruption, on one device."""

    def __init__(self, corpus: Corpus, config: ElectraConfig, device: torch.device) -> None:
        """Take the first 256 held-out sequences and corrupt them from a fixed seed."""
        original = corpus.heldout[:EXAM_SEQUENCES]
        corruption = corrupt_by_unigram(original, corpus, config, torch.Generator().manual_seed(EXAM_SEED))
        self.original = original.to(device)  # (M, T)
        self.corrupted = corruption.tokens.to(device)  # (M, T)
        self.is_replaced = corruption.is_replaced.to(device)  # (M, T)
        self.is_ordinary = is_ordinary(original, config).to(device)  # (M, T)

    @torch.no_grad()
    def grade(self, model: Electra, step: int) -> Evaluation:
        """Score `model` on the fixed corruption, and on its own generator's corruption of the same sentences.

        Scores of a network that the objective does not have are NaN.
        """
        # The same draws every time, so that scores move by the model alone.
        rng = torch.Generator(self.original.device).manual_seed(EXAM_SEED)
        sums: dict[str, float] = defaultdict(float)
        rtd: list[tuple[Tensor, Tensor, Tensor]] = []  # logits on the exam, logits and labels on its own samples
        for rows in torch.arange(len(self.original)).split(model.config.batch_size):
            original, ordinary = self.original[rows], self.is_ordinary[rows]
            real = original != model.config.pad_token_id
            out = model(original, real, rng=rng)
            for name, value in _sums(out, model.config.objective).items():
                sums[name] += value
            if out.rtd_logits is not None:
                on_exam = model.discriminator(self.corrupted[rows], real)
                rtd.append((on_exam[ordinary], out.rtd_logits[ordinary], out.is_replaced[ordinary]))
        scores = detection(*(sums[name] for name in ("tokens", "replaced", "flagged", "true_positives")))
        on_exam, live, labels = map(torch.cat, zip(*rtd, strict=True)) if rtd else (None, None, None)
        has_main = model.main is not None

        def mean(name: str, count: str, exists: bool = True) -> float:
            return sums[name] / max(sums[count], 1) if exists else math.nan

        return Evaluation(
            step=step,
            auc=math.nan if on_exam is None else auc(on_exam, self.is_replaced[self.is_ordinary]),
            live_auc=math.nan if live is None or labels is None else auc(live, labels),
            precision=scores.precision if rtd else math.nan,
            recall=scores.recall if rtd else math.nan,
            accuracy=scores.accuracy if rtd else math.nan,
            majority=scores.majority if rtd else math.nan,
            replaced_rate=scores.replaced_rate if has_main else math.nan,
            rtd_loss=mean("rtd_loss", "counted", bool(rtd)),
            word_loss=mean("word_loss", "counted", has_main and not rtd),
            mlm_loss=mean("mlm_loss", "masked"),
            mlm_accuracy=mean("right", "masked"),
            sampled_accuracy=mean("sampled", "masked", has_main),
            entropy=mean("entropy", "masked"),
        )


def _sums(out: ElectraOutput, objective: str) -> dict[str, float]:
    """Return one batch's losses and counts as sums, so that batches of different size can be added up."""
    masked, real = out.mlm_used.sum(), out.is_real.sum()
    counted = real if OBJECTIVES[objective].positions == "all" else masked
    accuracy, entropy = generator_metrics(out.mlm_logits, out.mlm_targets, out.mlm_used)
    names = ("tokens", "replaced", "flagged", "true_positives")
    sums = dict(zip(names, rtd_counts(out), strict=True))
    sums |= {"masked": masked, "counted": counted, "sampled": masked - sums["replaced"]}
    sums |= {"mlm_loss": out.mlm_loss * masked, "right": accuracy * masked, "entropy": entropy * masked}
    for name, loss in (("rtd_loss", out.rtd_loss), ("word_loss", out.word_loss)):
        if loss is not None:
            sums[name] = loss * counted
    return dict(zip(sums, torch.stack([*sums.values()]).tolist(), strict=True))

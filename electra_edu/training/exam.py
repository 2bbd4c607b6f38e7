"""The held-out exam: the same sentences with the same corruption for every run, so that scores can be compared."""

import torch
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.corpora.corpus import Corpus
from electra_edu.electra import Electra
from electra_edu.masking import Corruption, choose_positions, is_ordinary
from electra_edu.metrics import auc, detection, detection_counts
from electra_edu.training.records import Evaluation

EXAM_SEED = 20030  # fixed for good: changing it makes new scores incomparable with recorded ones
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
        """Score `model` on the fixed corruption, and on what its own generator makes of the same sentences."""
        device = self.original.device
        rng = torch.Generator(device).manual_seed(EXAM_SEED)  # the same draws every time: only the model moves scores
        size = model.config.batch_size
        exam, live, labels, counts = [], [], [], torch.zeros(4, device=device)
        sums = torch.zeros(6, device=device)
        for start in range(0, len(self.original), size):
            rows = slice(start, start + size)
            original, ordinary = self.original[rows], self.is_ordinary[rows]
            real = original != model.config.pad_token_id
            exam.append(model.discriminator(self.corrupted[rows], real)[ordinary])
            out = model(original, real, rng=rng)
            live.append(out.rtd_logits[ordinary])
            labels.append(out.is_replaced[ordinary])
            counts += detection_counts(out.rtd_logits, out.is_replaced, out.is_real)
            masked, read = out.mlm_used.sum(), out.is_real.sum()
            figures = generator_figures(out.mlm_logits, out.mlm_targets, out.mlm_used)
            replaced = out.is_replaced.sum()
            sums += torch.stack(
                [
                    out.mlm_loss * masked,
                    figures[0] * masked,
                    masked - replaced,
                    figures[1] * masked,
                    masked,
                    out.rtd_loss * read,
                ]
            )
        mlm_loss, guessed, sampled, entropy, masked_total, rtd_loss = sums.tolist()
        found = detection(*counts.tolist())
        masked_total = max(masked_total, 1)
        return Evaluation(
            step=step,
            auc=auc(torch.cat(exam), self.is_replaced[self.is_ordinary]),
            live_auc=auc(torch.cat(live), torch.cat(labels)),
            precision=found.precision,
            recall=found.recall,
            accuracy=found.accuracy,
            majority=found.majority,
            replaced_rate=found.replaced_rate,
            rtd_loss=rtd_loss / max(float(counts[0]), 1),
            mlm_loss=mlm_loss / masked_total,
            mlm_accuracy=guessed / masked_total,
            sampled_accuracy=sampled / masked_total,
            entropy=entropy / masked_total,
        )


def generator_figures(logits: Tensor, targets: Tensor, used: Tensor) -> Tensor:
    """Mean accuracy of the most likely token and mean entropy in nats, over the used slots of logits (B, K, V)."""
    logits, weight = logits.detach(), used.float()
    log_probabilities = logits.float().log_softmax(-1)
    right = (logits.argmax(-1) == targets).float()
    entropy = -(log_probabilities.exp() * log_probabilities).sum(-1)
    return torch.stack([(right * weight).sum(), (entropy * weight).sum()]) / weight.sum().clamp(min=1)

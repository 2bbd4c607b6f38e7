"""The losses of masked language modelling, of replaced token detection, and of an adversarial generator."""

import torch
import torch.nn.functional as F
from torch import Tensor


def masked_mean(losses: Tensor, counted: Tensor) -> Tensor:
    """Return the mean of `losses` where `counted` (bool, the same shape) is True; 0 where it never is."""
    weight = counted.float()
    return (losses * weight).sum() / weight.sum().clamp(min=1)


def masked_lm_loss(logits: Tensor, targets: Tensor, used: Tensor) -> Tensor:
    """Return the mean cross-entropy, in nats, of logits (B, K, V) and targets (B, K) over the `used` slots."""
    losses = F.cross_entropy(logits.flatten(0, -2).float(), targets.flatten(), reduction="none")
    return masked_mean(losses, used.flatten())


def replaced_token_losses(logits: Tensor, is_replaced: Tensor) -> Tensor:
    """Return the binary cross-entropy, in nats, of each token: (B, T) for logits (B, T)."""
    return F.binary_cross_entropy_with_logits(logits.float(), is_replaced.float(), reduction="none")


def replaced_token_loss(logits: Tensor, is_replaced: Tensor, counted: Tensor) -> Tensor:
    """Return the mean binary cross-entropy, in nats, of logits (B, T) over the tokens `counted` (B, T).

    ELECTRA counts all real tokens, as the official code does, and ELECTRA 15% only the masked ones.
    """
    return masked_mean(replaced_token_losses(logits, is_replaced), counted)


def reinforce_loss(log_probabilities: Tensor, rewards: Tensor, baseline_logits: Tensor, used: Tensor) -> Tensor:
    """Return REINFORCE's loss for a generator that is trained to fool the discriminator, plus its baseline's loss.

    All arguments are (B, K), at the masked positions. `log_probabilities` are those of the drawn tokens. `rewards` are
    the discriminator's losses there in nats, -log P of the true label. The baseline is
    b = -log sigmoid(`baseline_logits`), fitted to the rewards by the cross-entropy between its sigmoid and P. The
    generator's gradient is that of -(reward - b) · log p. Source: arXiv 2003.10555, appendix "Adversarial Training".
    """
    rewards = rewards.detach()
    advantage = rewards + F.logsigmoid(baseline_logits.detach())
    baseline_losses = F.binary_cross_entropy_with_logits(baseline_logits, torch.exp(-rewards), reduction="none")
    return masked_mean(baseline_losses - advantage * log_probabilities, used)

"""The generator and the discriminator joined: shared embeddings, one forward pass, both losses."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from electra_edu.config import ElectraConfig
from electra_edu.discriminator import Discriminator
from electra_edu.encoder import Embeddings, Encoder, initialise
from electra_edu.generator import Generator, sample
from electra_edu.masking import corrupt, mask


@dataclass(frozen=True, eq=False)
class ElectraOutput:
    """Everything one forward pass made, for B sequences of T tokens with K slots for masked positions each."""

    loss: Tensor  # mlm_loss + λ · rtd_loss
    mlm_loss: Tensor  # mean over the masked positions, in nats
    rtd_loss: Tensor  # mean over all real tokens, specials included, in nats
    mlm_logits: Tensor  # (B, K, V) the generator's prediction at the masked positions
    mlm_targets: Tensor  # (B, K) the original tokens there
    mlm_used: Tensor  # (B, K) bool: False for a surplus slot, which no loss counts
    rtd_logits: Tensor  # (B, T)
    corrupted: Tensor  # (B, T) what the discriminator read
    is_masked: Tensor  # (B, T) bool
    is_replaced: Tensor  # (B, T) bool: the discriminator's labels
    is_real: Tensor  # (B, T) bool: False for padding


class Electra(nn.Module):
    """ELECTRA (arXiv 2003.10555): a generator that fills in masked tokens and a discriminator that finds them.

    `config` may be exchanged for one with another mask rate, λ or temperature at any time; the next pass obeys it.
    """

    def __init__(self, config: ElectraConfig, rng: torch.Generator | None = None) -> None:
        """Build both networks and draw their weights from `rng` (a fresh generator with seed 0 when None)."""
        super().__init__()
        self.config = config
        embeddings = Embeddings(config)
        self.discriminator = Discriminator(config, embeddings)
        shared = config.weight_sharing == "embeddings"
        self.generator = Generator(config, embeddings if shared else Embeddings(config))
        initialise(self, config.initializer_range, rng or torch.Generator().manual_seed(0))
        if config.initializer_range is None:
            # Every verdict starts at exactly ½: its first gradients then are about words, not about noise.
            nn.init.zeros_(self.discriminator.output.weight)

    @property
    def encoder(self) -> Encoder:
        """The encoder that is kept after pre-training."""
        return self.discriminator.encoder

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,
        *,
        rng: torch.Generator,
        token_type_ids: Tensor | None = None,
    ) -> ElectraOutput:
        """Mask, generate, sample, label and discriminate one batch: tokens int64 (B, T), attention_mask 1 = real.

        Without an attention mask every token but [PAD] is real. The positions and the samples are drawn from `rng`.
        No gradient reaches the generator from the discriminator: a sampled token is just a number.
        """
        config = self.config
        is_real = tokens != config.pad_token_id if attention_mask is None else attention_mask.bool()  # (B, T)

        masking = mask(tokens, config, rng, is_real)
        mlm_logits = self.generator(masking.tokens, is_real, token_type_ids, positions=masking.positions)  # (B, K, V)
        mlm_targets = tokens.gather(-1, masking.positions)  # (B, K)
        mlm_loss = masked_lm_loss(mlm_logits, mlm_targets, masking.used)

        samples = sample(mlm_logits, config.temperature, rng)  # (B, K)
        corruption = corrupt(tokens, masking, samples)
        rtd_logits = self.discriminator(corruption.tokens, is_real, token_type_ids)  # (B, T)
        rtd_loss = replaced_token_loss(rtd_logits, corruption.is_replaced, is_real)

        return ElectraOutput(
            loss=mlm_loss + config.rtd_weight * rtd_loss,
            mlm_loss=mlm_loss,
            rtd_loss=rtd_loss,
            mlm_logits=mlm_logits,
            mlm_targets=mlm_targets,
            mlm_used=masking.used,
            rtd_logits=rtd_logits,
            corrupted=corruption.tokens,
            is_masked=masking.is_masked,
            is_replaced=corruption.is_replaced,
            is_real=is_real,
        )


def masked_lm_loss(logits: Tensor, targets: Tensor, used: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, of logits (B, K, V) against targets (B, K) over the `used` slots; 0 if none is."""
    losses = F.cross_entropy(logits.flatten(0, -2).float(), targets.flatten(), reduction="none")
    weight = used.flatten().float()
    return (losses * weight).sum() / weight.sum().clamp(min=1)


def replaced_token_loss(logits: Tensor, is_replaced: Tensor, is_real: Tensor) -> Tensor:
    """Mean binary cross-entropy, in nats, of logits (B, T) over all real tokens, as in the official code."""
    weight = is_real.float()
    losses = F.binary_cross_entropy_with_logits(logits.float(), is_replaced.float(), weight, reduction="sum")
    return losses / weight.sum().clamp(min=1)

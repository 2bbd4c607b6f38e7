"""The discriminator: an encoder and one logit per token. It is the network that is kept after pre-training."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from electra_edu.config import ElectraConfig
from electra_edu.model.encoder import Embeddings, Encoder, Linear
from electra_edu.support import tensors


class Discriminator(nn.Module):
    """An encoder and a head that predicts of each token whether it was replaced."""

    def __init__(self, config: ElectraConfig, embeddings: Embeddings) -> None:
        """Build it on `embeddings`, which the generator may share."""
        super().__init__()
        self.config = config
        self.encoder = Encoder(config, config.discriminator, embeddings)
        self.dense = Linear(config.hidden_size, config.hidden_size)
        self.output = Linear(config.hidden_size, 1)

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """Return logits (B, T) for tokens (B, T): above 0 where a token is more likely replaced than original.

        In training mode dropout draws from `rng` (None: the global generator). Lists and NumPy arrays of ids are
        accepted as well. Raises ElectraEduError for anything but a batch of token ids.
        """
        inputs = tensors.network_inputs(
            self.config.id_sizes, self.output.weight.device, tokens, attention_mask, token_type_ids, rng
        )
        hidden = self.encoder(*inputs, rng=rng)  # (B, T, H)
        logits: Tensor = self.output(F.gelu(self.dense(hidden)))  # (B, T, 1)
        return logits.squeeze(-1)

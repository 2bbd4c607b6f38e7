"""Our networks as they are read from a pre-trained checkpoint: each has its own embeddings and a tokenizer."""

from tokenizers import Tokenizer

from electra_edu.config import ElectraConfig, EncoderShape
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.encoder import Embeddings, Encoder
from electra_edu.model.generator import Generator


class PretrainedDiscriminator(Discriminator):
    """A Discriminator with the tokenizer of its vocabulary, or None."""

    def __init__(self, config: ElectraConfig, tokenizer: Tokenizer | None) -> None:
        """Build the network; its weights are still to be filled in."""
        super().__init__(config, Embeddings(config))
        self.tokenizer = tokenizer


class PretrainedGenerator(Generator):
    """A Generator with the tokenizer of its vocabulary, or None.

    If nothing is known of its discriminator, the config has objective="bert", so that the sizes are this network's own.
    """

    def __init__(self, config: ElectraConfig, tokenizer: Tokenizer | None, shape: EncoderShape | None = None) -> None:
        """Build the network, with an encoder of `shape` or the generator's; its weights are still to be filled in."""
        super().__init__(config, Embeddings(config), shape)
        self.tokenizer = tokenizer


class PretrainedEncoder(Encoder):
    """An Encoder without a head, with its config and the tokenizer of its vocabulary, or None."""

    def __init__(self, config: ElectraConfig, tokenizer: Tokenizer | None) -> None:
        """Build the network; its weights are still to be filled in."""
        super().__init__(config, config.discriminator, Embeddings(config))
        self.config = config
        self.tokenizer = tokenizer


Pretrained = PretrainedDiscriminator | PretrainedGenerator | PretrainedEncoder

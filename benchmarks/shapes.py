"""The shapes that are timed: sizes of a model, and how many tokens a step reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.support.errors import ElectraEduError, nearest

# The ids that every contender uses.
PAD, _UNK, CLS, SEP, MASK = range(len(SPECIAL_TOKENS))
# Positions that every contender has embeddings for: Hugging Face's default.
LONGEST = 512


@dataclass(frozen=True)
class Shape:
    """Sizes of the two networks and of a batch of B sequences of T tokens."""

    name: str
    vocab_size: int
    seq_length: int  # T
    batch_size: int  # B
    embedding_size: int
    hidden_size: int  # the discriminator's
    num_layers: int  # of each network
    num_heads: int  # the discriminator's; the generator's heads are as wide
    generator_hidden_size: int

    @property
    def generator_heads(self) -> int:
        """Heads of the generator: its share of the discriminator's, at least one."""
        return self.config().generator.num_heads

    @property
    def tokens_per_step(self) -> int:
        """B · T."""
        return self.batch_size * self.seq_length

    def config(self) -> ElectraConfig:
        """Return the settings of this shape, restricted to what every contender offers: no warm-up, AdamW."""
        return ElectraConfig(
            vocab_size=self.vocab_size,
            max_seq_length=self.seq_length,
            max_position_embeddings=LONGEST,
            embedding_size=self.embedding_size,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            generator_size_fraction=self.generator_hidden_size / self.hidden_size,
            positions="learned",
            dropout=0.0,
            objective="electra",
            rtd_weight=50.0,
            optimizer="adamw",
            warmup_steps=0,
            batch_size=self.batch_size,
        )

    def tokens(self, n: int, rng: torch.Generator) -> Tensor:
        """Draw `n` batches of ordinary token ids, int64 (n, B, T): [CLS] first, [SEP] last, no padding."""
        size = (n, self.batch_size, self.seq_length)
        drawn = torch.randint(len(SPECIAL_TOKENS), self.vocab_size, size, generator=rng, device=rng.device)
        drawn[..., 0], drawn[..., -1] = CLS, SEP
        return drawn


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        shape.name: shape
        for shape in (
            Shape("toy", 512, 32, 64, 64, 64, 2, 2, 32),  # the size of the course's first model
            Shape("lab", 4096, 64, 32, 128, 128, 4, 4, 64),
            Shape("small", 30522, 128, 8, 128, 256, 12, 4, 64),  # ELECTRA-Small, a short batch
            Shape("base", 30522, 512, 32, 768, 768, 12, 12, 256),  # ELECTRA-Base: for a GPU
        )
    }
)


def shape_named(name: str) -> Shape:
    """Return the shape of this name; raises ElectraEduError with the nearest one for an unknown name."""
    if name not in SHAPES:
        raise ElectraEduError(f"There is no shape {name!r}.{nearest(name, SHAPES)} Shapes: {', '.join(SHAPES)}.")
    return SHAPES[name]

"""The other public ways to take an ELECTRA step, as their users write it; the course needs neither package."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.chapter_step import chapter
from benchmarks.shapes import CLS, LONGEST, MASK, PAD, SEP, Shape
from benchmarks.steps import AdamStep, Factory
from electra_edu.support.errors import ElectraEduError

IGNORED = -100  # a label that Hugging Face's loss leaves out


class MissingPeer(ElectraEduError):
    """A package to compare with is not installed."""


def transformers_step(shape: Shape, device: torch.device, dtype: torch.dtype, attention: str = "sdpa") -> AdamStep:
    """Return a joint step of Hugging Face's two models; `attention` is "sdpa", their default, or "eager"."""
    config = shape.config()
    generator, discriminator = networks(shape, device, attention)
    rng = torch.Generator(device).manual_seed(0)

    def loss(tokens: Tensor) -> Tensor:
        ordinary = (tokens != CLS) & (tokens != SEP) & (tokens != PAD)
        is_masked = (torch.rand(tokens.shape, generator=rng, device=device) < config.mask_prob) & ordinary  # (B, T)
        generator_out = generator(
            input_ids=tokens.masked_fill(is_masked, MASK), labels=tokens.masked_fill(~is_masked, IGNORED)
        )
        with torch.no_grad():
            probabilities = generator_out.logits[is_masked].float().softmax(-1)  # (masked positions, V)
            corrupted = tokens.clone()
            corrupted[is_masked] = torch.multinomial(probabilities, 1, generator=rng).squeeze(-1)
        discriminator_out = discriminator(input_ids=corrupted, labels=(corrupted != tokens).long())
        total: Tensor = generator_out.loss + config.rtd_weight * discriminator_out.loss
        return total

    return AdamStep([generator, discriminator], loss, config, device, dtype)


def transformers_eager(shape: Shape, device: torch.device, dtype: torch.dtype) -> AdamStep:
    """Return the same step with attention written out: it is sometimes faster at small sizes."""
    return transformers_step(shape, device, dtype, "eager")


def electra_pytorch_step(shape: Shape, device: torch.device, dtype: torch.dtype) -> AdamStep:
    """Return a step of the package electra-pytorch around the same two networks of Hugging Face's."""
    try:
        from electra_pytorch import Electra
    except ImportError as error:
        raise MissingPeer(
            "electra-pytorch is not installed. It pins a transformers of 2020 that it does not need: "
            "pip install --no-deps electra-pytorch==0.1.2"
        ) from error
    generator, discriminator = networks(shape, device, "sdpa")
    trainer = Electra(
        Logits(generator), Logits(discriminator), mask_token_id=MASK, pad_token_id=PAD, mask_ignore_token_ids=[CLS, SEP]
    ).to(device)

    def loss(tokens: Tensor) -> Tensor:
        total: Tensor = trainer(tokens).loss
        return total

    return AdamStep([trainer], loss, shape.config(), device, dtype)


class Logits(nn.Module):
    """Wraps a network of Hugging Face's so that it returns its logits alone, as electra-pytorch requires."""

    def __init__(self, network: nn.Module) -> None:
        """Wrap `network`."""
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits for tokens (B, T): (B, T, V) of a generator, (B, T) of a discriminator."""
        logits: Tensor = self.network(input_ids=tokens).logits
        return logits


def networks(shape: Shape, device: torch.device, attention: str) -> tuple[nn.Module, nn.Module]:
    """Build Hugging Face's generator and discriminator of `shape`, which share their embeddings, with fresh weights."""
    try:
        from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining
    except ImportError as error:
        raise MissingPeer('transformers is not installed: pip install "electra-edu[bench]"') from error

    common: dict[str, Any] = {
        "vocab_size": shape.vocab_size,
        "embedding_size": shape.embedding_size,
        "num_hidden_layers": shape.num_layers,
        "max_position_embeddings": LONGEST,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "pad_token_id": PAD,
        "attn_implementation": attention,
    }

    def their_config(width: int, heads: int) -> ElectraConfig:
        return ElectraConfig(hidden_size=width, num_attention_heads=heads, intermediate_size=4 * width, **common)

    generator: Any = ElectraForMaskedLM(their_config(shape.generator_hidden_size, shape.generator_heads))
    discriminator: Any = ElectraForPreTraining(their_config(shape.hidden_size, shape.num_heads))
    discriminator.electra.embeddings = generator.electra.embeddings
    return generator.to(device).train(), discriminator.to(device).train()


PEERS: Mapping[str, Factory] = MappingProxyType(
    {
        "transformers": transformers_step,
        "transformers, eager": transformers_eager,
        "electra-pytorch": electra_pytorch_step,
        "chapter": chapter,
    }
)

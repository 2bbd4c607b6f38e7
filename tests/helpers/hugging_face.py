"""What the tests of the exchange with Hugging Face share: their models with random weights, on disk."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from small import rng
from torch import Tensor, nn
from transformers import ElectraConfig as TheirConfig
from transformers import ElectraForPreTraining, PreTrainedModel

from electra_edu.interop import from_transformers
from electra_edu.model.electra import Electra
from electra_edu.support.errors import CheckpointError

TOLERANCE = 1e-5
SIZES: dict[str, Any] = {
    "vocab_size": 20,
    "embedding_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
}


@torch.no_grad()
def spread(model: nn.Module) -> None:
    """Draw weights wide enough that every part of a network shows in what it computes."""
    for i, (name, parameter) in enumerate(model.named_parameters()):
        if parameter.requires_grad:
            noise = torch.randn(parameter.shape, generator=rng(i))
            if parameter.dim() > 1:
                parameter.copy_(noise / parameter.shape[-1] ** 0.5)
            else:
                parameter.copy_(noise * 0.2 + ("norm.weight" in name.lower()))  # LayerNorms around 1, biases around 0


def their_model(kind: type[PreTrainedModel] = ElectraForPreTraining, **changes: Any) -> PreTrainedModel:
    """Return a small model of theirs, in eval mode."""
    model = kind(TheirConfig(**(SIZES | changes))).eval()
    spread(model)
    return model


def our_model(model: Electra) -> Electra:
    """Return `model` in eval mode with spread weights."""
    spread(model)
    return model.eval()


def inputs(vocab_size: int, length: int, types: int = 2, seed: int = 0) -> dict[str, Tensor]:
    """Return three sequences of theirs, two of them padded, with token types."""
    lengths = torch.tensor([[length], [max(1, length - 2)], [max(1, length // 2)]])
    return {
        "input_ids": torch.randint(vocab_size, (3, length), generator=rng(seed)),
        "attention_mask": (torch.arange(length) < lengths).long(),
        "token_type_ids": torch.randint(types, (3, length), generator=rng(seed + 1)),
    }


@torch.no_grad()
def run(network: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Return what one of our networks or of theirs computes."""
    if not isinstance(network, PreTrainedModel):
        computed: Tensor = network(batch["input_ids"], batch["attention_mask"], batch["token_type_ids"])
        return computed
    outputs = network(**batch)
    return outputs.logits if hasattr(outputs, "logits") else outputs.last_hidden_state


def assert_agree(ours: Tensor, theirs: Tensor) -> None:
    """Check that two results are the same to rounding."""
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < TOLERANCE


@contextmanager
def edited(path: Path) -> Iterator[dict[str, Any]]:
    """Let a test change a JSON file as a dictionary."""
    value = json.loads(path.read_text(encoding="utf-8"))
    yield value
    path.write_text(json.dumps(value), encoding="utf-8")


def refusal(folder: Path, **arguments: Any) -> str:
    """Return what from_transformers says about a folder that it does not read."""
    with pytest.raises(CheckpointError) as caught:
        from_transformers(folder, **arguments)
    return str(caught.value)

"""Agreement with Hugging Face: the same weights give the same logits, and the same sizes the same counts."""

import pytest
import torch
from small import count, rng, small_config
from torch import Tensor, nn
from transformers import ElectraConfig as TheirConfig
from transformers import ElectraForMaskedLM, ElectraForPreTraining
from transformers.models.roformer import modeling_roformer as roformer

from electra_edu.config import preset
from electra_edu.discriminator import Discriminator
from electra_edu.electra import Electra
from electra_edu.encoder import Embeddings, rotate, rotations
from electra_edu.errors import ElectraEduError
from electra_edu.generator import Generator
from electra_edu.interop import transformers_config, transformers_state

TOLERANCE = 1e-5


def theirs(network: Generator | Discriminator) -> nn.Module:
    """Return Hugging Face's model with our weights in it; every weight must have found its place."""
    kind = ElectraForMaskedLM if isinstance(network, Generator) else ElectraForPreTraining
    model = kind(TheirConfig(**transformers_config(network))).eval()
    missing, unexpected = model.load_state_dict(transformers_state(network), strict=False)
    buffers = {name for name, _ in model.named_buffers()}
    assert set(missing) <= buffers
    assert unexpected == []
    return model


@pytest.fixture(params=[8, 16], ids=["projected embeddings", "embeddings as wide as the discriminator"])
def model(request: pytest.FixtureRequest) -> Electra:
    """Weights spread wide enough that every part of the network shows in the logits."""
    config = small_config(
        positions="learned", embedding_size=request.param, initializer_range=0.3, max_position_embeddings=40
    )
    model = Electra(config, rng())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:  # biases and LayerNorms too: they start as 0 and 1
                parameter.add_(torch.randn(parameter.shape, generator=rng(len(name))), alpha=0.2)
    return model


@pytest.mark.parametrize("length", [1, 7, 33])
@pytest.mark.parametrize("part", ["generator", "discriminator"])
def test_logits_agree(model: Electra, part: str, length: int) -> None:
    network = getattr(model, part)
    tokens = torch.randint(5, 16, (3, length), generator=rng(1))
    attention_mask = (
        torch.arange(length) < torch.tensor([[length], [max(1, length - 2)], [max(1, length // 2)]])
    ).long()
    types = torch.randint(0, 2, (3, length), generator=rng(2))
    other = theirs(network)

    def compare(**inputs: Tensor) -> Tensor:
        with torch.no_grad():
            ours, reference = network(tokens, **inputs), other(tokens, **inputs).logits
        assert ours.shape == reference.shape
        assert ours.std() > 0.05  # something to disagree about
        real = inputs.get("attention_mask", torch.ones_like(tokens)).bool()
        assert (ours - reference)[real].abs().max() < TOLERANCE
        return ours

    plain = compare()
    assert not torch.allclose(compare(token_type_ids=types), plain, atol=1e-3)
    padded = compare(attention_mask=attention_mask, token_type_ids=types)
    assert length == 1 or not torch.allclose(padded, plain, atol=1e-3)


def test_rotary_positions_are_roformers() -> None:
    length, heads, size = 9, 2, 8
    query, key = torch.randn(2, 1, length, heads, size, generator=rng())
    angles = roformer.RoFormerSinusoidalPositionalEmbedding(length, size).create_weight()[None, None]
    reference = roformer.RoFormerSelfAttention.apply_rotary_position_embeddings(
        angles, query.transpose(1, 2), key.transpose(1, 2)
    )
    for ours, theirs_ in zip((query, key), reference, strict=True):
        rotated = rotate(ours, rotations(length, size, torch.device("cpu")))
        torch.testing.assert_close(rotated.transpose(1, 2), theirs_, atol=1e-5, rtol=1e-5)


def test_rotary_networks_have_no_counterpart() -> None:
    with pytest.raises(ElectraEduError, match=r"positions='rotary'.*positions='learned'"):
        transformers_config(Electra(small_config(), rng()).generator)


@pytest.mark.parametrize("name", ["paper-small", "paper-base", "paper-large", "released-small"])
def test_published_sizes_agree(name: str) -> None:
    config = preset(name)
    embeddings = Embeddings(config)
    for network, kind in (
        (Discriminator(config, embeddings), ElectraForPreTraining),
        (Generator(config, embeddings), ElectraForMaskedLM),
    ):
        with torch.device("meta"):
            model = kind(TheirConfig(**transformers_config(network)))
        assert count(network) == count(model)

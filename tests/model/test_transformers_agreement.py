"""Agreement with Hugging Face: the same weights give the same logits, and the same sizes the same counts."""

from pathlib import Path

import pytest
import torch
import transformers
from hugging_face import TOLERANCE, assert_agree, inputs, our_model, run
from hypothesis import given, settings
from hypothesis import strategies as st
from small import count, rng, small_config
from torch import Tensor, nn
from transformers import ElectraConfig as TheirConfig
from transformers import ElectraForMaskedLM, ElectraForPreTraining, RoFormerConfig, RoFormerForMaskedLM, RoFormerModel
from transformers.models.roformer import modeling_roformer as roformer

from electra_edu.config import ElectraConfig, preset
from electra_edu.interop import to_transformers, transformers_config, transformers_state
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.electra import Electra
from electra_edu.model.encoder import Embeddings, rotate, rotations
from electra_edu.model.generator import Generator

Network = Generator | Discriminator


def theirs(network: Network) -> nn.Module:
    """Return Hugging Face's model with our weights in it; every weight must have found its place."""
    described = transformers_config(network)
    (name,) = described["architectures"]
    config = RoFormerConfig if described["model_type"] == "roformer" else TheirConfig
    model = getattr(transformers, name)(config(**described)).eval()
    missing, unexpected = model.load_state_dict(transformers_state(network), strict=False)
    tied = set(getattr(model, "_tied_weights_keys", None) or ())
    assert set(missing) <= tied | {name for name, _ in model.named_buffers()}
    assert unexpected == []
    return model


def their_logits(network: Network, batch: dict[str, Tensor]) -> Tensor:
    """Return what their model computes with our weights; RoFormer's lacks the head of a discriminator."""
    computed = run(theirs(network), batch)
    if not isinstance(network, Discriminator) or network.encoder.positions == "learned":
        return computed
    with torch.no_grad():
        return network.output(nn.functional.gelu(network.dense(computed))).squeeze(-1)


@st.composite
def configs(draw: st.DrawFn) -> ElectraConfig:
    positions = draw(st.sampled_from(["learned", "rotary"]))
    heads, fraction = draw(st.sampled_from([(1, 1.0), (2, 0.5), (2, 1.0), (4, 0.5)]))
    hidden = heads * draw(st.sampled_from([4, 6, 8]) if positions == "rotary" else st.integers(4, 8))
    return small_config(
        positions=positions,
        num_heads=heads,
        generator_size_fraction=fraction,
        hidden_size=hidden,
        embedding_size=draw(st.sampled_from([hidden, 5, 9])),
        intermediate_size=draw(st.sampled_from([None, 2, 7])),
        num_layers=draw(st.integers(1, 3)),
        max_position_embeddings=24,
        type_vocab_size=draw(st.integers(1, 3)),
        layer_norm_eps=draw(st.sampled_from([1e-12, 1e-5])),
        weight_sharing=draw(st.sampled_from(["none", "embeddings"])),
    )


@settings(max_examples=20, deadline=None)
@given(config=configs(), length=st.integers(1, 24), seed=st.integers(0, 99))
def test_logits_agree(config: ElectraConfig, length: int, seed: int) -> None:
    model = our_model(Electra(config, rng(seed)))
    batch = inputs(config.vocab_size, length, config.type_vocab_size, seed)
    for network in (model.generator, model.discriminator):
        assert_agree(run(network, batch), their_logits(network, batch))


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_what_is_compared_depends_on_all_inputs(positions: str) -> None:
    network = our_model(Electra(small_config(positions=positions), rng())).discriminator
    batch = inputs(16, 8)
    for name, other in (("input_ids", 3), ("attention_mask", 1), ("token_type_ids", 0)):
        changed = their_logits(network, batch | {name: torch.full_like(batch[name], other)})
        assert not torch.allclose(changed, their_logits(network, batch), atol=1e-3)
    swapped = batch["input_ids"].flip(-1)
    moved = their_logits(network, batch | {"input_ids": swapped})
    assert not torch.allclose(moved.flip(-1)[0], their_logits(network, batch)[0], atol=1e-3)


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


def test_long_texts_agree_in_roformer(tmp_path: Path) -> None:
    config = small_config(max_position_embeddings=100, max_seq_length=512, hidden_size=32)  # the longer one counts
    model = our_model(Electra(config, rng()))
    written = to_transformers(model, tmp_path)
    batch = inputs(16, 512)
    generator = RoFormerForMaskedLM.from_pretrained(written["generator"].folder).eval()
    assert_agree(run(model.generator, batch), run(generator, batch))
    encoder = RoFormerModel.from_pretrained(written["discriminator"].folder).eval()
    assert_agree(run(model.discriminator.encoder, batch), run(encoder, batch))


def test_roformers_own_table_is_the_written_one_to_rounding() -> None:
    written = transformers_state(Electra(small_config(max_position_embeddings=512)).generator)
    angles = roformer.RoFormerSinusoidalPositionalEmbedding(512, 8).create_weight()
    ours = written["roformer.encoder.embed_positions.weight"]
    assert ours.shape == angles.shape
    assert (ours - angles).abs().max() < 512 * torch.finfo(torch.float32).eps


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


def test_the_tolerance_is_small_beside_the_logits() -> None:
    logits = run(our_model(Electra(small_config(), rng())).generator, inputs(16, 8))
    assert logits.std() > 1e4 * TOLERANCE

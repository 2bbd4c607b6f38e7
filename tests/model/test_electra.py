"""Electra: both losses by hand, labels, one forward pass, gradients, and the number of parameters."""

import math

import pytest
import torch
import torch.nn.functional as F
from small import CLS, MASK, PAD, SEP, count, equal, rng, small_config, small_corpus, token_rows, weights
from torch import Tensor

from electra_edu.config import preset
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.electra import Electra
from electra_edu.model.encoder import Embeddings
from electra_edu.model.generator import Generator
from electra_edu.model.losses import masked_lm_loss, replaced_token_loss

LN2 = math.log(2)


@pytest.fixture
def tokens() -> Tensor:
    return small_corpus().train[:6]


def predict_always(model: Electra, word: int) -> None:
    """Make the generator draw `word` at every masked position."""
    with torch.no_grad():
        model.generator.bias[word] += 100.0


# Losses


def test_the_rtd_loss_is_the_mean_over_real_tokens() -> None:
    """A replaced token costs -ln σ(2) = 0.126928, originals -ln(1 - σ(-1)) = 0.313262 and ln 2; padding nothing."""
    logits = torch.tensor([[2.0, -1.0, 50.0], [0.0, 50.0, -50.0]])
    is_replaced = torch.tensor([[True, False, False], [False, False, True]])
    is_real = torch.tensor([[True, True, False], [True, False, False]])
    loss = replaced_token_loss(logits, is_replaced, is_real)
    assert loss.item() == pytest.approx((0.126928 + 0.313262 + LN2) / 3, abs=1e-6)


def test_the_mlm_loss_is_the_mean_over_used_slots() -> None:
    """Equal logits cost ln 4; a lead of ln 3 makes the odds 3 : 1 : 1 : 1, which costs ln 2 when right."""
    logits = torch.tensor([[[0.0, 0.0, 0.0, 0.0], [math.log(3), 0.0, 0.0, 0.0], [0.0, 99.0, 0.0, 0.0]]])
    targets = torch.tensor([[2, 0, 0]])
    loss = masked_lm_loss(logits, targets, used=torch.tensor([[True, True, False]]))
    assert loss.item() == pytest.approx((math.log(4) + LN2) / 2, abs=1e-6)
    assert masked_lm_loss(logits, targets, used=torch.zeros(1, 3, dtype=torch.bool)).item() == 0


def test_more_padding_changes_no_loss() -> None:
    logits, labels = torch.randn(2, 5, generator=rng()), torch.tensor([[True, False, False, True, False]] * 2)
    real = torch.ones(2, 5, dtype=torch.bool)
    nothing = torch.zeros(2, 5, dtype=torch.bool)
    longer = replaced_token_loss(logits.repeat(1, 2), torch.cat([labels, ~labels], 1), torch.cat([real, nothing], 1))
    torch.testing.assert_close(longer, replaced_token_loss(logits, labels, real))
    vocabulary, targets = torch.randn(2, 5, 7, generator=rng()), torch.ones(2, 5, dtype=torch.int64)
    longer = masked_lm_loss(vocabulary.repeat(1, 2, 1), targets.repeat(1, 2), torch.cat([real, nothing], 1))
    torch.testing.assert_close(longer, masked_lm_loss(vocabulary, targets, real))


def test_the_loss_is_mlm_plus_lambda_rtd_and_follows_a_new_config(tokens: Tensor) -> None:
    model = Electra(small_config(rtd_weight=7.0), rng())
    out = model(tokens, rng=rng())
    torch.testing.assert_close(out.loss, out.mlm_loss + 7.0 * out.rtd_loss)
    model.config = model.config.replace(rtd_weight=0.5, mask_prob=0.9)
    changed = model(tokens, rng=rng())
    torch.testing.assert_close(changed.loss, changed.mlm_loss + 0.5 * changed.rtd_loss)
    assert changed.is_masked.sum() > 2 * out.is_masked.sum()


def test_the_losses_follow_from_the_fields_of_the_output(tokens: Tensor) -> None:
    """Both losses again, one token at a time, from the output's own fields."""
    out = Electra(small_config(initializer_range=0.5), rng())(tokens, rng=rng())
    mlm, rtd = [], []
    for row in range(len(tokens)):
        used, real = out.mlm_used[row], tokens[row] != PAD
        for logits, target in zip(out.mlm_logits[row][used], out.mlm_targets[row][used], strict=True):
            mlm += [-math.log(logits.softmax(-1)[target].item())]
        for logit, is_replaced in zip(out.rtd_logits[row][real], out.is_replaced[row][real], strict=True):
            rtd += [-math.log((logit if is_replaced else -logit).sigmoid().item())]
    assert len(rtd) == (tokens != PAD).sum() < tokens.numel()
    assert out.mlm_loss.item() == pytest.approx(sum(mlm) / len(mlm), rel=1e-5)
    assert out.rtd_loss.item() == pytest.approx(sum(rtd) / len(rtd), rel=1e-4)


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_losses_and_gradients_are_those_of_the_full_computation(tokens: Tensor, positions: str) -> None:
    """The full computation makes every state and every logit, and then selects the masked ones."""
    model = Electra(small_config(initializer_range=0.3, positions=positions), rng())
    out = model(tokens, rng=rng())
    out.loss.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    model.zero_grad(set_to_none=True)
    read, real = tokens.masked_fill(out.is_masked, MASK), tokens != PAD
    everywhere = model.generator(read, real)  # (B, T, V)
    mlm = F.cross_entropy(everywhere[out.is_masked], tokens[out.is_masked])
    rtd_logits = model.discriminator(out.corrupted, real)
    rtd = F.binary_cross_entropy_with_logits(rtd_logits[real], (out.corrupted != tokens)[real].float())
    (mlm + 10.0 * rtd).backward()
    torch.testing.assert_close(out.mlm_loss, mlm, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out.rtd_loss, rtd, atol=1e-5, rtol=1e-5)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, atol=1e-5, rtol=1e-4, msg=name)


# Labels


def test_a_sample_that_is_the_original_is_labelled_original(tokens: Tensor) -> None:
    model, same = Electra(small_config(), rng()), torch.full((4, 8), 9)
    predict_always(model, 9)
    original = model(same, rng=rng())
    assert original.is_masked.sum() == 4 * 2  # round(0.3 × 8)
    assert not original.is_replaced.any()
    assert torch.equal(original.corrupted, same)
    wrong = model(torch.full((4, 8), 10), rng=rng())
    assert torch.equal(wrong.is_replaced, wrong.is_masked)
    out = model(tokens, rng=rng())
    assert torch.equal(out.is_replaced, out.corrupted != tokens)
    assert (out.is_replaced <= out.is_masked).all()


def test_padding_is_neither_read_nor_masked_nor_counted(tokens: Tensor) -> None:
    out = Electra(small_config(), rng())(tokens, rng=rng())
    padding = tokens == PAD
    assert padding.any()
    assert torch.equal(out.is_real, ~padding)
    assert not (out.is_masked & padding).any()
    assert torch.equal(out.corrupted[padding], tokens[padding])


def test_a_given_attention_mask_decides_what_is_real(tokens: Tensor) -> None:
    attended = torch.zeros_like(tokens)
    attended[:, :4] = 1
    out = Electra(small_config(), rng())(tokens, attended, rng=rng())
    assert torch.equal(out.is_real, attended.bool())
    assert not out.is_masked[:, 4:].any()
    assert out.is_masked[:, :4].any()


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_rows_without_a_word_have_no_loss_and_stay_finite(positions: str) -> None:
    tokens = token_rows([[CLS, SEP], [PAD, PAD, PAD], [CLS, 5, SEP]])
    model = Electra(small_config(positions=positions), rng())
    out = model(tokens, rng=rng())
    out.loss.backward()
    assert out.is_masked.sum(-1).tolist() == [0, 0, 1]
    assert out.loss.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    nothing = model(tokens[:2], rng=rng())
    assert nothing.mlm_loss == 0
    assert not nothing.is_replaced.any()
    assert nothing.loss.isfinite()


# One forward pass


def test_the_generator_reads_the_masked_text_and_the_discriminator_the_filled_one(tokens: Tensor) -> None:
    model, read = Electra(small_config(), rng()), {}
    for name in ("generator", "discriminator"):
        getattr(model, name).register_forward_hook(
            lambda _module, inputs, _output, name=name: read.update({name: inputs[0]})
        )
    out = model(tokens, rng=rng())
    assert torch.equal(read["generator"], tokens.masked_fill(out.is_masked, MASK))
    assert torch.equal(read["discriminator"], out.corrupted)


def test_each_network_runs_once_and_only_slots_reach_the_vocabulary(tokens: Tensor) -> None:
    model = Electra(small_config(), rng())
    shapes: dict[str, list[tuple[int, ...]]] = {"generator": [], "discriminator": [], "generator.dense": []}
    for name, seen in shapes.items():
        model.get_submodule(name).register_forward_hook(
            lambda _module, inputs, _output, seen=seen: seen.append(tuple(inputs[0].shape))
        )
    out = model(tokens, rng=rng())
    assert shapes == {"generator": [(6, 8)], "discriminator": [(6, 8)], "generator.dense": [(6, 2, 8)]}
    assert out.mlm_logits.shape == (6, 2, 16)  # round(0.3 × 8) = 2 slots, 16 words
    everywhere = model.generator(tokens.masked_fill(out.is_masked, MASK), out.is_real)
    for row in range(6):  # the slots' logits are the full logits at the masked positions, in some order
        full = everywhere[row][out.is_masked[row]].sum(0)
        torch.testing.assert_close(out.mlm_logits[row][out.mlm_used[row]].sum(0), full, atol=1e-5, rtol=1e-5)


def test_the_same_generator_gives_the_same_pass_and_the_global_one_is_untouched(tokens: Tensor) -> None:
    before = torch.get_rng_state()
    first, again, other = (Electra(small_config(), rng(1))(tokens, rng=rng(seed)) for seed in (2, 2, 3))
    assert torch.equal(first.corrupted, again.corrupted)
    assert torch.equal(first.loss, again.loss)
    assert not torch.equal(first.corrupted, other.corrupted)
    assert torch.equal(torch.get_rng_state(), before)
    assert equal(weights(Electra(small_config())), weights(Electra(small_config())))


def test_every_prediction_starts_at_one_half(tokens: Tensor) -> None:
    out = Electra(small_config(), rng())(tokens, rng=rng())
    assert not out.rtd_logits.any()
    assert out.rtd_loss.item() == pytest.approx(LN2)


# Gradients


def own_gradients(model: Electra, part: str) -> dict[str, float]:
    """Return the gradient norms of a network's weights outside the embeddings; 0 where there is none."""
    named = getattr(model, part).named_parameters()
    return {name: 0.0 if p.grad is None else p.grad.norm().item() for name, p in named if "embeddings" not in name}


def test_lambda_weighs_the_discriminators_gradient(tokens: Tensor) -> None:
    norms = []
    for rtd_weight in (0.0, 1.0, 50.0):
        model = Electra(small_config(rtd_weight=rtd_weight, initializer_range=0.3), rng())
        model(tokens, rng=rng()).loss.backward()
        norms.append(own_gradients(model, "discriminator")["output.weight"])
    assert norms[0] == 0
    assert norms[2] == pytest.approx(50 * norms[1], rel=1e-4)


# Numbers of parameters


def test_parameters_by_hand() -> None:
    """Discriminator 16 wide, 2 layers; generator half of that; embeddings of 16 words × 8 with rotary positions."""
    model = Electra(small_config(), rng())

    def encoder(h: int, project: int) -> int:
        attention = 3 * h * h + 3 * h + h * h + h
        feed_forward = h * 4 * h + 4 * h + 4 * h * h + h
        norms = 2 * 2 * h
        return project + 2 * (attention + feed_forward + norms)

    embeddings = 16 * 8 + 2 * 8 + 2 * 8
    head = 16 * 16 + 16 + 16 + 1
    vocabulary = 8 * 8 + 8 + 2 * 8 + 16  # dense, LayerNorm, one bias per word; the table itself is shared
    assert count(model.discriminator) == embeddings + encoder(16, project=8 * 16 + 16) + head
    assert count(model.generator) == embeddings + encoder(8, project=0) + vocabulary


# Counted with transformers 5.23 from the official configurations; test_transformers_agreement.py counts them again.
@pytest.mark.parametrize(
    ("name", "discriminator", "generator", "total"),
    [
        ("paper-small", 13_549_057, 4_620_026, 14_196_219),
        ("paper-base", 109_483_009, 33_740_602, 119_386_427),
        ("paper-large", 335_142_913, 51_295_290, 354_655_291),
        ("released-small", 13_549_057, 13_546_682, 13_549_057 + 9_573_818),
    ],
)
def test_paper_presets_have_the_published_sizes(name: str, discriminator: int, generator: int, total: int) -> None:
    config = preset(name)
    embeddings = Embeddings(config)  # without initial weights: untouched memory costs nothing
    networks = torch.nn.ModuleList([Discriminator(config, embeddings), Generator(config, embeddings)])
    assert [count(network) for network in networks] == [discriminator, generator]
    assert count(networks) == total


def test_tokens_of_another_dtype_are_refused() -> None:
    with pytest.raises(ValueError, match="tokens: expected int64 token ids"):
        Electra(small_config(), rng())(torch.zeros(2, 3), rng=rng())

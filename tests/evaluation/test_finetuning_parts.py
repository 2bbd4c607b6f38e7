"""The parts of fine-tuning: heads, loss and rates, against Hugging Face, brute force and hand calculation."""

import math
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import LENGTH, PAD, VOCAB_SIZE, count, rng, small_config, small_corpus, small_run
from torch import nn
from transformers import ElectraConfig as TheirConfig
from transformers import ElectraForSequenceClassification, ElectraForTokenClassification

from electra_edu.corpora import IGNORE
from electra_edu.evaluation.finetuning import (
    PRESETS,
    SequenceClassifier,
    TokenClassifier,
    layerwise_rates,
    parameter_groups,
    predict,
)
from electra_edu.evaluation.finetuning.classifiers import classification_loss
from electra_edu.interop import transformers_config, transformers_state
from electra_edu.model.electra import Electra


@cache
def source() -> Electra:
    """A small model with a little training behind it."""
    run = small_run()
    run.advance(5)
    return run.average


# The heads


def theirs(model: SequenceClassifier | TokenClassifier, electra: Electra, n_labels: int) -> nn.Module:
    """Hugging Face's classifier with our weights in it; every weight must have found its place."""
    discriminator = electra.discriminator
    encoder_state = {k: v for k, v in transformers_state(discriminator).items() if k.startswith("electra.")}
    config = TheirConfig(**transformers_config(discriminator), num_labels=n_labels)
    if isinstance(model, TokenClassifier):
        other: nn.Module = ElectraForTokenClassification(config)
        head = {"classifier": model.output}
    else:
        other = ElectraForSequenceClassification(config)
        assert model.dense is not None
        head = {"classifier.dense": model.dense, "classifier.out_proj": model.output}
    state = encoder_state | {f"{name}.{k}": v for name, part in head.items() for k, v in part.state_dict().items()}
    missing, unexpected = other.load_state_dict(state, strict=False)
    assert set(missing) <= {name for name, _ in other.named_buffers()}
    assert unexpected == []
    return other.eval()


@pytest.mark.parametrize("kind", [SequenceClassifier, TokenClassifier])
def test_logits_and_sizes_are_hugging_faces(kind: type[SequenceClassifier] | type[TokenClassifier]) -> None:
    electra = Electra(small_config(positions="learned", initializer_range=0.3), rng())
    model = kind(electra.encoder, 3, rng(1)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith("encoder."):
                parameter.normal_(0, 0.5, generator=rng(len(name)))
    other = theirs(model, electra, 3)
    tokens = torch.randint(5, VOCAB_SIZE, (4, LENGTH), generator=rng(2))
    mask = (torch.arange(LENGTH) < torch.tensor([[LENGTH], [5], [3], [1]])).long()
    types = torch.randint(0, 2, (4, LENGTH), generator=rng(3))
    with torch.no_grad():
        ours = model(tokens, mask, types)
        expected = other(tokens, attention_mask=mask, token_type_ids=types).logits
    real = mask.bool() if kind is TokenClassifier else torch.ones(4, dtype=torch.bool)
    torch.testing.assert_close(ours[real], expected[real], atol=1e-5, rtol=1e-5)
    assert count(model) == count(other)


def test_the_plain_head_is_one_linear_on_the_state_of_cls() -> None:
    model = SequenceClassifier(source().encoder, 3, rng(), head="plain").eval()
    tokens = small_corpus().heldout[:5]
    first = model.encoder(tokens, tokens != PAD)[:, 0]
    torch.testing.assert_close(model(tokens, tokens != PAD), first @ model.output.weight.T + model.output.bias)
    assert count(model) == count(model.encoder) + 3 * 16 + 3


def test_dropout_is_on_in_training_only() -> None:
    model = SequenceClassifier(source().encoder, 3, rng(), dropout=0.5)
    tokens = small_corpus().heldout[:5]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert not torch.equal(model(tokens), model(tokens))
    assert torch.equal(predict(model, tokens), model.eval()(tokens).argmax(-1))
    model.train()
    predict(model, tokens)
    assert model.training


def test_predictions_in_batches_are_those_of_each_sequence_alone() -> None:
    model = TokenClassifier(source().encoder, 4, rng()).eval()
    tokens = small_corpus(heldout=300).heldout
    guesses = predict(model, tokens, tokens != PAD)
    assert guesses.shape == tokens.shape
    for i in (0, 255, 256, 299):
        assert torch.equal(guesses[i], model(tokens[i : i + 1], tokens[i : i + 1] != PAD)[0].argmax(-1))


# The loss


@given(
    labels=st.lists(st.lists(st.sampled_from([IGNORE, 0, 1, 2]), min_size=5, max_size=5), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
def test_labels_of_minus_100_count_in_no_loss_and_no_gradient(labels: list[list[int]], seed: int) -> None:
    truth = torch.tensor(labels)
    logits = torch.randn(*truth.shape, 3, generator=rng(seed), dtype=torch.float64, requires_grad=True)
    loss = classification_loss(logits.float(), truth)
    (gradient,) = torch.autograd.grad(loss, logits)
    counted = [(i, t) for i in range(len(labels)) for t in range(5) if labels[i][t] != IGNORE]
    expected, expected_gradient = 0.0, torch.zeros_like(logits)
    for i, t in counted:
        p = logits[i, t].detach().softmax(-1)
        expected -= math.log(p[truth[i, t]]) / len(counted)
        expected_gradient[i, t] = p / len(counted)
        expected_gradient[i, t, truth[i, t]] -= 1 / len(counted)
    assert loss.item() == pytest.approx(expected, abs=1e-5)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-6, rtol=1e-5)


# The rates


def test_layerwise_rates_by_hand() -> None:
    """Twelve layers at 0.8, as in the paper's small and base models."""
    rates = layerwise_rates(1e-4, 0.8, 12)
    assert list(rates) == ["embeddings", *(f"layer {i}" for i in range(1, 13)), "head"]
    assert rates["head"] == 1e-4
    assert rates["layer 12"] == pytest.approx(0.8e-4)
    assert rates["layer 11"] == pytest.approx(0.64e-4)
    assert rates["layer 1"] == pytest.approx(1e-4 * 0.068719476736)  # 0.8^12
    assert rates["embeddings"] == pytest.approx(1e-4 * 0.0549755813888)  # 0.8^13


def test_the_official_codes_rates_are_off_by_one() -> None:
    """github.com/google-research/electra, issue 51: the last layer gets 0.64 instead of 0.8."""
    rates = layerwise_rates(1.0, 0.8, 12, off_by_one=True)
    assert rates["head"] == 1.0
    assert rates["layer 12"] == pytest.approx(0.64)
    assert rates["layer 1"] == pytest.approx(0.0549755813888)  # 0.8^13
    assert rates["embeddings"] == pytest.approx(0.043980465111)  # 0.8^14
    assert layerwise_rates(1.0, 1.0, 12, off_by_one=True) == layerwise_rates(1.0, 1.0, 12)


@pytest.mark.parametrize("sizes", [{}, {"embedding_size": 16}, {"positions": "learned"}])
def test_every_parameter_is_in_one_group_at_the_rate_of_its_part(sizes: dict[str, Any]) -> None:
    model = SequenceClassifier(Electra(small_config(**sizes), rng()).encoder, 3, rng())
    rates = layerwise_rates(1.0, 0.5, 2)
    groups = parameter_groups(model, rates, weight_decay=0.01)
    listed = [parameter for group in groups for parameter in group["params"]]
    assert {*map(id, listed)} == {*map(id, model.parameters())}
    assert len(listed) == len(list(model.parameters()))
    rate = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    decay = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    first, second = model.encoder.blocks
    assert model.dense is not None
    for part, expected in (
        (model.encoder.embeddings, 0.125),
        (model.encoder.project or model.encoder.embeddings, 0.125),
        (first, 0.25),
        (second, 0.5),
        (model.dense, 1.0),
        (model.output, 1.0),
    ):
        assert {rate[id(parameter)] for parameter in part.parameters()} == {expected}
    assert decay[id(model.output.weight)] == 0.01
    assert decay[id(model.output.bias)] == decay[id(model.encoder.embeddings.norm.weight)] == 0


def test_the_papers_settings() -> None:
    """arXiv 2003.10555, Table 7."""
    small, base, large = (PRESETS[f"paper-{size}"] for size in ("small", "base", "large"))
    assert (small.learning_rate, base.learning_rate, large.learning_rate) == (3e-4, 1e-4, 5e-5)
    assert (small.layerwise_decay, base.layerwise_decay, large.layerwise_decay) == (0.8, 0.8, 0.9)
    for paper in (small, base, large):
        assert (paper.warmup_share, paper.batch_size, paper.dropout, paper.epochs) == (0.1, 32, 0.1, 3)
        assert (paper.weight_decay, paper.head, paper.off_by_one) == (0.0, "plain", False)

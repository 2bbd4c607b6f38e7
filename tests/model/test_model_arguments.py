"""What is refused, and how: with the field at fault, the nearest name, and a remedy; and what is taken as plain."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from small import LENGTH, MASK, PAD, VOCAB_SIZE, rng, small_config, small_run, toy_corpus

import electra_edu as edu
from electra_edu.config import ARCHITECTURE_FIELDS, FIELD_NAMES
from electra_edu.corpora.unknown_words import unknown_words
from electra_edu.plots.blocks import BarChart, Fact, Facts, Series, Text, Token, Tokens
from electra_edu.support.tensors import check_range

WRAPPED: list[Callable[[float], Any]] = [np.float64, np.array, lambda x: torch.tensor(x, dtype=torch.float64)]


@pytest.mark.fault("Errors", seen="preset('toy', num_layers=np.int64(2)) “must be a whole number”")
@given(
    layers=st.integers(1, 5),
    rate=st.floats(0.01, 0.99),
    weight=st.integers(0, 100),
    whole=st.sampled_from([np.int16, np.uint64, np.array, torch.tensor]),
    number=st.sampled_from(WRAPPED),
)
def test_numbers_of_other_libraries_make_the_same_config(
    layers: int, rate: float, weight: int, whole: Callable[[int], Any], number: Callable[[float], Any]
) -> None:
    plain = edu.preset("toy", num_layers=layers, mask_prob=rate, rtd_weight=weight, greedy=True)
    same = edu.preset(
        "toy", num_layers=whole(layers), mask_prob=number(rate), rtd_weight=whole(weight), greedy=np.True_
    )
    assert same == plain
    assert hash(same) == hash(plain)
    assert json.dumps(same.to_dict()) == json.dumps(plain.to_dict())
    assert edu.ElectraConfig.from_dict(json.loads(json.dumps(same.to_dict()))) == plain


@pytest.mark.fault("Errors", seen="ElectraConfig(mask_probb=1) raised Python's TypeError")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: edu.ElectraConfig(mask_probb=1), "ElectraConfig has no field 'mask_probb'. Did you mean 'mask_prob'?"),
        (lambda: small_config().replace(lambda_=1), "ElectraConfig has no field 'lambda_'."),
        (lambda: edu.ElectraConfig.from_dict({1: 2}), "ElectraConfig has no field 1."),
        (lambda: edu.ElectraConfig(**{"\ud800": 1}), "ElectraConfig has no field '\\ud800'."),
        (lambda: edu.ElectraConfig(1024), "ElectraConfig: give its fields by name"),
        (
            lambda: edu.finetuning.FineTuningSettings(epoch=1),
            "FineTuningSettings has no field 'epoch'. Did you mean 'epochs'?",
        ),
        (lambda: edu.preset("a" * 100_000), "name: there is no preset 'aaa"),
    ],
    ids=["misspelt", "replace", "a number", "surrogate", "by place", "fine-tuning", "endless"],
)  # fmt: skip
def test_an_unknown_field_is_answered_with_the_nearest(make: Callable[[], object], message: str) -> None:
    with pytest.raises(edu.ElectraEduError) as caught:
        make()
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 300


@pytest.mark.fault("Errors", seen="a bad pad_token_id was named as mask_token_id, and a tiny vocab_size too")
@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        ({"pad_token_id": 16}, "pad_token_id=16: must be with the other special-token ids, five different whole"),
        ({"unk_token_id": -1}, "unk_token_id=-1: must be"),
        ({"cls_token_id": 4}, "cls_token_id=4: must be"),
        ({"pad_token_id": 3, "mask_token_id": 5}, "pad_token_id=3: must be"),
        ({"sep_token_id": 9, "mask_token_id": 9}, "sep_token_id=9: must be"),
        ({"vocab_size": 4}, "vocab_size=4: must be above mask_token_id=4"),
    ],
)
def test_the_special_id_at_fault_is_named(changes: dict[str, int], culprit: str) -> None:
    with pytest.raises(edu.ElectraEduError) as caught:
        small_config(**changes)
    assert str(caught.value).startswith(culprit)


@pytest.mark.fault("Errors", seen="preset('toy', max_seq_length=1) was accepted, and nothing could be masked")
@pytest.mark.parametrize("length", [1, 2])
def test_a_sequence_without_room_for_a_word_is_refused(length: int) -> None:
    with pytest.raises(edu.ElectraEduError, match=rf"^max_seq_length={length}: leaves no room for a word"):
        edu.preset("toy", max_seq_length=length)
    assert edu.preset("toy", max_seq_length=3).max_seq_length == 3


@pytest.mark.fault("Errors", seen="at temperature 1e-300 every sample was the last word of the vocabulary")
def test_a_temperature_that_float32_has_not_is_refused() -> None:
    for refused in (
        lambda: small_config(temperature=1e-300),
        lambda: edu.generator.sample(torch.zeros(9), 1e-45, rng()),
    ):
        with pytest.raises(edu.ElectraEduError, match="temperature=1e-"):
            refused()
    logits = torch.tensor([0.0, 1.0, 0.5])
    assert edu.generator.sample(logits.expand(50, 3), 1e-30, rng()).eq(1).all()


@pytest.mark.fault(
    "Devices and settings", seen="run.change left the config of the generator and the discriminator behind"
)
def test_both_networks_carry_the_config_in_force() -> None:
    run = small_run()
    run.change(mask_prob=0.45, rtd_weight=3.0)
    for model in (run.model, run.average):
        assert model.config is model.generator.config is model.discriminator.config
        assert model.config.mask_prob == 0.45


@pytest.mark.fault(
    "Devices and settings", seen="a model took a config of another shape, and counted costs that it had not"
)
@pytest.mark.parametrize("field", ["hidden_size", "vocab_size", "weight_sharing", "pad_token_id", "objective"])
def test_a_config_of_other_networks_is_refused(field: str) -> None:
    other = {"hidden_size": 32, "vocab_size": 20, "weight_sharing": "none", "pad_token_id": 9, "objective": "bert"}
    model = edu.Electra(small_config())
    with pytest.raises(edu.ElectraEduError, match=rf"^config: {field} is .* make a new Electra"):
        model.config = small_config(**{field: other[field]})
    assert model.config == small_config()


def test_every_field_that_networks_are_built_from_is_a_field() -> None:
    assert set(ARCHITECTURE_FIELDS) < set(FIELD_NAMES)


@pytest.mark.fault(
    "Errors", seen="a list of ids ended in AttributeError; an id of no word, or a type id 2, in IndexError"
)
def test_lists_and_arrays_of_ids_are_read_like_tensors() -> None:
    model, ids = edu.Electra(small_config()), [[2, 5, 6, 7, 3, 0], [2, 5, 6, 3, 0, 0]]
    expected = model(torch.tensor(ids), rng=rng(), token_type_ids=torch.zeros(2, 6, dtype=torch.int64))
    for given_ids in (ids, np.array(ids), np.array(ids, dtype=np.int32), tuple(map(tuple, ids))):
        out = model(given_ids, (np.array(ids) > 0).tolist(), rng=rng(), token_type_ids=[[0] * 6] * 2)
        assert torch.equal(out.loss, expected.loss)
        assert torch.equal(model.discriminator(given_ids), model.discriminator(torch.tensor(ids)))


@pytest.mark.fault(
    "Errors", seen="model(x, trained='x') trained both, and `trained` of a network that is not there gave no loss"
)
@pytest.mark.parametrize(
    ("changes", "trained", "message"),
    [
        ({}, "x", "trained='x': must be one of 'both', 'generator', 'discriminator'."),
        ({"objective": "bert"}, "discriminator", "trained='discriminator': objective='bert' has no main network"),
        ({"generator_kind": "uniform"}, "generator", "trained='generator': generator_kind='uniform' has"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(changes: dict[str, Any], trained: Any, message: str) -> None:
    with pytest.raises(edu.ElectraEduError) as caught:
        edu.Electra(small_config(**changes))(torch.full((2, LENGTH), 5), rng=rng(), trained=trained)
    assert str(caught.value).startswith(message)


def test_ids_on_a_gpu_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking waits for the device, and a step may wait once only."""
    model = edu.Electra(small_config())

    def no_look(*_: object) -> None:
        raise AssertionError("looked")

    monkeypatch.setattr(torch.Tensor, "aminmax", no_look)
    with pytest.raises(AssertionError, match="looked"):
        model(torch.full((2, LENGTH), 5), rng=rng())
    tensors = torch.full((2, LENGTH), 5, device="meta")
    check_range("tokens", tensors, VOCAB_SIZE, "vocab_size", "")


# Typed text


@pytest.mark.fault(
    "Errors", seen="detect judged a typed [MASK] as if the model had read one; the mask explorer divided by zero"
)
@pytest.mark.parametrize("typed", ["[MASK]", "[PAD]", "[CLS] [SEP]", "the [MASK] cook", "[mask]", "[UNK]"])
def test_special_tokens_that_are_typed_are_plain_text(typed: str) -> None:
    corpus = toy_corpus()
    ids = edu.corpora.encode_typed(corpus.tokenizer, typed).ids
    assert not set(ids) & {PAD, 2, 3, MASK}
    run = edu.TrainingRun(edu.preset("toy", hidden_size=8, num_heads=1), corpus, device="cpu")
    assert [token for token, _ in edu.detect(run, typed)] == typed.replace("[", "[ ").replace("]", " ]").split()
    assert unknown_words(corpus.tokenizer, typed)
    assert edu.widgets.MaskExplorer(corpus, typed).blocks()
    assert edu.corpora.encode_typed(corpus.tokenizer, "the cook").ids == corpus.tokenizer.encode("the cook").ids[1:-1]


@pytest.mark.fault(
    "Errors", seen="half of a surrogate pair in a text ended in TypeError: TextInputSequence must be str"
)
@given(st.text(max_size=20), st.integers(0xD800, 0xDFFF), st.text(max_size=20))
def test_half_a_surrogate_pair_is_named_wherever_it_is_typed(before: str, half: int, after: str) -> None:
    text = f"{before}{chr(half)}{after}"
    with pytest.raises(edu.ElectraEduError, match=f"^text: character {len(before)} is half of a surrogate pair"):
        edu.detect(RUN, text)
    with pytest.raises(edu.ElectraEduError, match="half of a surrogate pair"):
        unknown_words(RUN.corpus.tokenizer, text)


RUN = small_run()


# Figures


@pytest.mark.fault("Errors", seen="two $ in a word were read as a formula: it vanished, or the figure failed to draw")
@pytest.mark.parametrize("word", ["$a$b$", r"$\frac$", "$5 or $6", r"\$x$", "a$b", "x\ud800"])
def test_figures_draw_words_as_they_are(word: str) -> None:
    figure = Figure(figsize=(8.7, 4))
    blocks = [
        Tokens((Token(word, word, word[:1]),), word, key=(("ink", word, word),)),
        Facts((Fact(word, word),)),
        Text(word),
        BarChart(word, (word,), (Series(word, (1.0,)), Series("b", (2.0,))), word),
    ]
    edu.plots.draw_blocks(figure, blocks)
    edu.plots.token_strip(figure.add_axes((0, 0, 1, 0.1)), [(word, 0.5)], [word])
    figure.savefig(BytesIO(), format="svg")
    drawn = [text for axes in figure.axes for text in axes.texts]
    said = [text._preprocess_math(text.get_text()) for text in drawn]
    assert not any(is_math for _, is_math in said)
    shown = word.replace("\ud800", "?")
    assert sum(shown in string for string, _ in said) >= 8

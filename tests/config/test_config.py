"""ElectraConfig: derived sizes, errors for wrong values, and the presets' published sizes."""

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import small_config

import electra_edu as edu
from electra_edu.config import PRESETS, ElectraConfig, preset
from electra_edu.support.errors import ElectraEduError


@pytest.mark.parametrize(
    ("hidden", "heads", "fraction", "expected"),  # (hidden, heads, feed-forward) of the generator
    [
        (256, 4, 0.25, (64, 1, 256)),  # ELECTRA-Small
        (256, 4, 0.5, (128, 2, 512)),
        (256, 4, 1.0, (256, 4, 1024)),  # the released ELECTRA-Small
        (768, 12, 1 / 3, (256, 4, 1024)),  # ELECTRA-Base
        (1024, 16, 0.25, (256, 4, 1024)),  # ELECTRA-Large
        (64, 2, 0.25, (16, 1, 64)),  # ¼ of two heads is half a head: at least one
    ],
)
def test_the_generator_is_a_fraction_of_the_widths(
    hidden: int, heads: int, fraction: float, expected: tuple[int, int, int]
) -> None:
    generator = ElectraConfig(hidden_size=hidden, num_heads=heads, generator_size_fraction=fraction).generator
    assert (generator.hidden_size, generator.num_heads, generator.intermediate_size) == expected


def test_the_fraction_changes_neither_the_generators_depth_nor_the_discriminator() -> None:
    config = ElectraConfig(num_layers=7, generator_size_fraction=0.5)
    assert config.generator.num_layers == 7
    assert (config.discriminator.hidden_size, config.discriminator.num_layers) == (256, 7)
    assert config.discriminator.intermediate_size == 4 * 256
    assert config.replace(intermediate_size=300).discriminator.intermediate_size == 300
    assert config.replace(intermediate_size=300).generator.intermediate_size == 150


@given(st.integers(1, 40), st.integers(1, 6), st.floats(0.01, 1.0), st.sampled_from(["rotary", "learned"]))
def test_head_widths_are_whole_or_refused(hidden: int, heads: int, fraction: float, positions: str) -> None:
    sizes = {"hidden_size": hidden, "num_heads": heads, "generator_size_fraction": fraction, "positions": positions}
    ours, theirs = hidden / heads, max(1, round(fraction * hidden)) / max(1, round(fraction * heads))
    even = 2 if positions == "rotary" else 1
    if ours % even or theirs % even:
        with pytest.raises(ElectraEduError, match=r"num_heads.*hidden_size.*generator_size_fraction"):
            small_config(**sizes)
        return
    config = small_config(**sizes)
    for shape in (config.discriminator, config.generator):
        assert shape.num_heads * shape.head_size == shape.hidden_size
        assert positions == "learned" or shape.head_size % 2 == 0


def test_an_error_of_heads_names_the_network_and_the_width() -> None:
    with pytest.raises(ElectraEduError, match=r"The discriminator would have 3 heads of 5.33333 units"):
        small_config(hidden_size=16, num_heads=3)
    with pytest.raises(ElectraEduError, match=r"The generator would have 2 heads of 4.5 units"):
        small_config(hidden_size=12, num_heads=3, generator_size_fraction=0.75)  # 9 units, round(2.25) = 2 heads
    with pytest.raises(ElectraEduError, match=r"The generator would have heads of 5 units, and rotary"):
        small_config(hidden_size=20, num_heads=2, generator_size_fraction=0.25)


SIZES = (
    "vocab_size",
    "max_seq_length",
    "max_position_embeddings",
    "type_vocab_size",
    "embedding_size",
    "hidden_size",
    "num_layers",
    "num_heads",
    "batch_size",
    "intermediate_size",
)


@pytest.mark.parametrize("field", SIZES)
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "8", float("nan")])
def test_sizes_are_whole_and_positive(field: str, value: object) -> None:
    with pytest.raises(ElectraEduError, match=rf"^{field}=.*whole number"):
        small_config(**{field: value})


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("dropout", 1.0, "in [0, 1)"),
        ("dropout", -0.1, "in [0, 1)"),
        ("generator_size_fraction", 0.0, "above 0 and at most 1"),
        ("generator_size_fraction", 1.5, "above 0 and at most 1"),
        ("mask_prob", 0.0, "between 0 and 1"),
        ("mask_prob", 1.0, "between 0 and 1"),
        ("mask_prob", "0.15", "a finite number"),
        ("mask_prob", None, "a finite number"),
        ("mask_prob", float("nan"), "a finite number"),
        ("rtd_weight", -1.0, "≥ 0"),
        ("rtd_weight", float("inf"), "a finite number"),
        ("temperature", 0.0, "argmax"),
        ("temperature", -1.0, "above 0"),
        ("temperature", float("nan"), "a finite number"),
        ("learning_rate", 0.0, "above 0 and at most 1"),
        ("learning_rate", 2.0, "above 0 and at most 1"),
        ("muon_learning_rate", 0.0, "above 0 and at most 1"),
        ("muon_learning_rate", True, "a finite number"),
        ("layer_norm_eps", 0.0, "above 0"),
        ("max_grad_norm", 0.0, "None (no clipping) or above 0"),
        ("initializer_range", 0.0, "None (1/√inputs) or above 0"),
        ("warmup_steps", -1, "≥ 0"),
        ("warmup_steps", 1.5, "a whole number"),
        ("training_steps", 2, "more than warmup_steps=2"),
        ("training_steps", 9.5, "a whole number"),
        ("positions", "absolute", "'rotary', 'learned'"),
        ("weight_sharing", "some", "'embeddings'"),
        ("objective", "gan", "'electra'"),
        ("optimizer", "sgd", "'muon', 'paper-adam'"),
        ("optimizer", ["muon"], "'muon', 'paper-adam'"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(field: str, value: object, remedy: str) -> None:
    with pytest.raises(ElectraEduError) as caught:
        small_config(**{field: value})
    assert str(caught.value).startswith(f"{field}={value!r}: must be ")
    assert remedy in str(caught.value)


def test_learned_positions_bound_the_length_and_rotary_ones_do_not() -> None:
    with pytest.raises(ElectraEduError, match=r"max_seq_length=13: must be at most max_position_embeddings=12"):
        small_config(max_seq_length=13, positions="learned")
    assert small_config(max_seq_length=13, positions="rotary").max_seq_length == 13


@pytest.mark.parametrize("changes", [{"mask_token_id": 0}, {"sep_token_id": 16}, {"pad_token_id": -1}])
def test_special_tokens_are_five_different_ids_of_the_vocabulary(changes: dict[str, int]) -> None:
    with pytest.raises(ElectraEduError, match=r"five different whole numbers .* vocab_size=16"):
        small_config(**changes)


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ElectraEduError, match=r"no field 'mask_rate'\. Did you mean 'mask_prob'\?"):
        preset("toy", mask_rate=0.2)
    with pytest.raises(ElectraEduError, match=r"Did you mean 'rtd_weight'\?"):
        small_config().replace(rtd_wieght=1.0)
    with pytest.raises(ElectraEduError, match=r"Did you mean 'hidden_size'\?"):
        ElectraConfig.from_dict({"hiden_size": 8})
    with pytest.raises(ElectraEduError, match=r"no preset 'paper-smal'\. Did you mean 'paper-small'\?.*released-small"):
        preset("paper-smal")


def test_a_config_never_changes_but_makes_changed_copies() -> None:
    config = small_config()
    changed = config.replace(mask_prob=0.5)
    assert (config.mask_prob, changed.mask_prob) == (0.3, 0.5)
    assert changed.replace(mask_prob=0.3) == config
    with pytest.raises(FrozenInstanceError):
        config.mask_prob = 0.5


@pytest.mark.parametrize("name", PRESETS)
def test_a_config_survives_json(name: str) -> None:
    assert ElectraConfig.from_dict(json.loads(json.dumps(preset(name).to_dict()))) == preset(name)


# Sources: arXiv 2003.10555, Table 6 and section 3; google-research/electra, configure_pretraining.py.
@pytest.mark.parametrize(
    ("name", "embedding", "hidden", "layers", "heads", "length", "fraction", "mask_prob", "rate", "batch", "steps"),
    [
        ("paper-small", 128, 256, 12, 4, 128, 1 / 4, 0.15, 5e-4, 128, 1_000_000),
        ("paper-base", 768, 768, 12, 12, 512, 1 / 3, 0.15, 2e-4, 256, 766_000),
        ("paper-large", 1024, 1024, 24, 16, 512, 1 / 4, 0.25, 2e-4, 2048, 400_000),
        ("released-small", 128, 256, 12, 4, 128, 1.0, 0.15, 5e-4, 128, 4_000_000),
    ],
)
def test_paper_presets_are_the_papers(
    name: str,
    embedding: int,
    hidden: int,
    layers: int,
    heads: int,
    length: int,
    fraction: float,
    mask_prob: float,
    rate: float,
    batch: int,
    steps: int,
) -> None:
    config = preset(name)
    assert (config.embedding_size, config.hidden_size, config.num_layers, config.num_heads) == (
        embedding,
        hidden,
        layers,
        heads,
    )
    assert (config.max_seq_length, config.generator_size_fraction, config.mask_prob) == (length, fraction, mask_prob)
    assert (config.learning_rate, config.batch_size, config.training_steps) == (rate, batch, steps)
    assert (config.vocab_size, config.max_position_embeddings, config.type_vocab_size) == (30522, 512, 2)
    assert (config.rtd_weight, config.warmup_steps, config.optimizer, config.dropout) == (50, 10_000, "paper-adam", 0.1)
    assert (config.positions, config.weight_sharing) == ("learned", "embeddings")


@pytest.mark.parametrize("name", ["toy", "docs"])
def test_course_presets_learn_without_a_horizon(name: str) -> None:
    config = preset(name)
    assert (config.positions, config.optimizer, config.training_steps) == ("rotary", "muon", None)


# Values of other libraries, unknown fields, special tokens


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

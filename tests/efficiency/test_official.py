"""The paper's rule for FLOPs: the official script's own output, and the rule as one formula.

One token's way through a block of width h, feed-forward width i, `a` heads, in a text of s tokens, all terms collected:
    8h² + 4hi + 4hs   matrix products
    + 10as            softmax 5, dropout 4, scaling 1 for each attended token and head
    + 20h + 9i + 5    biases 5h + i, dropout 8h, residuals 2h, LayerNorms 5h + 5 (a factor h is missing), GELU 8i
Its embedding, of size e with v words:  2e(v + s + 2) + 11e, and 2eh + h more where e ≠ h.
A word's prediction: 2ev + 2eh + 14e + 7v.  A verdict: 2h² + 11h.
"""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import small_config

from electra_edu.config import ElectraConfig, EncoderShape, preset
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.efficiency import official_flops, official_inference_flops
from electra_edu.support.errors import ElectraEduError

# What google-research/electra, flops_computation.py, computes, and what the paper's Tables 1 and 2 print.
BERT_SMALL = preset("paper-small", objective="bert", training_steps=1_450_000)
BERT_BASE = preset("paper-base", objective="bert", training_steps=1_000_000)
BERT_LARGE = preset("paper-large", objective="bert", training_steps=1_000_000, batch_size=256)
SCRIPT = {
    "bert_small": (BERT_SMALL, 1_418_739_914_649_600_000, 1.4e18),
    "bert_base": (BERT_BASE, 64_283_351_040_000_000_000, 6.4e19),
    "bert_large": (BERT_LARGE, 191_720_905_883_648_000_000, 1.9e20),
    "electra_small": (preset("paper-small"), 1_293_743_798_272_000_000, None),  # the paper prints 1.4e18
    "electra_base": (preset("paper-base"), 64_245_418_342_776_832_000, 6.4e19),
    "electra_400k": (preset("paper-large"), 711_760_604_089_548_800_000, 7.1e20),
    "electra_1.75M": (preset("paper-large", training_steps=1_750_000), 3_113_952_642_891_776_000_000, 3.1e21),
}


@pytest.mark.parametrize("name", SCRIPT)
def test_the_scripts_output_to_the_last_operation(name: str) -> None:
    config, total, printed = SCRIPT[name]
    items = official_flops(config)
    assert items.pop("total") == sum(items.values()) == total
    assert printed is None or float(f"{total:.1e}") == printed


def test_the_small_models_budget_fits_a_generator_of_half_the_size() -> None:
    """The script's number for ELECTRA-Small misses the paper's 1.4e18; with a half-size generator it does not.

    Then a step also costs what makes BERT-Small's 1.45 million steps equal to 1 million of ELECTRA.
    """
    bert = official_flops(BERT_SMALL)["total"]
    quarter, half = (
        official_flops(preset("paper-small", generator_size_fraction=size))["total"] for size in (0.25, 0.5)
    )
    assert f"{quarter:.2e}" == "1.29e+18"
    assert f"{half:.2e}" == f"{bert:.2e}" == "1.42e+18"
    assert half / official_flops(BERT_SMALL, 1_000_000)["total"] == pytest.approx(1.455, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "script", "printed"),
    [
        ("paper-small", 3_677_281_792, 3.7e9),
        ("paper-base", 28_616_498_688, 2.9e10),
        ("paper-large", 87_465_671_680, None),
    ],
)
def test_inference_on_128_tokens(name: str, script: int, printed: float | None) -> None:
    """The script's get_infer_flops, and the paper's Table 1."""
    items = official_inference_flops(preset(name))
    assert items.pop("total") == sum(items.values()) == script
    assert printed is None or float(f"{script:.1e}") == printed
    assert official_inference_flops(preset(name, objective="bert"))["total"] == script


def encoder(config: ElectraConfig, shape: EncoderShape) -> int:
    """Evaluate the collected formula above for one token of a training sequence, look-ups included."""
    h, i, a, s = shape.hidden_size, shape.intermediate_size, shape.num_heads, config.max_seq_length
    e, v = config.embedding_size, config.vocab_size
    block = 8 * h * h + 4 * h * i + 4 * h * s + 10 * a * s + 20 * h + 9 * i + 5
    return shape.num_layers * block + 2 * e * (v + s + 2) + 11 * e + (2 * e * h + h if e != h else 0)


def word(config: ElectraConfig, shape: EncoderShape) -> int:
    """Evaluate the collected formula for one predicted word."""
    h, e, v = shape.hidden_size, config.embedding_size, config.vocab_size
    return 2 * e * v + 2 * e * h + 14 * e + 7 * v


def by_formula(config: ElectraConfig) -> Fraction:
    """Add up one token's forward pass through all networks."""
    small, full, share = config.generator, config.discriminator, Fraction(20, 128)
    verdict = 2 * full.hidden_size**2 + 11 * full.hidden_size
    generator = encoder(config, small) + share * word(config, small)
    return {
        "bert": generator,
        "electra": generator + encoder(config, full) + verdict,
        "electra-15": generator + encoder(config, full) + verdict,
        "replace-mlm": generator + encoder(config, full) + share * word(config, full),
        "all-tokens-mlm": generator + encoder(config, full) + word(config, full) + 2 * full.hidden_size,
    }[config.objective]


SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "objective": st.sampled_from(list(OBJECTIVES)),
    "vocab_size": st.integers(5, 1000),
    "max_seq_length": st.sampled_from([32, 64, 128]),  # multiples of 32: 0.15625 of the tokens is a whole number
    "embedding_size": st.sampled_from([4, 16, 32]),
    "hidden_size": st.sampled_from([16, 32]),
    "intermediate_size": st.none() | st.integers(2, 50),
    "num_layers": st.integers(1, 3),
    "batch_size": st.integers(1, 9),
}


@given(st.fixed_dictionaries(SHAPES), st.integers(0, 9))
def test_any_config_follows_the_formula(changes: dict[str, Any], steps: int) -> None:
    config = small_config(**changes)
    tokens = config.batch_size * steps * config.max_seq_length
    assert official_flops(config, steps)["total"] == 2 * tokens * by_formula(config)


def test_odd_lengths_give_whole_numbers() -> None:
    items = official_flops(small_config(max_seq_length=7, batch_size=1), 1)
    assert all(isinstance(count, int) for count in items.values())
    config = small_config(max_seq_length=7)
    assert items["vocabulary layer"] == int(2 * 7 * 0.15625 * word(config, config.generator))


def test_a_generator_without_weights_costs_nothing() -> None:
    items = official_flops(small_config(generator_kind="uniform"), 1)
    learned = official_flops(small_config(), 1)
    assert set(items) == {"discriminator embeddings", "discriminator encoder", "discriminator head", "total"}
    assert all(items[name] == learned[name] for name in items if name != "total")


def test_invalid_arguments_are_refused() -> None:
    with pytest.raises(ElectraEduError, match="this config has no training_steps"):
        official_flops(small_config())
    with pytest.raises(ElectraEduError, match="steps=-1: must be a whole number of at least 0"):
        official_flops(small_config(), -1)
    with pytest.raises(ElectraEduError, match="length=0: must be a whole number of at least 1"):
        official_inference_flops(small_config(), 0)

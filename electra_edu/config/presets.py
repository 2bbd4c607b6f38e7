"""The presets: the course's own settings and the paper's."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from electra_edu.config.electra_config import ElectraConfig
from electra_edu.support.arguments import shown
from electra_edu.support.errors import ElectraEduError, nearest

_TINY = ElectraConfig(
    type_vocab_size=2,
    num_layers=2,
    positions="rotary",
    optimizer="muon",
    learning_rate=3e-3,
    muon_learning_rate=5e-3,
    warmup_steps=10,
)
_PAPER = ElectraConfig(
    vocab_size=30522,
    max_position_embeddings=512,
    dropout=0.1,
    initializer_range=0.02,
    positions="learned",
    optimizer="paper-adam",
    warmup_steps=10_000,
    rtd_weight=50.0,
    mask_prob=0.15,
    mask_token_prob=0.85,  # pretrain/pretrain_helpers.py of the official code; the paper does not mention it
)
_SMALL = _PAPER.replace(
    max_seq_length=128,
    embedding_size=128,
    hidden_size=256,
    num_layers=12,
    num_heads=4,
    generator_size_fraction=0.25,
    learning_rate=5e-4,
    batch_size=128,
    training_steps=1_000_000,
)

# Sources of the paper's sizes: arXiv 2003.10555, Table 6; github.com/google-research/electra, configure_pretraining.py
# and flops_computation.py. How the course's own presets were chosen is in docs/decisions.md.
PRESETS: Mapping[str, ElectraConfig] = MappingProxyType(
    {
        "toy": _TINY.replace(
            vocab_size=324, max_seq_length=22, embedding_size=64, hidden_size=64, num_heads=2, batch_size=64
        ),
        "docs": _TINY.replace(
            vocab_size=1024,
            max_seq_length=64,
            embedding_size=128,
            hidden_size=128,
            num_heads=4,
            rtd_weight=2.0,
            muon_learning_rate=1e-2,
            batch_size=32,
        ),
        "paper-small": _SMALL,
        "paper-base": _PAPER.replace(
            max_seq_length=512,
            embedding_size=768,
            hidden_size=768,
            num_layers=12,
            num_heads=12,
            generator_size_fraction=1 / 3,
            learning_rate=2e-4,
            batch_size=256,
            training_steps=766_000,
        ),
        "paper-large": _PAPER.replace(
            max_seq_length=512,
            embedding_size=1024,
            hidden_size=1024,
            num_layers=24,
            num_heads=16,
            generator_size_fraction=0.25,
            mask_prob=0.25,
            learning_rate=2e-4,
            batch_size=2048,
            training_steps=400_000,
        ),
        "released-small": _SMALL.replace(generator_size_fraction=1.0, training_steps=4_000_000),
    }
)


def preset(name: str, **changes: Any) -> ElectraConfig:
    """Return the config of a preset, with some fields changed.

    Names: "toy", "docs", "paper-small", "paper-base", "paper-large", "released-small".
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise ElectraEduError(
            f"name: there is no preset {shown(name)}.{nearest(name, PRESETS)} Presets: {', '.join(PRESETS)}."
        )
    return PRESETS[name].replace(**changes)

"""Combinations of objective, scheme, generator and weight sharing that cannot work are refused by name."""

from typing import Any

import pytest
from small import small_config

from electra_edu.support.errors import ElectraEduError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "bert", "generator_kind": "uniform"}, "generator_kind='uniform': must be 'learned'"),
        ({"scheme": "two-stage", "generator_steps": 5, "generator_kind": "unigram"}, "generator_kind"),
        ({"weight_sharing": "all"}, "weight_sharing='all': .*generator_size_fraction is 1"),
        ({"objective": "bert", "scheme": "adversarial"}, "scheme='adversarial': must be 'joint'"),
        ({"objective": "replace-mlm", "scheme": "adversarial"}, "only a discriminator can be fooled"),
        ({"scheme": "adversarial", "greedy": True}, "greedy=True: must be False"),
        ({"scheme": "adversarial", "disallow_correct": True}, "disallow_correct=True: must be False"),
        ({"scheme": "two-stage", "weight_sharing": "none"}, "generator_steps=0: must be at least 1"),
        ({"scheme": "two-stage", "generator_steps": 5}, "weight_sharing='embeddings': must be 'none' or 'gdes'"),
        ({"copy_generator": True, "generator_steps": 5}, "copy_generator=True: .*generator_size_fraction=1"),
        ({"copy_generator": True, "generator_size_fraction": 1.0}, "copy_generator=True: .*generator_steps > 0"),
        ({"copy_generator": 1}, "copy_generator=1: must be True or False"),
        ({"mask_token_prob": 1.5}, "mask_token_prob=1.5: must be from 0 to 1"),
    ],
    ids=str,
)
def test_an_impossible_combination_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ElectraEduError, match=message):
        small_config(**changes)

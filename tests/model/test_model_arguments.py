"""What a model takes: configs of the same networks, ids as lists and arrays, and the networks that it has."""

from typing import Any

import numpy as np
import pytest
import torch
from small import LENGTH, VOCAB_SIZE, rng, small_config, small_run

import electra_edu as edu
from electra_edu.config import ARCHITECTURE_FIELDS, FIELD_NAMES
from electra_edu.support.tensors import check_range

# For every field a value other than that of small_config.
OTHER_VALUES: dict[str, Any] = {
    "vocab_size": 20,
    "max_seq_length": 9,
    "max_position_embeddings": 20,
    "type_vocab_size": 3,
    "embedding_size": 4,
    "hidden_size": 32,
    "num_layers": 1,
    "num_heads": 4,
    "intermediate_size": 8,
    "layer_norm_eps": 1e-5,
    "dropout": 0.1,
    "initializer_range": 0.1,
    "positions": "learned",
    "generator_size_fraction": 1.0,
    "generator_kind": "uniform",
    "mask_prob": 0.5,
    "mask_token_prob": 0.85,
    "rtd_weight": 1.0,
    "temperature": 2.0,
    "greedy": True,
    "disallow_correct": True,
    "weight_sharing": "none",
    "objective": "bert",
    "scheme": "adversarial",
    "generator_steps": 5,
    "copy_generator": True,
    "optimizer": "adamw",
    "learning_rate": 1e-3,
    "muon_learning_rate": 1e-3,
    "max_grad_norm": None,
    "warmup_steps": 7,
    "training_steps": 100,
    "batch_size": 4,
    "pad_token_id": 9,
    "unk_token_id": 9,
    "cls_token_id": 9,
    "sep_token_id": 9,
    "mask_token_id": 9,
}


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
@pytest.mark.parametrize("field", ARCHITECTURE_FIELDS)
def test_a_config_of_other_networks_is_refused(field: str) -> None:
    config = small_config()
    model = edu.Electra(config)
    with pytest.raises(edu.ElectraEduError, match=rf"^config: {field} is .* make a new Electra"):
        model.config = config.replace(**{field: OTHER_VALUES[field]})
    assert model.config == config


@pytest.mark.parametrize("field", sorted(set(FIELD_NAMES) - set(ARCHITECTURE_FIELDS)))
def test_a_config_that_differs_elsewhere_describes_the_same_networks(field: str) -> None:
    needed = {"generator_steps": 5, "generator_size_fraction": 1.0} if field == "copy_generator" else {}
    config = small_config(**needed)
    changed = config.replace(**{field: OTHER_VALUES[field]})
    assert changed != config
    model, other = edu.Electra(config), edu.Electra(changed)
    assert str(model) == str(other)
    assert {n: p.shape for n, p in model.named_parameters()} == {n: p.shape for n, p in other.named_parameters()}
    model.config = changed
    assert model.generator.config is model.discriminator.config is changed


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

"""config.json is held against the weights before memory is taken, and whatever is wrong in it is named by its field."""

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hugging_face import edited, refusal
from small import small_config

from electra_edu.interop import from_transformers, reading, to_transformers
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.electra import Electra
from electra_edu.model.encoder import Embeddings
from electra_edu.support.errors import CheckpointError

CONFIG = "config.json"


@pytest.fixture(scope="module")
def rotary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a network of ours, for a test to copy."""
    return to_transformers(Electra(small_config()), tmp_path_factory.mktemp("rotary"))["discriminator"].folder


@pytest.fixture
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any network that is built, and any tensor that is read, fail the test."""

    def refuse(*arguments: object, **named: object) -> None:
        pytest.fail("memory was taken before the sizes were checked")

    for name in ("PretrainedDiscriminator", "PretrainedGenerator", "PretrainedEncoder", "read_tensors"):
        monkeypatch.setattr(reading, name, refuse)
    monkeypatch.setattr(Embeddings, "__init__", refuse)


SIZES = {  # a size in config.json, and what the weights have
    "vocab_size": 20,
    "embedding_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
}


@pytest.mark.fault(
    "Resources", seen="a size edited in config.json took up to 9 GB or 89 s, then a bare allocator error"
)
@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize("half", [None, "encoder"])
@pytest.mark.parametrize("value", [1, 7, 10**6, 2**31 - 1])
@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_held_against_the_weights_first(folder: Path, name: str, value: int, half: Any) -> None:
    with edited(folder / CONFIG) as config:
        config[name] = value
    message = refusal(folder, half=half)
    assert f"{CONFIG}: {name}={value}, and the weights have {SIZES[name]}: the tensor 'electra." in message


@pytest.mark.fault("Resources", seen="an edited number of heads was believed, and other numbers came out")
@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize("name", ["max_position_embeddings", "num_attention_heads", "num_hidden_layers", "hidden_size"])
def test_sizes_of_a_rotary_network(rotary: Path, tmp_path: Path, name: str) -> None:
    written = Path(shutil.copytree(rotary, tmp_path / "copy"))
    with edited(written / CONFIG) as config:
        actual = config[name]
        config[name] = 4 * actual
    assert f"{name}={4 * actual}, and the weights have {actual}" in refusal(written)


def test_the_remedy_is_the_number_that_is_named(folder: Path) -> None:
    with edited(folder / CONFIG) as config:
        config["hidden_size"] = 10**9
    found = re.search(r"hidden_size=1000000000, and the weights have (\d+)", refusal(folder))
    assert found
    with edited(folder / CONFIG) as config:
        config["hidden_size"] = int(found[1])
    assert isinstance(from_transformers(folder), Discriminator)
    with edited(folder / CONFIG) as config:
        del config["hidden_size"]
    assert "hidden_size is not given, which means 256, and the weights have 12" in refusal(folder)


HOSTILE = {
    "huge": 10**400,
    "nan": float("nan"),
    "infinite": float("inf"),
    "true": True,
    "null": None,
    "list": [12],
    "object": {"a": {"b": {}}},
    "negative": -5,
    "text": "12",
    "long text": "x" * 10_000,
    "half": 0.5,
}


@pytest.mark.fault("Errors", seen="hidden_size=10**400: a bare OverflowError")
@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", [*SIZES, "num_attention_heads"])
def test_sizes_of_the_wrong_kind(folder: Path, name: str, kind: str) -> None:
    with edited(folder / CONFIG) as config:
        config[name] = HOSTILE[kind]
    message = refusal(folder)
    assert re.search(rf"{CONFIG}: {name}=.{{1,100}}: must be a whole number from 1 to \d+", message)
    assert len(message) < 600


@pytest.mark.fault("Errors", seen="layer_norm_eps=10**400 in config.json: a bare OverflowError")
@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind not in ("half", "negative")])
@pytest.mark.parametrize("name", ["layer_norm_eps", "hidden_dropout_prob", "initializer_range"])
def test_other_numbers_of_the_wrong_kind(folder: Path, name: str, kind: str) -> None:
    with edited(folder / CONFIG) as config:
        config[name] = HOSTILE[kind]
    assert re.search(rf"{CONFIG}: {name}=.{{1,100}}: must be a finite number", refusal(folder))


@pytest.mark.fault("Errors", seen="wrong kinds of the other fields were bare TypeErrors or repeated whole")
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize(
    "name",
    ["architectures", "model_type", "pad_token_id", "tie_word_embeddings", "hidden_act", "is_decoder", "written_by"],
)
def test_other_fields_of_the_wrong_kind(folder: Path, name: str, kind: str) -> None:
    with edited(folder / CONFIG) as config:
        config[name] = HOSTILE[kind]
    try:
        assert isinstance(from_transformers(folder), Discriminator)
    except CheckpointError as error:
        assert len(str(error)) < 600
        assert name in str(error) or "not an ELECTRA" in str(error)


@pytest.mark.parametrize("depth", [500, 900, 990, 5_000, 100_000])
@pytest.mark.parametrize("name", ["hidden_size", "hidden_act", "electra_edu", "architectures", "tokenizer_class"])
def test_nested_values(folder: Path, depth: int, name: str) -> None:
    text = json.dumps(json.loads((folder / CONFIG).read_text()) | {name: "HERE"})
    (folder / CONFIG).write_text(text.replace('"HERE"', "[" * depth + "]" * depth))
    try:
        from_transformers(folder)
    except CheckpointError as error:
        assert len(str(error)) < 600


def test_a_config_of_gigabytes_is_not_read(folder: Path) -> None:
    with (folder / CONFIG).open("wb") as file:
        file.truncate(10 * 2**30)  # a hole: it takes no room on the disk
    assert "far too many for such a file" in refusal(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ([], r"electra_edu=\[\]: must be an object"),
        ({"mask_prob": []}, r"electra_edu.mask_prob=\[\]: must be a finite number"),
        ({"rtd_weight": 10**400}, r"electra_edu.rtd_weight=10+….*: must be a finite number"),
        ({"temperature": math.nan}, r"electra_edu.temperature=nan: must be"),
        ({"mask_prob": 7}, r"electra_edu: mask_prob=7: must be between 0 and 1"),
        ({"mask_probs": 0.5}, r"electra_edu: ElectraConfig has no field 'mask_probs'.*update this one"),
        (
            {"max_seq_length": 10**9},
            r"electra_edu.max_seq_length=1000000000: must be at most max_position_embeddings=12",
        ),
        ({"objective": {"a": {"b": []}}}, r"electra_edu.objective=.*: must be"),
    ],
    ids=["list", "field", "huge", "nan", "range", "unknown", "window", "nested"],
)
def test_our_own_field_is_checked(rotary: Path, tmp_path: Path, change: Any, message: str) -> None:
    exported = Path(shutil.copytree(rotary, tmp_path / "copy"))
    with edited(exported / CONFIG) as config:
        config["electra_edu"] = change if isinstance(change, list) else config["electra_edu"] | change
    with pytest.raises(CheckpointError, match=rf"config.json: {message}"):
        from_transformers(exported)

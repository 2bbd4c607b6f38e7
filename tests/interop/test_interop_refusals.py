"""from_transformers refuses what it cannot read exactly, says why and what to do, and runs nothing."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hugging_face import edited, their_model
from safetensors.torch import load_file, save_file
from small import small_config, small_tokenizer
from torch import Tensor
from transformers import BertConfig, BertModel, ElectraForMaskedLM, RoFormerConfig, RoFormerForMaskedLM
from transformers import ElectraForSequenceClassification as Classifier

from electra_edu.interop import from_transformers, to_transformers
from electra_edu.model.electra import Electra
from electra_edu.support.errors import CheckpointError, ElectraEduError

WEIGHTS, CONFIG = "model.safetensors", "config.json"


def refuse(folder: Path | str, message: str, **arguments: Any) -> None:
    """Check that `folder` is refused with a message that matches."""
    with pytest.raises(CheckpointError, match=message):
        from_transformers(folder, **arguments)


def edit(folder: Path, **changes: Any) -> None:
    with edited(folder / CONFIG) as config:
        config.update(changes)


def edit_tensors(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)


# The wrong half, the wrong kind


def test_the_wrong_half(folder: Path, tmp_path: Path) -> None:
    refuse(folder, r"holds a discriminator, and half='generator' was requested.*pass the other one", half="generator")
    their_model(ElectraForMaskedLM).save_pretrained(tmp_path / "generator")
    refuse(tmp_path / "generator", r"holds a generator, and half='discriminator' was", half="discriminator")


def test_a_generator_s_weights_called_a_discriminator(folder: Path) -> None:
    their_model(ElectraForMaskedLM).save_pretrained(folder)
    edit(folder, architectures=["ElectraForPreTraining"])
    refuse(folder, r"'discriminator_predictions.dense.weight' is missing. What it holds looks like a generator")


def test_an_unknown_half(folder: Path) -> None:
    with pytest.raises(ElectraEduError, match=r"half='discriminators': must be one of.*Did you mean 'discriminator'"):
        from_transformers(folder, half="discriminators")  # type: ignore[arg-type]


def test_a_fine_tuned_model_and_its_remedy(folder: Path) -> None:
    their_model(Classifier).save_pretrained(folder)
    message = r"ElectraForSequenceClassification, which is neither.*half='encoder'"
    refuse(folder, message)
    refuse(folder, message, half="discriminator")
    with edited(folder / CONFIG) as config:
        del config["architectures"]
    refuse(folder, r"holds the head classifier, which is neither")


def test_other_kinds_of_model(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 9}
    BertModel(BertConfig(**sizes)).save_pretrained(tmp_path / "bert")
    refuse(tmp_path / "bert", r"is a BertModel, not an ELECTRA. This reads ElectraForPreTraining")
    RoFormerForMaskedLM(RoFormerConfig(**sizes)).save_pretrained(tmp_path / "roformer")
    refuse(tmp_path / "roformer", r"is a RoFormerForMaskedLM, not an ELECTRA")
    edit(tmp_path / "bert", model_type="electra")
    refuse(tmp_path / "bert", r"is a BertModel, not an ELECTRA")
    edit(tmp_path / "bert", model_type="bert", architectures=None)
    refuse(tmp_path / "bert", r"is a bert, not an ELECTRA", half="encoder")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("hidden_act", "gelu_new"),
        ("hidden_act", "relu"),
        ("position_embedding_type", "relative_key"),
        ("is_decoder", True),
        ("add_cross_attention", True),
    ],
)
def test_what_our_encoder_does_not_do(folder: Path, setting: str, value: Any) -> None:
    edit(folder, **{setting: value})
    refuse(folder, rf"{CONFIG}: {setting}={value!r}; the networks here support .* only. Use this.*transformers")


def test_output_weights_of_their_own(folder: Path) -> None:
    their_model(ElectraForMaskedLM, tie_word_embeddings=False).save_pretrained(folder)
    refuse(folder, r"'generator_lm_head.weight' is not tied to 'electra.embeddings.word_embeddings.weight'")
    their_model(ElectraForMaskedLM).save_pretrained(folder)
    edit(folder, tie_word_embeddings=False)
    refuse(folder, r"'generator_lm_head.weight' is not tied")


# Pickles


class Bomb:
    """Unpickling this writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "boom"))


def test_a_pickle_is_never_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / WEIGHTS).unlink()
    crater = folder.parent / "crater"
    for name in ("pytorch_model.bin", "model.pt"):
        (folder / name).write_bytes(pickle.dumps(Bomb(crater)))
    monkeypatch.setattr(torch, "load", None)
    monkeypatch.setattr(pickle, "load", None)
    refuse(folder, r"has no model.safetensors. Pickled.*never opened.*save_pretrained\('folder'\).*Pass that folder")
    assert not crater.exists()
    (folder / WEIGHTS).write_bytes(pickle.dumps(Bomb(crater)))  # under a trusted name
    refuse(folder, r"model.safetensors is a pickle under another name. Pickled weights are never opened")
    assert not crater.exists()


# Damage


def test_a_missing_tensor(folder: Path) -> None:
    name = "electra.encoder.layer.1.attention.self.key.bias"
    edit_tensors(folder, lambda tensors: tensors.pop(name))
    refuse(folder, rf"the tensor '{name}' is missing")


def test_a_tensor_of_another_shape(folder: Path) -> None:
    name = "electra.encoder.layer.0.output.dense.weight"
    edit_tensors(folder, lambda tensors: tensors.update({name: torch.zeros(12, 21)}))
    refuse(folder, rf"'{name}' is \(12, 21\), and config.json asks for \(12, 20\)")


def test_a_tensor_that_would_broadcast(folder: Path) -> None:
    name = "electra.encoder.layer.0.attention.self.value.bias"
    edit_tensors(folder, lambda tensors: tensors.update({name: torch.zeros(1)}))
    refuse(folder, rf"'{name}' is \(1,\)")


def test_whole_numbers(folder: Path) -> None:
    name = "discriminator_predictions.dense_prediction.bias"
    edit_tensors(folder, lambda tensors: tensors.update({name: torch.zeros(1, dtype=torch.int8)}))
    refuse(folder, rf"'{name}' holds torch.int8; only floating-point")


def test_a_layer_too_many(folder: Path) -> None:
    edit(folder, num_hidden_layers=1)
    refuse(folder, r"no place for the tensor 'electra.encoder.layer.1.")


def test_files_cut_short(folder: Path) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    for length, what in (
        (0, "is empty"),
        (4, "cut short within its header, at 4 bytes"),
        (40, "cut short within its header, at 40 bytes"),
        (len(whole) - 1, f"cut short, at {len(whole) - 1} of {len(whole)} bytes"),
    ):
        (folder / WEIGHTS).write_bytes(whole[:length])
        refuse(folder, rf"model.safetensors .*{what}. Fetch or copy the folder again")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_config_that_is_no_json_object(folder: Path, text: bytes) -> None:
    (folder / CONFIG).write_bytes(text)
    refuse(folder, r"config.json (cannot be read|holds no JSON object).*Fetch or copy the folder again")


@pytest.mark.parametrize(
    ("setting", "value", "ours"),
    [
        ("hidden_size", "wide", "hidden_size"),
        ("num_attention_heads", 5, "heads"),
        ("num_hidden_layers", 0, "num_layers"),
    ],
)
def test_sizes_that_make_no_sense(folder: Path, setting: str, value: Any, ours: str) -> None:
    edit(folder, **{setting: value})
    refuse(folder, rf"config.json: .*{ours}")


def test_several_files_gone_wrong(tmp_path: Path) -> None:
    their_model().save_pretrained(tmp_path / "good", max_shard_size="4KB")
    index = f"{WEIGHTS}.index.json"

    def spoiled(name: str) -> Path:
        return Path(shutil.copytree(tmp_path / "good", tmp_path / name))

    one = min(spoiled("missing").glob("*.safetensors"))
    one.unlink()
    refuse(tmp_path / "missing", rf"{one.name} is missing. Fetch")

    save_file({"x": torch.zeros(1)}, tmp_path / "outside.safetensors")
    with edited(spoiled("outside") / index) as value:
        value["weight_map"]["x"] = "../outside.safetensors"
    refuse(tmp_path / "outside", r"names '../outside.safetensors', which is no safetensors file of this folder")

    with edited(spoiled("pickle") / index) as value:
        value["weight_map"] = {"x": "pytorch_model.bin"}
    refuse(tmp_path / "pickle", r"names 'pytorch_model.bin', which is no safetensors")

    with edited(spoiled("empty") / index) as value:
        del value["weight_map"]
    refuse(tmp_path / "empty", r"has no weight_map")


def test_a_roformer_without_the_head_s_tensors(tmp_path: Path) -> None:
    written = to_transformers(Electra(small_config()), tmp_path)["discriminator"].folder
    tensors = load_file(written / "head.safetensors")
    save_file({"dense.weight": tensors["dense.weight"]}, written / "head.safetensors")
    refuse(written, r"the tensor 'dense.bias' is missing")


# Tokenizers


def test_a_damaged_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    refuse(folder, r"tokenizer.json is damaged .*Fetch or copy")


def test_a_tokenizer_of_another_model(folder: Path) -> None:
    small_tokenizer().save(str(folder / "tokenizer.json"))
    their_model(vocab_size=12).save_pretrained(folder)
    refuse(folder, r"tokenizer has ids up to 15 and the model vocab_size=12: they do not belong together")


def test_a_vocabulary_without_special_tokens(folder: Path) -> None:
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nsoup\n")
    refuse(folder, r"vocab.txt has no \[MASK\]: it is not a vocabulary of BERT's kind")
    (folder / "vocab.txt").write_bytes(b"\xff\xff")
    refuse(folder, r"vocab.txt cannot be read")


# Places


def test_places_without_a_checkpoint(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refuse(tmp_path / "empty", r"holds no checkpoint: there is no config.json. Pass the folder that has it.$")
    refuse(folder / CONFIG, r"is a file. Pass the folder that holds it")
    refuse(Path("owner/name"), r"There is no folder owner.name")  # a Path is never a name on the hub
    for place in ("./nowhere", "/nowhere/at/all", "a/b/c", "", "..", "a\\b"):
        if not Path(place).exists():
            refuse(place, r"There is no folder")


def test_the_folder_above_the_two_halves(tmp_path: Path) -> None:
    to_transformers(Electra(small_config()), tmp_path)
    refuse(tmp_path, r"no config.json. Pass one of its folders: discriminator, generator")


def test_a_refusal_is_ours_and_a_file_error(tmp_path: Path) -> None:
    for kind in (ElectraEduError, OSError):
        with pytest.raises(kind):
            from_transformers(tmp_path)

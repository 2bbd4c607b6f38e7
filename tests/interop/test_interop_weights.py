"""Weights as other programs leave them: read where that is safe, and else the true cause and a way out that works."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hugging_face import assert_agree, edited, inputs, refusal, run, their_model
from safetensors.torch import load_file, save_file
from small import equal, small_config, small_run
from torch import Tensor
from transformers import BertConfig, BertModel, ElectraForMaskedLM, ElectraForPreTraining, ElectraModel, PreTrainedModel

import electra_edu as edu
from electra_edu.evaluation.detection import detect
from electra_edu.interop import from_transformers, to_transformers
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.electra import Electra
from electra_edu.support.errors import CheckpointError, ElectraEduError

WEIGHTS, CONFIG = "model.safetensors", "config.json"
BATCH = inputs(20, 9)


def round_trip(seen: str) -> Any:
    return pytest.mark.fault("Round trips", seen=seen)


@pytest.fixture
def theirs() -> PreTrainedModel:
    return their_model()


@pytest.fixture
def folder(tmp_path: Path, theirs: PreTrainedModel) -> Path:
    """Return a good checkpoint of a discriminator, for a test to spoil."""
    theirs.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def rename(folder: Path, change: Callable[[str], str]) -> None:
    """Give every tensor another name."""
    tensors = load_file(folder / WEIGHTS)
    save_file({change(name): tensor for name, tensor in tensors.items()}, folder / WEIGHTS, {"format": "pt"})


def gamma_beta(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


# Read as they are


@round_trip("weights with LayerNorms called gamma and beta, which transformers reads, were “missing”")
@pytest.mark.parametrize("kind", [ElectraForPreTraining, ElectraForMaskedLM, ElectraModel])
def test_old_names_of_layer_norms(tmp_path: Path, kind: type[PreTrainedModel]) -> None:
    model = their_model(kind)
    model.save_pretrained(tmp_path)
    plain = run(from_transformers(tmp_path), BATCH)
    rename(tmp_path, gamma_beta)
    assert any("gamma" in name for name in load_file(tmp_path / WEIGHTS))
    assert (run(from_transformers(tmp_path), BATCH) - plain).abs().max() == 0
    reference = kind.from_pretrained(tmp_path).eval()
    assert_agree(run(reference, BATCH), run(model, BATCH))


@round_trip("“the tensor … is missing. Fetch or copy the folder again”, which could not help")
@pytest.mark.parametrize(
    "outer", ["module.", "discriminator.", "model.", "_orig_mod.", "module.discriminator.", "network.model."]
)
@pytest.mark.parametrize("drop", ["", "electra."])
def test_what_training_programs_put_before_the_names(folder: Path, outer: str, drop: str) -> None:
    plain = from_transformers(folder)
    rename(folder, lambda name: outer + name.removeprefix(drop))
    assert equal(from_transformers(folder).parameters(), plain.parameters())
    with edited(folder / CONFIG) as config:
        del config["architectures"]
    assert isinstance(from_transformers(folder), Discriminator)


@round_trip("a file with both halves in it was “missing” all tensors of either")
def test_two_networks_in_one_file(tmp_path: Path) -> None:
    halves = {"discriminator": their_model(), "generator": their_model(ElectraForMaskedLM)}
    tensors: dict[str, Tensor] = {}
    for name, model in halves.items():
        model.save_pretrained(tmp_path)
        tensors |= {f"{name}.{key}": value for key, value in load_file(tmp_path / WEIGHTS).items()}
    save_file(tensors, tmp_path / WEIGHTS)
    with edited(tmp_path / CONFIG) as config:
        del config["architectures"]
    message = refusal(tmp_path)
    assert "several networks, whose names begin with 'discriminator.', 'generator.'" in message
    assert "half='discriminator'" in message  # the remedy
    with edited(tmp_path / CONFIG) as config:
        config["architectures"] = ["ElectraForPreTraining"]
    back = from_transformers(tmp_path)
    assert torch.equal(run(back, BATCH), run(from_transformers(tmp_path, half="discriminator"), BATCH))
    with edited(tmp_path / CONFIG) as config:
        config["architectures"] = ["ElectraForMaskedLM"]
    assert (run(from_transformers(tmp_path), BATCH) - run(halves["generator"], BATCH)).abs().max() < 1e-5


@round_trip("a checkpoint in several files without its index was said to hold only pickled weights")
def test_several_files_without_an_index(tmp_path: Path, theirs: PreTrainedModel) -> None:
    theirs.save_pretrained(tmp_path, max_shard_size="4KB")
    plain = from_transformers(tmp_path)
    (tmp_path / f"{WEIGHTS}.index.json").unlink()
    assert equal(from_transformers(tmp_path).parameters(), plain.parameters())
    last = max(tmp_path.glob("*.safetensors"))
    last.unlink()
    assert re.search(rf"{last.name} is missing, one of \d+ files", refusal(tmp_path))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(folder: Path, kind: torch.dtype) -> None:
    tensors = {name: tensor.to(kind) for name, tensor in load_file(folder / WEIGHTS).items()}
    save_file(tensors, folder / WEIGHTS)
    back = dict(from_transformers(folder).named_parameters())
    assert {parameter.dtype for parameter in back.values()} == {torch.float32}
    assert torch.equal(back["dense.weight"], tensors["discriminator_predictions.dense.weight"].float())


# Refused, with the cause


@round_trip("weights of eight bits were read as if they were the numbers themselves")
def test_quantised_weights(folder: Path) -> None:
    name = "discriminator_predictions.dense.weight"
    tensors = load_file(folder / WEIGHTS)
    save_file(tensors | {name: tensors[name].to(torch.float8_e4m3fn)}, folder / WEIGHTS)
    assert f"{name!r} holds torch.float8_e4m3fn; only floating-point weights of 16, 32 or 64 bits" in refusal(folder)
    with edited(folder / CONFIG) as config:
        config["quantization_config"] = {"quant_method": "fp8"}
    assert "quantization_config={'quant_method': 'fp8'}" in refusal(folder)


@pytest.mark.fault(
    "Errors", seen="a BERT's weights under an ELECTRA's config: “missing. Fetch or copy the folder again”"
)
def test_another_model_s_names_and_the_remedy(folder: Path) -> None:
    rename(folder, lambda name: f"colbert.{name.removeprefix('electra.')}")
    message = refusal(folder)
    assert "names like 'colbert.embeddings.word_embeddings.weight'" in message
    assert "another kind of model (colbert)" in message
    code = re.search(r"rename them: (.*)\.$", message)
    assert code
    import safetensors.torch

    exec(code[1], {"safetensors": safetensors, "file": str(folder / WEIGHTS)})
    assert isinstance(from_transformers(folder), Discriminator)


# NaN


@round_trip("weights that are NaN were read without a word, and detect gave NaN as for an unknown word")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    "name", ["electra.embeddings.word_embeddings.weight", "electra.encoder.layer.1.attention.self.key.bias"]
)
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_weights_that_are_no_numbers(folder: Path, name: str, value: float, kind: torch.dtype) -> None:
    tensors = {key: tensor.to(kind) for key, tensor in load_file(folder / WEIGHTS).items()}
    tensors[name].view(-1)[3] = value
    save_file(tensors, folder / WEIGHTS)
    message = refusal(folder)
    assert f"the tensor {name!r} holds 1 numbers that are NaN or infinite, of {tensors[name].numel()}" in message
    assert "Take an earlier checkpoint" in message


@round_trip("a head.safetensors with NaN was read without a word")
def test_a_head_of_its_own_that_is_no_number(tmp_path: Path) -> None:
    written = to_transformers(Electra(small_config()), tmp_path)["discriminator"].folder
    tensors = load_file(written / "head.safetensors")
    tensors["dense.bias"][0] = float("nan")
    save_file(tensors, written / "head.safetensors")
    assert "head.safetensors: the tensor 'dense.bias' holds 1 numbers that are NaN" in refusal(written)


@round_trip("a run whose weights are NaN was exported, and could not be read back")
@pytest.mark.parametrize("weight", ["discriminator.dense.bias", "generator.bias"])
def test_a_network_that_is_no_number_is_not_exported(tmp_path: Path, weight: str) -> None:
    run = small_run()
    with torch.no_grad():
        run.average.get_parameter(weight)[0] = float("inf")
    with pytest.raises(ElectraEduError, match=r"source: its tensor '.*' holds numbers that are NaN or infinite"):
        to_transformers(run, tmp_path)
    assert not list(tmp_path.iterdir())


@round_trip("detect returned NaN, which says “unknown word”, for every word of a broken network")
def test_a_network_that_computes_nan_says_so() -> None:
    run = small_run()
    with torch.no_grad():
        run.average.discriminator.dense.bias[0] = float("nan")
    with pytest.raises(ElectraEduError, match=r"source: Discriminator computes NaN for this text: its weights"):
        detect(run, "the cook stirs the soup")


def test_other_kinds_of_model_are_named(tmp_path: Path) -> None:
    BertModel(
        BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=9, intermediate_size=8)
    ).save_pretrained(tmp_path)
    message = refusal(tmp_path)
    assert "is a BertModel, not an ELECTRA" in message
    assert "Use this checkpoint with transformers" in message
    assert isinstance(transformers.AutoModel.from_pretrained(tmp_path), BertModel)


@pytest.mark.fault("Security", seen="a folder's name with a slip in it was looked up on the network")
def test_the_network_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but local_files_only=False lets a name, a slip of a folder's for example, reach the network."""
    import huggingface_hub

    calls: list[dict[str, Any]] = []

    def snapshot_download(name: str, **arguments: Any) -> str:
        calls.append(arguments)
        raise OSError("not here")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(
        CheckpointError, match=r"To fetch it from the network: from_transformers\('modle', local_files_o"
    ):
        edu.interop.from_transformers("modle")
    assert [call["local_files_only"] for call in calls] == [True]
    with pytest.raises(CheckpointError, match="cannot be fetched"):
        edu.interop.from_transformers("modle", local_files_only=False)  # the remedy asks for it
    assert [call["local_files_only"] for call in calls] == [True, True, False]

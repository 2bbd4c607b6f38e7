"""from_transformers: what Hugging Face's own code saves is read, and computes the same."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from hugging_face import SIZES, assert_agree, edited, inputs, run, their_model
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from small import WORDS, small_corpus
from tokenizers import Tokenizer
from transformers import BertTokenizer, ElectraForMaskedLM, ElectraForPreTraining, ElectraModel
from transformers import ElectraConfig as TheirConfig
from transformers import ElectraForSequenceClassification as Classifier

import electra_edu as edu
from electra_edu.config import EncoderShape, preset
from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.corpora.wordpiece import train_wordpiece
from electra_edu.interop import from_transformers
from electra_edu.interop.config_json import SIZE_FIELDS
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.encoder import Encoder
from electra_edu.model.generator import Generator

KINDS = {ElectraForPreTraining: Discriminator, ElectraForMaskedLM: Generator, ElectraModel: Encoder}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if the network is used at all: here every checkpoint is a folder."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a path touched the network")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


@st.composite
def sizes(draw: st.DrawFn) -> dict[str, Any]:
    heads = draw(st.integers(1, 3))
    hidden = heads * draw(st.integers(4, 8))
    return {
        "vocab_size": draw(st.integers(5, 40)),
        "embedding_size": draw(st.sampled_from([hidden, 5, 9])),
        "hidden_size": hidden,
        "num_hidden_layers": draw(st.integers(1, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 30)),
        "max_position_embeddings": draw(st.integers(3, 20)),
        "type_vocab_size": draw(st.integers(1, 3)),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-5])),
        "pad_token_id": draw(st.integers(0, 4)),
        "hidden_dropout_prob": draw(st.sampled_from([0.0, 0.2])),
    }


@settings(max_examples=15, deadline=None)
@given(sizes=sizes(), kind=st.sampled_from(list(KINDS)), share=st.floats(0.1, 1), seed=st.integers(0, 99))
def test_any_sizes_are_read(
    tmp_path_factory: pytest.TempPathFactory, sizes: dict[str, Any], kind: Any, share: float, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("theirs")
    theirs = their_model(kind, **sizes)
    theirs.save_pretrained(folder)
    ours = from_transformers(folder)
    assert isinstance(ours, KINDS[kind])
    assert not ours.training
    assert ours.tokenizer is None
    assert ours.config.max_seq_length == ours.config.max_position_embeddings == sizes["max_position_embeddings"]
    assert ours.config.generator == ours.config.discriminator  # a smaller one need not exist: heads may not divide
    assert ours.config.layer_norm_eps == sizes["layer_norm_eps"]
    assert ours.config.pad_token_id == sizes["pad_token_id"]
    assert ours.config.dropout == sizes["hidden_dropout_prob"]
    batch = inputs(
        sizes["vocab_size"], max(1, round(share * sizes["max_position_embeddings"])), sizes["type_vocab_size"], seed
    )
    assert_agree(run(ours, batch), run(theirs, batch))


def test_the_released_small_size(tmp_path: Path) -> None:
    small = {"vocab_size": 30522, "embedding_size": 128, "hidden_size": 256, "num_hidden_layers": 12}
    small |= {"num_attention_heads": 4, "intermediate_size": 1024, "max_position_embeddings": 512}
    theirs = their_model(**small)
    theirs.save_pretrained(tmp_path)
    ours = from_transformers(str(tmp_path), half="discriminator")
    batch = inputs(30522, 48)
    assert_agree(run(ours, batch), run(theirs, batch))
    released = preset("released-small")
    assert ours.config.discriminator == released.discriminator
    assert ours.config.special_token_ids == (0, 100, 101, 102, 103)  # of the vocabulary that ELECTRA shares with BERT
    assert (ours.config.dropout, ours.config.initializer_range) == (released.dropout, released.initializer_range)


def test_the_paper_s_generator_size(tmp_path: Path) -> None:
    shape = preset("paper-small").generator
    theirs = their_model(
        ElectraForMaskedLM, hidden_size=64, num_attention_heads=1, intermediate_size=256, num_hidden_layers=12
    )
    theirs.save_pretrained(tmp_path)
    ours = from_transformers(tmp_path)
    assert ours.config.generator == shape == EncoderShape(64, 12, 1, 256)
    assert ours.config.objective == "bert"
    assert_agree(run(ours, inputs(20, 9)), run(theirs, inputs(20, 9)))


def test_defaults_are_theirs() -> None:
    assert {setting.theirs: setting.default for setting in SIZE_FIELDS} == {
        setting.theirs: getattr(TheirConfig(), setting.theirs) for setting in SIZE_FIELDS
    }


def test_a_config_that_leaves_out_what_is_usual(tmp_path: Path) -> None:
    theirs = their_model()
    theirs.save_pretrained(tmp_path)
    with edited(tmp_path / "config.json") as config:
        for name in set(config) - SIZES.keys():
            del config[name]
    assert_agree(run(from_transformers(tmp_path), inputs(20, 9)), run(theirs, inputs(20, 9)))


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_class_name_the_tensors_tell(tmp_path: Path, kind: Any) -> None:
    their_model(kind).save_pretrained(tmp_path)
    with edited(tmp_path / "config.json") as config:
        del config["architectures"]
    assert isinstance(from_transformers(tmp_path), KINDS[kind])


def test_several_files(tmp_path: Path) -> None:
    theirs = their_model(ElectraForMaskedLM)
    theirs.save_pretrained(tmp_path, max_shard_size="4KB")
    assert (tmp_path / "model.safetensors.index.json").is_file()
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert_agree(run(from_transformers(tmp_path), inputs(20, 9)), run(theirs, inputs(20, 9)))


def test_half_precision_becomes_float32(tmp_path: Path) -> None:
    theirs = their_model().bfloat16()
    theirs.save_pretrained(tmp_path)
    ours = from_transformers(tmp_path)
    assert {parameter.dtype for parameter in ours.parameters()} == {torch.float32}
    assert_agree(run(ours, inputs(20, 9)), run(theirs.float(), inputs(20, 9)))


def test_what_older_files_hold_besides(tmp_path: Path) -> None:
    theirs = their_model(ElectraForMaskedLM)
    theirs.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["electra.embeddings.position_ids"] = torch.arange(16)[None]
    tensors["generator_lm_head.weight"] = tensors["electra.embeddings.word_embeddings.weight"].clone()
    save_file(tensors, tmp_path / "model.safetensors")
    assert_agree(run(from_transformers(tmp_path), inputs(20, 9)), run(theirs, inputs(20, 9)))


@pytest.mark.parametrize("kind", [Classifier, *KINDS])
def test_the_encoder_of_any_electra(tmp_path: Path, kind: Any) -> None:
    theirs = their_model(kind)
    theirs.save_pretrained(tmp_path)
    ours = from_transformers(tmp_path, half="encoder")
    assert isinstance(ours, Encoder)
    reference = theirs.electra if kind is not ElectraModel else theirs
    assert_agree(run(ours, inputs(20, 9)), run(reference, inputs(20, 9)))


def test_reading_leaves_the_random_numbers_alone(tmp_path: Path) -> None:
    their_model().save_pretrained(tmp_path)
    before = torch.get_rng_state()
    from_transformers(tmp_path)
    assert torch.equal(before, torch.get_rng_state())


TEXTS = ("The cook stirs the soup.", "Déjà vu, naïve CAFÉ!", "a [MASK] sings", "日本 soup-song", "")


def their_tokenizer(folder: Path, **changes: Any) -> BertTokenizer:
    """Save a vocabulary with special tokens at unusual places, as BERT's has them, and return their tokenizer."""
    letters = [prefix + letter for letter in "abcdeéfghijklmnoprstuvCFT日本.,-!" for prefix in ("", "##")]
    tokens = ["[PAD]", "[unused0]", *WORDS, "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(letters)]
    tokens = list(dict.fromkeys(tokens))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return BertTokenizer({token: i for i, token in enumerate(tokens)}, **changes)


def assert_same_ids(ours: Tokenizer | None, theirs: Any) -> None:
    assert ours is not None
    for text in TEXTS:
        assert ours.encode(text).ids == theirs(text)["input_ids"]
    pair, reference = ours.encode(*TEXTS[:2]), theirs(*TEXTS[:2])
    assert (pair.ids, pair.type_ids) == (reference["input_ids"], reference["token_type_ids"])


@pytest.mark.parametrize(
    "changes",
    [{}, {"do_lower_case": False}, {"strip_accents": False}, {"tokenize_chinese_chars": False}],
    ids=str,
)
def test_a_tokenizer_from_vocab_txt(tmp_path: Path, changes: dict[str, Any]) -> None:
    theirs = their_tokenizer(tmp_path, **changes)
    their_model(vocab_size=len(theirs)).save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "ElectraTokenizer"} | changes))
    network = from_transformers(tmp_path)
    assert_same_ids(network.tokenizer, theirs)
    assert network.config.special_token_ids == (0, 13, 14, 15, 16)


def test_a_tokenizer_from_tokenizer_json(tmp_path: Path) -> None:
    theirs = their_tokenizer(tmp_path / "words")
    theirs("a", "b", padding="max_length", truncation=True, max_length=4)  # which a tokenizer.json would remember
    theirs.save_pretrained(tmp_path)
    their_model(vocab_size=100).save_pretrained(tmp_path)
    network = from_transformers(tmp_path)
    assert_same_ids(network.tokenizer, theirs)
    assert network.config.special_token_ids == (0, 13, 14, 15, 16)


def test_special_tokens_under_other_names(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_str(small_corpus().tokenizer.to_str().replace("[PAD]", "<pad>"))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    their_model(pad_token_id=3).save_pretrained(tmp_path)
    (tmp_path / "special_tokens_map.json").write_text('{"pad_token": "<pad>", "mask_token": {"content": "song"}}')
    assert from_transformers(tmp_path).config.special_token_ids == (0, 1, 2, 3, 14)


def test_a_tokenizer_that_is_a_program_is_left_out(tmp_path: Path) -> None:
    their_tokenizer(tmp_path)
    their_model(vocab_size=100).save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertJapaneseTokenizer"}')
    with pytest.warns(UserWarning, match=r"BertJapaneseTokenizer.*AutoTokenizer") as caught:
        assert from_transformers(tmp_path).tokenizer is None
    assert caught[0].filename == __file__


def test_our_own_kind_of_tokenizer_is_read_as_it_is(tmp_path: Path) -> None:
    trained = train_wordpiece([f"{who} sings a song with {who}s." for who in WORDS] * 3, 90)
    trained.save(str(tmp_path / "tokenizer.json"))
    their_model(vocab_size=100).save_pretrained(tmp_path)
    read = edu.interop.from_transformers(tmp_path).tokenizer
    assert read is not None
    assert read.to_str() == trained.to_str()
    assert [read.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3, 4]

"""There and back again: a network read from its exported folder has the settings, windows and tokens it had."""

import dataclasses
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hugging_face import edited, our_model, spread
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from small import SPECIAL_TOKENS, WORDS, rng, small_config, small_tokenizer, toy_corpus
from tokenizers import Tokenizer
from transformers import AutoTokenizer, ElectraForPreTraining

import electra_edu as edu
from electra_edu.config import ElectraConfig
from electra_edu.config.electra_config import FIELD_NAMES
from electra_edu.config.objectives import OBJECTIVES
from electra_edu.corpora.corpus import Corpus
from electra_edu.corpora.wordpiece import train_wordpiece
from electra_edu.experiments import load_record, network_folder
from electra_edu.interop import from_transformers, to_transformers
from electra_edu.model.electra import Electra
from electra_edu.support.errors import CheckpointError, ElectraEduError

round_trip = pytest.mark.fault(
    "Round trips",
    seen="a network read back judged texts in windows of max_position_embeddings, not of the length it was trained on",
)
SETTINGS: dict[str, st.SearchStrategy[Any]] = {  # every field of a config, with values that go well together
    "vocab_size": st.just(0),  # the tokenizer's
    "max_seq_length": st.integers(3, 12),
    "max_position_embeddings": st.integers(9, 20),
    "type_vocab_size": st.integers(1, 3),
    "embedding_size": st.sampled_from([5, 8]),
    "hidden_size": st.sampled_from([8, 16]),
    "num_layers": st.integers(1, 2),
    "num_heads": st.sampled_from([1, 2]),
    "intermediate_size": st.sampled_from([None, 6, 32]),
    "layer_norm_eps": st.sampled_from([1e-12, 1e-5]),
    "dropout": st.sampled_from([0.0, 0.1, 1 / 3]),
    "initializer_range": st.sampled_from([None, 0.02, 0.3]),
    "positions": st.sampled_from(["rotary", "learned"]),
    "generator_size_fraction": st.sampled_from([0.25, 0.5, 1.0]),
    "generator_kind": st.sampled_from(["learned", "learned", "uniform", "unigram"]),
    "mask_prob": st.floats(0.01, 0.9),
    "mask_token_prob": st.floats(0, 1),
    "rtd_weight": st.floats(0, 1e6),
    "temperature": st.floats(0.1, 9),
    "greedy": st.booleans(),
    "disallow_correct": st.booleans(),
    "weight_sharing": st.sampled_from(["none", "embeddings", "all", "gdes"]),
    "objective": st.sampled_from(list(OBJECTIVES)),
    "scheme": st.sampled_from(["joint", "joint", "two-stage", "adversarial"]),
    "generator_steps": st.integers(0, 5),
    "copy_generator": st.booleans(),
    "optimizer": st.sampled_from(["muon", "paper-adam", "adamw"]),
    "learning_rate": st.floats(1e-6, 1),
    "muon_learning_rate": st.floats(1e-6, 1),
    "max_grad_norm": st.sampled_from([None, 0.5]),
    "warmup_steps": st.integers(0, 9),
    "training_steps": st.sampled_from([None, 100]),
    "batch_size": st.integers(1, 64),
    "pad_token_id": st.just(0),
    "unk_token_id": st.just(1),
    "cls_token_id": st.just(2),
    "sep_token_id": st.just(3),
    "mask_token_id": st.just(4),
}
LINES = [f"Ein {who} möchte den {what}, 학교에 {who}." for who in WORDS for what in WORDS]
TOKENIZERS = {
    "words": small_tokenizer(),
    "pieces": train_wordpiece(LINES, 160),
    "toy": toy_corpus().tokenizer,
}
HOSTILE = (
    "the cook stirs the soup",
    "[MASK] [PAD] [UNK][CLS] [SEP]",
    "möchte mochte MÖCHTE i\u0307 ﬁ Ǆ",
    "학교에 ที่นี่มีน้ำ दिल्ली パンバン e\u0301",
    "##ok ## # soup##s",
    " \t\u00a0\u2003soup\u200b\u0000\ufffd\ufeffsong ",
    "a" * 120 + " \U0001f469\u200d\U0001f373 \U000e0041",
    "",
)


def test_every_setting_is_drawn() -> None:
    assert tuple(SETTINGS) == FIELD_NAMES


@st.composite
def configs(draw: st.DrawFn, vocab_size: int) -> ElectraConfig:
    """Draw a config at random; from the usual one half of the fields are left."""
    usual = small_config(vocab_size=vocab_size)
    changes = {name: draw(strategy) for name, strategy in SETTINGS.items() if draw(st.booleans())}
    changes["vocab_size"] = vocab_size
    if draw(st.booleans()):  # else nearly every example would be joint training with a learned generator
        changes |= {"generator_kind": "learned", "scheme": "joint", "copy_generator": False}
    try:
        return usual.replace(**changes)
    except ElectraEduError:
        assume(False)
        raise


def same(left: list[tuple[str, float]], right: list[tuple[str, float]]) -> bool:
    """Tell whether two lists of verdicts are the same to the last bit; NaN is the same as NaN."""
    return len(left) == len(right) and all(
        a == b and (p == q or (math.isnan(p) and math.isnan(q))) for (a, p), (b, q) in zip(left, right, strict=True)
    )


@round_trip
@settings(max_examples=20, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(data=st.data(), kind=st.sampled_from(list(TOKENIZERS)), seed=st.integers(0, 9))
def test_every_setting_and_verdict_survives(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, kind: str, seed: int
) -> None:
    tokenizer = TOKENIZERS[kind]
    config = data.draw(configs(tokenizer.get_vocab_size()))
    folder = tmp_path_factory.mktemp("export")
    model = our_model(Electra(config, rng(seed)))
    for name, written in to_transformers(model, folder, tokenizer=tokenizer).items():
        back = from_transformers(written.folder)
        assert back.config == config
        network = getattr(model, name)
        assert back.encoder.shape == network.encoder.shape
        assert back.tokenizer is not None
        assert back.tokenizer.to_str() == tokenizer.to_str()
        if name == "discriminator":
            words = [*[word for word in tokenizer.get_vocab() if word.isalpha()][:9], "qqq"]
            for length in (1, 2, config.max_seq_length - 2, config.max_seq_length - 1, 3 * config.max_seq_length):
                text = " ".join(words[i % len(words)] for i in range(length))
                assert same(edu.detect(model, text, tokenizer=tokenizer), edu.detect(back, text))


@pytest.fixture(scope="module")
def prose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("prose") / "stories.txt"
    file.write_text("\n\n".join(LINES * 12), encoding="utf-8")
    return file


def load(kind: str, prose: Path) -> Corpus:
    if kind == "toy":
        return toy_corpus()
    if kind == "file":
        return edu.load_corpus(str(prose), vocab_size=200, max_seq_length=16)
    return edu.load_corpus(text=prose.read_text(encoding="utf-8"), vocab_size=150, max_seq_length=24)


@round_trip
@pytest.mark.parametrize("kind", ["toy", "file", "text"])
def test_a_run_and_its_export_judge_alike(tmp_path: Path, prose: Path, kind: str) -> None:
    corpus = load(kind, prose)
    config = small_config(
        vocab_size=corpus.vocab_size, max_seq_length=corpus.max_seq_length, max_position_embeddings=60
    )
    run = edu.TrainingRun(config, corpus, seed=1, device="cpu")
    spread(run.average)
    written = to_transformers(run, tmp_path)["discriminator"].folder
    back = from_transformers(written)
    assert back.config == run.config
    text = corpus.text(corpus.heldout[0])
    for times in (1, 2, 7, 40):
        for some in (text, *HOSTILE[:-1]):
            assert same(edu.detect(run, " ".join([some] * times)), edu.detect(back, " ".join([some] * times)))


@round_trip
@pytest.mark.parametrize("kind", ["toy", "file", "text"])
def test_transformers_reads_the_same_tokens(tmp_path: Path, prose: Path, kind: str) -> None:
    corpus = load(kind, prose)
    config = small_config(vocab_size=corpus.vocab_size, max_seq_length=corpus.max_seq_length)
    config = config.replace(max_position_embeddings=100)
    written = to_transformers(Electra(config, rng()), tmp_path, tokenizer=corpus.tokenizer)["discriminator"].folder
    theirs = AutoTokenizer.from_pretrained(written)
    assert theirs.model_max_length == corpus.max_seq_length
    ours = from_transformers(written).tokenizer
    assert ours is not None
    texts = (*HOSTILE, corpus.text(corpus.heldout[0]), " ".join(HOSTILE))
    for text in texts:
        assert theirs(text)["input_ids"] == ours.encode(text).ids == corpus.tokenizer.encode(text).ids


@round_trip
def test_a_window_that_transformers_states_is_kept(tmp_path: Path) -> None:
    model = our_model(Electra(small_config(positions="learned", max_seq_length=8, max_position_embeddings=12), rng()))
    folder = to_transformers(model, tmp_path, tokenizer=small_tokenizer())["discriminator"].folder
    theirs = ElectraForPreTraining.from_pretrained(folder)
    theirs.save_pretrained(tmp_path / "theirs")  # which keeps fields that it does not know
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "theirs")
    assert from_transformers(tmp_path / "theirs").config == model.config
    with edited(tmp_path / "theirs" / "config.json") as config:
        del config["electra_edu"]
    assert from_transformers(tmp_path / "theirs").config.max_seq_length == 8
    for stated, window in ((10**30, 12), (5, 5), (1, 12), (-3, 12), ("long", 12), (None, 12)):
        with edited(tmp_path / "theirs" / "tokenizer_config.json") as about:
            about["model_max_length"] = stated
        assert from_transformers(tmp_path / "theirs").config.max_seq_length == window


def test_a_vocabulary_enlarged_in_transformers(tmp_path: Path) -> None:
    model = our_model(Electra(small_config(positions="learned", mask_prob=0.4), rng()))
    folder = to_transformers(model, tmp_path)["discriminator"].folder
    theirs = ElectraForPreTraining.from_pretrained(folder)
    theirs.resize_token_embeddings(19)
    theirs.save_pretrained(tmp_path / "theirs")
    back = from_transformers(tmp_path / "theirs").config
    assert back.vocab_size == 19
    assert (back.mask_prob, back.max_seq_length) == (0.4, model.config.max_seq_length)
    assert back.generator_size_fraction == 1  # the config's generator is no longer that of the run


@pytest.mark.parametrize("name", ["discriminator", "generator"])
def test_an_encoder_without_its_head_keeps_the_settings(tmp_path: Path, name: str) -> None:
    model = our_model(Electra(small_config(mask_prob=0.4, generator_size_fraction=0.5), rng()))
    folder = to_transformers(model, tmp_path)[name].folder
    back = from_transformers(folder, half="encoder")
    assert back.shape == getattr(model, name).encoder.shape
    assert back.config.discriminator == back.shape
    assert (back.config.mask_prob, back.config.max_seq_length) == (0.4, model.config.max_seq_length)


def test_folders_of_older_versions_are_read(tmp_path: Path) -> None:
    model = our_model(Electra(small_config(max_seq_length=8, max_position_embeddings=12), rng()))
    folder = to_transformers(model, tmp_path, tokenizer=small_tokenizer())["discriminator"].folder
    with edited(folder / "config.json") as config:
        del config["electra_edu"]
    with edited(folder / "tokenizer_config.json") as about:
        about["model_max_length"] = 12
    back = from_transformers(folder)
    assert back.config.max_seq_length == 12
    assert torch.equal(back.dense.weight, model.discriminator.dense.weight)


@pytest.mark.fault("Round trips", seen="the shipped network read text in windows of 512 tokens, AUC .84 instead of .91")
@pytest.mark.parametrize("half", ["discriminator", "generator"])
def test_the_shipped_network_has_its_run_s_config(half: str) -> None:
    folder = network_folder("docs-long") / half
    config = from_transformers(folder).config
    assert config.to_dict() == load_record("docs-long").about["arms"]["ELECTRA"]
    assert config.max_seq_length == AutoTokenizer.from_pretrained(folder).model_max_length == 64


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """Return the folder of a network that was written here."""
    return to_transformers(our_model(Electra(small_config(), rng())), tmp_path)["discriminator"].folder


def test_a_tensor_more_or_less_is_still_seen(exported: Path) -> None:
    """The config fits, so that only the weights can be wrong."""
    tensors = load_file(exported / "model.safetensors")
    tensors.popitem()
    save_file(tensors, exported / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"is missing"):
        from_transformers(exported)


def test_a_folder_may_be_moved(exported: Path, tmp_path: Path) -> None:
    shutil.move(exported, tmp_path / "elsewhere")
    assert from_transformers(tmp_path / "elsewhere").config == small_config()
    assert json.loads((tmp_path / "elsewhere" / "config.json").read_text())["electra_edu"] == dataclasses.asdict(
        small_config()
    )


@pytest.mark.fault("Round trips", seen="a typed “[MASK]” was three unknown pieces here and one token in transformers")
def test_special_tokens_stay_special(tmp_path: Path) -> None:
    """A tokenizer whose special tokens are only words gets them marked, here as in transformers."""
    bare = Tokenizer.from_str(small_tokenizer().to_str())
    about = json.loads(bare.to_str())
    about["added_tokens"] = []
    bare = Tokenizer.from_str(json.dumps(about))
    folder = to_transformers(Electra(small_config(), rng()), tmp_path, tokenizer=bare)["discriminator"].folder
    ours, theirs = from_transformers(folder).tokenizer, AutoTokenizer.from_pretrained(folder)
    assert ours is not None
    for text in ("the [MASK] sings", " ".join(SPECIAL_TOKENS), *HOSTILE):
        assert ours.encode(text).ids == theirs(text)["input_ids"]

"""to_transformers: `from_pretrained` loads what is written, computes the same, and encodes the same ids."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hugging_face import assert_agree, inputs, our_model, run, their_model
from safetensors import safe_open
from safetensors.torch import load_file
from small import SPECIAL_TOKENS, WORDS, equal, rng, small_config, small_run, small_tokenizer, toy_corpus
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoTokenizer, ElectraForMaskedLM, ElectraForPreTraining, ElectraModel, RoFormerForMaskedLM

import electra_edu as edu
from electra_edu.corpora.wordpiece import train_wordpiece
from electra_edu.interop import PretrainedEncoder, from_transformers, to_transformers
from electra_edu.interop.pretrained import Pretrained
from electra_edu.model.electra import Electra
from electra_edu.model.encoder import Embeddings
from electra_edu.model.generator import Generator
from electra_edu.support.errors import CheckpointError, ElectraEduError

SENTENCES = ("the cook stirs the soup", "the sailor juggles [MASK]", "")


def a_model(**changes: Any) -> Electra:
    return our_model(Electra(small_config(**({"positions": "learned"} | changes)), rng()))


def load(written: edu.interop.ExportedNetwork) -> Any:
    """Load with transformers, every weight finding its place and none left over."""
    kind = getattr(transformers, written.architecture)
    model, report = kind.from_pretrained(written.folder, output_loading_info=True)
    assert not any(report.values()), report
    return model.eval()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_run_is_written_with_its_average_and_its_tokenizer(tmp_path: Path) -> None:
    taken = small_run(positions="learned")
    taken.advance(3)
    written = to_transformers(taken, tmp_path / "new" / "mine")
    assert names(tmp_path / "new" / "mine") == set(written) == {"discriminator", "generator"}
    batch = inputs(16, 8)
    discriminator = ElectraForPreTraining.from_pretrained(written["discriminator"].folder).eval()
    assert_agree(run(taken.average.discriminator, batch), run(discriminator, batch))
    assert not torch.allclose(run(taken.model.discriminator, batch), run(discriminator, batch), atol=1e-6)
    generator = ElectraForMaskedLM.from_pretrained(written["generator"].folder).eval()
    assert_agree(run(taken.average.generator, batch), run(generator, batch))
    assert generator.get_output_embeddings().weight is generator.get_input_embeddings().weight
    for one in written.values():
        assert load(one).config.architectures == [one.architecture]
        assert one.note == ""
        assert_same_tokens(AutoTokenizer.from_pretrained(one.folder), taken.corpus.tokenizer, SENTENCES)


def assert_same_tokens(theirs: Any, ours: Tokenizer, texts: tuple[str, ...]) -> None:
    for text in texts:
        assert theirs(text)["input_ids"] == ours.encode(text).ids
        assert theirs.decode(ours.encode(text).ids) == ours.decode(ours.encode(text).ids, skip_special_tokens=False)
    pair, reference = theirs(*texts[:2]), ours.encode(*texts[:2])
    assert (pair["input_ids"], pair["token_type_ids"]) == (reference.ids, reference.type_ids)
    special = [getattr(theirs, f"{role}_token_id") for role in ("pad", "unk", "cls", "sep", "mask")]
    assert special == [ours.token_to_id(token) for token in SPECIAL_TOKENS]


def test_the_tokenizers_of_our_corpora(tmp_path: Path) -> None:
    pieces = train_wordpiece([f"{who} sings (a built-in song), doesn't {who}?" for who in WORDS] * 3, 90)
    pieces.enable_padding(length=50)
    texts = ("The soup isn't sung.", "a song-soup, [MASK]", "日本")
    for i, tokenizer in enumerate((pieces, toy_corpus().tokenizer)):
        config = small_config(vocab_size=tokenizer.get_vocab_size(), positions="learned")
        network = Electra(config, rng()).generator
        (written,) = to_transformers(network, tmp_path / str(i), tokenizer=tokenizer).values()
        theirs = AutoTokenizer.from_pretrained(written.folder)
        assert theirs.model_max_length == config.max_seq_length
        plain = Tokenizer.from_str(tokenizer.to_str())
        plain.no_padding()
        assert_same_tokens(theirs, plain, texts)
    assert pieces.padding is not None  # the caller's own tokenizer is left as it was


@pytest.mark.parametrize("positions", ["learned", "rotary"])
@pytest.mark.parametrize("with_tokenizer", [True, False])
def test_the_round_trip_is_exact(tmp_path: Path, positions: str, with_tokenizer: bool) -> None:
    special = {"pad_token_id": 9, "mask_token_id": 0} if not with_tokenizer else {}
    model = a_model(positions=positions, **special)
    written = to_transformers(model, tmp_path, tokenizer=small_tokenizer() if with_tokenizer else None)
    for name, one in written.items():
        network, back = getattr(model, name), from_transformers(one.folder, half=name)
        assert names_of(network) == names_of(back)
        assert equal(network.state_dict().values(), back.state_dict().values())
        assert back.encoder.shape == network.encoder.shape
        assert back.config.special_token_ids == model.config.special_token_ids
        assert torch.equal(run(back, inputs(16, 12)), run(network, inputs(16, 12)))
        assert (back.tokenizer is not None) == with_tokenizer
        again = to_transformers(back, tmp_path / "again")[name]
        for file in ("config.json", "model.safetensors", *(["tokenizer.json"] if with_tokenizer else [])):
            assert (again.folder / file).read_bytes() == (one.folder / file).read_bytes()


def names_of(network: nn.Module) -> list[str]:
    return [name for name, _ in network.named_parameters()]


def test_a_checkpoint_goes_through_us_unchanged(tmp_path: Path) -> None:
    for kind in (ElectraForPreTraining, ElectraForMaskedLM, ElectraModel):
        theirs = their_model(kind)
        theirs.save_pretrained(tmp_path / kind.__name__)
        (written,) = to_transformers(from_transformers(tmp_path / kind.__name__), tmp_path / "ours").values()
        back = load(written)
        assert type(back) is kind
        assert equal(theirs.state_dict().values(), back.state_dict().values())


@pytest.mark.parametrize("half", ["discriminator", "generator"])
def test_rotary_networks_become_roformers(tmp_path: Path, half: str) -> None:
    model = a_model(positions="rotary")
    written = to_transformers(model, tmp_path)[half]
    theirs, batch = load(written), inputs(16, 12)
    assert theirs.config.max_position_embeddings == 12
    if half == "generator":
        assert isinstance(theirs, RoFormerForMaskedLM)
        assert written.note == ""
        assert_agree(run(model.generator, batch), run(theirs, batch))
    else:
        assert re.fullmatch(r"RoFormerModel has no place for dense.*output.*head.safetensors.", written.note)
        assert written.note in (written.folder / "README.md").read_text()
        assert_agree(run(model.discriminator.encoder, batch), run(theirs, batch))


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_an_encoder_alone_goes_both_ways(tmp_path: Path, positions: str) -> None:
    model = a_model(positions=positions)
    whole = to_transformers(model, tmp_path)["discriminator"]
    encoder = from_transformers(whole.folder, half="encoder")
    (written,) = to_transformers(encoder, tmp_path).values()
    assert written.folder == tmp_path / "encoder"
    back = from_transformers(written.folder)
    assert isinstance(back, PretrainedEncoder)
    batch = inputs(16, 12)
    assert torch.equal(run(back, batch), run(model.discriminator.encoder, batch))
    assert_agree(run(back, batch), run(load(written), batch))


@pytest.mark.parametrize("positions", ["learned", "rotary"])
@pytest.mark.parametrize("with_tokenizer", [True, False])
def test_the_lines_in_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, positions: str, with_tokenizer: bool
) -> None:
    model = a_model(positions=positions)
    for name, one in to_transformers(model, tmp_path, tokenizer=small_tokenizer() if with_tokenizer else None).items():
        code = "\n".join(re.findall(r"```python\n(.*?)```", (one.folder / "README.md").read_text(), re.DOTALL))
        monkeypatch.chdir(one.folder)
        result: dict[str, Any] = {}
        exec(code, result)
        logits = result["logits"] if "logits" in result else result["outputs"].logits
        assert_agree(getattr(model, name)(result["inputs"]["input_ids"]), logits)


class Sum(nn.Module):
    """A token table that is another one plus a difference, as in gradient-disentangled sharing."""

    def __init__(self, base: nn.Embedding) -> None:
        super().__init__()
        self.base, self.difference = base, nn.Parameter(torch.randn(base.weight.shape, generator=rng()))

    @property
    def weight(self) -> Tensor:
        return self.base.weight.detach() + self.difference

    def forward(self, tokens: Tensor) -> Tensor:
        return self.weight[tokens]


def test_a_table_that_is_a_sum_is_written_as_the_sum(tmp_path: Path) -> None:
    model = a_model()
    model.generator.encoder.embeddings.token = Sum(model.discriminator.encoder.embeddings.token)
    theirs = load(to_transformers(model.generator, tmp_path)["generator"])
    assert_agree(run(model.generator, inputs(16, 8)), run(theirs, inputs(16, 8)))


class Copying(Generator):
    """A word predictor with a gate, as in All-Tokens MLM."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.gate = nn.Linear(8, 1)


def test_a_second_network_that_predicts_words(tmp_path: Path) -> None:
    model = a_model()
    main = Copying(model.config, Embeddings(model.config))
    model.main = our_model(main)
    written = to_transformers(model, tmp_path)
    assert {"generator", "main"} <= set(written)
    assert written["main"].note.startswith("ElectraForMaskedLM has no place for gate.weight, gate.bias")
    assert_agree(run(main, inputs(16, 8)), run(load(written["main"]), inputs(16, 8)))
    assert set(load_file(written["main"].folder / "head.safetensors")) == {"gate.weight", "gate.bias"}


def test_a_tokenizer_has_to_fit(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer has ids up to 15 and the model vocab_size=10"):
        to_transformers(a_model(vocab_size=10), tmp_path, tokenizer=small_tokenizer())
    with pytest.raises(CheckpointError, match=r"tokenizer: has no token 16, the config's mask_token_id"):
        to_transformers(a_model(vocab_size=17, mask_token_id=16), tmp_path, tokenizer=small_tokenizer())
    assert names(tmp_path) == set()


def test_only_networks_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(ElectraEduError, match=r"source: must be a TrainingRun, an Electra.*, not Linear"):
        to_transformers(nn.Linear(2, 2), tmp_path)  # type: ignore[arg-type]
    assert names(tmp_path) == set()


def test_writing_changes_nothing(tmp_path: Path) -> None:
    taken = small_run()
    before = [p.detach().clone() for p in taken.average.parameters()]
    state = torch.get_rng_state()
    to_transformers(taken, tmp_path)
    assert equal(before, taken.average.parameters())
    assert torch.equal(state, torch.get_rng_state())


def test_older_releases_ask_for_the_format(tmp_path: Path) -> None:
    for written in to_transformers(a_model(positions="rotary"), tmp_path).values():
        for path in written.folder.glob("*.safetensors"):
            with safe_open(path, framework="pt") as file:  # transformers 4 raises OSError without it
                assert file.metadata() == {"format": "pt"}


def test_a_written_config_is_plain_json(tmp_path: Path) -> None:
    written = to_transformers(a_model(dropout=0.1, initializer_range=None), tmp_path)
    config = json.loads((written["generator"].folder / "config.json").read_text())
    assert config["hidden_size"] == 8
    assert config["hidden_dropout_prob"] == config["attention_probs_dropout_prob"] == 0.1
    assert config["initializer_range"] == 0.02  # of a head that transformers adds
    assert isinstance(from_transformers(written["generator"].folder), Pretrained)

"""detect: the discriminator's probabilities, word by word, for a text of any length."""

import math
import re

import pytest
import torch
from small import CLS, SEP, WORDS, equal, one_pass, rng, small_config, small_run, small_tokenizer, weights
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from torch import Tensor, nn

import electra_edu as edu
from electra_edu.config import ElectraConfig
from electra_edu.corpora.wordpiece import train_wordpiece
from electra_edu.evaluation.detection import ScoredWord, detect_words
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.encoder import Embeddings, Encoder, initialise
from electra_edu.model.generator import Generator
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun

ROOM = 6  # words between [CLS] and [SEP] in the small model


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    """A run whose weights are drawn wide apart, so that every word gets a probability of its own."""
    return small_run(initializer_range=0.5)


def imported(tokenizer: object = None, **changes: object) -> Discriminator:
    """Make a discriminator as `interop.from_transformers` returns it."""
    config = small_config(positions="learned", initializer_range=0.5, **changes)
    network = Discriminator(config, Embeddings(config)).eval()
    initialise(network, config.initializer_range, rng())
    network.tokenizer = tokenizer  # type: ignore[assignment]
    return network


def probabilities(scored: list[tuple[str, float]]) -> list[float]:
    return [p for _, p in scored]


# One pass.


def test_every_word_gets_the_probability_of_the_averaged_weights() -> None:
    run = small_run()
    run.advance(3)
    found = edu.detect(run, "the cook stirs soup")
    assert [token for token, _ in found] == ["the", "cook", "stirs", "soup"]
    assert probabilities(found) == pytest.approx(one_pass(run.average.discriminator, [5, 6, 7, 8]), rel=1e-5)
    assert probabilities(found) != pytest.approx(one_pass(run.model.discriminator, [5, 6, 7, 8]), rel=1e-5)


@pytest.mark.parametrize("length", [1, 2, ROOM - 1, ROOM])
def test_a_text_that_fits_is_read_in_one_pass_to_the_last_bit(run: TrainingRun, length: int) -> None:
    words = WORDS[:length]
    tokens = torch.tensor([[CLS, *(5 + i for i in range(length)), SEP]])
    with torch.no_grad():
        expected = run.average.discriminator(tokens).sigmoid()[0, 1:-1].tolist()
    assert edu.detect(run, " ".join(words)) == list(zip(words, expected, strict=True))


def test_an_unknown_word_is_given_as_typed_and_not_scored() -> None:
    word, probability = edu.detect(small_run(), "the Zebra")[1]
    assert word == "Zebra"
    assert math.isnan(probability)


def test_a_misplaced_word_stands_out_after_training() -> None:
    run = small_run(rtd_weight=2.0)
    run.advance(150)
    right, wrong = (dict(edu.detect(run, f"the cook {word} soup")) for word in ("stirs", "boat"))
    assert wrong["boat"] > 0.5 > right["stirs"]


# Words.


def test_pieces_are_joined_to_the_words_of_the_text() -> None:
    text = "Unsittable cats don't SIT,  (ca\u0301ts sat) on 猫 mats!\n[MASK] cat"
    tokenizer = train_wordpiece(["the cat sat on the mat, unbelievable cáts don't sit (there)!"] * 3, 70)
    network = imported(tokenizer, vocab_size=tokenizer.get_vocab_size())
    words = detect_words(network, text)
    spans = [match.span() for match in re.finditer(r"[\w\u0301]+|[^\w\s]", text)]
    assert [(word.start, word.end) for word in words] == spans
    assert [word.word for word in words] == [text[start:end] for start, end in spans]
    by_piece = iter(edu.detect(network, text))
    pieces_of = [[next(by_piece) for _ in tokenizer.encode(w.word, add_special_tokens=False).ids] for w in words]
    assert max(map(len, pieces_of)) > 2
    assert next(by_piece, None) is None
    for word, pieces in zip(words, pieces_of, strict=True):
        assert word.probability == pytest.approx(max(p for _, p in pieces), nan_ok=True)
        assert math.isnan(word.probability) == (word.word in ("猫", "[", "MASK", "]"))


def test_a_word_by_hand(run: TrainingRun) -> None:
    known, unknown = detect_words(run, " soup Zebra")
    assert known == ScoredWord("soup", 1, 5, edu.detect(run, "soup Zebra")[0][1])
    assert (unknown.word, unknown.start, unknown.end) == ("Zebra", 6, 11)
    assert math.isnan(unknown.probability)


# Sources.


def other_specials() -> tuple[Tokenizer, dict[str, int]]:
    """A tokenizer without a template, whose special tokens have the last ids."""
    ids = {word: i for i, word in enumerate((*WORDS, "[MASK]", "[SEP]", "[CLS]", "[UNK]", "[PAD]"))}
    tokenizer = Tokenizer(WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    names = ("pad", "unk", "cls", "sep", "mask")
    return tokenizer, {f"{name}_token_id": ids[f"[{name.upper()}]"] for name in names}


def test_an_imported_model_is_read_with_its_own_tokenizer_and_special_tokens() -> None:
    tokenizer, special = other_specials()
    network = imported(tokenizer, **special)
    scored = edu.detect(network, "the Zebra stirs soup")
    expected = one_pass(network, [0, 14, 2, 3], cls=13, sep=12)
    assert [token for token, _ in scored] == ["the", "Zebra", "stirs", "soup"]
    assert [p for _, p in scored if not math.isnan(p)] == pytest.approx([expected[i] for i in (0, 2, 3)], rel=1e-5)
    assert math.isnan(scored[1][1])


def test_a_tokenizer_can_be_passed_and_comes_before_the_sources_own(run: TrainingRun) -> None:
    bare = imported()
    ours = edu.detect(bare, "the soup", tokenizer=small_tokenizer())
    assert probabilities(ours) == pytest.approx(one_pass(bare, [5, 8]), rel=1e-5)
    shuffled = Tokenizer.from_str(small_tokenizer().to_str().replace("soup", "stew").replace("song", "soup"))
    assert probabilities(edu.detect(run, "the soup", tokenizer=shuffled)) == pytest.approx(
        one_pass(run.average.discriminator, [5, 14]), rel=1e-5
    )


def test_an_electra_answers_by_its_discriminator(run: TrainingRun) -> None:
    tokenizer = run.corpus.tokenizer
    assert edu.detect(run.average, "the soup", tokenizer=tokenizer) == edu.detect(run, "the soup")
    assert edu.detect(run.average.discriminator, "the soup", tokenizer=tokenizer) == edu.detect(run, "the soup")


def test_a_tokenizer_that_cuts_and_pads_is_heard_in_full_and_left_alone() -> None:
    network, text = imported(small_tokenizer()), " ".join(WORDS * 3)
    expected = edu.detect(network, text)
    assert len(expected) == 33
    for switch in ("enable_truncation", "enable_padding"):
        tokenizer = small_tokenizer()
        getattr(tokenizer, switch)(**({"max_length": 5} if "trunc" in switch else {"length": 64}))
        before = tokenizer.to_str()
        assert edu.detect(network, text, tokenizer=tokenizer) == expected
        assert tokenizer.to_str() == before


def test_asking_changes_nothing() -> None:
    tokenizer = small_tokenizer()
    network = imported(tokenizer, dropout=0.5)
    before, draws, as_text = weights(network), torch.get_rng_state(), tokenizer.to_str()
    first, again = (edu.detect(network, " ".join(WORDS)) for _ in range(2))
    assert first == again
    assert equal(weights(network), before)
    assert torch.equal(torch.get_rng_state(), draws)
    assert tokenizer.to_str() == as_text
    assert not network.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())


# Refusals.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing to read"),
        ("  \n", "nothing to read"),
        (42, "must be a string, not int"),
        (None, "must be a string, not NoneType"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(run: TrainingRun, text: object, message: str) -> None:
    for ask in (edu.detect, detect_words):
        with pytest.raises(ElectraEduError, match=f"^text: .*{message}"):
            ask(run, text)  # type: ignore[arg-type]


class Features(nn.Module):
    """A bare encoder with a config and a tokenizer."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.config, self.tokenizer = config, small_tokenizer()
        self.encoder = Encoder(config, config.discriminator, Embeddings(config))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return hidden states (B, T, H)."""
        hidden: Tensor = self.encoder(tokens)
        return hidden


def generator() -> Generator:
    return Generator(small_config(), Embeddings(small_config()))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (lambda: small_run(objective="bert"), r"source: objective='bert' .* Train with objective='electra'"),
        (lambda: small_run(objective="all-tokens-mlm").model, "source: objective='all-tokens-mlm' trains no discrim"),
        (generator, "source: a generator predicts words .* Pass the discriminator half"),
        (lambda: Features(small_config()), r"source: Features returned \(1, 4, 16\) .* Pass a discriminator"),
        (lambda: "google/electra-small-discriminator", "source: must be a TrainingRun or a discriminator .*, not str"),
        (lambda: nn.Linear(2, 2), "source: must be a TrainingRun or a discriminator .*, not Linear"),
        (lambda: imported(), r"source: comes without a tokenizer\. .*detect\(source, text, tokenizer="),
        (lambda: imported(small_tokenizer(), dropout=0.1).train(), r"source: .* Call source\.eval\(\)"),
        (lambda: imported("vocab.txt"), "tokenizer: must be a tokenizers.Tokenizer, not str"),
        (lambda: imported(small_tokenizer(), vocab_size=8), "tokenizer: gives the token id 8, .*vocab_size=8"),
        (
            lambda: imported(small_tokenizer(), **other_specials()[1]),
            r"tokenizer: puts the token ids \[2, 3\] .* \[13, 12\].*correct cls_token_id",
        ),
        (lambda: imported(small_tokenizer(), max_seq_length=2), "max_seq_length=2: leaves no room for a word"),
    ],
)
def test_what_is_no_discriminator_is_refused_with_the_remedy(source: object, message: str) -> None:
    with pytest.raises(ElectraEduError, match=f"^{message}"):
        edu.detect(source(), "the soup")  # type: ignore[operator]


def test_training_mode_without_dropout_and_electra_15_are_welcome() -> None:
    assert len(edu.detect(imported(small_tokenizer()).train(), "the soup")) == 2
    assert len(edu.detect(small_run(objective="electra-15"), "the soup")) == 2

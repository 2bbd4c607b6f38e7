"""detect: the discriminator's probabilities, word by word."""

import math

import pytest
import torch
from small import CLS, SEP, small_run

import electra_edu as edu
from electra_edu.errors import ElectraEduError


def test_every_word_gets_the_probability_of_the_averaged_weights() -> None:
    run = small_run()
    run.advance(3)
    found = edu.detect(run, "the cook stirs soup")
    logits = run.average.discriminator(torch.tensor([[CLS, 5, 6, 7, 8, SEP]]))[0, 1:-1].tolist()
    assert [token for token, _ in found] == ["the", "cook", "stirs", "soup"]
    assert [p for _, p in found] == pytest.approx([1 / (1 + math.exp(-x)) for x in logits], rel=1e-5)


def test_an_unknown_word_is_given_as_typed_and_not_judged() -> None:
    word, probability = edu.detect(small_run(), "the Zebra")[1]
    assert word == "Zebra"
    assert math.isnan(probability)


def test_a_misplaced_word_stands_out_after_training() -> None:
    run = small_run(rtd_weight=2.0)
    run.advance(150)
    right, wrong = (dict(edu.detect(run, f"the cook {word} soup")) for word in ("stirs", "boat"))
    assert wrong["boat"] > 0.5 > right["stirs"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing to read"),
        ("  \n", "nothing to read"),
        ("the " * 7, r"7 tokens, and this model reads 6 at a time\. Shorten the text"),
        (42, "must be a string, not int"),
        (None, "must be a string, not NoneType"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(text: object, message: str) -> None:
    with pytest.raises(ElectraEduError, match=f"^text: .*{message}"):
        edu.detect(small_run(), text)


def test_a_text_may_fill_the_model() -> None:
    assert len(edu.detect(small_run(), "the " * 6)) == 6

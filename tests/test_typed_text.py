"""Text that a learner types is plain text, for the tokenizer, `detect` and the panels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import MASK, PAD, small_run, toy_corpus

import electra_edu as edu
from electra_edu.corpora.unknown_words import unknown_words

RUN = small_run()


@pytest.mark.fault(
    "Errors", seen="detect judged a typed [MASK] as if the model had read one; the mask explorer divided by zero"
)
@pytest.mark.parametrize("typed", ["[MASK]", "[PAD]", "[CLS] [SEP]", "the [MASK] cook", "[mask]", "[UNK]"])
def test_special_tokens_that_are_typed_are_plain_text(typed: str) -> None:
    corpus = toy_corpus()
    ids = edu.corpora.encode_typed(corpus.tokenizer, typed).ids
    assert not set(ids) & {PAD, 2, 3, MASK}
    run = edu.TrainingRun(edu.preset("toy", hidden_size=8, num_heads=1), corpus, device="cpu")
    assert [token for token, _ in edu.detect(run, typed)] == typed.replace("[", "[ ").replace("]", " ]").split()
    assert unknown_words(corpus.tokenizer, typed)
    assert edu.widgets.MaskExplorer(corpus, typed).blocks()
    assert edu.corpora.encode_typed(corpus.tokenizer, "the cook").ids == corpus.tokenizer.encode("the cook").ids[1:-1]


@pytest.mark.fault(
    "Errors", seen="half of a surrogate pair in a text ended in TypeError: TextInputSequence must be str"
)
@given(st.text(max_size=20), st.integers(0xD800, 0xDFFF), st.text(max_size=20))
def test_half_a_surrogate_pair_is_named_wherever_it_is_typed(before: str, half: int, after: str) -> None:
    text = f"{before}{chr(half)}{after}"
    with pytest.raises(edu.ElectraEduError, match=f"^text: character {len(before)} is half of a surrogate pair"):
        edu.detect(RUN, text)
    with pytest.raises(edu.ElectraEduError, match="half of a surrogate pair"):
        unknown_words(RUN.corpus.tokenizer, text)

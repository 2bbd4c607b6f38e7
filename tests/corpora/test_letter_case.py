"""How the words of a lower-case text were written: labels by hand, and one for every token."""

from hypothesis import given
from hypothesis import strategies as st

from electra_edu.corpora import IGNORE
from electra_edu.corpora.encoding import encode
from electra_edu.corpora.letter_case import letter_cases
from electra_edu.corpora.wordpiece import train_wordpiece

WRITTEN = "The RFC said so: Ask IANA or NumPy's Zoë, I think, about HTTP2 in 3D... Ωλ!"


def test_letter_cases_of_words_by_hand() -> None:
    tokenizer = train_wordpiece([WRITTEN.replace("Ωλ", "")] * 3, 70)  # too few pieces for whole words
    cases = letter_cases(tokenizer, [WRITTEN])
    tokens = [tokenizer.id_to_token(number) for number in encode(tokenizer, [WRITTEN]).tolist()]
    assert len(cases) == len(tokens)
    words: list[tuple[str, int]] = []
    for token, case in zip(tokens, cases.tolist(), strict=True):
        if token.startswith("##"):
            assert case == IGNORE, "only a word's first piece has a label"
            word, first = words.pop()
            words.append((word + token[2:], first))
        else:
            words.append((token, case))
    assert any(token.startswith("##") for token in tokens)
    lower, capitalised, upper = range(3)
    assert dict(words) == {
        "the": capitalised, "rfc": upper, "said": lower, "so": lower, ":": IGNORE, "ask": capitalised, "iana": upper,
        "or": lower, "numpy": IGNORE, "'": IGNORE, "s": lower, "zoë": capitalised, ",": IGNORE, "i": capitalised,
        "think": lower, "about": lower, "http2": upper, "in": lower, "3d": upper, ".": IGNORE,
        "[UNK]": capitalised, "!": IGNORE,
    }  # fmt: skip


@given(text=st.text(st.sampled_from("aBcD é'.-[]MASK\u0130ß漢 "), max_size=60))
def test_every_token_gets_one_case(text: str) -> None:
    tokenizer = train_wordpiece(["a b c d e m s k . ' -"] * 2, 100)
    cases = letter_cases(tokenizer, [text, "", text])
    assert len(cases) == len(encode(tokenizer, [text, "", text]))
    assert set(cases.tolist()) <= {IGNORE, 0, 1, 2}

"""The normalizer and the pre-tokenizer of the vocabularies trained here: each word gets one spelling, nothing is lost.

Text is lower-cased and its characters are composed (Unicode's NFC), so that the way in which a keyboard entered them
makes no difference. Accents, vowel signs, joiners and everything else that distinguishes two words are kept. On ASCII
text the result is exactly that of BERT's normalizer.
"""

import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

# Invisible spaces. Khmer and Thai text has the first one between words.
ZERO_WIDTH_SPACES = "\u200b\ufeff"
# In scripts without spaces between words: the longest run of characters, with their combining marks, that stays whole.
MAX_RUN_LENGTH = 32

# All control characters except the four that are white space.
_CONTROL = Regex(r"[\p{Cc}&&[^\t\n\r\x{85}]]")
_CASED = r"[\p{Cased}&&\P{Case_Ignorable}]"
_FINAL_SIGMA = Regex(rf"(?<={_CASED}\p{{Case_Ignorable}}*)Σ(?!\p{{Case_Ignorable}}*{_CASED})")
_UNSPACED = "".join(
    rf"\p{{{script}}}"
    for script in (
        "Thai", "Lao", "Khmer", "Myanmar", "Tai_Le", "New_Tai_Lue", "Tai_Tham", "Tai_Viet", "Ahom", "Javanese",
        "Balinese", "Hiragana", "Katakana",
    )
)  # fmt: skip
# An ideograph is a word, as in BERT. A run of the other scripts is split where it gets too long for a word.
_UNSPACED_WORD = Regex(
    rf"\p{{Han}}[\p{{M}}\p{{Cf}}]*|(?:[{_UNSPACED}ーｰ&&\P{{M}}][\p{{M}}\p{{Cf}}]*){{1,{MAX_RUN_LENGTH}}}"
)


def compose(text: str) -> str:
    """Return a text with composed characters (NFC) and ordinary spaces for zero-width ones; ASCII text is unchanged."""
    return unicodedata.normalize("NFC", text.translate(dict.fromkeys(map(ord, ZERO_WIDTH_SPACES), " ")))


def normalizer() -> normalizers.Normalizer:
    """Return the normalizer of the vocabularies trained here: lower case, composed characters, nothing else removed.

    A capital sigma at the end of a word becomes ς, as in Python's `str.lower`. Control characters are dropped.
    """
    return normalizers.Sequence(
        [
            normalizers.Replace(_CONTROL, ""),
            *(normalizers.Replace(space, " ") for space in ZERO_WIDTH_SPACES),
            normalizers.Replace(_FINAL_SIGMA, "ς"),
            normalizers.Lowercase(),
            normalizers.NFC(),
        ]
    )


def pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    """Return the pre-tokenizer, which splits text at white space, around punctuation, and in scripts without spaces.

    In those scripts an ideograph is a word of its own. Kana, Thai, Lao, Khmer, Burmese and the like are split only
    where a run is longer than MAX_RUN_LENGTH; within a run the vocabulary's pieces, chosen by frequency, serve as
    words.
    """
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(_UNSPACED_WORD, "isolated"), pre_tokenizers.BertPreTokenizer()]
    )

"""What a tokenizer of ours makes of a text before it cuts words into pieces: one spelling for each word, none lost.

A text is lower-cased and its characters are composed (Unicode's NFC), so that it does not matter how a keyboard typed
them. Accents, vowel signs, joiners and everything else that tells two words apart stay. ASCII text comes out exactly as
BERT's own normaliser leaves it.
"""

import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

ZERO_WIDTH_SPACES = "\u200b\ufeff"  # invisible blanks: Khmer and Thai put the first between words
LONGEST_RUN = 32  # characters with their marks: where a script puts no blanks between words

_CONTROL = Regex(r"[\p{Cc}&&[^\t\n\r\x{85}]]")  # all but the four that end a word
_CASED = r"[\p{Cased}&&\P{Case_Ignorable}]"
_FINAL_SIGMA = Regex(rf"(?<={_CASED}\p{{Case_Ignorable}}*)Σ(?!\p{{Case_Ignorable}}*{_CASED})")
_UNSPACED = "".join(
    rf"\p{{{script}}}"
    for script in (
        "Thai", "Lao", "Khmer", "Myanmar", "Tai_Le", "New_Tai_Lue", "Tai_Tham", "Tai_Viet", "Ahom", "Javanese",
        "Balinese", "Hiragana", "Katakana",
    )
)  # fmt: skip
# An ideograph is a word, as in BERT. A run of the other scripts is cut where it gets too long for a word.
_UNSPACED_WORD = Regex(
    rf"\p{{Han}}[\p{{M}}\p{{Cf}}]*|(?:[{_UNSPACED}ーｰ&&\P{{M}}][\p{{M}}\p{{Cf}}]*){{1,{LONGEST_RUN}}}"
)


def composed(text: str) -> str:
    """Return a text in composed characters, each zero-width space as a blank; ASCII text as it is."""
    return unicodedata.normalize("NFC", text.translate(dict.fromkeys(map(ord, ZERO_WIDTH_SPACES), " ")))


def normalizer() -> normalizers.Normalizer:
    """Return the normaliser of every vocabulary trained here: lower case, composed, nothing else taken away.

    Of capital sigmas the last of a word becomes ς, as in Python's `str.lower`. Control characters are dropped.
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
    """Return what cuts a text into words: at blanks, around punctuation, and in scripts that have no blanks.

    There an ideograph is a word of its own. Kana, Thai, Lao, Khmer, Burmese and the like are cut only where a run gets
    longer than LONGEST_RUN; within a run the vocabulary's pieces, chosen by frequency, take the part of words.
    """
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(_UNSPACED_WORD, "isolated"), pre_tokenizers.BertPreTokenizer()]
    )

"""How much of a text becomes [UNK] with a vocabulary, counted in characters, and how to avoid it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Encoding

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.corpora.encoding import character_spans
from electra_edu.corpora.normalization import compose
from electra_edu.corpora.wordpiece import MAX_WORD_LENGTH, min_vocab_size
from electra_edu.support.errors import CorpusError

MAX_UNKNOWN = 0.1  # share of the characters of the training text
SUGGESTED_SIZES = (*(2**power for power in range(8, 17)), 100_000)  # values of vocab_size
UNK = SPECIAL_TOKENS.index("[UNK]")


@dataclass
class UnknownCharacters:
    """Counts the characters of paragraphs, white space excluded, and those in words that become [UNK]."""

    n_characters: int = 0
    n_in_long_words: int = 0  # in words of more than MAX_WORD_LENGTH characters
    n_in_other_words: int = 0  # in words with a character that the vocabulary does not have
    example_long_word: str = ""

    def add(self, paragraph: str, encoding: Encoding) -> None:
        """Count the characters of one paragraph and of its unknown words."""
        self.n_characters += sum(map(len, paragraph.split()))
        if UNK not in encoding.ids:
            return
        for token_id, (start, end) in zip(encoding.ids, character_spans(paragraph, encoding), strict=True):
            if token_id == UNK and len(compose(paragraph[start:end].lower())) > MAX_WORD_LENGTH:
                self.n_in_long_words += end - start
                self.example_long_word = self.example_long_word or paragraph[start:end]
            elif token_id == UNK:
                self.n_in_other_words += end - start

    def check(self, paragraphs: Sequence[str], vocab_size: int) -> None:
        """Raise CorpusError if more than MAX_UNKNOWN of the text is unknown, naming each cause that matters."""
        share_long = self.n_in_long_words / max(1, self.n_characters)
        share_other = self.n_in_other_words / max(1, self.n_characters)
        if share_long + share_other <= MAX_UNKNOWN:
            return
        causes = []
        if share_long > MAX_UNKNOWN / 2:
            causes.append(
                f"words of more than {MAX_WORD_LENGTH} characters hold {share_long:.0%} of its characters and would be "
                f'[UNK] with any vocabulary, for example "{self.example_long_word[:20]}…". If they are not words '
                "(addresses, encoded files, sequences of letters), remove them; if blanks between words are missing, "
                "put them in (for a script written without blanks, with a word segmenter)."
            )
        if share_other > MAX_UNKNOWN / 2:
            causes.append(
                f"vocab_size={vocab_size}: {share_other:.0%} of its characters would be in words that are [UNK], "
                f"because the text has more different characters than such a vocabulary can spell. "
                f"{_suggestion(paragraphs)}"
            )
        raise CorpusError("Too much of the text would be unknown: " + " And ".join(causes))


def _suggestion(paragraphs: Sequence[str]) -> str:
    size = next((size for size in SUGGESTED_SIZES if size >= min_vocab_size(paragraphs)), None)
    if size is None:
        return "No allowed vocab_size is large enough: give another text."
    return f"Give a larger one, for example vocab_size={size}, or another text."

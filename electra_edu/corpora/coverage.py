"""How much of a text a vocabulary turns into [UNK], counted in characters, and what to do when that is too much."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Encoding

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.corpora.normalization import composed
from electra_edu.corpora.unknown_words import typed_spans
from electra_edu.corpora.wordpiece import LONGEST_WORD, size_to_spell
from electra_edu.support.errors import CorpusError

MAX_UNKNOWN = 0.1  # share of the characters of the training text
SIZES = (*(2**power for power in range(8, 17)), 100_000)  # of vocabularies to offer
UNK = SPECIAL_TOKENS.index("[UNK]")


@dataclass
class UnknownText:
    """Counts the characters, blanks apart, of the paragraphs it is given, and those in words that are [UNK]."""

    n_characters: int = 0
    n_in_long_words: int = 0  # of more than LONGEST_WORD characters
    n_in_other_words: int = 0  # with a character that the vocabulary does not have
    a_long_word: str = ""

    def add(self, paragraph: str, encoding: Encoding) -> None:
        """Count one paragraph and what became of it."""
        self.n_characters += sum(map(len, paragraph.split()))
        if UNK not in encoding.ids:
            return
        for token_id, (start, end) in zip(encoding.ids, typed_spans(paragraph, encoding), strict=True):
            if token_id == UNK and len(composed(paragraph[start:end].lower())) > LONGEST_WORD:
                self.n_in_long_words += end - start
                self.a_long_word = self.a_long_word or paragraph[start:end]
            elif token_id == UNK:
                self.n_in_other_words += end - start

    def check(self, paragraphs: Sequence[str], vocab_size: int) -> None:
        """Raise CorpusError if more than MAX_UNKNOWN of the text is lost, naming each cause that matters."""
        share_long = self.n_in_long_words / max(1, self.n_characters)
        share_other = self.n_in_other_words / max(1, self.n_characters)
        if share_long + share_other <= MAX_UNKNOWN:
            return
        causes = []
        if share_long > MAX_UNKNOWN / 2:
            causes.append(
                f"words of more than {LONGEST_WORD} characters hold {share_long:.0%} of its characters and would be "
                f'[UNK] with any vocabulary, "{self.a_long_word[:20]}…" for one. If they are no words (addresses, '
                "encoded files, sequences of letters), take them out; if blanks between words are missing, put them in "
                "(for a script written without blanks, with a word segmenter)."
            )
        if share_other > MAX_UNKNOWN / 2:
            causes.append(
                f"vocab_size={vocab_size}: {share_other:.0%} of its characters would be in words that are [UNK], "
                f"for the text has more different characters than such a vocabulary can spell. {_larger(paragraphs)}"
            )
        raise CorpusError("The text would be lost: " + " And ".join(causes))


def _larger(paragraphs: Sequence[str]) -> str:
    size = next((size for size in SIZES if size >= size_to_spell(paragraphs)), None)
    if size is None:
        return "No vocabulary that can be asked for is large enough: give another text."
    return f"Give a larger one, for example vocab_size={size}, or another text."

"""Train a WordPiece vocabulary on a text."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.corpora.normalization import compose, normalizer, pre_tokenizer

# A piece that occurs once teaches nothing, so a short text gets a small vocabulary.
MIN_FREQUENCY = 2
# The share of the text's characters that the vocabulary can spell; a word with any other character is [UNK].
COVERAGE = 0.9999
# The spaces in "don ' t", "built - in" and "( s )".
_NEEDLESS_SPACE = Regex(
    r"(?<=\w) (?=' (s|t|re|ve|ll|d|m)\b)|(?<=\w ') (?=(s|t|re|ve|ll|d|m)\b)|(?<=\w) (?=[_/-] \w)|(?<=\w [_/-]) (?=\w)"
    r"|(?<=\() | (?=\))"
)
MAX_WORD_LENGTH = 100  # characters; a longer word is [UNK], as in BERT
# The number of different words that a vocabulary is trained on: those of about 40 MB of English.
MAX_DISTINCT_WORDS = 500_000
# The first n multiples of this number, modulo 1, are spread evenly for every n.
GOLDEN_RATIO = (5**0.5 - 1) / 2


def train_wordpiece(paragraphs: Sequence[str], vocab_size: int) -> Tokenizer:
    """Train a lower-case WordPiece tokenizer of at most `vocab_size` tokens; the same text always gives the same one.

    Special tokens have the ids 0 to 4, in the order of SPECIAL_TOKENS; encoding adds [CLS] and [SEP]. The vocabulary is
    smaller than `vocab_size` if too few pieces of the text occur at least twice. If the text has more than
    MAX_DISTINCT_WORDS different words, paragraphs from all over it are read until that many have been seen.
    """
    paragraphs = training_sample(paragraphs)
    letters = _alphabet(paragraphs, vocab_size)
    # The trainer numbers the ##letters in the order of a randomly seeded hash table and breaks ties between merges by
    # these numbers, so that two trainings can differ. Therefore a first pass finds the letters, and the second pass is
    # given them in a fixed order.
    alphabet = _train(paragraphs, letters, 0, [])
    room = vocab_size - len(SPECIAL_TOKENS)
    # The trainer never shortens an alphabet, so this has to; a letter takes at most two entries.
    if len(alphabet) > room:
        letters = letters[: room // 2]
        alphabet = _train(paragraphs, letters, 0, [])
    inner_letters = sorted(piece for piece in alphabet if piece.startswith("##"))
    vocab = _train(paragraphs, letters, vocab_size, [*SPECIAL_TOKENS, *inner_letters])
    others = sorted((piece for piece in vocab if piece not in SPECIAL_TOKENS), key=lambda piece: vocab[piece])
    return _tokenizer({piece: index for index, piece in enumerate([*SPECIAL_TOKENS, *others])})


def training_sample(paragraphs: Sequence[str]) -> Sequence[str]:
    """Return the paragraphs, or a sample from all over the text if they have more than MAX_DISTINCT_WORDS words.

    Training takes 40 µs and 1.3 KB for each different word, whose number can grow with the length of the text.
    """
    words: set[str] = set()
    spread = sorted(range(len(paragraphs)), key=lambda index: index * GOLDEN_RATIO % 1)
    for n_read, index in enumerate(spread, start=1):
        words.update(paragraphs[index].lower().split())
        if len(words) > MAX_DISTINCT_WORDS:
            return [paragraphs[index] for index in sorted(spread[:n_read])]
    return paragraphs


def min_vocab_size(paragraphs: Iterable[str]) -> int:
    """Return a vocabulary size that has room for all letters of a text; each takes at most two entries."""
    return len(SPECIAL_TOKENS) + 2 * len(_alphabet(paragraphs, 0))


def _alphabet(paragraphs: Iterable[str], vocab_size: int) -> list[str]:
    """Return the normalized characters that make up nearly all of the text, the most frequent first.

    Rarer characters are included where they cost little: all invisible ones, because they occur inside words of common
    letters, and others outside ASCII as long as letters take less than an eighth of the vocabulary.
    """
    raw: Counter[str] = Counter()
    for paragraph in paragraphs:
        raw.update(compose(paragraph.lower()))
    counts: Counter[str] = Counter()
    reading = normalizer()
    for character, count in raw.items():
        for letter in reading.normalize_str(character).replace(" ", ""):
            counts[letter] += count
    ranked = sorted(counts, key=lambda letter: (-counts[letter], letter))
    allowance = (1 - COVERAGE) * counts.total()
    rarest_first = np.cumsum([counts[letter] for letter in reversed(ranked)])
    n_common = len(ranked) - int((rarest_first <= allowance).sum())
    cheap = [letter for letter in ranked[n_common:] if not letter.isascii()][: max(0, vocab_size // 8 - n_common)]
    invisible = [letter for letter in ranked[n_common:] if unicodedata.category(letter) == "Cf"]
    return [*dict.fromkeys([*ranked[:n_common], *invisible, *cheap])]


def _train(paragraphs: Sequence[str], letters: list[str], vocab_size: int, first: list[str]) -> dict[str, int]:
    """Return a vocabulary that begins with the pieces `first`, contains `letters`, and grows by merging pieces."""
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        min_frequency=MIN_FREQUENCY,
        special_tokens=first,
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        show_progress=False,
    )
    tokenizer = _tokenizer({})
    tokenizer.train_from_iterator(paragraphs, trainer, length=len(paragraphs))
    return tokenizer.get_vocab()


def bert_tokenizer(vocab: dict[str, int]) -> Tokenizer:
    """Return BERT's lower-case WordPiece tokenizer with this vocabulary (token -> id), which strips accents.

    Encoding adds [CLS] and [SEP].
    """
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=MAX_WORD_LENGTH))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.Sequence(
        [decoders.WordPiece(prefix="##", cleanup=True), decoders.Fuse(), decoders.Replace(_NEEDLESS_SPACE, "")]
    )
    if vocab:
        tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[(token, vocab[token]) for token in ("[CLS]", "[SEP]")],
        )
    return tokenizer


def _tokenizer(vocab: dict[str, int]) -> Tokenizer:
    """Return a tokenizer that keeps, unlike BERT's, everything that distinguishes two words."""
    tokenizer = bert_tokenizer(vocab)
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizer()
    return tokenizer

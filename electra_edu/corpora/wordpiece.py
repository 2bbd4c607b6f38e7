"""WordPiece vocabularies: train one on a text, and turn paragraphs into token ids with it."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from electra_edu.corpora.corpus import IGNORE, SPECIAL_TOKENS
from electra_edu.corpora.normalization import composed, normalizer, pre_tokenizer
from electra_edu.corpora.unknown_words import typed_spans

MIN_FREQUENCY = 2  # a piece seen once teaches nothing, so a short text gets a small vocabulary
COVERAGE = 0.9999  # share of the text's characters that the vocabulary can spell; a word with any other is [UNK]
_NEEDLESS_SPACE = Regex(  # don ' t, built - in, ( s )
    r"(?<=\w) (?=' (s|t|re|ve|ll|d|m)\b)|(?<=\w ') (?=(s|t|re|ve|ll|d|m)\b)|(?<=\w) (?=[_/-] \w)|(?<=\w [_/-]) (?=\w)"
    r"|(?<=\() | (?=\))"
)
BATCH = 2048  # paragraphs encoded at a time: bounds the memory for long texts
LONGEST_WORD = 100  # characters: BERT's limit, a longer word is [UNK]
MOST_WORDS = 500_000  # different ones that a vocabulary is trained on: those of about 40 MB of English
GOLDEN_RATIO = (5**0.5 - 1) / 2  # its multiples, modulo 1, are spread evenly however many one takes
LETTER_CASES = ("lower", "Capitalised", "UPPER")


def train_wordpiece(paragraphs: Sequence[str], vocab_size: int) -> Tokenizer:
    """Train a lower-case WordPiece tokenizer of at most `vocab_size` tokens, the same for the same text every time.

    Special tokens have the ids 0 to 4, in the order of SPECIAL_TOKENS; encoding adds [CLS] and [SEP]. The vocabulary
    is smaller than asked for when the text has too few pieces that occur at least twice. Of a text with more than
    MOST_WORDS different words, paragraphs from all over it are read until so many have been seen.
    """
    paragraphs = _enough(paragraphs)
    letters = _letters(paragraphs, vocab_size)
    # The trainer numbers the ##letters in the order of a randomly seeded hash table and breaks ties between merges by
    # these numbers, so that two trainings can differ. A first pass finds the letters, the second is given their order.
    alphabet = _train(paragraphs, letters, 0, [])
    room = vocab_size - len(SPECIAL_TOKENS)
    if len(alphabet) > room:  # an alphabet is never cut by the trainer; a letter needs two places at most
        letters = letters[: room // 2]
        alphabet = _train(paragraphs, letters, 0, [])
    inner_letters = sorted(piece for piece in alphabet if piece.startswith("##"))
    vocab = _train(paragraphs, letters, vocab_size, [*SPECIAL_TOKENS, *inner_letters])
    others = sorted((piece for piece in vocab if piece not in SPECIAL_TOKENS), key=lambda piece: vocab[piece])
    return _of_ours({piece: index for index, piece in enumerate([*SPECIAL_TOKENS, *others])})


def _enough(paragraphs: Sequence[str]) -> Sequence[str]:
    """Return the paragraphs, or some from all over the text where these have more than MOST_WORDS different words.

    Training takes 40 µs and 1.3 KB for each different word, and there may be as many as the text is long.
    """
    words: set[str] = set()
    spread = sorted(range(len(paragraphs)), key=lambda index: index * GOLDEN_RATIO % 1)
    for n_read, index in enumerate(spread, start=1):
        words.update(paragraphs[index].lower().split())
        if len(words) > MOST_WORDS:
            return [paragraphs[index] for index in sorted(spread[:n_read])]
    return paragraphs


def size_to_spell(paragraphs: Iterable[str]) -> int:
    """Return a size of the vocabulary that has room for the letters of a text, which take two places each at most."""
    return len(SPECIAL_TOKENS) + 2 * len(_letters(paragraphs, 0))


def encode(
    tokenizer: Tokenizer, paragraphs: Iterable[str], watch: Callable[[str, Encoding], None] = lambda *_: None
) -> npt.NDArray[np.int64]:
    """Return the token ids of all paragraphs one after the other (n_tokens,), without special tokens.

    A text that itself speaks of "[MASK]" gets the ids of "[", "mask" and "]". `watch` is called with each paragraph and
    its encoding.
    """

    def ids() -> Iterator[list[int]]:
        for paragraph, encoding in _encodings(tokenizer, paragraphs):
            watch(paragraph, encoding)
            yield encoding.ids

    return _joined(ids())


def letter_cases(tokenizer: Tokenizer, paragraphs: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return how the word of each token that `encode` gives is written: numbers in LETTER_CASES, int64 (n_tokens,).

    A word's first piece carries the label. The other pieces, and words without letters or written in another way
    ("mixedCase"), are -100.
    """
    cases = (_letter_cases(paragraph, encoding) for paragraph, encoding in _encodings(tokenizer, paragraphs))
    return _joined(cases)


def _letter_cases(paragraph: str, encoding: Encoding) -> Iterator[int]:
    tokens = zip(encoding.word_ids, typed_spans(paragraph, encoding), strict=True)
    for _, pieces in groupby(tokens, key=itemgetter(0)):
        spans = [span for _, span in pieces]
        yield _letter_case(paragraph[spans[0][0] : spans[-1][1]])
        yield from [IGNORE] * (len(spans) - 1)


def _letter_case(word: str) -> int:
    if word.islower():
        return LETTER_CASES.index("lower")
    if word[:1].isupper() and not any(map(str.isupper, word[1:])):  # "I" too: it begins like other words
        return LETTER_CASES.index("Capitalised")
    return LETTER_CASES.index("UPPER") if word.isupper() else IGNORE


def _joined(parts: Iterable[Iterable[int]]) -> npt.NDArray[np.int64]:
    arrays = [np.fromiter(part, dtype=np.int64) for part in parts]
    return np.concatenate([np.zeros(0, dtype=np.int64), *arrays])


def _encodings(tokenizer: Tokenizer, paragraphs: Iterable[str]) -> Iterator[tuple[str, Encoding]]:
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.encode_special_tokens = True  # set on a copy: learners may well type [MASK] and mean it
    rest = iter(paragraphs)
    while batch := list(islice(rest, BATCH)):
        yield from zip(batch, plain.encode_batch(batch, add_special_tokens=False), strict=True)


def _letters(paragraphs: Iterable[str], vocab_size: int) -> list[str]:
    """Return the characters, as the tokenizer will see them, that make up nearly all of the text; commonest first.

    Rarer ones are there too where they cost little: all invisible ones, for they stand in words of common letters, and
    other characters outside ASCII while less than an eighth of the vocabulary goes to letters.
    """
    raw: Counter[str] = Counter()
    for paragraph in paragraphs:
        raw.update(composed(paragraph.lower()))
    counts: Counter[str] = Counter()
    as_read = normalizer()
    for character, count in raw.items():
        for letter in as_read.normalize_str(character).replace(" ", ""):
            counts[letter] += count
    ranked = sorted(counts, key=lambda letter: (-counts[letter], letter))
    allowance = (1 - COVERAGE) * counts.total()
    rarest_first = np.cumsum([counts[letter] for letter in reversed(ranked)])
    n_common = len(ranked) - int((rarest_first <= allowance).sum())
    cheap = [letter for letter in ranked[n_common:] if not letter.isascii()][: max(0, vocab_size // 8 - n_common)]
    invisible = [letter for letter in ranked[n_common:] if unicodedata.category(letter) == "Cf"]
    return [*dict.fromkeys([*ranked[:n_common], *invisible, *cheap])]


def _train(paragraphs: Sequence[str], letters: list[str], vocab_size: int, first: list[str]) -> dict[str, int]:
    """Return a vocabulary that begins with the pieces `first`, contains `letters` and is filled up by merging."""
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        min_frequency=MIN_FREQUENCY,
        special_tokens=first,
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        show_progress=False,
    )
    tokenizer = _of_ours({})
    tokenizer.train_from_iterator(paragraphs, trainer, length=len(paragraphs))
    return tokenizer.get_vocab()


def wordpiece_tokenizer(vocab: dict[str, int]) -> Tokenizer:
    """Return BERT's lower-case WordPiece tokenizer of `vocab`, token -> id, which strips accents.

    Encoding adds [CLS] and [SEP].
    """
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=LONGEST_WORD))
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


def _of_ours(vocab: dict[str, int]) -> Tokenizer:
    """Return a tokenizer of `vocab` that loses nothing which tells two words apart."""
    tokenizer = wordpiece_tokenizer(vocab)
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizer()
    return tokenizer

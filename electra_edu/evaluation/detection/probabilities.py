"""detect and detect_words: a text in, the probability that each token or word was replaced out."""

import math
from dataclasses import dataclass
from itertools import groupby

from tokenizers import Tokenizer

from electra_edu.config import ElectraConfig
from electra_edu.corpora.unknown_words import typed_spans
from electra_edu.evaluation.detection.source import Source, discriminator_of, encode
from electra_edu.evaluation.detection.windows import read_in_windows
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun


@dataclass(frozen=True)
class JudgedWord:
    """A word as it stands in the text, `text[start:end]`, and how likely it was replaced."""

    word: str
    start: int  # in characters
    end: int
    probability: float  # the highest among its pieces; NaN when the model has never seen it


def detect(source: Source, text: str, *, tokenizer: Tokenizer | None = None) -> list[tuple[str, float]]:
    """Return [(token, probability that it was replaced), …] for the tokens of `text`, special ones left out.

    `source` is a run (the average of its weights answers) or a discriminator; `tokenizer` replaces the source's own.
    A text longer than the model reads at once is read in overlapping windows. A word that the model has never seen is
    given as typed, with NaN: it cannot be judged (`corpora.unknown_words.nearest_words` offers words it knows). A typed
    "[MASK]" is plain text. Raises ElectraEduError when `text` is no string or holds nothing to read, when `source` is
    no discriminator, and when the tokenizer is missing or another model's.
    """
    return [(piece.token, piece.probability) for piece in _judge(source, text, tokenizer)]


def detect_words(source: Source, text: str, *, tokenizer: Tokenizer | None = None) -> list[JudgedWord]:
    """Judge like `detect`, word by word: the pieces of a word are joined again. A punctuation mark is a word."""
    words = []
    for _, group in groupby(_judge(source, text, tokenizer), key=lambda piece: piece.word):
        pieces = list(group)
        start, end = pieces[0].start, pieces[-1].end
        words.append(JudgedWord(text[start:end], start, end, max(piece.probability for piece in pieces)))
    return words


@dataclass(frozen=True)
class _Piece:
    token: str  # as typed where the model does not know it
    word: int | None  # the number of the word that it is part of
    start: int
    end: int
    probability: float


def _judge(source: Source, text: str, tokenizer: Tokenizer | None) -> list[_Piece]:
    network, config = discriminator_of(source)
    tokenizer = _plain(_tokenizer_of(source) if tokenizer is None else tokenizer, config)
    encoding = encode(tokenizer, text)
    if not encoding.ids:
        raise ElectraEduError("text: there is nothing to read. Type a sentence.")
    if max(encoding.ids) >= config.vocab_size:
        raise ElectraEduError(
            f"tokenizer: gives the token id {max(encoding.ids)}, and the model has vocab_size={config.vocab_size}. "
            "Pass the tokenizer that the model was trained with."
        )
    probabilities = read_in_windows(network, config, encoding.ids).sigmoid().tolist()
    return [
        _Piece(text[start:end], word, start, end, math.nan)
        if token_id == config.unk_token_id
        else _Piece(token, word, start, end, probability)
        for token_id, token, word, (start, end), probability in zip(
            encoding.ids, encoding.tokens, encoding.word_ids, typed_spans(text, encoding), probabilities, strict=True
        )
    ]


def _tokenizer_of(source: Source) -> object:
    return source.corpus.tokenizer if isinstance(source, TrainingRun) else getattr(source, "tokenizer", None)


def _plain(tokenizer: object, config: ElectraConfig) -> Tokenizer:
    """Return the tokenizer if it suits the model; a copy where it truncates or pads, for that may be meant."""
    if tokenizer is None:
        raise ElectraEduError(
            "source: comes without a tokenizer. Pass the one that it was trained with: "
            "detect(source, text, tokenizer=Tokenizer.from_file('tokenizer.json'))."
        )
    if not isinstance(tokenizer, Tokenizer):
        raise ElectraEduError(
            f"tokenizer: must be a tokenizers.Tokenizer, not {type(tokenizer).__name__}. A fast tokenizer of "
            "transformers holds one: tokenizer.backend_tokenizer."
        )
    if tokenizer.truncation or tokenizer.padding:
        tokenizer = Tokenizer.from_str(tokenizer.to_str())
        tokenizer.no_truncation()
        tokenizer.no_padding()
    frame, expected = tokenizer.encode("").ids, [config.cls_token_id, config.sep_token_id]
    if frame not in ([], expected):
        raise ElectraEduError(
            f"tokenizer: puts the token ids {frame} around a text, and the model's [CLS] and [SEP] are {expected}. "
            "Pass the tokenizer that the model was trained with, or correct cls_token_id and the like in its config."
        )
    return tokenizer

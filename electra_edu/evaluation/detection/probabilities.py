"""detect and detect_words: the probability that each token or word of a text was replaced."""

import math
from dataclasses import dataclass
from itertools import groupby

from tokenizers import Tokenizer

from electra_edu.config import ElectraConfig
from electra_edu.corpora.encoding import character_spans
from electra_edu.evaluation.detection.source import Source, discriminator_of, encode
from electra_edu.evaluation.detection.windows import read_in_windows
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun


@dataclass(frozen=True)
class ScoredWord:
    """A word of a text, `text[start:end]`, and the probability that it was replaced."""

    word: str
    start: int  # in characters
    end: int
    probability: float  # the highest of its pieces; NaN for an unknown word


def detect(source: Source, text: str, *, tokenizer: Tokenizer | None = None) -> list[tuple[str, float]]:
    """Return [(token, probability that it was replaced), …] for the tokens of `text`, special ones left out.

    `source` is a run (the average of its weights answers) or a discriminator; `tokenizer` replaces the source's own.
    A text longer than the model reads at once is read in overlapping windows. A word that is not in the vocabulary is
    returned as typed, with NaN for its probability; `corpora.unknown_words.nearest_words` offers similar ones.
    A typed "[MASK]" is plain text. Raises ElectraEduError when `text` is not a string or has no words, when `source` is
    not a discriminator, and when the tokenizer is missing or another model's.
    """
    return [(piece.token, piece.probability) for piece in _score(source, text, tokenizer)]


def detect_words(source: Source, text: str, *, tokenizer: Tokenizer | None = None) -> list[ScoredWord]:
    """Return what `detect` returns word by word: pieces of a word are joined again. A punctuation mark is a word."""
    words = []
    for _, group in groupby(_score(source, text, tokenizer), key=lambda piece: piece.word):
        pieces = list(group)
        start, end = pieces[0].start, pieces[-1].end
        words.append(ScoredWord(text[start:end], start, end, max(piece.probability for piece in pieces)))
    return words


@dataclass(frozen=True)
class _ScoredPiece:
    token: str  # as typed where it is not in the vocabulary
    word: int | None  # the index of the word that it is part of
    start: int
    end: int
    probability: float


def _score(source: Source, text: str, tokenizer: Tokenizer | None) -> list[_ScoredPiece]:
    network, config = discriminator_of(source)
    tokenizer = _checked_tokenizer(_tokenizer_of(source) if tokenizer is None else tokenizer, config)
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
        _ScoredPiece(text[start:end], word, start, end, math.nan)
        if token_id == config.unk_token_id
        else _ScoredPiece(token, word, start, end, probability)
        for token_id, token, word, (start, end), probability in zip(
            encoding.ids,
            encoding.tokens,
            encoding.word_ids,
            character_spans(text, encoding),
            probabilities,
            strict=True,
        )
    ]


def _tokenizer_of(source: Source) -> object:
    return source.corpus.tokenizer if isinstance(source, TrainingRun) else getattr(source, "tokenizer", None)


def _checked_tokenizer(tokenizer: object, config: ElectraConfig) -> Tokenizer:
    """Return the tokenizer if it suits the model, as a copy without truncation and padding where it has them."""
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
    special, expected = tokenizer.encode("").ids, [config.cls_token_id, config.sep_token_id]
    if special not in ([], expected):
        raise ElectraEduError(
            f"tokenizer: puts the token ids {special} around a text, and the model's [CLS] and [SEP] are {expected}. "
            "Pass the tokenizer that the model was trained with, or correct cls_token_id and the like in its config."
        )
    return tokenizer

"""Build a Corpus from paragraphs: remove repeats, hold a part out, train the vocabulary, pack the sequences."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor

from electra_edu.corpora.corpus import IGNORE, SPECIAL_TOKENS, Corpus, Labels
from electra_edu.corpora.coverage import UnknownCharacters
from electra_edu.corpora.encoding import encode
from electra_edu.corpora.letter_case import LETTER_CASES, letter_cases
from electra_edu.corpora.wordpiece import train_wordpiece
from electra_edu.support.errors import CorpusError

HELDOUT_SHARE = 0.05  # of the characters
# About this many consecutive sequences are held out together, so that their context is unseen in training too.
BLOCK_ROWS = 4
CHARACTERS_PER_TOKEN = 4  # roughly, in English; used only for the size of held-out blocks
MIN_LABEL_ROWS = 5  # a label with fewer held-out sequences is too rare to probe for
# How text outside ASCII is normalized. It is part of a corpus's hash: changing it makes all such corpora new ones.
NORMALIZATION = "lower-cased, in composed characters"
PAD, UNK, CLS, SEP = (SPECIAL_TOKENS.index(token) for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]"))


class Document(NamedTuple):
    """Consecutive paragraphs, and the label of their source."""

    label: str
    paragraphs: Sequence[str]


def build_corpus(
    name: str, documents: Iterable[Document], *, vocab_size: int, max_seq_length: int, label_name: str | None = None
) -> Corpus:
    """Build a Corpus of sequences of T = `max_seq_length` tokens, and train its WordPiece vocabulary.

    A paragraph that occurs twice is used once, so that none is in both parts. About 5 % of the text is held out: whole
    paragraphs, in small blocks that are chosen by their hash. The vocabulary is trained on the rest. A sequence is
    [CLS], T - 2 tokens that continue across paragraphs and documents, and [SEP]; held-out sequences do not mix labels.

    `heldout_labels["capitals"]` says how each held-out word was written (see `letter_cases`), since the vocabulary is
    lower-case. With `label_name`, `heldout_labels[label_name]` has the documents' labels; rare ones are -100.

    Raises CorpusError for a text that is too short, or has too many different characters for the vocabulary.
    """
    documents = _without_repeats(documents)
    training, heldout = _split(documents, max_seq_length)
    paragraphs = [*_paragraphs(training)]
    tokenizer = train_wordpiece(paragraphs, vocab_size)
    unknown = UnknownCharacters()
    train_tokens = torch.from_numpy(encode(tokenizer, paragraphs, unknown.add))
    unknown.check(paragraphs, vocab_size)
    groups = _by_label(heldout)
    heldout_tokens = {label: torch.from_numpy(encode(tokenizer, _paragraphs(group))) for label, group in groups.items()}
    train = pack(train_tokens, max_seq_length)
    heldout_rows = {label: pack(tokens, max_seq_length) for label, tokens in heldout_tokens.items()}
    n_tokens = len(train_tokens) + sum(map(len, heldout_tokens.values()))
    _check_length(n_tokens, max_seq_length, len(train) and sum(map(len, heldout_rows.values())))
    labels = {"capitals": _capitals(tokenizer, groups, max_seq_length)}
    if label_name:
        labels[label_name] = _labels(heldout_rows)
    return Corpus(name, tokenizer, train, torch.cat([*heldout_rows.values()]), _fingerprint(documents), labels)


def pack(tokens: Tensor, max_seq_length: int, cls: int = CLS, sep: int = SEP, pad: int = PAD) -> Tensor:
    """Split tokens (n,) into sequences (rows, T) that begin with [CLS] and end with [SEP].

    The last sequence is padded with [PAD] if it is at least half full, and dropped otherwise. Labels of tokens are
    packed in the same way, with -100 for `cls`, `sep` and `pad`.
    """
    width = max_seq_length - 2
    n_full = len(tokens) // width
    rest = tokens[n_full * width :]
    rows = torch.full((n_full + (2 * len(rest) >= width), max_seq_length), pad)
    rows[:, 0] = cls
    rows[:n_full, 1:-1] = tokens[: n_full * width].view(n_full, width)
    rows[:n_full, -1] = sep
    if len(rows) > n_full:
        rows[-1, 1 : len(rest) + 1] = rest
        rows[-1, len(rest) + 1] = sep
    return rows


def _without_repeats(documents: Iterable[Document]) -> list[Document]:
    seen: set[str] = set()

    def is_new(paragraph: str) -> bool:
        key = paragraph.lower()
        return not (key in seen or seen.add(key))  # type: ignore[func-returns-value]

    return [Document(label, [*filter(is_new, paragraphs)]) for label, paragraphs in documents]


def _split(documents: Sequence[Document], max_seq_length: int) -> tuple[list[Document], list[Document]]:
    """Return the training part and the held-out part, each in the order of the text."""
    row = CHARACTERS_PER_TOKEN * max_seq_length
    total = sum(map(len, _paragraphs(documents)))
    block_size = min(BLOCK_ROWS * row, total // 40)
    blocks = [block for document in documents for block in split_into_blocks(document, block_size)]
    wanted = max(HELDOUT_SHARE * total, min(row, total / 4))
    chosen: set[int] = set()
    size = 0
    # [:-1]: one block is never held out, so that something is left to train on.
    for index in sorted(range(len(blocks)), key=lambda index: _sha256([blocks[index]]))[:-1]:
        if size >= wanted:
            break
        chosen.add(index)
        size += sum(map(len, blocks[index].paragraphs))
    training = [block for index, block in enumerate(blocks) if index not in chosen]
    return training, [blocks[index] for index in sorted(chosen)]


def split_into_blocks(document: Document, size: int) -> Iterator[Document]:
    """Split a document into blocks of whole paragraphs with at least `size` characters (the last may have fewer)."""
    block: list[str] = []
    n_characters = 0
    for paragraph in document.paragraphs:
        block.append(paragraph)
        n_characters += len(paragraph)
        if n_characters >= size:
            yield Document(document.label, block)
            block, n_characters = [], 0
    if block:
        yield Document(document.label, block)


def _by_label(documents: Iterable[Document]) -> dict[str, list[Document]]:
    groups: dict[str, list[Document]] = {}
    for document in documents:
        groups.setdefault(document.label, []).append(document)
    return dict(sorted(groups.items()))


def _labels(rows: Mapping[str, Tensor]) -> Labels:
    """Label the held-out sequences, in the order of `rows`; a label with few sequences becomes -100."""
    names = tuple(sorted(label for label, part in rows.items() if len(part) >= MIN_LABEL_ROWS))
    index = {name: i for i, name in enumerate(names)}
    values = [torch.full((len(part),), index.get(label, IGNORE)) for label, part in rows.items()]
    return Labels(torch.cat(values), names)


def _capitals(tokenizer: Tokenizer, groups: Mapping[str, Iterable[Document]], max_seq_length: int) -> Labels:
    """Label the tokens of the held-out sequences, in the order of `groups`, with the case of their words."""
    cases = [torch.from_numpy(letter_cases(tokenizer, _paragraphs(group))) for group in groups.values()]
    rows = [pack(labels, max_seq_length, cls=IGNORE, sep=IGNORE, pad=IGNORE) for labels in cases]
    return Labels(torch.cat(rows), LETTER_CASES, "token")


def _check_length(n_tokens: int, max_seq_length: int, has_both_parts: int) -> None:
    width = max_seq_length - 2
    if n_tokens >= 2 * width and has_both_parts:
        return
    has = f"The text has {n_tokens} tokens (a paragraph that occurs twice counts once)"
    remedy = f"Give a longer text, or a smaller max_seq_length than {max_seq_length}."
    if n_tokens < width:
        raise CorpusError(f"{has}, and one sequence needs {width} besides [CLS] and [SEP]. {remedy}")
    raise CorpusError(f"{has}: one sequence of {width}, but none is left to hold out; two need {2 * width}. {remedy}")


def _paragraphs(documents: Iterable[Document]) -> Iterator[str]:
    return (paragraph for document in documents for paragraph in document.paragraphs)


def _fingerprint(documents: Sequence[Document]) -> str:
    """Return the SHA-256 that identifies a corpus, of its text and of how that is normalized.

    Version 0.1.0 stripped accents, so that text outside ASCII had other token ids. A run of that version must not
    continue on such a text, so its hash differs.
    """
    if all(paragraph.isascii() for paragraph in _paragraphs(documents)):
        return _sha256(documents)
    return _sha256([*documents, Document("", [NORMALIZATION])])


def _sha256(documents: Iterable[Document]) -> str:
    """Return the SHA-256 of the paragraphs in order, with an empty line after each."""
    digest = hashlib.sha256()
    for paragraph in _paragraphs(documents):
        digest.update(f"{paragraph}\n\n".encode())
    return digest.hexdigest()

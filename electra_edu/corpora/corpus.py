"""Corpus: token ids for training, a held-out part, and labels of that part if the text has any."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

import torch
from tokenizers import Tokenizer
from torch import Tensor

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")  # their ids are 0 to 4 in every corpus
IGNORE = -100  # the label of a position or sequence without one, as in PyTorch's losses


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of the held-out text, for probes and fine-tuning.

    `values` is int64: (M,) if `level` is "sequence", (M, T) if it is "token"; -100 where there is no label.
    `names[i]` is the name of label i.
    """

    values: Tensor
    names: tuple[str, ...]
    level: Literal["sequence", "token"] = "sequence"


@dataclass(frozen=True)
class CorpusSource:
    """Where a corpus came from: the arguments with which `load_corpus` gives the same one, as plain values for JSON."""

    kind: Literal["name", "file", "text"]
    name: str  # "toy", "docs", "hf:owner/name"; the absolute path of a file; "" for a text that was passed in
    vocab_size: int | None = None  # as requested, which may be more than the text has; None if it is fixed
    max_seq_length: int | None = None
    n_characters: int = 0  # of a text that was passed in

    def arguments(self) -> dict[str, Any]:
        """Return keyword arguments of `load_corpus`; a text that was passed in is not among them."""
        where = {} if self.kind == "text" else {"name_or_path": self.name}
        sizes = {"vocab_size": self.vocab_size, "max_seq_length": self.max_seq_length}
        return where | {name: size for name, size in sizes.items() if size is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build a source from plain values; the inverse of `to_dict`."""
        return cls(**values)


@dataclass(frozen=True, eq=False)
class Corpus:
    """A text as token ids: N training and M held-out sequences of T tokens, int64, padded with [PAD].

    `sha256` is the hash of the text (for the toy corpus, of its token ids), by which two people can tell whether they
    have the same corpus. `source` says how to load it again; it is None if the corpus did not come from `load_corpus`.
    """

    name: str
    tokenizer: Tokenizer
    train: Tensor  # (N, T)
    heldout: Tensor  # (M, T)
    sha256: str
    heldout_labels: Mapping[str, Labels] = field(default_factory=dict)
    source: CorpusSource | None = None

    @property
    def vocab_size(self) -> int:
        """Number of different tokens, including the five special ones."""
        return self.tokenizer.get_vocab_size()

    @property
    def max_seq_length(self) -> int:
        """T: the number of tokens in a sequence, including special tokens and padding."""
        return self.train.shape[1]

    @cached_property
    def unigram(self) -> Tensor:
        """Relative frequency of each token in the training part: float64 (V,), zero for special tokens."""
        counts = torch.bincount(self.train.flatten(), minlength=self.vocab_size).double()
        counts[: len(SPECIAL_TOKENS)] = 0
        return counts / counts.sum()

    @cached_property
    def unigram_entropy(self) -> float:
        """Entropy of `unigram` in nats: the MLM loss of a model that knows word frequencies but no context."""
        return float(torch.special.entr(self.unigram).sum())

    def text(self, tokens: Tensor) -> str:
        """Decode one sequence (T,) into a readable line, without special tokens."""
        return self.tokenizer.decode(tokens.tolist())

"""Corpus: token ids ready to train on, a held-out part, and labels where the text has any."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

import torch
from tokenizers import Tokenizer
from torch import Tensor

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")  # their ids are 0 to 4 in every corpus of ours
IGNORE = -100  # label of a position or sequence that has none; PyTorch's convention


@dataclass(frozen=True, eq=False)
class Labels:
    """What is known about the held-out text, for probes and fine-tuning.

    `values` is int64: (M,) when `level` is "sequence", (M, T) when it is "token"; -100 where there is no label.
    `names[i]` is the name of label i.
    """

    values: Tensor
    names: tuple[str, ...]
    level: Literal["sequence", "token"] = "sequence"


@dataclass(frozen=True)
class CorpusSource:
    """Where a corpus came from: what to ask of `load_corpus` for the same one. Plain values, for JSON."""

    kind: Literal["name", "file", "text"]
    name: str  # "toy", "docs", "hf:owner/name"; the absolute path of a file; "" for a text that was passed in
    vocab_size: int | None = None  # as asked for, which may be more than the text gave; None where it is fixed
    max_seq_length: int | None = None
    n_characters: int = 0  # of a text that was passed in

    def arguments(self) -> dict[str, Any]:
        """Return keyword arguments of `load_corpus`; the text itself, where it was passed in, is not among them."""
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
    """A text as token ids: N training and M held-out sequences of T tokens, int64, [PAD] at the end where short.

    `sha256` is of the text (or of what generates it), so that two people can tell whether theirs is the same. `source`
    says how to load it again; None for a corpus that did not come from `load_corpus`.
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
        """Number of different tokens, the five special ones included."""
        return self.tokenizer.get_vocab_size()

    @property
    def max_seq_length(self) -> int:
        """T: tokens in a sequence, specials and padding included."""
        return self.train.shape[1]

    @cached_property
    def unigram(self) -> Tensor:
        """How often each token occurs in the training part: float64 probabilities (V,), zero for special tokens."""
        counts = torch.bincount(self.train.flatten(), minlength=self.vocab_size).double()
        counts[: len(SPECIAL_TOKENS)] = 0
        return counts / counts.sum()

    @cached_property
    def unigram_entropy(self) -> float:
        """Entropy of `unigram` in nats: the MLM loss of a model that knows word frequencies and no context."""
        return float(torch.special.entr(self.unigram).sum())

    def text(self, tokens: Tensor) -> str:
        """Return a readable line for one sequence (T,), special tokens left out."""
        return self.tokenizer.decode(tokens.tolist())

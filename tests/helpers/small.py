"""What many tests share: a corpus of a dozen words, networks that train in milliseconds, and ways to compare runs."""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn

import electra_edu as edu
from electra_edu.config import ElectraConfig
from electra_edu.corpora.corpus import SPECIAL_TOKENS, Corpus, Labels
from electra_edu.training import Evaluation, StepRecord, TrainingRun

# Networks this small gain nothing from a second core, and stall when another process occupies it.
torch.set_num_threads(1)

PAD, UNK, CLS, SEP, MASK = range(5)
WORDS = ("the", "cook", "stirs", "soup", "sailor", "steers", "boat", "singer", "sings", "song", "a")
VOCAB_SIZE = len(SPECIAL_TOKENS) + len(WORDS)
LENGTH = 8
# One for each topic.
STORIES = (("cook", "stirs", "soup"), ("sailor", "steers", "boat"), ("singer", "sings", "song"))

# Settings that differ in what a run draws, shares and saves.
KINDS: list[dict[str, Any]] = [
    {},
    {"dropout": 0.2},
    {"optimizer": "paper-adam", "training_steps": 100},
    {"optimizer": "adamw"},
    {"weight_sharing": "none", "positions": "learned", "mask_token_prob": 0.85},
    {"weight_sharing": "all", "generator_size_fraction": 1.0, "objective": "electra-15"},
    {"weight_sharing": "gdes", "objective": "all-tokens-mlm"},
    {"objective": "bert", "greedy": True},
    {"objective": "replace-mlm", "generator_kind": "unigram", "disallow_correct": True},
    {"scheme": "two-stage", "generator_steps": 3, "weight_sharing": "none"},
    {"scheme": "adversarial", "generator_steps": 2},
]


def small_config(**changes: Any) -> ElectraConfig:
    """Return a config that fits `small_corpus`, with some fields changed."""
    sizes: dict[str, Any] = {
        "vocab_size": VOCAB_SIZE,
        "max_seq_length": LENGTH,
        "max_position_embeddings": 12,
        "embedding_size": 8,
        "hidden_size": 16,
        "num_layers": 2,
        "num_heads": 2,
        "generator_size_fraction": 0.5,
        "mask_prob": 0.3,
        "rtd_weight": 10.0,
        "positions": "rotary",
        "learning_rate": 3e-3,
        "warmup_steps": 2,
        "batch_size": 8,
    }
    return ElectraConfig(**(sizes | changes))


def small_tokenizer() -> Tokenizer:
    """Return a tokenizer with the vocabulary WORDS that puts [CLS] and [SEP] around a text."""
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(SPECIAL_TOKENS + WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    return tokenizer


def small_corpus(train: int = 20, heldout: int = 90, sha256: str = "5" * 64) -> Corpus:
    """Make "the cook stirs a soup" and the like, in three topics; every other sequence is one word shorter."""
    tokenizer = small_tokenizer()

    def sequence(i: int) -> list[int]:
        who, does, what = STORIES[i % 3]
        sentence = f"the {who} {does} {'a ' if i % 2 else ''}{what}"
        ids = tokenizer.encode(sentence).ids
        return ids + [PAD] * (LENGTH - len(ids))

    rows = torch.tensor([sequence(i) for i in range(train + heldout)])
    topics = torch.arange(train, train + heldout) % 3
    return Corpus(
        name="small",
        tokenizer=tokenizer,
        train=rows[:train],
        heldout=rows[train:],
        sha256=sha256,
        heldout_labels={"topic": Labels(topics, ("kitchen", "sea", "stage"))},
    )


class EagerRun(TrainingRun):
    """A run that takes its steps operation by operation on every device."""

    def recorder(self) -> None:
        """Record nothing."""


def small_run(seed: int = 0, **changes: Any) -> TrainingRun:
    """Return a fresh run on `small_corpus`."""
    return TrainingRun(small_config(**changes), small_corpus(), seed=seed, device="cpu")


@cache
def toy_corpus() -> Corpus:
    """Load the course's own corpus, once for all tests; nothing changes it."""
    return edu.load_corpus("toy")


def rng(seed: int = 0) -> torch.Generator:
    """Return a generator with a seed."""
    return torch.Generator().manual_seed(seed)


def token_rows(rows: Iterable[Iterable[int]]) -> Tensor:
    """Return rows of different lengths as one batch, [PAD] at the end."""
    lists = [list(row) for row in rows]
    longest = max(map(len, lists))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in lists])


def count(module: nn.Module) -> int:
    """Count the trainable parameters of `module`; shared ones once."""
    return sum(parameter.numel() for parameter in module.parameters())


def weights(module: nn.Module) -> list[Tensor]:
    """Return copies of all of a network's weights."""
    return [parameter.detach().clone() for parameter in module.parameters()]


def one_pass(network: nn.Module, words: Sequence[int], cls: int = CLS, sep: int = SEP) -> list[float]:
    """Return a discriminator's probability that each token of one sentence was replaced."""
    with torch.no_grad():
        logits: Tensor = network(torch.tensor([[cls, *words, sep]]))
    return [1 / (1 + math.exp(-x)) for x in logits[0, 1:-1].tolist()]


def equal(left: Iterable[Tensor], right: Iterable[Tensor]) -> bool:
    """Return whether two lists of tensors are bitwise equal."""
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


def metrics_of(records: list[StepRecord]) -> list[dict[str, object]]:
    """Return all metrics of the records except the seconds; NaN becomes None, so that equal records compare equal."""
    return [{name: value for name, value in r.to_dict().items() if name != "seconds"} for r in records]


def state(run: TrainingRun) -> list[Tensor]:
    """Return copies of everything that the next step depends on."""
    kept = [made.state[p] for made in run.optimizers for p in run.model.parameters() if p in made.state]
    moments = [one[name].clone() for one in kept for name in sorted(one)]
    return [*weights(run.model), *weights(run.average), *moments, run.rng.get_state()]


def step_record(step: int = 1, **changes: Any) -> StepRecord:
    """Return a record in which nothing is remarkable, with some fields changed."""
    fields: dict[str, Any] = dict.fromkeys(StepRecord.__dataclass_fields__, 0.5)
    return StepRecord(**(fields | {"step": step, "tokens": 48 * step, "flops": 1000 * step} | changes))


def an_evaluation(step: int = 1, **changes: Any) -> Evaluation:
    """Return an evaluation in which nothing is remarkable, with some fields changed."""
    return Evaluation(**(dict.fromkeys(Evaluation.__dataclass_fields__, 0.5) | {"step": step} | changes))

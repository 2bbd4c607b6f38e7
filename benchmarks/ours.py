"""This package's own steps: one that does only what the peers do, and the Training Lab's with all its metrics."""

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import Tensor, nn

from benchmarks.shapes import Shape
from benchmarks.steps import AdamStep, autocast, distinct
from electra_edu.corpora.corpus import SPECIAL_TOKENS, Corpus
from electra_edu.model.electra import Electra
from electra_edu.training import TrainingRun
from electra_edu.training.step.recording import WARM_UP


def plain(shape: Shape, device: torch.device, dtype: torch.dtype) -> AdamStep:
    """Return one step of an Electra: forward, backward, AdamW."""
    config = shape.config()
    model = Electra(config).to(device)
    rng = torch.Generator(device).manual_seed(0)

    def loss(tokens: Tensor) -> Tensor:
        total: Tensor = model(tokens, rng=rng).loss
        return total

    return AdamStep([model], loss, config, device, dtype)


class RecordedStep:
    """`TrainingRun.advance(1)`: with gradient norms, metrics, clipping and the average of the weights."""

    def __init__(self, shape: Shape, device: torch.device, dtype: torch.dtype, batches: int = 8) -> None:
        """Start a run on a corpus of `batches` batches of random tokens; CUDA replays its steps from here on."""
        self.run = TrainingRun(shape.config(), random_corpus(shape, batches), device=device.type)
        self.parameters: Sequence[nn.Parameter] = distinct([self.run.model])
        model = self.run.model
        forward = model.forward

        def cast(*args: object, **settings: object) -> object:
            with autocast(device, dtype):  # the losses are part of the forward pass
                return forward(*args, **settings)  # type: ignore[arg-type]

        if dtype != torch.float32:
            model.forward = cast  # type: ignore[method-assign, assignment]
        if device.type == "cuda":
            self.run.advance(WARM_UP + 1)

    def __call__(self, tokens: Tensor) -> Tensor:  # noqa: ARG002 (the run takes its own batches)
        """Take a step on the run's next batch, of the same shape as `tokens` (B, T), and return its loss."""
        (record,) = self.run.advance(1)
        return torch.tensor(record.loss)


def random_corpus(shape: Shape, batches: int) -> Corpus:
    """Return a corpus of random tokens: `batches` batches to train on, one sequence held out."""
    words = [*SPECIAL_TOKENS, *(f"w{i}" for i in range(len(SPECIAL_TOKENS), shape.vocab_size))]
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    train = shape.tokens(batches, torch.Generator().manual_seed(0)).flatten(0, 1)  # (batches · B, T)
    return Corpus("random tokens", tokenizer, train, train[:1], sha256="")

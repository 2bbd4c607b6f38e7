"""Fill-mask: what a generator, and the language itself where it is known, would put into masked positions of a text."""

from collections.abc import Sequence

import torch
from torch import Tensor

from electra_edu.corpora.corpus import Corpus
from electra_edu.corpora.toy import exact_distribution
from electra_edu.training import TrainingRun


@torch.no_grad()
def masked_logits(run: TrainingRun, tokens: Tensor, positions: Sequence[int]) -> Tensor:
    """Mask these positions of one text, int64 (T,), and return the averaged generator's logits there, on the CPU.

    They have the shape (n_positions, V).
    """
    masked = tokens.clone()
    masked[list(positions)] = run.config.mask_token_id
    is_real = (tokens != run.config.pad_token_id)[None].to(run.device)
    rows = torch.tensor([list(positions)], device=run.device)
    logits: Tensor = run.average.generator(masked[None].to(run.device), is_real, positions=rows)[0].cpu()
    return logits


def exact_probabilities(corpus: Corpus, tokens: Tensor, positions: Sequence[int]) -> Tensor | None:
    """Return the language's own probabilities at the same masked positions, (n_positions, V), `positions` in order.

    None where the language is not known.
    """
    if corpus.name != "toy":
        return None
    is_masked = torch.zeros(len(tokens), dtype=torch.bool)
    is_masked[list(positions)] = True
    return exact_distribution(tokens, is_masked).float()


def possible_words(corpus: Corpus, tokens: Tensor, is_masked: Tensor) -> Tensor | None:
    """Return which words the language allows at each masked position of the texts (B, T): bool (N, V), row by row.

    A word is possible if its probability, given all words that are not masked, is above 0. None where the language is
    not known.
    """
    if corpus.name != "toy":
        return None
    return torch.cat([exact_distribution(*story) > 0 for story in zip(tokens, is_masked, strict=True)])

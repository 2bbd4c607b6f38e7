"""What a generator, and the language itself where it is known, would put into chosen places of a text."""

from collections.abc import Sequence

import torch
from torch import Tensor

from electra_edu.corpora.corpus import Corpus
from electra_edu.corpora.toy import exact_distribution
from electra_edu.training import TrainingRun


@torch.no_grad()
def gap_logits(run: TrainingRun, tokens: Tensor, places: Sequence[int]) -> Tensor:
    """Hide the `places` of one text, int64 (T,), and ask the run's averaged generator: (n_places, V), on the CPU."""
    masked = tokens.clone()
    masked[list(places)] = run.config.mask_token_id
    is_real = (tokens != run.config.pad_token_id)[None].to(run.device)
    positions = torch.tensor([list(places)], device=run.device)
    logits: Tensor = run.average.generator(masked[None].to(run.device), is_real, positions=positions)[0].cpu()
    return logits


def exact_shares(corpus: Corpus, tokens: Tensor, places: Sequence[int]) -> Tensor | None:
    """Return the language's own probabilities in the same gaps, (n_places, V), `places` in order; None if unknown."""
    if corpus.name != "toy":
        return None
    is_masked = torch.zeros(len(tokens), dtype=torch.bool)
    is_masked[list(places)] = True
    return exact_distribution(tokens, is_masked).float()


def words_that_fit(corpus: Corpus, tokens: Tensor, is_masked: Tensor) -> Tensor | None:
    """Return which words the language allows at each hidden place of the texts (B, T): bool (N, V), row by row.

    A word fits if its probability, given all that is left to read, is not 0. None where the language is not known.
    """
    if corpus.name != "toy":
        return None
    return torch.cat([exact_distribution(*story) > 0 for story in zip(tokens, is_masked, strict=True)])

"""Which words of a text were replaced, in the discriminator's opinion."""

import math

import torch

from electra_edu.errors import ElectraEduError
from electra_edu.training import TrainingRun


@torch.no_grad()
def detect(source: TrainingRun, text: str) -> list[tuple[str, float]]:
    """Return [(token, probability that it was replaced), …] for the tokens of `text`, special ones left out.

    Reads the average of the run's weights. A word that the model has never seen is given as typed, with NaN: it cannot
    be judged (`corpora.words.nearest_words` offers words it knows). Raises ElectraEduError when `text` is no string,
    is empty or is longer than the model was trained for.
    """
    if not isinstance(text, str):
        raise ElectraEduError(f"text: must be a string, not {type(text).__name__}.")
    encoding = source.corpus.tokenizer.encode(text)
    longest = source.config.max_seq_length
    if not any(special == 0 for special in encoding.special_tokens_mask):
        raise ElectraEduError("text: there is nothing to read. Type a sentence.")
    if len(encoding.ids) > longest:
        raise ElectraEduError(
            f"text: {len(encoding.ids) - 2} tokens, and this model reads {longest - 2} at a time. Shorten the text."
        )
    tokens = torch.tensor([encoding.ids], device=source.device)  # (1, T)
    probabilities = source.average.discriminator(tokens).sigmoid()[0].tolist()
    judged = []
    for token_id, token, probability, special, (start, end) in zip(
        encoding.ids, encoding.tokens, probabilities, encoding.special_tokens_mask, encoding.offsets, strict=True
    ):
        if token_id == source.config.unk_token_id and end > start:
            judged.append((text[start:end], math.nan))
        elif not special:
            judged.append((token, probability))
    return judged

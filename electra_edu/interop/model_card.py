"""The model card (README.md) of an exported folder: what is in it, and code that loads it and runs as it is."""

from collections.abc import Iterable

from electra_edu.interop.architectures import Architecture, Half
from electra_edu.interop.file_names import HEAD

_DESCRIPTIONS: dict[Half, str] = {
    "discriminator": "A discriminator: one logit per token, above 0 where the token was probably replaced",
    "generator": "A masked language model: logits over the vocabulary for each token",
    "encoder": "An encoder: a hidden state for each token",
}
_TEXT = """# {what}

```python
import torch
from transformers import {classes}

folder = "."  # where this file is
model = {name}.from_pretrained(folder).eval()
inputs = {inputs}
outputs = model(**inputs)
```

With electra_edu: `edu.interop.from_transformers(folder)`.
"""
_TOKENIZED = 'AutoTokenizer.from_pretrained(folder)("A sentence to read.", return_tensors="pt")'
_HEAD_CODE = f"""
```python
from safetensors.torch import load_file
from torch.nn import functional as F

head = load_file(f"{{folder}}/{HEAD}")
hidden = F.gelu(F.linear(outputs.last_hidden_state, head["dense.weight"], head["dense.bias"]))
logits = F.linear(hidden, head["output.weight"], head["output.bias"]).squeeze(-1)
```
"""


def describe_extra_tensors(architecture: Architecture, extra: Iterable[str]) -> str:
    """Return what the class of `transformers` leaves out: the tensors `extra` in head.safetensors, if any."""
    names = ", ".join(extra)
    return f"{architecture.name} has no place for {names}: see {HEAD}." if names else ""


def model_card(half: Half, architecture: Architecture, note: str, has_tokenizer: bool) -> str:
    """Return the text of README.md."""
    page = _TEXT.format(
        what=_DESCRIPTIONS[half],
        classes=f"AutoTokenizer, {architecture.name}" if has_tokenizer else architecture.name,
        name=architecture.name,
        inputs=_TOKENIZED if has_tokenizer else '{"input_ids": torch.tensor([[0, 1, 2]])}',
    )
    head_code = _HEAD_CODE if half == "discriminator" else ""
    return f"{page}\n{note}\n{head_code}" if note else page

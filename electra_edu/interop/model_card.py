"""The README.md of a written folder: what is in it, and lines that load it and run as they stand."""

from collections.abc import Iterable

from electra_edu.interop.architectures import HEAD, Architecture, Half

FILE = "README.md"
_WHAT: dict[Half, str] = {
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
_ENCODED = 'AutoTokenizer.from_pretrained(folder)("A sentence to read.", return_tensors="pt")'
_BY_HAND = f"""
```python
from safetensors.torch import load_file
from torch.nn import functional as F

head = load_file(f"{{folder}}/{HEAD}")
hidden = F.gelu(F.linear(outputs.last_hidden_state, head["dense.weight"], head["dense.bias"]))
logits = F.linear(hidden, head["output.weight"], head["output.bias"]).squeeze(-1)
```
"""


def note(architecture: Architecture, beside: Iterable[str]) -> str:
    """Say what the class of `transformers` leaves out: `beside` are the tensors in head.safetensors, if any."""
    names = ", ".join(beside)
    return f"{architecture.name} has no place for {names}: see {HEAD}." if names else ""


def text(half: Half, architecture: Architecture, note: str, has_tokenizer: bool) -> str:
    """Return the text of the file."""
    page = _TEXT.format(
        what=_WHAT[half],
        classes=f"AutoTokenizer, {architecture.name}" if has_tokenizer else architecture.name,
        name=architecture.name,
        inputs=_ENCODED if has_tokenizer else '{"input_ids": torch.tensor([[0, 1, 2]])}',
    )
    by_hand = _BY_HAND if half == "discriminator" else ""
    return f"{page}\n{note}\n{by_hand}" if note else page

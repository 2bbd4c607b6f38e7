"""Layer-wise learning rates: the nearer a layer is to the input, the less fine-tuning changes it."""

from typing import Any

from electra_edu.evaluation.finetuning.classifiers import Classifier
from electra_edu.support.arguments import finite_number, flag, whole_number

MOST_LAYERS = 10_000
EMBEDDINGS, HEAD = "embeddings", "head"


def layerwise_rates(learning_rate: float, decay: float, num_layers: int, off_by_one: bool = False) -> dict[str, float]:
    """Return the rate of each part, from "embeddings" through "layer 1" (the first) to the "head".

    The head gets `learning_rate`, the last layer that times `decay`, the one before times decay², and so on down to the
    embeddings with decay^(num_layers + 1). With `off_by_one` all but the head get one factor more, as in the official
    code, where a part of the network that was removed later is still counted: with 12 layers and a decay of 0.8 the
    last layer then gets 0.64 of the rate. Source: github.com/google-research/electra, issue 51.
    """
    learning_rate, decay = finite_number("learning_rate", learning_rate, 0), finite_number("decay", decay, 0, 1)
    num_layers, off_by_one = whole_number("num_layers", num_layers, 0, MOST_LAYERS), flag("off_by_one", off_by_one)
    depth = num_layers + 1 + off_by_one  # of the head, counted from the embeddings
    rates = {EMBEDDINGS: learning_rate * decay**depth}
    rates |= {f"layer {i}": learning_rate * decay ** (depth - i) for i in range(1, num_layers + 1)}
    return {**rates, HEAD: learning_rate}


def parameter_groups(model: Classifier, rates: dict[str, float], weight_decay: float) -> list[dict[str, Any]]:
    """Sort the parameters of a classifier into groups for an optimiser, each with its rate of `layerwise_rates`.

    Biases and LayerNorms are in groups of their own, without weight decay, as in the official code.
    """
    groups: list[dict[str, Any]] = []
    for name, rate in rates.items():
        parameters = [parameter for key, parameter in model.named_parameters() if _part(key) == name]
        for decays in (True, False):
            some = [parameter for parameter in parameters if (parameter.dim() > 1) == decays]
            groups.append({"name": name, "params": some, "lr": rate, "weight_decay": weight_decay * decays})
    return groups


def _part(key: str) -> str:
    """Name the part of the network that a parameter belongs to: "encoder.blocks.0.widen.weight" to "layer 1"."""
    names = key.split(".")
    if names[0] != "encoder":
        return HEAD
    return f"layer {int(names[2]) + 1}" if names[1] == "blocks" else EMBEDDINGS

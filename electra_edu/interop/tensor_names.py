"""The names of a checkpoint's tensors, made those that transformers uses, and sizes that are held against them."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from electra_edu.config.electra_config import Positions
from electra_edu.interop.architectures import CONFIG, SETTINGS, Half
from electra_edu.interop.files import Stored
from electra_edu.support.arguments import finite_number, whole_number
from electra_edu.support.errors import CheckpointError, ElectraEduError

LARGEST = 2**31 - 1  # of a size; larger ones are slips
_TABLE = "embeddings.word_embeddings.weight"
_PREFIXES = ("electra.", "roformer.")
_OLD = (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias"))  # TensorFlow's names
# What wraps a network in training programs: its tensors' names then begin with this, which says nothing of them.
_WRAPPERS = frozenset(
    ("module", "model", "network", "net", "discriminator", "generator", "backbone", "encoder", "base_model")
) | {"electra", "electra_model", "_orig_mod", "_forward_module", "_fsdp_wrapped_module"}
# Where the weights say how large a setting of config.json really is: the tensor, and which of its dimensions.
_MEASURED = {
    "vocab_size": (_TABLE, 0),
    "embedding_size": (_TABLE, 1),
    "type_vocab_size": ("embeddings.token_type_embeddings.weight", 0),
    "hidden_size": ("encoder.layer.0.attention.output.dense.weight", 0),
    "intermediate_size": ("encoder.layer.0.intermediate.dense.weight", 0),
}
_POSITIONS: Mapping[Positions, str] = {
    "learned": "embeddings.position_embeddings.weight",
    "rotary": "encoder.embed_positions.weight",
}


def known_names(stored: Mapping[str, Stored], half: Half | None, folder: Path) -> dict[str, Stored]:
    """Return the tensors under the names that transformers gives them today.

    LayerNorms called gamma and beta are renamed, and what wraps the network is left out: "module.", "discriminator."
    and the like. Of two networks in one file the one is taken that is wanted. Raises CheckpointError when that cannot
    be told, or the names are another model's.
    """
    found: dict[str, Stored] = {}
    for name, one in stored.items():
        for old, new in _OLD:
            name = name.removesuffix(old) + new if name.endswith(old) else name
        if name in found:
            raise CheckpointError(f"{folder}: there are two tensors for {name!r}: {found[name].name} and {one.name}.")
        found[name] = one
    outers = _wrappers(found, folder)
    if len(outers) < 2:
        outer = outers[0] if outers else ""
        bare = {name.removeprefix(outer): one for name, one in found.items()}
        if len(bare) == len(found):
            return bare
        raise CheckpointError(f"{folder}: some tensors are there twice, with {outer!r} before their names and without.")
    others = {"discriminator", "generator"}.difference([str(half)])
    wanted = [outer for outer in outers if str(half) in outer.split(".")]
    wanted = wanted or [outer for outer in outers if half and not others & set(outer.split("."))]
    if len(wanted) != 1:
        raise CheckpointError(
            f"{folder} holds several networks, whose names begin with {', '.join(map(repr, outers))}. Say which one is "
            "wanted: from_transformers(…, half='discriminator') or half='generator'."
        )
    return {name.removeprefix(wanted[0]): one for name, one in found.items() if name.startswith(wanted[0])}


def _wrappers(names: Collection[str], folder: Path) -> list[str]:
    """Return what the names begin with before those of transformers, one for each network that is there."""
    outers: dict[str, str] = {}
    for name in names:
        if name.endswith(_TABLE):
            outer = name.removesuffix(_TABLE)
            for prefix in _PREFIXES:
                outer = outer.removesuffix(prefix)
            outers.setdefault(outer, name)
    for outer, name in outers.items():
        if unknown := [word for word in outer.split(".")[:-1] if word not in _WRAPPERS]:
            raise CheckpointError(
                f"{folder}: the tensors have names like {name!r}, and those of an ELECTRA's encoder begin with "
                f"'electra.': these are the weights of another kind of model ({'.'.join(unknown)}). If they are an "
                "ELECTRA's, rename them: safetensors.torch.save_file({name.removeprefix("
                f"{outer!r}): tensor for name, tensor in safetensors.torch.load_file(file).items()}}, file, "
                "{'format': 'pt'})."
            )
    return sorted(outers)


def measured_sizes(
    settings: Mapping[str, Any], stored: Mapping[str, Stored], prefix: str, positions: Positions, folder: Path
) -> dict[str, int | float]:
    """Return the sizes that config.json names, each of the right kind and as the weights have it.

    This is what is done before any memory is taken for a network. `prefix` is what the names of the encoder's tensors
    begin with. Raises CheckpointError, naming the field, where the two disagree.
    """
    sizes: dict[str, int | float] = {}
    for setting in SETTINGS:
        value = settings.get(setting.theirs, setting.default)
        try:
            if isinstance(setting.default, int):
                sizes[setting.theirs] = whole_number(setting.theirs, value, 1, LARGEST)
            else:
                sizes[setting.theirs] = finite_number(setting.theirs, value)
        except ElectraEduError as error:
            also = "" if setting.ours == setting.theirs else f" ({setting.ours} in electra_edu)"
            raise CheckpointError(f"{folder / CONFIG}: {error}{also} Correct it, or fetch the folder again.") from error

    def compare(name: str, actual: int, tensor: str, why: str = "") -> None:
        if sizes[name] != actual:
            said = f"{name}={sizes[name]}" if name in settings else f"{name} is not given, which means {sizes[name]}"
            shape = stored[tensor].shape
            raise CheckpointError(
                f"{folder / CONFIG}: {said}, and the weights have {actual}: the tensor {tensor!r} is {shape}{why}. "
                "Correct it, or fetch the folder again."
            )

    for name, (tensor, axis) in (_MEASURED | {"max_position_embeddings": (_POSITIONS[positions], 0)}).items():
        if (one := stored.get(prefix + tensor)) is not None and axis < len(one.shape):  # else it is missed later
            compare(name, one.shape[axis], prefix + tensor)
    layers: dict[int, str] = {}
    for tensor in sorted(stored):
        if found := re.match(rf"{re.escape(prefix)}encoder\.layer\.(\d{{1,6}})\.", tensor):
            layers.setdefault(int(found[1]), tensor)
    if layers:
        last = layers[max(layers)]
        no_place = f", and the encoder that {CONFIG} describes has no place for the tensor {last!r}"
        compare("num_hidden_layers", len(layers), last, no_place if len(layers) > sizes["num_hidden_layers"] else "")
    if positions == "rotary" and (table := stored.get(prefix + _POSITIONS["rotary"])) and len(table.shape) == 2:
        compare(
            "num_attention_heads", int(sizes["hidden_size"]) // max(1, table.shape[1]), prefix + _POSITIONS["rotary"]
        )
    return sizes

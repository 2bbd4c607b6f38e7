"""Bring the names of a checkpoint's tensors into the form that `transformers` uses today."""

from collections.abc import Collection, Mapping
from pathlib import Path

from electra_edu.interop.architectures import Half
from electra_edu.interop.files import StoredTensor
from electra_edu.support.errors import CheckpointError

_WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
_PREFIXES = ("electra.", "roformer.")
_OLD_NAMES = (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias"))  # TensorFlow's names
# Attributes under which training programs hold a network; the names of its tensors then have them as a prefix.
_WRAPPERS = frozenset(
    ("module", "model", "network", "net", "discriminator", "generator", "backbone", "encoder", "base_model")
) | {"electra", "electra_model", "_orig_mod", "_forward_module", "_fsdp_wrapped_module"}


def normalize_names(stored: Mapping[str, StoredTensor], half: Half | None, folder: Path) -> dict[str, StoredTensor]:
    """Return the tensors by the names that `transformers` gives them today.

    LayerNorms called gamma and beta are renamed, and the prefixes of wrappers are removed: "module.", "discriminator."
    and the like. Of two networks in one file, `half` is selected. Raises CheckpointError if it is not clear which one
    that is, or if the names are those of another model.
    """
    found: dict[str, StoredTensor] = {}
    for name, one in stored.items():
        for old, new in _OLD_NAMES:
            name = name.removesuffix(old) + new if name.endswith(old) else name
        if name in found:
            raise CheckpointError(f"{folder}: there are two tensors for {name!r}: {found[name].name} and {one.name}.")
        found[name] = one
    wrappers = _wrapper_prefixes(found, folder)
    if len(wrappers) < 2:
        wrapper = wrappers[0] if wrappers else ""
        bare = {name.removeprefix(wrapper): one for name, one in found.items()}
        if len(bare) == len(found):
            return bare
        raise CheckpointError(f"{folder}: some tensors occur twice, with {wrapper!r} before their names and without.")
    others = {"discriminator", "generator"}.difference([str(half)])
    wanted = [wrapper for wrapper in wrappers if str(half) in wrapper.split(".")]
    wanted = wanted or [wrapper for wrapper in wrappers if half and not others & set(wrapper.split("."))]
    if len(wanted) != 1:
        raise CheckpointError(
            f"{folder} holds several networks, whose names begin with {', '.join(map(repr, wrappers))}. Say which "
            "one is wanted: from_transformers(…, half='discriminator') or half='generator'."
        )
    return {name.removeprefix(wanted[0]): one for name, one in found.items() if name.startswith(wanted[0])}


def _wrapper_prefixes(names: Collection[str], folder: Path) -> list[str]:
    """Return the prefixes before the names of `transformers`, one for each network in the file."""
    wrappers: dict[str, str] = {}
    for name in names:
        if name.endswith(_WORD_EMBEDDINGS):
            wrapper = name.removesuffix(_WORD_EMBEDDINGS)
            for prefix in _PREFIXES:
                wrapper = wrapper.removesuffix(prefix)
            wrappers.setdefault(wrapper, name)
    for wrapper, name in wrappers.items():
        if unknown := [word for word in wrapper.split(".")[:-1] if word not in _WRAPPERS]:
            raise CheckpointError(
                f"{folder}: the tensors have names like {name!r}, and those of an ELECTRA's encoder begin with "
                f"'electra.': these are the weights of another kind of model ({'.'.join(unknown)}). If they are an "
                "ELECTRA's, rename them: safetensors.torch.save_file({name.removeprefix("
                f"{wrapper!r}): tensor for name, tensor in safetensors.torch.load_file(file).items()}}, file, "
                "{'format': 'pt'})."
            )
    return sorted(wrappers)

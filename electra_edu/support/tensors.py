"""Checks of tensor arguments: token ids, masks and random generators; errors name the argument.

Values are checked on a CPU only, where it takes about 2 µs. On a GPU each check would wait for the device.
"""

import numpy as np
import torch
from torch import Tensor

from electra_edu.support.arguments import shown
from electra_edu.support.errors import ElectraEduError


def network_inputs(
    sizes: tuple[int, int],
    device: torch.device,
    tokens: object,
    mask: object = None,
    types: object = None,
    rng: object = None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return tokens, attention mask and token types, or None, as inputs of a network on `device`.

    `sizes` are those of its vocabulary and of its token types. `rng` is checked as well, unless it is None.
    """
    if rng is not None:
        generator(rng, device)
    ids = token_ids(tokens, sizes[0], device)
    return (
        ids,
        None if mask is None else attention_mask(mask, ids),
        None if types is None else token_types(types, ids, sizes[1]),
    )


def token_ids(value: object, vocab_size: int, device: torch.device, name: str = "tokens") -> Tensor:
    """Return token ids (B, T), int64, each from 0 to below `vocab_size`; lists and NumPy arrays become a tensor."""
    ids = whole_numbers(name, value, device)
    if ids.dim() != 2 or ids.dtype != torch.int64 or ids.numel() == 0:
        raise ElectraEduError(
            f"{name}: expected int64 token ids of shape (batch, length), got {ids.dtype} {tuple(ids.shape)}. One text "
            "makes a batch of one: torch.tensor([encoding.ids])."
        )
    check_device(name, ids, device)
    check_range(name, ids, vocab_size, "vocab_size", "Encode the text with the tokenizer of this vocabulary.")
    return ids


def attention_mask(value: object, tokens: Tensor, name: str = "attention_mask") -> Tensor:
    """Return a mask of the shape of `tokens` (B, T) as bool; 1 = real. Lists and NumPy arrays become a tensor."""
    mask = whole_numbers(name, value, tokens.device)
    _check_shape(name, mask, tokens)
    if mask.is_floating_point() or mask.is_complex():
        raise ElectraEduError(
            f"{name}: expected True or 1 for real tokens and False or 0 for padding, got {mask.dtype}. Where it holds "
            f"ones and zeros, pass {name}.bool()."
        )
    check_device(name, mask, tokens.device)
    return mask.bool()


def token_types(value: object, tokens: Tensor, type_vocab_size: int, name: str = "token_type_ids") -> Tensor:
    """Return token types of the shape of `tokens` (B, T), each from 0 to below `type_vocab_size`, int64."""
    types = whole_numbers(name, value, tokens.device)
    _check_shape(name, types, tokens)
    if types.dtype != torch.int64:
        raise ElectraEduError(f"{name}: expected int64, got {types.dtype}. Pass {name}.long().")
    check_device(name, types, tokens.device)
    check_range(name, types, type_vocab_size, "type_vocab_size", "The first text of a pair is 0, the second 1.")
    return types


def positions(value: object, tokens: Tensor, name: str = "positions") -> Tensor:
    """Return positions (B, K) in `tokens` (B, T), int64, each from 0 to below T."""
    positions = whole_numbers(name, value, tokens.device)
    if positions.dim() != 2 or positions.dtype != torch.int64 or len(positions) != len(tokens):
        raise ElectraEduError(
            f"{name}: expected int64 positions of shape ({len(tokens)}, number), got {positions.dtype} "
            f"{tuple(positions.shape)}."
        )
    check_device(name, positions, tokens.device)
    check_range(name, positions, tokens.shape[1], "length", "Positions count from 0, at [CLS].")
    return positions


def generator(value: object, device: torch.device, name: str = "rng") -> torch.Generator:
    """Return a random generator that can draw on `device`."""
    if not isinstance(value, torch.Generator):
        raise ElectraEduError(
            f"{name}={shown(value)}: must be a torch.Generator, for example torch.Generator().manual_seed(0)."
        )
    if value.device.type != device.type:
        raise ElectraEduError(
            f"{name}: draws on {value.device.type!r}, and what it is needed for lies on {device.type!r}. Pass "
            f"torch.Generator({device.type!r}).manual_seed(0)."
        )
    return value


def tensor(name: str, value: object, what: str) -> Tensor:
    """Return `value` if it is a tensor that holds values; `what` describes the wanted one in the error."""
    if not isinstance(value, Tensor):
        raise ElectraEduError(f"{name}: must be a tensor: {what}; not {type(value).__name__}. Use torch.tensor(…).")
    if value.device.type == "meta":
        raise ElectraEduError(f"{name}: is on the device 'meta', where a tensor holds no values. Pass {what}.")
    return value


def whole_numbers(name: str, value: object, device: torch.device) -> Tensor:
    """Return a tensor unchanged, and lists or arrays of whole numbers or bools as a tensor on `device`."""
    if isinstance(value, Tensor):
        return value
    if not isinstance(value, list | tuple | np.ndarray):
        raise ElectraEduError(
            f"{name}={shown(value)}: must be a tensor of shape (batch, length), or a list of equally long lists."
        )
    try:
        made: Tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ElectraEduError(
            f"{name}: cannot be made a tensor ({' '.join(str(error).split())}). Pass whole numbers in rows of equal "
            "length; pad shorter rows with pad_token_id."
        ) from error
    if made.is_floating_point() or made.is_complex() or made.dtype == torch.bool:
        return made.to(device)  # the caller checks the dtype
    return made.to(device, torch.int64)


def device_of(value: object) -> torch.device:
    """Return the device of a tensor; the CPU for a list or an array, and for a tensor on "meta"."""
    if isinstance(value, Tensor) and value.device.type != "meta":
        return value.device
    return torch.device("cpu")


def check_device(name: str, value: Tensor, device: torch.device) -> None:
    """Raise ElectraEduError for a tensor on another kind of device."""
    if value.device.type != device.type:
        raise ElectraEduError(
            f"{name}: is on the device {value.device.type!r}, and it is read on {device.type!r}. "
            + (
                "A tensor on 'meta' holds no values: make it anew."
                if value.device.type == "meta"
                else f"Pass {name}.to({device.type!r})."
            )
        )


def check_range(name: str, ids: Tensor, size: int, limit: str, remedy: str) -> None:
    """Raise ElectraEduError for an id outside 0 … `size` - 1; on a CPU only, as elsewhere it would wait."""
    if ids.device.type != "cpu" or not ids.numel():
        return
    low, high = (int(value) for value in ids.aminmax())
    if low < 0 or high >= size:
        wrong = low if low < 0 else high
        raise ElectraEduError(f"{name}: holds {wrong}; with {limit}={size} it must be from 0 to {size - 1}. {remedy}")


def _check_shape(name: str, value: Tensor, tokens: Tensor) -> None:
    if value.shape != tokens.shape:
        raise ElectraEduError(f"{name}: expected the shape of tokens, {tuple(tokens.shape)}, got {tuple(value.shape)}.")

"""The memory that a training step holds, as measured."""

import torch
from torch import Tensor

from benchmarks.shapes import Shape
from benchmarks.steps import autocast
from electra_edu.model.electra import Electra
from electra_edu.training.optim import adamw


def memory_of(shape: Shape, device: torch.device, dtype: torch.dtype) -> int:
    """Return the bytes that training `shape` holds at its peak.

    On a GPU this is the peak of PyTorch's allocator during a second step, less what was allocated before. A CPU has no
    such count: there it is the sum of what the forward pass saves for the backward pass (by storage), the logits, the
    weights, their gradients and the optimiser's state. Temporary copies inside an operation are left out.
    """
    on_gpu = device.type == "cuda"
    before = torch.cuda.memory_allocated(device) if on_gpu else 0
    model = Electra(shape.config()).to(device)
    optimizer = adamw(model.parameters(), shape.config().learning_rate)
    rng = torch.Generator(device).manual_seed(0)
    tokens = shape.tokens(1, rng)[0]
    saved = 0
    for _ in range(2):  # the optimiser's state is there from the second on
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(device)
        optimizer.zero_grad(set_to_none=True)
        if on_gpu:
            with autocast(device, dtype):
                loss = model(tokens, rng=rng).loss
        else:
            loss, saved = saved_for_backward(model, tokens, rng, dtype)
        loss.backward()
        optimizer.step()
    if on_gpu:
        return int(torch.cuda.max_memory_allocated(device)) - before
    weights = list(model.parameters())
    gradients = [parameter.grad for parameter in weights if parameter.grad is not None]
    state = [value for one in optimizer.state.values() for value in one.values()]
    held: int = sum(tensor.nbytes for tensor in (*weights, *gradients, *state))
    return saved + held


def saved_for_backward(
    model: Electra, tokens: Tensor, rng: torch.Generator, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, int]:
    """Return the loss of tokens (B, T), and the bytes that its graph keeps beside the weights, the logits included."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    saved: dict[int, Tensor] = {}  # by storage: views share theirs. Holding them keeps the addresses apart

    def save(tensor: Tensor) -> Tensor:
        saved.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor), autocast(tokens.device, dtype):
        out = model(tokens, rng=rng)
        loss = out.loss
    save(out.mlm_logits)
    return loss, sum(one.untyped_storage().nbytes() for address, one in saved.items() if address not in weights)

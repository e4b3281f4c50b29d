"""Who runs: our kernels, torch's own kernels, cuDNN's, and what torch.compile makes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from bnlib.torch import FusedBatchNorm2d

from .shapes import DTYPES, Setting

Layer = Callable[[Tensor], Tensor]
OURS = "ours"


@dataclass(frozen=True)
class Contender:
    """One way to compute batch norm in training mode."""

    name: str
    """As in the table."""
    make: Callable[[Tensor, Tensor, Tensor, Tensor], Layer]
    """From weight, bias, running mean and running variance to a function of x."""
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    """What has to hold while it runs."""


@contextmanager
def _cudnn(enabled: bool) -> Iterator[None]:
    with torch.backends.cudnn.flags(enabled=enabled):
        yield


def _plain(weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Layer:
    return lambda x: F.batch_norm(x, mean, var, weight, bias, training=True)


def _compiled(weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Layer:
    torch.compiler.reset()  # or the shapes before would make this one dynamic
    return torch.compile(_plain(weight, bias, mean, var), dynamic=False)


def _ours(weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Layer:
    layer = FusedBatchNorm2d(weight.numel(), backend="triton", device=weight.device)
    layer.weight, layer.bias = torch.nn.Parameter(weight), torch.nn.Parameter(bias)
    layer.running_mean, layer.running_var = mean, var
    return layer


def contenders(compiled: bool = True) -> list[Contender]:
    """Return who takes part; our own first."""
    found = [
        Contender(OURS, _ours),
        Contender("torch native", _plain, lambda: _cudnn(False)),
        Contender("torch cuDNN", _plain, lambda: _cudnn(True)),
    ]
    return [*found, Contender("torch.compile", _compiled)] if compiled else found


@dataclass(frozen=True)
class Bench:
    """A batch with everything that a contender needs."""

    x: Tensor
    """Input, a leaf that wants a gradient."""
    dy: Tensor
    """Upstream gradient."""
    weight: Tensor
    """Scale, a leaf."""
    bias: Tensor
    """Shift, a leaf."""


def bench(setting: Setting, device: torch.device, seed: int = 0) -> Bench:
    """Draw the batch of a setting on the device."""
    g = torch.Generator(device=device).manual_seed(seed)
    memory = torch.channels_last if setting.channels_last else torch.contiguous_format

    def draw() -> Tensor:
        t = torch.randn(setting.shape, generator=g, device=device)
        return t.to(dtype=DTYPES[setting.dtype], memory_format=memory)

    weight, bias = (torch.randn(setting.shape[1], generator=g, device=device) for _ in range(2))
    return Bench(draw().requires_grad_(), draw(), weight.requires_grad_(), bias.requires_grad_())


def worst_error(contender: Contender, b: Bench) -> float:
    """Return the largest error of y, dx, dweight, dbias against float64.

    Each is a part of the largest entry of what it is made of: a gradient that is all cancellation
    is measured by its terms.
    """
    x, weight, bias = (t.detach().double().requires_grad_() for t in (b.x, b.weight, b.bias))
    y = F.batch_norm(x, None, None, weight, bias, training=True)
    expected = [y.detach(), *torch.autograd.grad(y, (x, weight, bias), b.dy.double())]
    with contender.around():
        layer, leaves = prepared(contender, b)
        y = layer(b.x)
        found = [y.detach(), *torch.autograd.grad(y, leaves, b.dy)]
    m = b.x.numel() // b.x.shape[1]
    scales = [float(expected[0].abs().max()), float(expected[1].abs().max()), m**0.5, m**0.5]
    errors = [
        float((a.double() - e).abs().max()) / max(s, 1e-30)
        for a, e, s in zip(found, expected, scales, strict=True)
    ]
    return max(errors)


def prepared(contender: Contender, b: Bench) -> tuple[Layer, list[Tensor]]:
    """Return the contender's layer on this batch, and the leaves that it differentiates by."""
    c = b.x.shape[1]
    buffers = torch.zeros(c, device=b.x.device), torch.ones(c, device=b.x.device)
    layer = contender.make(b.weight, b.bias, *buffers)
    if isinstance(layer, torch.nn.Module):
        return layer, [b.x, layer.weight, layer.bias]  # type: ignore[list-item]
    return layer, [b.x, b.weight, b.bias]

"""Batches with their answers in float64, by torch's own autograd, and how near is near enough."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from bnlib.kernels import Plan, View, plan_reduction

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"  # on the CPU: Triton's interpreter

# Half a unit in the last place, of the largest entry: what one rounding at the end may cost.
# Triton's interpreter does not round to bfloat16, it cuts off: a whole unit.
ROUNDING = {
    torch.float32: 2.0**-24,
    torch.float16: 2.0**-11,
    torch.bfloat16: 2.0**-8 if DEVICE == "cuda" else 2.0**-7,
}
# What is summed and multiplied in float32 on the way: log2(m) roundings in the sums and a handful
# after them, each 2⁻²⁴ of a number no larger than the largest.
FLOAT32_WAY = 64 * 2.0**-24
# dgamma and dbeta: errors are parts of Σ|g·x_hat|, which may be much larger than the sum itself.
SUMS = 64 * 2.0**-24


@dataclass(frozen=True)
class Problem:
    """A batch, and what is done with it."""

    x: Tensor
    """The batch in its dtype and memory format."""
    dy: Tensor
    """Upstream gradient, random, like x."""
    residual: Tensor | None
    """What is added before the ReLU."""
    weight: Tensor | None
    """Scale in float32."""
    bias: Tensor | None
    """Shift in float32."""
    relu: bool
    """Whether a ReLU follows."""

    def plan(self, direction: str, resident: bool = True, processors: int = 132) -> Plan:
        """Return the plan for this batch, or the one that reads twice; for a chip of any size."""
        last = not self.x.is_contiguous()
        view = View.of(tuple(self.x.shape), last)
        return plan_reduction(view, self.x.element_size(), direction, processors, resident)


def problem(
    shape,
    dtype=torch.float32,
    *,
    last=False,
    mean=0.0,
    std=1.0,
    affine=True,
    relu=False,
    residual=False,
    seed=0,
):
    """Draw a batch; `last` asks for channels-last memory."""
    g = torch.Generator().manual_seed(seed)

    def draw(scale=1.0, shift=0.0):
        t = (torch.randn(shape, generator=g) * scale + shift).to(dtype)
        t = t.to(memory_format=torch.channels_last) if last else t
        return t.to(DEVICE)

    weight, bias = (torch.randn(shape[1], generator=g).to(DEVICE) for _ in range(2))
    return Problem(
        x=draw(std, mean),
        dy=draw(),
        residual=draw() if residual else None,
        weight=weight if affine else None,
        bias=bias if affine else None,
        relu=relu,
    )


def answer(p, running=None, momentum=0.1, eps=1e-5, training=True):
    """Return y, gradients and running statistics in float64, from the same rounded numbers."""
    leaf = {
        name: None if t is None else t.detach().double().requires_grad_()
        for name, t in (("x", p.x), ("z", p.residual), ("w", p.weight), ("b", p.bias))
    }
    mean, var = (None, None) if running is None else (t.double() for t in running)
    y = F.batch_norm(leaf["x"], mean, var, leaf["w"], leaf["b"], training, momentum, eps)
    y = y if leaf["z"] is None else y + leaf["z"]
    y = F.relu(y) if p.relu else y
    y.backward(p.dy.double())
    grads = {name: None if t is None else t.grad for name, t in leaf.items()}
    return y.detach(), grads, (mean, var)


def near(ours, theirs, dtype, scale=None):
    """Assert that all entries agree, up to roundings of the largest."""
    scale = float(theirs.abs().max()) if scale is None else scale
    error = float((ours.double() - theirs).abs().max())
    allowed = (FLOAT32_WAY + ROUNDING[dtype]) * max(scale, 1e-30)
    assert error <= allowed, f"off by {error:.2e}, allowed {allowed:.2e}"


def slope(p, variance=None, eps=1e-5):
    """Return what dx is made of: the largest |γ·inv_std·dy|, of which a batch of two leaves little.

    The difference is cancellation, whose roundings are parts of the terms and not of what is left.
    """
    axes = [0, *range(2, p.x.ndim)]
    variance = p.x.double().var(axes, correction=0) if variance is None else variance.double()
    gamma = 1.0 if p.weight is None else p.weight.double().abs()
    return float((gamma * torch.rsqrt(variance + eps)).max() * p.dy.abs().max())


def near_sums(ours, theirs, p, inv_std_x_hat=4.0):
    """Assert that per-channel sums agree, up to roundings of the sum of magnitudes."""
    scale = float(p.dy.double().abs().sum()) / p.x.shape[1] * inv_std_x_hat
    error = float((ours.double() - theirs).abs().max())
    assert error <= SUMS * scale, f"off by {error:.2e}, allowed {SUMS * scale:.2e}"

"""Run the kernels on tensors: batch norm with optional residual and ReLU, forward and backward."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from bnlib.errors import BatchSizeError, ShapeError
from bnlib.kernels import elementwise, gradient, reduction, resident
from bnlib.kernels.availability import require
from bnlib.kernels.plan import (
    PROCESSORS,
    Direction,
    Plan,
    View,
    ceil_div,
    plan_apply,
    plan_reduction,
    power_of_two,
)

_MERGE_VALUES = 4096  # partial results that a program of the second stage holds


class Gradients(NamedTuple):
    """What `batch_norm_backward` returns; None for what there is none of."""

    dx: Tensor
    dweight: Tensor | None
    dbias: Tensor | None
    dresidual: Tensor | None


def batch_norm_forward(
    x: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    residual: Tensor | None = None,
    relu: bool = False,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    momentum: float = 0.1,
    eps: float = 1e-5,
    training: bool = True,
    plan: Plan | None = None,
) -> tuple[Tensor, Tensor]:
    """Return `y = [relu](γ x_hat + β [+ residual])` and what the backward pass needs.

    Parameters
    ----------
    x : Tensor of shape (N, C) or (N, C, *spatial)
        float32, float16 or bfloat16, contiguous or channels-last; any other is copied first.
    weight, bias : Tensor of shape (C,), optional
        γ and β: both or neither.
    residual : Tensor like `x`, optional
        Added before the ReLU.
    relu : bool, default False
        Whether negative outputs become 0.
    running_mean, running_var : Tensor of shape (C,), optional
        In training mode moved in place, the variance unbiased; in evaluation mode normalised with.
    momentum : float, default 0.1
        Weight of the new.
    eps : float, default 1e-5
        Inside the root.
    training : bool, default True
        Whether the statistics are the batch's own.
    plan : Plan, optional
        Another plan than `plan_reduction`'s, to compare.

    Returns
    -------
    y : Tensor
        In the shape, dtype and memory format of `x`.
    stats : Tensor of shape (3, C), float32
        pivot, offset, inv_std: ``x_hat = ((x − pivot) − offset)·inv_std``.

    Raises
    ------
    BatchSizeError
        For one value per channel in training mode.
    ShapeError
        If an argument does not fit x: a kernel would read beyond its end.
    KernelsUnavailableError
        If there is no GPU, no Triton, or another dtype.
    """
    require(x)
    _check(x, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
    x, view = _laid_out(x)
    if training and view.values == 1:
        raise BatchSizeError(
            "Expected more than 1 value per channel when training, got input size "
            f"{tuple(x.shape)}: the variance of one value is 0, whatever it is."
        )
    extra = x if residual is None else like(residual, x)
    y = torch.empty_like(x)
    stats = torch.empty((3, view.channels), dtype=torch.float32, device=x.device)
    flags = {
        "AFFINE": weight is not None,
        "RELU": relu,
        "RESIDUAL": residual is not None,
    }
    gamma, beta = (x if p is None else p for p in (weight, bias))
    mean, var = (x if p is None else p for p in (running_mean, running_var))
    running = running_mean is not None
    plan = plan or _plan(view, x, "forward")
    sizes = (view.outer, view.channels, view.inner // view.vector)
    with torch.cuda.device_of(x):
        if training and plan.resident:
            resident.forward_resident[(plan.channel_blocks,)](
                x, extra, y, stats, gamma, beta, mean, var, *sizes, eps, momentum,
                **_blocks(view, plan), WIDE=_wide(x), **flags, RUNNING=running,
            )  # fmt: skip
            return y, stats
        if training:
            _statistics(x, view, plan, stats, mean, var, eps, momentum, running)
        else:
            assert running_mean is not None
            assert running_var is not None
            stats[0], stats[1] = running_mean, 0.0
            stats[2] = torch.rsqrt(running_var.float() + eps)
        rows, columns, programs = plan_apply(view, x.element_size())
        elementwise.apply_forward[(programs,)](
            x, extra, y, stats, gamma, beta, programs - 1, _rows(view), *sizes[1:],
            VECTOR=view.vector, ROWS=rows, COLUMNS=columns, LAST=view.last, WIDE=_wide(x),
            **flags, num_warps=8,
        )  # fmt: skip
    return y, stats


def batch_norm_backward(
    dy: Tensor,
    x: Tensor,
    stats: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    y: Tensor | None = None,
    relu: bool = False,
    residual: bool = False,
    training: bool = True,
    plan: Plan | None = None,
) -> Gradients:
    """Return the gradients by x, γ, β and the residual.

    With g = dy, masked where the ReLU was at 0: `dβ = Σg`, `dγ = Σ g x_hat`,
    `dx = γ inv_std (g − dβ/m − x_hat dγ/m)`; in evaluation mode `dx = γ inv_std g`.

    Parameters
    ----------
    dy : Tensor like `x`
        Gradient by the output.
    x, stats, weight, bias
        As `batch_norm_forward` took and returned them.
    y : Tensor like `x`, optional
        The output: needed for the mask where both `relu` and `residual` hold. Without a residual
        the mask is computed again from x, and y need not be kept.
    relu, residual, training : bool
        What the forward pass did.
    plan : Plan, optional
        Another plan than `plan_reduction`'s, to compare.
    """
    require(x)
    x, view = _laid_out(x)
    dy = like(dy, x)
    masked = relu and residual
    dx = torch.empty_like(x)
    dresidual = torch.empty_like(dy) if masked else dy
    gamma, beta = (x if p is None else p for p in (weight, bias))
    dgamma, dbeta = (x if p is None else torch.empty_like(p) for p in (weight, bias))
    seen = like(y, x) if masked and y is not None else x
    flags = {"AFFINE": weight is not None, "RELU": relu}
    plan = plan or _plan(view, x, "backward")
    sizes = (view.outer, view.channels, view.inner // view.vector)
    over_values = 1.0 / view.values if training else 0.0
    with torch.cuda.device_of(x):
        if plan.resident:
            resident.backward_resident[(plan.channel_blocks,)](
                dy, x, seen, dx, dresidual, stats, gamma, beta, dgamma, dbeta, *sizes,
                over_values, **_blocks(view, plan), WIDE=_wide(x), **flags, RESIDUAL=residual,
            )  # fmt: skip
        else:
            parts = _parts(2, plan, view, x)
            gradient.partial_sums[(plan.channel_blocks, plan.splits)](
                dy, x, seen, dresidual, parts, stats, gamma, beta, *sizes, plan.tiles_each,
                **_blocks(view, plan), **flags, RESIDUAL=residual,
            )  # fmt: skip
            means = torch.empty((2, view.channels), dtype=torch.float32, device=x.device)
            splits, block, programs = _merging(plan, view)
            gradient.merge_sums[(programs,)](
                parts, means, dgamma, dbeta, view.channels, plan.splits, over_values,
                SPLITS=splits, BLOCK=block, AFFINE=weight is not None,
            )  # fmt: skip
            rows, columns, programs = plan_apply(view, x.element_size(), "backward")
            elementwise.apply_backward[(programs,)](
                dresidual if masked else dy, x, dx, stats, means, gamma, beta,
                programs - 1, _rows(view), *sizes[1:], VECTOR=view.vector, ROWS=rows,
                COLUMNS=columns, LAST=view.last, WIDE=_wide(x), AFFINE=weight is not None,
                RELU=relu and not residual, num_warps=8,
            )  # fmt: skip
    return Gradients(
        dx,
        None if weight is None else dgamma,
        None if bias is None else dbeta,
        dresidual if residual else None,
    )


def like(other: Tensor, x: Tensor) -> Tensor:
    """Return `other` in the memory format of `x`, copied only if it is not there already."""
    if other.shape != x.shape:
        raise ShapeError(
            f"expected a tensor of the shape of x, {tuple(x.shape)}; got {tuple(other.shape)}."
        )
    if other.stride() == x.stride():
        return other
    return torch.empty_like(x, dtype=other.dtype).copy_(other)


def _check(x: Tensor, **per_channel: Tensor | None) -> None:
    """Raise unless every argument has one number for each channel of x."""
    for name, values in per_channel.items():
        if values is not None and values.shape != (x.shape[1],):
            raise ShapeError(
                f"{name} must have shape (C,) = ({x.shape[1]},) to match x of shape "
                f"{tuple(x.shape)}; got {tuple(values.shape)}."
            )


def _laid_out(x: Tensor) -> tuple[Tensor, View]:
    """Return x, copied if it is neither contiguous nor channels-last, and how it lies."""
    if x.is_contiguous():
        return x, View.of(tuple(x.shape), channels_last=False)
    if x.movedim(1, -1).is_contiguous():
        return x, View.of(tuple(x.shape), channels_last=True)
    return x.contiguous(), View.of(tuple(x.shape), channels_last=False)


def _plan(view: View, x: Tensor, direction: Direction) -> Plan:
    return plan_reduction(view, x.element_size(), direction, _processors(x.device))


@lru_cache
def _processors(device: torch.device) -> int:
    """Return how many multiprocessors a GPU has."""
    if device.type != "cuda":
        return PROCESSORS
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def _statistics(
    x: Tensor, view: View, plan: Plan, stats: Tensor, mean: Tensor, var: Tensor,
    eps: float, momentum: float, running: bool,
) -> None:  # fmt: skip
    """Fill stats in two stages, and move the running statistics."""
    parts = _parts(3, plan, view, x)
    reduction.partial_moments[(plan.channel_blocks, plan.splits)](
        x, parts, view.outer, view.channels, view.inner // view.vector, plan.tiles_each,
        **_blocks(view, plan),
    )  # fmt: skip
    splits, block, programs = _merging(plan, view)
    reduction.merge_moments[(programs,)](
        x, parts, stats, mean, var, view.channels, 1 if view.last else view.inner, plan.splits,
        eps, momentum, SPLITS=splits, BLOCK=block, RUNNING=running,
    )  # fmt: skip


def _blocks(view: View, plan: Plan) -> dict[str, int | bool]:
    """Return the constants that reducing kernels are compiled with."""
    return {
        "VECTOR": view.vector,
        "ROWS": plan.rows,
        "COLUMNS": plan.columns,
        "LAST": view.last,
        "num_warps": plan.warps,
    }


def _wide(x: Tensor) -> bool:
    """Return whether some offset needs more than 32 bits."""
    return x.numel() >= 1 << 31


def _parts(numbers: int, plan: Plan, view: View, x: Tensor) -> Tensor:
    """Return room for partial results."""
    shape = (numbers, plan.splits, view.channels)
    return torch.empty(shape, dtype=torch.float32, device=x.device)


def _merging(plan: Plan, view: View) -> tuple[int, int, int]:
    """Return shares, channels and programs of the second stage."""
    splits = power_of_two(plan.splits)
    block = min(power_of_two(view.channels), max(1, _MERGE_VALUES // splits), 32)
    return splits, block, ceil_div(view.channels, block)


def _rows(view: View) -> int:
    """Return how many rows of neighbours the tensor has in all."""
    return view.outer if view.last else view.outer * view.channels

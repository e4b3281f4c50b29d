"""Batch norm, residual and ReLU in one layer: fused kernels on a GPU, plain torch elsewhere."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from bnlib.errors import ParameterError
from bnlib.kernels.availability import interpreted, require, why_not

Backend = Literal["auto", "triton", "torch"]


@dataclass(frozen=True)
class _Options:
    """What one call of the kernels does."""

    training: bool
    """Whether the statistics are the batch's own."""
    momentum: float
    """Weight of the new."""
    eps: float
    """Inside the root."""
    relu: bool
    """Whether negative outputs become 0."""


class FusedBatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d`, optionally with a residual and a ReLU: ``y = [relu](bn(x) [+ residual])``.

    A drop-in: the same state dict, modes and buffers. Residual and ReLU are no kernels of their
    own, each of which would read and write the whole tensor once more.

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats, device, dtype
        As of ``nn.BatchNorm2d``.
    relu : bool, default False
        Whether a ReLU follows, after the residual.
    backend : {"auto", "triton", "torch"}, default "auto"
        "auto" takes the kernels of `bnlib.kernels` where they can run: on a GPU, with Triton, for
        float32, float16 and bfloat16, outside of `torch.compile`, which fuses by itself; and plain
        torch elsewhere. "triton" raises where they cannot run, and takes Triton's interpreter for
        the GPU where that is on. "torch" never takes them.

    Raises
    ------
    ParameterError
        If `backend` is unknown.

    Notes
    -----
    By the kernels there are no second derivatives. The ReLU's mask in the backward pass is computed
    again from x (without a residual), so y need not be kept; in half precision, an output that
    rounds to 0 passes its gradient there and not in plain torch.
    It is an ``nn.BatchNorm2d``: what replaces such layers (``convert_sync_batchnorm``, folding into
    a convolution) would lose the ReLU. Take ``relu=False`` there.

    Examples
    --------
    >>> layer, plain = FusedBatchNorm2d(3, relu=True), nn.BatchNorm2d(3)
    >>> plain.load_state_dict(layer.state_dict())
    <All keys matched successfully>
    >>> x = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    >>> bool(torch.equal(layer(x, residual=x), F.relu(plain(x) + x)))  # no GPU: the same kernels
    True
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        relu: bool = False,
        backend: Backend = "auto",
    ) -> None:
        if backend not in ("auto", "triton", "torch"):
            raise ParameterError(
                f"backend must be 'auto', 'triton' or 'torch'; got {backend!r}. 'auto' takes the "
                "fused kernels where they can run."
            )
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device=device, dtype=dtype
        )
        self.relu, self.backend = relu, backend

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """Normalise x of shape (N, C, H, W); add the residual of the same shape; apply the ReLU.

        Raises
        ------
        ValueError
            In training, if there is one value per channel; if x has not four axes.
        KernelsUnavailableError
            If the backend is "triton" and it cannot run here.
        """
        if not self._takes_kernels(x, residual):
            plain = super().forward(x)
            plain = plain if residual is None else plain + residual
            return F.relu(plain) if self.relu else plain
        self._check_input_dim(x)
        own = self.training or self.running_mean is None
        moved = self.training and self.track_running_stats
        options = _Options(own, self._count() if moved else 0.0, self.eps, self.relu)
        buffers = (self.running_mean, self.running_var) if moved or not own else (None, None)
        y: Tensor = _FusedBatchNorm.apply(  # type: ignore[no-untyped-call]
            x, residual, self.weight, self.bias, *buffers, options
        )
        return y

    def _takes_kernels(self, x: Tensor, residual: Tensor | None) -> bool:
        """Decide who computes; raise if kernels were asked for by name and cannot run."""
        if self.backend == "torch":
            return False
        if self.backend == "triton":
            require(x)
        elif not x.is_cuda or interpreted() or torch.compiler.is_compiling() or why_not(x):
            return False
        return residual is None or (residual.shape == x.shape and residual.dtype == x.dtype)

    def _count(self) -> float:
        """Count the step; return the weight of its statistics."""
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        return 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum

    def extra_repr(self) -> str:
        """Show the options as torch does, and those that are new."""
        plain = super().extra_repr()  # type: ignore[no-untyped-call]
        return f"{plain}, relu={self.relu}, backend={self.backend!r}"


class _FusedBatchNorm(torch.autograd.Function):
    """The kernels as one node of torch's graph."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        residual: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        options: _Options,
    ) -> Tensor:
        """Compute the output; keep x, the statistics, and y only where the mask needs it."""
        from bnlib.kernels.launch import batch_norm_forward

        y, stats = batch_norm_forward(
            x,
            weight,
            bias,
            residual=residual,
            relu=options.relu,
            running_mean=running_mean,
            running_var=running_var,
            momentum=options.momentum,
            eps=options.eps,
            training=options.training,
        )
        masked = options.relu and residual is not None
        ctx.save_for_backward(x, stats, weight, bias, y if masked else None)
        ctx.options, ctx.residual = options, residual is not None
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradients by x, the residual, weight and bias."""
        from bnlib.kernels.launch import batch_norm_backward

        x, stats, weight, bias, y = ctx.saved_tensors
        found = batch_norm_backward(
            grad_outputs[0],
            x,
            stats,
            weight,
            bias,
            y=y,
            relu=ctx.options.relu,
            residual=ctx.residual,
            training=ctx.options.training,
        )
        return found.dx, found.dresidual, found.dweight, found.dbias, None, None, None

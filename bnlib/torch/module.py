"""Batch norm as a module of torch, written out: parameters, buffers, two modes."""

import torch
from torch import Tensor, nn

from bnlib.errors import BatchSizeError, ShapeError
from bnlib.torch.autograd import channel_axes, per_channel, widened


class MyBatchNorm2d(nn.Module):
    """Batch norm of images, in training by the batch and in evaluation by running statistics.

    Parameters
    ----------
    num_features : int
        C of the input (N, C, H, W).
    eps : float, default 1e-5
        Inside the root.
    momentum : float or None, default 0.1
        Weight of the new batch statistic; None takes the plain average over all batches.

    Attributes
    ----------
    weight, bias : Parameter of shape (C,)
        Scale and shift; they learn. Ones and zeros at the start.
    running_mean, running_var : Tensor of shape (C,)
        Buffers: they are in the state dict and follow `.to()`, and nothing learns them. The
        variance that is kept is the *unbiased* one. Zeros and ones at the start.
    num_batches_tracked : int64 Tensor of shape ()
        A buffer, too: training steps so far.

    Notes
    -----
    Its state dict is that of ``nn.BatchNorm2d``, and loads both ways. The mode is
    ``self.training``, and nothing else: whether gradients are recorded does not matter. Gradients
    flow through the batch's mean and variance, never into the buffers.

    Examples
    --------
    >>> layer, theirs = MyBatchNorm2d(3), nn.BatchNorm2d(3)
    >>> x = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    >>> bool(torch.allclose(layer(x), theirs(x), atol=1e-6))
    True
    >>> theirs.load_state_dict(layer.state_dict())
    <All keys matched successfully>
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise, scale and shift x of shape (N, C, H, W); the result has its dtype.

        Raises
        ------
        ShapeError
            If `x` is no batch of images with C channels.
        BatchSizeError
            In training, if there is a single value for each channel.
        """
        self._check(x)
        wide = widened(x)
        if self.training:
            var, mean = torch.var_mean(wide, channel_axes(x), correction=0)
            self._remember(mean.detach(), var.detach(), m=x.numel() // x.shape[1])
        else:
            mean, var = self.running_mean, self.running_var
        scale = widened(self.weight) * (widened(var) + self.eps).rsqrt()
        y = (wide - per_channel(mean, x)) * per_channel(scale, x) + per_channel(self.bias, x)
        return y.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, var: Tensor, m: int) -> None:
        """Count the step, and move the running statistics."""
        self.num_batches_tracked += 1
        share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean += (share * (mean - self.running_mean)).to(self.running_mean.dtype)
        unbiased = var * (m / (m - 1))
        self.running_var += (share * (unbiased - self.running_var)).to(self.running_var.dtype)

    def _check(self, x: Tensor) -> None:
        if x.ndim != 4 or x.shape[1] != self.num_features:
            raise ShapeError(
                f"x must have shape (N, C, H, W) with C = {self.num_features} channels on axis 1; "
                f"got {tuple(x.shape)}."
            )
        if self.training and x.numel() == x.shape[1]:
            raise BatchSizeError(
                "In training batch norm needs more than one value per channel to take a variance; "
                f"got x of shape {tuple(x.shape)}. Use a larger batch, or call `eval()` first."
            )

    def extra_repr(self) -> str:
        """Show the options as torch does."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"

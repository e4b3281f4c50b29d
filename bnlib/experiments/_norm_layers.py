"""Norms that torch does not have, as modules for the experiments; and statistics taken anew."""

import copy

import torch
from torch import nn


class GhostNorm(nn.Module):
    """Batch norm of consecutive groups of rows, each with its own statistics (Hoffer et al. 2017).

    In training every group is normalised as if it were the batch, and moves the running statistics
    as a batch does; in evaluation it is batch norm. `bnlib.ghost_batchnorm` is the formula.
    """

    def __init__(self, width: int, ghost_size: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.ghost_size = ghost_size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise (N, C); groups of one row are not allowed in training."""
        if not self.training:
            return torch.as_tensor(self.norm(x))
        return torch.cat([self.norm(group) for group in x.split(self.ghost_size)])


class Renorm(nn.Module):
    """Batch renormalization of (N, C) (Ioffe 2017): r and d are constants in the backward pass.

    For the first `plain` training steps it is batch norm (r_max = 1, d_max = 0); over as many more
    the limits grow linearly to 3 and 5, as in the paper's schedule. `bnlib.batch_renorm` is the
    formula.
    """

    R_MAX, D_MAX = 3.0, 5.0
    running_mean: torch.Tensor
    running_var: torch.Tensor

    def __init__(self, width: int, plain: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))
        self.plain, self.eps, self.momentum, self.steps = plain, eps, momentum, 0

    def limits(self) -> tuple[float, float]:
        """Return r_max and d_max of the present step."""
        share = min(max(self.steps / max(self.plain, 1) - 1.0, 0.0), 1.0)
        return 1.0 + share * (self.R_MAX - 1.0), share * self.D_MAX

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise, and in training move the running statistics."""
        sigma = (self.running_var + self.eps).sqrt()
        if not self.training:
            return self.weight * (x - self.running_mean) / sigma + self.bias
        mean, var = x.mean(0), x.var(0, unbiased=False)
        root = (var + self.eps).sqrt()
        r_max, d_max = self.limits()
        with torch.no_grad():
            r = (root / sigma).clamp(1 / r_max, r_max)
            d = ((mean - self.running_mean) / sigma).clamp(-d_max, d_max)
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_var += self.momentum * (x.var(0) - self.running_var)
        self.steps += 1
        return self.weight * ((x - mean) / root * r + d) + self.bias


@torch.no_grad()
def recalibrated(model: nn.Module, x: torch.Tensor) -> nn.Module:
    """Return a copy whose batch norms hold the statistics of all rows of `x`, layer after layer.

    One pass in training mode over all rows at once, with a cumulative average that starts anew:
    each layer sees inputs that were normalised with the same rows' statistics.
    """
    copied = copy.deepcopy(model)
    norms = [m for m in copied.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    copied.train()(x)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return copied.train(model.training)


@torch.no_grad()
def answers(model: nn.Module, x: torch.Tensor, size: int, *, training: bool) -> torch.Tensor:
    """Return the predicted classes of `x`, asked in batches of `size`, in the mode that is named.

    The model is left as it was: a copy is asked. Rows that do not fill a batch are left out.
    """
    copied = copy.deepcopy(model).train(training)
    whole = len(x) // size * size
    return torch.cat([copied(batch).argmax(1) for batch in x[:whole].split(size)])


def share_different(first: torch.Tensor, second: torch.Tensor) -> float:
    """Return the share of entries that differ, in %."""
    return 100.0 * float((first != second).float().mean())

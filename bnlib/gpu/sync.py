"""One batch over several cards: statistics that merge, and the passes of synchronised batch norm.

Every pass talks once. What travels is a few numbers a channel, never the data.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from bnlib.errors import BatchSizeError, ShapeError

Count: TypeAlias = "int | Tensor"
Stats: TypeAlias = tuple[Tensor, Tensor, Count]
"""Mean and biased variance, shape (C,), and the number of rows they are of."""

AllReduce: TypeAlias = Callable[[list[Tensor]], Tensor]
"""From one tensor of each card, all of one shape, to their sum, which every card gets."""


def merge_stats(a: Stats, b: Stats) -> Stats:
    """Return mean, biased variance and count of two groups of rows together.

    ``n = nₐ + n_b``, ``δ = mean_b − meanₐ``, ``mean = meanₐ + δ·n_b/n``,
    ``var = (nₐ varₐ + n_b var_b)/n + δ²·nₐ n_b/n²`` (Chan, Golub & LeVeque 1979). Nothing large is
    subtracted from anything large: exact far from zero, where ``E[x²] − E[x]²`` is not.

    Parameters
    ----------
    a, b : tuple of (mean, var, count)
        Of the two groups; a group may be empty, and its mean and variance are then not looked at.

    Returns
    -------
    tuple of (mean, var, count)
        Of their union.

    Examples
    --------
    >>> one, three = torch.tensor([1.0]), torch.tensor([3.0])
    >>> merge_stats((one, torch.zeros(1), 1), (three, torch.zeros(1), 1))
    (tensor([2.]), tensor([1.]), 2)
    """
    (mean_a, var_a, count_a), (mean_b, var_b, count_b) = a, b
    if not count_a:
        return b
    if not count_b:
        return a
    count = count_a + count_b
    delta = mean_b - mean_a
    mean = mean_a + delta * (count_b / count)
    within = var_a * (count_a / count) + var_b * (count_b / count)
    return mean, within + delta**2 * (count_a / count) * (count_b / count), count


def sync_batchnorm_forward(
    shards: Sequence[Tensor],
    gamma: Tensor,
    beta: Tensor,
    all_reduce: AllReduce,
    eps: float = 1e-5,
) -> tuple[list[Tensor], Stats]:
    """Normalise the shards of one batch by the statistics of the whole batch.

    Every card writes mean, variance and count of its rows into its own line of a table of zeros;
    the sum of the tables is the table of all, and each card merges its lines.

    Parameters
    ----------
    shards : sequence of Tensor of shape (n_i, C)
        One for each card; they may differ in length, and some may be empty.
    gamma, beta : Tensor of shape (C,)
        The same on every card.
    all_reduce : callable
        Sums one tensor from each card; called once.
    eps : float, default 1e-5
        Inside the square root.

    Returns
    -------
    y_shards : list of Tensor
        The shapes and dtypes of the shards.
    stats : tuple of (mean, var, count)
        Of the whole batch; what the backward pass needs besides the shards.

    Raises
    ------
    ShapeError
        If there is no shard, or shards differ in C.
    BatchSizeError
        If they hold no row at all.

    Examples
    --------
    >>> shards = [torch.tensor([[0.0]]), torch.tensor([[2.0], [4.0]])]
    >>> add = lambda parts: torch.stack(parts).sum(dim=0)
    >>> sync_batchnorm_forward(shards, torch.ones(1), torch.zeros(1), add)[1]
    (tensor([2.]), tensor([2.6667]), 3)
    """
    channels = {shard.shape[1] for shard in shards}
    if len(channels) != 1:
        raise ShapeError(
            f"shards must be (n_i, C) with one C; got {[tuple(s.shape) for s in shards]}."
        )
    tables = [_table(shard, rank, len(shards)) for rank, shard in enumerate(shards)]
    mean, var, count = _merged(all_reduce(tables))
    if not count:
        raise BatchSizeError("The shards hold no row at all: there is nothing to take means of.")
    scale = gamma * torch.rsqrt(var + eps)
    return [((shard - mean) * scale + beta).to(shard.dtype) for shard in shards], (mean, var, count)


def _table(shard: Tensor, rank: int, ranks: int) -> Tensor:
    """Return zeros with one line: mean, variance, count of the shard's rows."""
    rows, channels = shard.shape
    table = shard.new_zeros(ranks, 2 * channels + 1)
    if rows:
        mean = shard.mean(dim=0)
        var = (shard - mean).square().mean(dim=0)
        table[rank] = torch.cat([mean, var, shard.new_tensor([rows])])
    return table


def _merged(table: Tensor) -> Stats:
    channels = (table.shape[1] - 1) // 2
    stats: Stats = (table.new_zeros(channels), table.new_zeros(channels), 0)
    for line in table:
        stats = merge_stats(stats, (line[:channels], line[channels:-1], round(line[-1].item())))
    return stats


def sync_batchnorm_backward(
    dy_shards: Sequence[Tensor],
    shards: Sequence[Tensor],
    gamma: Tensor,
    stats: Stats,
    all_reduce: AllReduce,
    eps: float = 1e-5,
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Return the gradients of `sync_batchnorm_forward`.

    ``dbeta = Σ dy`` and ``dgamma = Σ dy·x_hat`` over the whole batch, both in one call of
    `all_reduce`; then on each card ``dx = gamma·inv_std·(dy − (dbeta + x_hat·dgamma)/m)``.

    Parameters
    ----------
    dy_shards : sequence of Tensor of shape (n_i, C)
        Upstream gradient, one for each card.
    shards : sequence of Tensor of shape (n_i, C)
        What the forward pass got.
    gamma : Tensor of shape (C,)
        The scale.
    stats : tuple of (mean, var, count)
        What the forward pass returned.
    all_reduce : callable
        Sums one tensor from each card; called once.
    eps : float, default 1e-5
        As in the forward pass.

    Returns
    -------
    dx_shards : list of Tensor
        The shapes of the shards.
    dgamma, dbeta : Tensor of shape (C,)
        Summed over the whole batch. (`nn.SyncBatchNorm` leaves the sum of these two to
        DistributedDataParallel, which averages all parameters' gradients.)
    """
    mean, var, count = stats
    inv_std = torch.rsqrt(var + eps)
    x_hats = [(shard - mean) * inv_std for shard in shards]
    parts = [
        torch.stack([dy.sum(dim=0), (dy * x_hat).sum(dim=0)])
        for dy, x_hat in zip(dy_shards, x_hats, strict=True)
    ]
    dbeta, dgamma = all_reduce(parts)
    dx_shards = [
        gamma * inv_std * (dy - (dbeta + x_hat * dgamma) / count)
        for dy, x_hat in zip(dy_shards, x_hats, strict=True)
    ]
    return dx_shards, dgamma, dbeta

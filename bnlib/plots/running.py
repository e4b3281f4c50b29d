"""How running statistics approach the truth: the bias they start with, the noise they keep."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

MU, SIGMA = 5.0, 2.0  # the population of the figure, normal; its variance is 4
START_MEAN, START_VAR = 0.0, 1.0  # torch's start values
_STEPS = 200
_BAND = 2.0  # the band is the expected value ± this many standard deviations


@dataclass(frozen=True)
class RunningPath:
    """Running mean and variance of one feature after each of ``steps`` batches."""

    #: ndarray of shape (steps + 1,): the running mean, start value first.
    mean: np.ndarray
    #: ndarray of shape (steps + 1,): the running variance, of unbiased batch variances.
    var: np.ndarray


def running_path(momentum: float | None, m: int, steps: int, seed: int) -> RunningPath:
    """Draw ``steps`` batches of ``m`` normal values and run the statistics over them.

    Parameters
    ----------
    momentum : float or None
        Weight of the new batch, between 0 and 1; None takes the plain average of all batches.
    m : int
        Values in a batch, at least 2.
    steps : int
        Number of batches, at least 1.
    seed : int
        The same seed gives the same batches, whatever the momentum.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> running_path(0.1, m=8, steps=3, seed=0).mean.round(2)
    array([0.  , 0.57, 0.84, 1.29])
    """
    _check(momentum, m, steps)
    batches = np.random.default_rng(seed).normal(MU, SIGMA, size=(steps, m))
    means, variances = batches.mean(axis=1), batches.var(axis=1, ddof=1)
    weights = 1 / np.arange(1, steps + 1) if momentum is None else np.full(steps, momentum)
    return RunningPath(
        _follow(START_MEAN, means, weights),
        _follow(START_VAR, variances, weights),
    )


def expected_path(
    start: float, target: float, noise: float, momentum: float, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return expected value and standard deviation of a running statistic after each step.

    With weight a for the new batch, whose statistic has mean ``target`` and standard deviation
    ``noise``: :math:`E[r_t] = target + (1-a)^t (start - target)` and
    :math:`Var[r_t] = noise^2 \cdot a/(2-a) \cdot (1 - (1-a)^{2t})`.

    Examples
    --------
    >>> expected, std = expected_path(start=0.0, target=1.0, noise=1.0, momentum=0.5, steps=2)
    >>> expected, std.round(3)
    (array([0.  , 0.5 , 0.75]), array([0.   , 0.5  , 0.559]))
    """
    kept = (1.0 - momentum) ** np.arange(steps + 1)
    variance = noise**2 * momentum / (2.0 - momentum) * (1.0 - kept**2)
    return target + kept * (start - target), np.sqrt(variance)


def draw_running(momentum: float = 0.1, m: int = 16, seed: int = 0) -> Figure:
    """Draw running mean and variance over 200 batches of ``m``, with what theory expects.

    The band is the expected value ± 2 standard deviations; the dotted line is the truth; the thin
    line is the plain average of all batches so far (momentum ``None``).
    """
    path = running_path(momentum, m, _STEPS, seed)
    average = running_path(None, m, _STEPS, seed)
    noise_of_var = SIGMA**2 * np.sqrt(2.0 / (m - 1))  # of an unbiased variance of normal values
    left = 100 * (1.0 - momentum) ** 20
    share = f"{left:.3g}" if left >= 0.01 else "less than 0.01"
    fig = figure(
        1,
        2,
        xlabel="batches seen",
        ylabel=["running mean (units of x)", "running variance (units of x, squared)"],
        title=[f"after 20 batches {share} % of the start is left", f"batches of m = {m}"],
    )
    rows = (
        (START_MEAN, MU, SIGMA / np.sqrt(m), path.mean, average.mean),
        (START_VAR, SIGMA**2, noise_of_var, path.var, average.var),
    )
    for ax, (start, target, noise, values, plain) in zip(fig.axes, rows, strict=True):
        expected = expected_path(start, target, noise, momentum, _STEPS)
        _draw_path(ax, values, plain, expected)
        ax.axhline(target, color=COLORS["black"], linestyle=":", linewidth=1.4, label="the truth")
        ax.set_ylim(start - 0.1 * target, 1.8 * target)
    fig.axes[1].legend(fontsize=9, loc="upper right", ncols=2)
    return fig


def _follow(start: float, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return start and every later running value."""
    path = [start]
    for value, weight in zip(values, weights, strict=True):
        path.append((1.0 - weight) * path[-1] + weight * value)
    return np.array(path)


def _draw_path(
    ax: Any, values: np.ndarray, plain: np.ndarray, expected: tuple[np.ndarray, np.ndarray]
) -> None:
    """Draw one statistic: band, plain average, running value."""
    steps = np.arange(values.size)
    center, std = expected
    low, high = center - _BAND * std, center + _BAND * std
    ax.fill_between(steps, low, high, color=COLORS["sky"], alpha=0.35, label="expected ± 2 std")
    ax.plot(steps, plain, color=COLORS["green"], linewidth=1.2, label="average of all (None)")
    ax.plot(steps, values, color=COLORS["blue"], linewidth=1.6, label="running value")
    ax.set_xlim(0, values.size - 1)


def _check(momentum: float | None, m: int, steps: int) -> None:
    """Refuse what has no answer, in words."""
    if momentum is not None and not 0.0 <= momentum <= 1.0:
        raise ValueError(f"momentum must be None or between 0 and 1; got {momentum}.")
    if m < 2:
        raise ValueError(f"m must be a batch size of at least 2; got {m}.")
    if steps < 1:
        raise ValueError(f"steps must be at least 1; got {steps}.")

"""How much a batch statistic trembles: the same feature, other random batches of m values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.batch_size_noise import draw_batches
from bnlib.plots.style import COLORS, figure

_EPS = 1e-5  # torch's default
_BINS_PER_STD = 10  # bin width of both histograms: a tenth of the population's σ
_HALF_RANGE = 3.5  # both x axes span ± this many σ, at every m: one sees the spread shrink
_HEADROOM = 1.5  # the legend gets the space above the highest bar


@dataclass(frozen=True)
class BatchNoise:
    """What ``trials`` random batches of ``m`` values of one feature said."""

    #: ndarray of shape (trials,): the mean of each batch.
    means: np.ndarray
    #: ndarray of shape (trials,): the biased variance of each batch.
    variances: np.ndarray
    #: ndarray of shape (trials,): x̂ of the fixed sample in each batch that contains it.
    outputs: np.ndarray
    #: Mean of the population.
    mu: float
    #: Standard deviation of the population (1/N).
    sigma: float
    #: The fixed sample.
    sample: float
    #: Standard deviation of ``means``: measured.
    std_of_mean: float
    #: Standard deviation of ``variances``: measured.
    std_of_var: float
    #: σ/√m: what theory says ``std_of_mean`` is for values drawn independently.
    predicted_std_of_mean: float


def batch_noise(
    population: np.ndarray,
    m: int,
    trials: int,
    rng_seed: int,
    *,
    sample: float | None = None,
    eps: float = _EPS,
) -> BatchNoise:
    r"""Draw ``trials`` batches of ``m`` values and collect their statistics.

    Values are drawn with replacement, so that the standard deviation of the batch mean is
    :math:`\sigma/\sqrt{m}` for a population of any size. For ``outputs`` the last value of each
    batch is replaced by ``sample``: the same input, in other company.

    Parameters
    ----------
    population : ndarray of shape (K,)
        Values of one feature.
    m : int
        Batch size, at least 1.
    trials : int
        Number of batches, at least 2.
    rng_seed : int
        The same seed gives the same batches.
    sample : float, optional
        The fixed sample; by default one standard deviation above the mean.
    eps : float, default 1e-5
        Added to the variance under the root.

    Returns
    -------
    BatchNoise
        Everything in float64.

    Raises
    ------
    ValueError
        If ``population`` is not one-dimensional or holds fewer than two values, ``m < 1``, or
        ``trials < 2``.

    Examples
    --------
    >>> noise = batch_noise(np.arange(100.0), m=25, trials=4000, rng_seed=0)
    >>> round(noise.predicted_std_of_mean, 2), abs(noise.std_of_mean - 5.77) < 0.3
    (5.77, True)
    """
    values = np.asarray(population, dtype=np.float64)
    _check(values, m, trials)
    mu, sigma = float(values.mean()), float(values.std())
    fixed = mu + sigma if sample is None else float(sample)
    rng = np.random.default_rng(rng_seed)
    drawn = draw_batches(values[:, np.newaxis], m, trials, rng, np.array([fixed]), eps)
    means, variances, outputs = (column[:, 0] for column in drawn)
    return BatchNoise(
        means=means,
        variances=variances,
        outputs=outputs,
        mu=mu,
        sigma=sigma,
        sample=fixed,
        std_of_mean=float(means.std()),
        std_of_var=float(variances.std()),
        predicted_std_of_mean=sigma / m**0.5,
    )


def default_population(seed: int = 0) -> np.ndarray:
    """Return 10 000 values of a skewed feature (gamma of shape 4, mean 4, standard deviation 2)."""
    return np.random.default_rng(seed).gamma(4.0, 1.0, size=10_000)


def draw_batch_noise(
    m: int = 8,
    *,
    population: np.ndarray | None = None,
    trials: int = 2000,
    seed: int = 0,
) -> Figure:
    """Draw the means of random batches of ``m``, and x̂ of one fixed sample among them.

    Left: batch means, with μ ± σ/√m marked. Right: the normalised output of one and the same
    input, with the value that the whole population's statistics would give. Both x axes stay as
    they are when ``m`` changes.
    """
    values = default_population() if population is None else population
    noise = batch_noise(values, m, trials, seed)
    fig = figure(
        1,
        2,
        xlabel=["batch mean (units of the feature)", "x̂ of one fixed sample (no unit)"],
        ylabel="share of batches",
        title=[f"{trials} batches of m = {m}", f"the same input, x = {noise.sample:.2f}"],
    )
    left, right = fig.axes
    _draw_means(left, noise)
    _draw_outputs(right, noise)
    return fig


def _check(values: np.ndarray, m: int, trials: int) -> None:
    """Refuse what has no answer, in words."""
    if values.ndim != 1 or values.size < 2:
        raise ValueError(
            "population must be one feature, an array of shape (K,) with K >= 2; "
            f"got shape {values.shape}. Pass one column of your data."
        )
    if m < 1:
        raise ValueError(f"m must be a batch size of at least 1; got {m}.")
    if trials < 2:
        raise ValueError(f"trials must be at least 2 to measure a spread; got {trials}.")


def _shares(values: np.ndarray, center: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a histogram as shares of all values; what lies outside counts in the outer bins."""
    bins = round(2 * _HALF_RANGE * _BINS_PER_STD)
    edges = center + scale * np.linspace(-_HALF_RANGE, _HALF_RANGE, bins + 1)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)
    return counts / values.size, edges


def _draw_means(ax: Any, noise: BatchNoise) -> None:
    """Fill the left panel."""
    shares, edges = _shares(noise.means, noise.mu, noise.sigma)
    ax.stairs(shares, edges, fill=True, color=COLORS["sky"], label=f"std {noise.std_of_mean:.3f}")
    predicted = noise.predicted_std_of_mean
    ax.axvline(noise.mu, color=COLORS["black"], linewidth=1.2, label="μ of the population")
    label = f"μ ± σ/√m, σ/√m = {predicted:.3f}"
    for side, text in ((-1, label), (1, None)):
        ax.axvline(
            noise.mu + side * predicted, color=COLORS["vermillion"], linestyle="--", label=text
        )
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, _HEADROOM * shares.max())
    ax.legend(fontsize=9, loc="upper right")


def _draw_outputs(ax: Any, noise: BatchNoise) -> None:
    """Fill the right panel."""
    shares, edges = _shares(noise.outputs, 0.0, 1.0)
    text = f"std {noise.outputs.std():.3f}"
    ax.stairs(shares, edges, fill=True, color=COLORS["orange"], label=text)
    whole = (noise.sample - noise.mu) / noise.sigma
    ax.axvline(whole, color=COLORS["blue"], linestyle="--", label="with the population's μ and σ")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, _HEADROOM * shares.max())
    ax.legend(fontsize=9, loc="upper left")

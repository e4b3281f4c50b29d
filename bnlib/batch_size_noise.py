"""How much batch statistics tremble: the same feature, other random batches of m values.

Batches are drawn with replacement: their values are then independent, and the formulas hold for a
population of any size.
"""

from typing import NamedTuple

import numpy as np

from bnlib.arrays import Features, PerChannel, check_eps, narrow, widen, widen_per_channel
from bnlib.errors import BatchSizeError, ParameterError, ShapeError
from bnlib.running import Real

_VALUES_AT_ONCE = 1 << 18
"""Random values held at a time: bounds the memory for large m and many trials."""


class BatchDraws(NamedTuple):
    """What each of many random batches said, one row a batch."""

    means: np.ndarray
    """Mean of each batch, (trials, C)."""
    variances: np.ndarray
    """Biased variance of each batch, (trials, C)."""
    outputs: np.ndarray
    """x̂ of the fixed sample among m − 1 of the batch's values, (trials, C)."""


def draw_batches(
    population: Features,
    m: int,
    trials: int,
    rng: np.random.Generator,
    sample: PerChannel | None = None,
    eps: float = 1e-5,
) -> BatchDraws:
    """Draw `trials` batches of `m` rows, with replacement, and return what each one said.

    Parameters
    ----------
    population : ndarray of shape (K, C)
        The rows that batches are drawn from. Computed in float64.
    m : int
        Batch size, at least 1.
    trials : int
        Number of batches, at least 2.
    rng : numpy.random.Generator
        The only source of randomness.
    sample : ndarray of shape (C,), optional
        A fixed row; for `outputs` it takes the place of each batch's last row. Default: the
        population's mean plus one standard deviation.
    eps : float, default 1e-5
        Added to the variance under the root of `outputs`.

    Returns
    -------
    BatchDraws
        `(means, variances, outputs)`, each of shape (trials, C), float64.

    Raises
    ------
    ShapeError
        If the population is not (K, C) with K >= 1, or the sample not (C,).
    BatchSizeError, ParameterError, DtypeError
        If m or trials is too small, eps negative, an array not floating.

    Examples
    --------
    >>> draws = draw_batches(np.array([[0.0], [1.0]]), 1, 4, np.random.default_rng(0))
    >>> draws.variances.ravel(), draws.outputs.ravel()
    (array([0., 0., 0., 0.]), array([0., 0., 0., 0.]))
    """
    rows = _population(population)
    _check_sizes(m, trials)
    check_eps(eps)
    channels = rows.shape[1]
    fixed = rows.mean(axis=0) + rows.std(axis=0)
    if sample is not None:
        fixed = widen_per_channel(sample, "sample", channels)
    parts = []
    at_once = max(1, _VALUES_AT_ONCE // (m * channels))
    for start in range(0, trials, at_once):
        count = min(at_once, trials - start)
        batches = rows[rng.integers(len(rows), size=(count, m))]
        means, variances = batches.mean(axis=1), batches.var(axis=1)
        batches[:, -1] = fixed
        with np.errstate(divide="ignore", invalid="ignore"):  # eps = 0 in a batch of equal rows
            roots = np.sqrt(batches.var(axis=1) + eps)
            parts.append((means, variances, (fixed - batches.mean(axis=1)) / roots))
    return BatchDraws(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def statistic_noise(
    population: Features, m: int, trials: int, rng: np.random.Generator
) -> tuple[PerChannel, PerChannel]:
    """Measure how much the mean and the biased variance of a batch of `m` rows vary.

    `std_of_mean = std over batches of mean_B`, `std_of_var = std over batches of var_B`, per
    channel, over `trials` batches drawn with replacement.

    Parameters
    ----------
    population : ndarray of shape (K, C)
        The rows that batches are drawn from.
    m : int
        Batch size, at least 1; it may exceed K.
    trials : int
        Number of batches, at least 2. The result is good to about one part in √(2·trials).
    rng : numpy.random.Generator
        The same state gives the same answer.

    Returns
    -------
    std_of_mean, std_of_var : ndarray of shape (C,)
        In the dtype of `population`, computed in float64. At m = 1 the second is 0.

    Raises
    ------
    ShapeError, BatchSizeError, ParameterError, DtypeError
        As `draw_batches`.

    Notes
    -----
    `exact_noise` is what this converges to.

    Examples
    --------
    >>> population = np.random.default_rng(0).normal(size=(1000, 1))
    >>> of_mean, of_var = statistic_noise(population, 16, 4000, np.random.default_rng(1))
    >>> bool(abs(of_mean[0] - 0.25) < 0.02)
    True
    """
    draws = draw_batches(population, m, trials, rng)
    return (
        narrow(draws.means.std(axis=0), population),
        narrow(draws.variances.std(axis=0), population),
    )


def exact_noise(population: Features, m: int) -> tuple[PerChannel, PerChannel]:
    """Return what `statistic_noise` converges to, for any population.

    With independent draws, `Var[mean_B] = σ²/m` and
    `Var[var_B] = ((m−1)/m)² · (μ₄ − σ⁴ (m−3)/(m−1)) / m`, where μ₄ is the fourth central moment.

    Parameters
    ----------
    population : ndarray of shape (K, C)
        The rows that batches are drawn from, with replacement.
    m : int
        Batch size, at least 1.

    Returns
    -------
    std_of_mean, std_of_var : ndarray of shape (C,)
        In the dtype of `population`, computed in float64.

    Raises
    ------
    ShapeError, BatchSizeError, DtypeError
        As `draw_batches`.

    Notes
    -----
    The second formula is that of the unbiased variance (Cho & Cho 2008, "Variance of sample
    variance", for instance), times ((m−1)/m)². For normal data it is `σ² √(2(m−1)) / m`.

    Examples
    --------
    >>> exact_noise(np.array([[-1.0], [1.0]]), 4)
    (array([0.5]), array([0.30618622]))
    """
    rows = _population(population)
    _check_sizes(m, 2)
    centred = rows - rows.mean(axis=0)
    var, fourth = np.square(centred).mean(axis=0), np.power(centred, 4).mean(axis=0)
    if m == 1:
        return narrow(np.sqrt(var), population), narrow(np.zeros_like(var), population)
    of_var = np.square((m - 1) / m) * (fourth - np.square(var) * (m - 3) / (m - 1)) / m
    of_mean, positive = np.sqrt(var / m), np.maximum(of_var, 0.0)  # rounding may leave −1e-18
    return narrow(of_mean, population), narrow(np.sqrt(positive), population)


def predicted_mean_noise(sigma: Real, m: int) -> Real:
    """Return the standard deviation of the mean of `m` independent values: `σ/√m`.

    Parameters
    ----------
    sigma : float or ndarray
        Standard deviation of one value.
    m : int
        Batch size, at least 1.

    Returns
    -------
    float or ndarray
        In the shape of `sigma`; a floating array keeps its dtype.

    Raises
    ------
    BatchSizeError
        If m is less than 1.

    Examples
    --------
    >>> predicted_mean_noise(2.0, 16)
    0.5
    """
    _check_sizes(m, 2)
    if isinstance(sigma, np.ndarray):
        return narrow(widen(sigma, "sigma") / np.sqrt(m), sigma)
    return float(sigma / np.sqrt(m))


def output_noise(
    sample: PerChannel,
    population: Features,
    m: int,
    trials: int,
    rng: np.random.Generator,
    eps: float = 1e-5,
) -> PerChannel:
    """Measure how much the normalised output of one fixed sample varies with its company.

    Each batch holds `sample` and m − 1 rows drawn from the population with replacement;
    `x_hat = (sample − mean_B)/√(var_B + eps)` with the biased variance of all m rows. Returned is
    its standard deviation over the batches.

    Parameters
    ----------
    sample : ndarray of shape (C,)
        The row whose output is watched; a member of every batch.
    population : ndarray of shape (K, C)
        Where the other m − 1 rows come from.
    m : int
        Batch size with the sample counted, at least 1.
    trials : int
        Number of batches, at least 2.
    rng : numpy.random.Generator
        The same state gives the same answer.
    eps : float, default 1e-5
        Under the square root.

    Returns
    -------
    ndarray of shape (C,)
        In the dtype of `sample`, computed in float64. At m = 1 it is 0: alone, the sample is the
        mean.

    Raises
    ------
    ShapeError, BatchSizeError, ParameterError, DtypeError
        As `draw_batches`.

    Notes
    -----
    For large m and a sample z standard deviations from the mean of a normal population it is about
    `√((1 + z²/2)/m)`: the noise of the mean, and z times that of the standard deviation.

    Examples
    --------
    >>> population = np.random.default_rng(0).normal(size=(1000, 1))
    >>> output_noise(np.array([0.5]), population, 1, 100, np.random.default_rng(1))
    array([0.])
    """
    outputs = draw_batches(population, m, trials, rng, sample, eps).outputs
    return narrow(outputs.std(axis=0), sample)


def _population(population: Features) -> np.ndarray:
    """Widen the population, or say what its shape must be."""
    rows = widen(population, "population")
    if rows.ndim != 2 or not len(rows):
        raise ShapeError(
            f"population must have shape (K, C) with at least one row; got {rows.shape}. One "
            "feature is a column: population[:, np.newaxis]."
        )
    return rows


def _check_sizes(m: int, trials: int) -> None:
    """Refuse a batch of nothing, and a spread of a single batch."""
    if m < 1:
        raise BatchSizeError(f"m must be a batch size of at least 1; got {m}.")
    if trials < 2:
        raise ParameterError(f"trials must be at least 2 to measure a spread; got {trials}.")

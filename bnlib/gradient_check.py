"""Central differences, and checks of a backward pass that can see its bugs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bnlib.arrays import AnyShape, Features, PerChannel, narrow, widen, widen_like
from bnlib.errors import ParameterError, ShapeError
from bnlib.forward import normalize
from bnlib.statistics import batch_mean, batch_var

RTOL = 1e-4
"""Allowed relative error: truncation is of order (h/σ)², 1e-6 for h = 1e-5 and σ = 0.01."""

ATOL = 1e-6
"""Allowed error as a part of the largest entry: rounding is of order 2⁻⁵³/h ≈ 1e-11 of dy · f."""


def numerical_gradient(
    f: Callable[[np.ndarray], np.ndarray], x: AnyShape, dy: AnyShape, h: float = 1e-5
) -> AnyShape:
    """Return the gradient of `Σ dy · f(x)` by x, by central differences.

    `dx_i ≈ Σ dy · (f(x + h e_i) − f(x − h e_i)) / 2h`, exact up to O(h²).

    Parameters
    ----------
    f : callable, array → array
        Evaluated twice per entry of x, each time on a fresh float64 array: it may return a view
        of its argument or overwrite it.
    x : ndarray
        Where to differentiate, any shape.
    dy : ndarray
        Upstream gradient, in the shape of `f(x)`.
    h : float, default 1e-5
        Half the distance of the two points, greater than 0.

    Returns
    -------
    ndarray
        In the shape and dtype of `x`.

    Raises
    ------
    ShapeError
        If `f(x)` does not have the shape of dy; broadcasting would hide a bug in f.
    DtypeError, ParameterError
        If x or dy is not floating or h is not positive.

    Notes
    -----
    Choose dy at random. With ones, `Σ batchnorm(x)` has the true gradient 0 and a backward pass
    that returns 0 looks right.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0]])
    >>> numerical_gradient(np.square, x, dy=np.array([[1.0, 10.0]])).round(6)
    array([[ 2., 40.]])
    """
    if not h > 0:
        raise ParameterError(f"h must be greater than 0; got {h!r}.")
    point, upstream = widen(x, "x"), widen(dy, "dy")
    dx = np.empty(point.shape)
    for index in np.ndindex(point.shape):
        above, below = point.copy(), point.copy()
        above[index] += h
        below[index] -= h
        # x ± h is rounded when x is large: divide by the step actually taken.
        step = above[index] - below[index]
        rise = _values(f, above, upstream.shape) - _values(f, below, upstream.shape)
        dx[index] = np.sum(upstream * rise) / step
    return narrow(dx, x)


@dataclass(frozen=True)
class GradientReport:
    """The entry at which a backward pass is furthest from central differences."""

    passed: bool
    """Whether every entry of every gradient is within its tolerance."""
    argument: str
    """Name of the argument whose gradient is worst."""
    index: tuple[int, ...]
    """Where in that gradient."""
    analytic: float
    """What the backward pass says there."""
    numeric: float
    """What central differences say there."""
    excess: float
    """The error there, in units of its tolerance: above 1 fails."""

    def __str__(self) -> str:
        """Say it in one line."""
        verdict = "gradients agree" if self.passed else "gradients differ"
        where = f"d{self.argument}[{', '.join(map(str, self.index))}]"
        return (
            f"{verdict}; worst entry {where}: backward {self.analytic:.8g}, central differences "
            f"{self.numeric:.8g}, {self.excess:.2g} × the tolerance"
        )


def gradcheck(
    forward: Callable[..., np.ndarray],
    backward: Callable[..., Sequence[np.ndarray]],
    arguments: Mapping[str, np.ndarray],
    rng: np.random.Generator,
    h: float = 1e-5,
) -> GradientReport:
    """Compare a backward pass with central differences, for a random upstream gradient.

    An entry passes if `|analytic − numeric| ≤ 1e-4 |numeric| + 1e-6 s`, where s is the largest
    entry of that argument's numeric gradient, or of dy if that is larger: a gradient that is
    exactly 0 is rounding noise of the size of dy.

    Parameters
    ----------
    forward : callable
        `forward(*arguments) → y`.
    backward : callable
        `backward(dy, *arguments) →` one gradient per argument, in the same order.
    arguments : mapping of name to float64 ndarray
        The point to check at, in the order of the functions' parameters. Left unchanged.
    rng : numpy.random.Generator
        Draws dy, standard normal.
    h : float, default 1e-5
        Step of the central differences.

    Returns
    -------
    GradientReport
        Passed or not, and the worst entry by name.

    Raises
    ------
    ShapeError
        If `backward` returns another number of gradients or one of another shape.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> at = {"a": rng.normal(size=3), "b": rng.normal(size=3)}
    >>> gradcheck(lambda a, b: a * b, lambda dy, a, b: (dy * b, dy * a), at, rng).passed
    True
    >>> report = gradcheck(lambda a, b: a * b, lambda dy, a, b: (dy * b, dy), at, rng)
    >>> report.passed, report.argument
    (False, 'b')
    """
    values = [widen(value, name) for name, value in arguments.items()]
    y = np.asarray(forward(*(value.copy() for value in values)))
    dy = rng.standard_normal(y.shape)
    gradients = backward(dy.copy(), *(value.copy() for value in values))
    if len(gradients) != len(values):
        raise ShapeError(
            f"backward must return one gradient per argument, {len(values)}; got {len(gradients)}."
        )
    reports = []
    for position, (name, gradient) in enumerate(zip(arguments, gradients, strict=True)):
        numeric = numerical_gradient(_along(forward, values, position), values[position], dy, h)
        analytic = widen_like(gradient, f"d{name}", numeric.shape, name)
        reports.append(_worst(name, analytic, numeric, np.abs(dy).max(initial=0.0)))
    return max(reports, key=lambda report: report.excess)


def design_check(
    rng: np.random.Generator,
) -> tuple[Features, PerChannel, PerChannel, Features]:
    """Return an input at which a wrong backward pass of batch norm cannot hide.

    Nothing is zero, one, equal to its neighbour or orthogonal to what matters:

    - N ≠ C, so a sum over the wrong axis changes shape or value; N ≥ 3, for with N = 2 x_hat is ±1
      whatever x was, and the true gradient all but vanishes.
    - Means away from 0: x in place of x_hat shows. Variances that differ, from 1e-3 to 1: pooling
      the features shows, and so does an eps left out or put outside the root.
    - gamma away from 0 and 1, of both signs: gamma left out, squared or made positive shows.
    - dy has a mean and a component along x_hat in every feature, so the two terms of dx that come
      through the statistics count; the rest is random.

    Parameters
    ----------
    rng : numpy.random.Generator
        Every seed gives a check that holds these bounds.

    Returns
    -------
    x : ndarray of shape (7, 3)
    gamma, beta : ndarray of shape (3,)
    dy : ndarray of shape (7, 3)
        All float64. Meant for eps = 1e-5 and h = 1e-5.

    Examples
    --------
    >>> x, gamma, beta, dy = design_check(np.random.default_rng(0))
    >>> x.shape, gamma.shape, beta.shape, dy.shape
    ((7, 3), (3,), (3,), (7, 3))
    """
    n, c = 7, 3
    z = _standardise(rng.standard_normal((n, c)))
    x = z * np.array([0.03, 0.2, 1.0]) + _signed(rng, 1.0, 3.0, c)
    gamma = _signed(rng, 0.5, 2.0, c)
    gamma[0], gamma[1] = abs(gamma[0]), -abs(gamma[1])
    beta = _signed(rng, 0.5, 2.0, c)
    residual = rng.standard_normal((n, c))
    residual -= residual.mean(axis=0) + z * (residual * z).mean(axis=0)
    dy = residual + _signed(rng, 0.5, 1.5, c) + _signed(rng, 0.5, 1.5, c) * z
    return x, gamma, beta, dy


def _values(
    f: Callable[[np.ndarray], np.ndarray], point: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Evaluate f and copy what it returns, which must have the given shape."""
    y = np.array(f(point), dtype=np.float64)
    if y.shape != shape:
        raise ShapeError(f"dy must have the shape of f(x), {y.shape}; got {shape}.")
    return y


def _along(
    forward: Callable[..., np.ndarray], values: Sequence[np.ndarray], position: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Return `forward` as a function of one argument, fresh copies of the others held fixed."""

    def f(value: np.ndarray) -> np.ndarray:
        others = [other.copy() for other in values]
        others[position] = value
        return forward(*others)

    return f


def _worst(name: str, analytic: np.ndarray, numeric: np.ndarray, floor: float) -> GradientReport:
    """Find the entry with the largest error in units of its tolerance; nan is the worst of all."""
    scale = max(float(np.abs(numeric).max(initial=0.0)), floor)
    tolerance = RTOL * np.abs(numeric) + ATOL * scale
    excess = np.abs(analytic - numeric) / np.where(tolerance > 0, tolerance, 1.0)
    excess = np.where(np.isfinite(excess), excess, np.inf)
    index = tuple(int(i) for i in np.unravel_index(int(excess.argmax()), excess.shape))
    worst = float(excess[index])
    return GradientReport(
        worst <= 1.0, name, index, float(analytic[index]), float(numeric[index]), worst
    )


def _standardise(x: np.ndarray) -> np.ndarray:
    """Give every column mean 0 and biased variance 1."""
    mean = batch_mean(x)
    return normalize(x, mean, batch_var(x, mean), eps=0.0)


def _signed(rng: np.random.Generator, low: float, high: float, size: int) -> np.ndarray:
    """Draw numbers with `low ≤ |v| < high` and random signs."""
    drawn: np.ndarray = rng.uniform(low, high, size) * rng.choice([-1.0, 1.0], size)
    return drawn

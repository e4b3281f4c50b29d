"""How far central differences can be trusted: their error by the step h, in two precisions."""

from functools import cache

import numpy as np
from matplotlib.figure import Figure

from bnlib.backward_graph import batchnorm_backward
from bnlib.forward import batchnorm_forward
from bnlib.plots.style import COLORS, figure

_EPS = 1e-5  # torch's default
#: Steps at which the error is measured, three to a decade.
STEPS = np.logspace(-11, 0, 34)


def _normalised(x: np.ndarray) -> np.ndarray:
    """Batch norm with gamma = 1, beta = 0, computed in the dtype of x and nowhere wider."""
    centered = x - x.mean(axis=0)
    var = (centered * centered).mean(axis=0)
    return np.asarray(centered / np.sqrt(var + x.dtype.type(_EPS)))


@cache
def difference_errors(sigma: float, dtype: str, seed: int = 0) -> np.ndarray:
    """Return the error of central differences of batch norm at each of `STEPS`.

    Parameters
    ----------
    sigma : float
        Standard deviation of the feature, whose mean is 0.
    dtype : str
        "float64" or "float32": the precision the forward pass is computed in.
    seed : int
        Draws a batch of 8 and its upstream gradient.

    Returns
    -------
    ndarray of shape (34,)
        Largest error over the entries of dx, as a part of the largest entry; read-only.

    Examples
    --------
    >>> errors = difference_errors(1.0, "float64")
    >>> bool(1e-7 < STEPS[errors.argmin()] < 1e-3)
    True
    """
    rng = np.random.default_rng(seed)
    x, dy = sigma * rng.standard_normal((8, 1)), rng.standard_normal((8, 1))
    _, kept = batchnorm_forward(x, np.ones(1), np.zeros(1), _EPS)
    exact, _, _ = batchnorm_backward(dy, kept)
    errors = [np.abs(_differences(x.astype(dtype), dy, h) - exact).max() for h in STEPS]
    relative: np.ndarray = np.array(errors) / np.abs(exact).max()
    relative.setflags(write=False)
    return relative


def _differences(x: np.ndarray, dy: np.ndarray, h: float) -> np.ndarray:
    """Return dx by central differences with the step h, as anyone would write them."""
    dx = np.empty(dy.shape)
    for i in range(len(x)):
        above, below = x.copy(), x.copy()
        above[i] += x.dtype.type(h)
        below[i] -= x.dtype.type(h)
        dx[i] = (dy * (_normalised(above) - _normalised(below))).sum() / (2 * h)
    return dx


def draw_step_size(sigma: float = 1.0, seed: int = 0) -> Figure:
    """Draw the error of central differences against h, for a feature of standard deviation sigma.

    Rounding falls as 1/h, truncation rises as (h/σ)²: between them lies the best step.
    """
    fig = figure(
        size=(7.6, 4.2),
        xlabel="step h (units of x)",
        ylabel="largest error of dx (part of the largest entry)",
        title=f"central differences of batch norm, σ = {sigma:g}",
    )
    (ax,) = fig.axes
    for dtype, color in (("float64", "blue"), ("float32", "vermillion")):
        errors = difference_errors(sigma, dtype, seed)
        ax.loglog(STEPS, np.maximum(errors, 1e-13), color=COLORS[color], marker=".", label=dtype)
    ax.axhline(1e-4, color=COLORS["grey"], linestyle=":", label="tolerance 1e-4")
    ax.axvline(1e-5, color=COLORS["black"], linestyle="--", linewidth=1.0, label="h = 1e-5")
    ax.set(xlim=(STEPS[0], STEPS[-1]), ylim=(1e-13, 1e5))
    ax.legend(fontsize=9, loc="upper right")
    return fig

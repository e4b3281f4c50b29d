"""Which popular gradient checks of batch norm see which wrong backward passes."""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from bnlib.backward_graph import batchnorm_backward
from bnlib.forward import BatchNormCache, batchnorm_forward
from bnlib.gradient_check import design_check, numerical_gradient
from bnlib.plots.style import COLORS, figure

Backward = Callable[[np.ndarray, BatchNormCache], np.ndarray]
Point = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

_EPS = 1e-5  # torch's default
_SEEN, _UNSEEN = COLORS["sky"], "#E8EBEF"
_NOISE = 1e-9  # central differences are no better than this: smaller errors are shown as 0


def _right(dy: np.ndarray, cache: BatchNormCache) -> np.ndarray:
    dx, _, _ = batchnorm_backward(dy, cache)
    return dx


def _cut_var(dy: np.ndarray, cache: BatchNormCache) -> np.ndarray:
    direct = cache.gamma * dy * cache.inv_std
    return np.asarray(direct - direct.mean(axis=0))


def _cut_mean(dy: np.ndarray, cache: BatchNormCache) -> np.ndarray:
    scale, x_hat = cache.gamma * cache.inv_std, cache.x_hat
    return np.asarray(scale * (dy - x_hat * (dy * x_hat).mean(axis=0)))


#: Wrong ways to get dx, by name: `(dy, cache) → dx`.
WRONG: Mapping[str, Backward] = {
    "returns zeros": lambda dy, cache: np.zeros_like(dy),
    "has the wrong sign": lambda dy, cache: -_right(dy, cache),
    "leaves gamma out": lambda dy, cache: _right(dy, cache) / cache.gamma,
    "leaves inv_std out": lambda dy, cache: _right(dy, cache) / cache.inv_std,
    "cuts the path through var": _cut_var,
    "cuts the path through mean": _cut_mean,
    "cuts both": lambda dy, cache: cache.gamma * dy * cache.inv_std,
}


def popular_checks(seed: int = 0) -> dict[str, Point]:
    """Return the points at which people check: `(x, gamma, beta, dy)` by name.

    Three popular ones, with gamma = 1 and beta = 0 as a new layer has, and one that was thought
    about (`bnlib.design_check`).
    """
    rng = np.random.default_rng(seed)
    x, pair = rng.normal(size=(8, 3)), rng.normal(size=(2, 3))
    one, zero = np.ones(3), np.zeros(3)
    y, _ = batchnorm_forward(x, one, zero, _EPS)
    return {
        "dy = ones": (x, one, zero, np.ones((8, 3))),
        "N = 2": (pair, one, zero, rng.normal(size=(2, 3))),
        "loss = Σ y²": (x, one, zero, 2.0 * y),
        "design_check": design_check(rng),
    }


@cache
def check_errors(seed: int = 0) -> np.ndarray:
    """Return the largest error of each wrong dx against central differences.

    Returns
    -------
    ndarray of shape (len(WRONG), 4)
        One row per wrong backward pass, one column per check, read-only.

    Examples
    --------
    >>> check_errors().shape
    (7, 4)
    """
    table = np.empty((len(WRONG), 4))
    for column, (x, gamma, beta, dy) in enumerate(popular_checks(seed).values()):

        def forward(
            v: np.ndarray, gamma: np.ndarray = gamma, beta: np.ndarray = beta
        ) -> np.ndarray:
            return batchnorm_forward(v, gamma, beta, _EPS)[0]

        numeric = numerical_gradient(forward, x, dy)
        _, kept = batchnorm_forward(x, gamma, beta, _EPS)
        table[:, column] = [np.abs(wrong(dy, kept) - numeric).max() for wrong in WRONG.values()]
    table.setflags(write=False)
    return table


def draw_blind_checks(tolerance: float = 1e-3, seed: int = 0) -> Figure:
    """Draw the table of wrong backward passes by checks; what a check sees at `tolerance` is blue.

    The number in each field is the largest error in dx.
    """
    errors = check_errors(seed)
    names = list(popular_checks(seed))
    fig = figure(
        size=(8.6, 4.4), title=f"which check sees which bug, allowing an error of {tolerance:g}"
    )
    (ax,) = fig.axes
    fig.subplots_adjust(left=0.29, right=0.98, bottom=0.1, top=0.9)
    ax.grid(False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set(xlim=(0, len(names)), ylim=(len(WRONG), 0))
    ax.set_xticks(np.arange(len(names)) + 0.5, names)
    ax.set_yticks(np.arange(len(WRONG)) + 0.5, list(WRONG))
    ax.tick_params(length=0)
    seen = errors > tolerance
    ax.pcolormesh(
        seen, cmap=ListedColormap([_UNSEEN, _SEEN]), vmin=0, vmax=1, edgecolor="white", lw=4
    )
    for row, column in np.ndindex(errors.shape):
        word = "seen" if seen[row, column] else "unseen"
        text = f"{word}  ({_size(float(errors[row, column]))})"
        ax.text(column + 0.5, row + 0.5, text, fontsize=9.5, ha="center", va="center")
    return fig


def _size(error: float) -> str:
    """Write an error; what is below the noise of central differences is 0."""
    return "0" if error < _NOISE else f"{error:.2g}"

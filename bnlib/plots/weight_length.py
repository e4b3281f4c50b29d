"""Length and direction of weights under batch norm: a gradient at right angles, and 1/length."""

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.backward_closed import linear_bn_weight_grad
from bnlib.forward import batchnorm_forward
from bnlib.plots.style import COLORS, figure

_EPS = 1e-5  # torch's default
_ROWS = 64  # rows of the batch
_LENGTHS = np.logspace(-4, 2, 31)  # right axis
_REACH = 6.2  # left axis: holds −dW, at most 1.44/‖W‖ long, for every ‖W‖ from 0.25 to 4
_TARGET = np.array([0.6, 0.8])  # direction the feature is trained towards


@lru_cache(maxsize=1)
def _data() -> tuple[np.ndarray, np.ndarray]:
    """Return a batch of two inputs, and the normalised feature it should give."""
    x = np.random.default_rng(3).normal(size=(_ROWS, 2)) * [1.0, 1.6]
    return x, _normalised(x @ _TARGET[:, np.newaxis], 0.0)


def _normalised(z: np.ndarray, eps: float) -> np.ndarray:
    _, cache = batchnorm_forward(z, np.ones(z.shape[1]), np.zeros(z.shape[1]), eps)
    return np.asarray(cache.x_hat)


def weight_gradient(w: np.ndarray, eps: float = _EPS) -> np.ndarray:
    """Return the gradient by w of `½ · mean((normalize(x @ w) − target)²)`.

    Parameters
    ----------
    w : ndarray of shape (2,) or (2, K)
        One weight vector, or K of them as columns: each has a loss of its own.
    eps : float
        Inside the square root.
    """
    x, target = _data()
    columns = w.reshape(2, -1)
    dy = (_normalised(x @ columns, eps) - target) / _ROWS
    return np.asarray(linear_bn_weight_grad(x, columns, dy, eps).reshape(w.shape))


def direction(angle: float) -> np.ndarray:
    """Return the unit vector at an angle in degrees.

    Examples
    --------
    >>> direction(90.0).round(6)
    array([0., 1.])
    """
    return np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])


@lru_cache(maxsize=64)
def gradient_lengths(angle: float, eps: float) -> np.ndarray:
    """Return ‖dW‖ for weights of one direction and 31 lengths; read-only."""
    columns = direction(angle)[:, np.newaxis] * _LENGTHS
    found = np.asarray(np.linalg.norm(weight_gradient(columns, eps), axis=0))
    found.setflags(write=False)
    return found


def draw_weight_length(length: float = 1.0, angle: float = 0.0) -> Figure:
    """Draw a weight vector with the step that descent takes from it, and ‖dW‖ against ‖W‖.

    Left: the two weights of a linear layer before batch norm, and −dW from the tip. Right: the
    length of dW, with eps = 1e-5 and with eps = 0.
    """
    w = length * direction(angle)
    dw = weight_gradient(w)
    size = float(np.linalg.norm(dw))
    fig = figure(
        1,
        2,
        size=(9.6, 4.4),
        xlabel=["first weight", "‖W‖"],
        ylabel=["second weight", "‖dW‖"],
        title=[f"⟨W, dW⟩ = {w @ dw:.0e}", f"‖W‖ · ‖dW‖ = {length * size:.4f}"],
    )
    _draw_vectors(fig.axes[0], w, dw)
    right = fig.axes[1]
    right.loglog(_LENGTHS, gradient_lengths(angle, 0.0), "--", color=COLORS["grey"], label="ε = 0")
    right.loglog(_LENGTHS, gradient_lengths(angle, _EPS), color=COLORS["blue"], label="ε = 1e-5")
    right.plot([length], [size], "D", color=COLORS["vermillion"], markersize=8, label="here")
    right.set(xlim=(_LENGTHS[0], _LENGTHS[-1]), ylim=(1e-3, 1e5))
    right.set(xticks=[1e-4, 1e-2, 1.0, 1e2], yticks=[1e-2, 1.0, 1e2, 1e4])
    right.minorticks_off()  # each tick costs a slider's time
    right.legend(fontsize=9, loc="upper right")
    return fig


def _draw_vectors(ax: Any, w: np.ndarray, dw: np.ndarray) -> None:
    """Draw w, the circle of its length, and −dW at its tip."""
    turn = np.linspace(0, 2 * np.pi, 121)
    radius = float(np.linalg.norm(w))
    ax.plot(radius * np.cos(turn), radius * np.sin(turn), color=COLORS["grey"], linewidth=1.0)
    for start, arrow, color, text in (
        (np.zeros(2), w, COLORS["blue"], "W"),
        (w, -dw, COLORS["vermillion"], "−dW"),
    ):
        ax.plot(*zip(start, start + arrow, strict=True), color=color, linewidth=2.5, label=text)
        ax.plot(*(start + arrow), "o", color=color, markersize=5)
    ax.set_aspect("equal")
    ax.set(xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH))
    ax.legend(fontsize=9, loc="upper left")


@lru_cache(maxsize=64)
def descend(start: float, lr: float, steps: int = 100) -> np.ndarray:
    """Return the weights of gradient descent from a start of that length, shape (steps + 1, 2)."""
    path = [start * direction(-60.0)]
    for _ in range(steps):
        path.append(path[-1] - lr * weight_gradient(path[-1]))
    found = np.array(path)
    found.setflags(write=False)
    return found


def angles_to_target(path: np.ndarray) -> np.ndarray:
    """Return the angle in degrees between each row of a path and the target's direction."""
    cosine = path @ _TARGET / np.linalg.norm(path, axis=1)
    return np.asarray(np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))))


def draw_descent(start: float = 1.0, lr: float = 0.1) -> Figure:
    """Draw gradient descent on weights before batch norm: their length, and their direction.

    The path of ‖W‖ = 1, lr = 0.1 stays in the picture for comparison.
    """
    fig = figure(
        1,
        2,
        size=(9.6, 3.8),
        xlabel="step",
        ylabel=["‖W‖", "angle to the target (degrees)"],
        title=[
            "the length can only grow",
            f"the direction: lr/‖W‖² = {lr / start**2:g} at first",
        ],
    )
    runs = ((1.0, 0.1, "grey", "--"), (start, lr, "blue", "-"))
    for length, rate, color, style in runs:
        path = descend(length, rate)
        values = (np.linalg.norm(path, axis=1), angles_to_target(path))
        for ax, series in zip(fig.axes, values, strict=True):
            text = f"start {length:g}, lr {rate:g}"
            ax.plot(series, style, color=COLORS[color], label=text, linewidth=2.0)
    fig.axes[0].set_yscale("log")
    fig.axes[0].set_ylim(0.05, 100)  # start 0.1 with lr 10 jumps to 56
    fig.axes[1].set_ylim(-5, 185)
    fig.axes[1].legend(fontsize=9, loc="upper right")
    return fig

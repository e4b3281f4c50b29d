"""Wrong ideas about the backward pass, for the kernel and for its launcher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.vocabulary import Misconception
from autograder.worker.givens.kernels import on_arrays

Gradients = tuple[Any, Any, Any]
Backward = Callable[..., Gradients]
Kernel = Callable[..., None]


def gradients(
    dy: np.ndarray, x: np.ndarray, mean: Any, var: Any, gamma: Any, eps: float
) -> Gradients:
    """Return dx, dgamma and dbeta of arrays of shape (N, C, L)."""
    x_hat, inv_std, dgamma, dbeta = _parts(dy, x, mean, var, eps)
    m = dy.size // dy.shape[1]
    dx = _wide(gamma) * inv_std * (dy - _wide(dbeta) / m - x_hat * _wide(dgamma) / m)
    return dx, dgamma, dbeta


def as_kernel(backward: Backward) -> Kernel:
    """Make a kernel on flat arrays of a function of arrays of shape (N, C, L)."""

    @on_arrays
    def kernel(
        dy: Any, x: Any, mean: Any, var: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any,
        N: int, C: int, L: int, eps: float, BLOCK: int = 0,
    ) -> None:  # fmt: skip
        dy, x = (np.asarray(a, np.float64).reshape(N, C, L) for a in (dy, x))
        results = backward(dy, x, mean, var, gamma, eps)
        for target, result in zip((dx, dgamma, dbeta), results, strict=True):
            target[:] = np.ravel(result)

    return kernel


def as_launcher(backward: Backward) -> Backward:
    """Make a function of arrays of any shape (N, C, ...) of one of arrays of shape (N, C, L)."""

    @on_arrays
    def launcher(dy: Any, x: Any, mean: Any, var: Any, gamma: Any, eps: float = 1e-5) -> Gradients:
        flat = (*dy.shape[:2], -1)
        wide = (np.asarray(a, np.float64).reshape(flat) for a in (dy, x))
        dx, dgamma, dbeta = backward(*wide, mean, var, gamma, eps)
        return dx.reshape(dy.shape), dgamma, dbeta

    return launcher


def _wide(values: Any) -> np.ndarray:
    return np.asarray(values, np.float64)[:, None]


def _parts(dy: Any, x: Any, mean: Any, var: Any, eps: float) -> tuple[Any, Any, Any, Any]:
    inv_std = 1 / np.sqrt(_wide(var) + eps)
    x_hat = (x - _wide(mean)) * inv_std
    return x_hat, inv_std, (dy * x_hat).sum(axis=(0, 2)), dy.sum(axis=(0, 2))


def _with_dx(dx: Callable[..., Any]) -> Backward:
    """Make a backward pass whose dx alone is wrong: a function of its parts."""

    def backward(
        dy: np.ndarray, x: np.ndarray, mean: Any, var: Any, gamma: Any, eps: float
    ) -> Gradients:
        x_hat, inv_std, dgamma, dbeta = _parts(dy, x, mean, var, eps)
        m = dy.size // dy.shape[1]
        wrong = dx(dy, x_hat, inv_std, _wide(gamma), _wide(dgamma), _wide(dbeta), m)
        return wrong, dgamma, dbeta

    return backward


def _eps_forgotten(
    dy: np.ndarray, x: np.ndarray, mean: Any, var: Any, gamma: Any, eps: float
) -> Gradients:
    return gradients(dy, x, mean, var, gamma, 0.0)


def _with_dgamma(wrong: Callable[..., Any], into_dx: bool) -> Backward:
    """Make a backward pass that sums another dgamma, and takes it into dx or not."""

    def backward(
        dy: np.ndarray, x: np.ndarray, mean: Any, var: Any, gamma: Any, eps: float
    ) -> Gradients:
        dx, dgamma, dbeta = gradients(dy, x, mean, var, gamma, eps)
        x_hat, inv_std, _, _ = _parts(dy, x, mean, var, eps)
        taken = wrong(dy, x, _wide(mean)).sum(axis=(0, 2))
        if into_dx:
            m = dy.size // dy.shape[1]
            dx = dx - _wide(gamma) * inv_std * x_hat * _wide(taken - dgamma) / m
        return dx, taken, dbeta

    return backward


def _divided_by_variance(
    dy: np.ndarray, x: np.ndarray, mean: Any, var: Any, gamma: Any, eps: float
) -> Gradients:
    squared = (np.asarray(var, np.float64) + eps) ** 2
    return gradients(dy, x, mean, squared, gamma, 0.0)


def _averaged(
    dy: np.ndarray, x: np.ndarray, mean: Any, var: Any, gamma: Any, eps: float
) -> Gradients:
    dx, dgamma, dbeta = gradients(dy, x, mean, var, gamma, eps)
    m = dy.size // dy.shape[1]
    return dx, dgamma / m, dbeta / m


def _swapped(
    dy: np.ndarray, x: np.ndarray, mean: Any, var: Any, gamma: Any, eps: float
) -> Gradients:
    dx, dgamma, dbeta = gradients(dy, x, mean, var, gamma, eps)
    return dx, dbeta, dgamma


def _first_image(
    dy: np.ndarray, x: np.ndarray, mean: Any, var: Any, gamma: Any, eps: float
) -> Gradients:
    dx, _, _ = gradients(dy, x, mean, var, gamma, eps)
    _, _, dgamma, dbeta = _parts(dy[:1], x[:1], mean, var, eps)
    return dx, dgamma, dbeta


def _dy_centered(dy: Any, x: Any, mean: Any) -> Any:
    return dy * (x - mean)


def _dy_x(dy: Any, x: Any, mean: Any) -> Any:
    return dy * x


_CENTERED = "Your dgamma multiplies dy by x − mean. It is x_hat = (x − mean)/√(var + eps)."
_UNNORMALISED = "Your dgamma multiplies dy by x. It is x_hat that gamma scales."
_IDEAS: tuple[tuple[str, str, Backward], ...] = (
    (
        "detached-statistics",
        "Your dx is that of a constant mean and variance: both sums are missing from it.",
        _with_dx(lambda dy, h, s, g, dg, db, m: g * s * dy),
    ),
    (
        "missing-mean-path",
        "dbeta / m is missing from dx: the path through the mean.",
        _with_dx(lambda dy, h, s, g, dg, db, m: g * s * (dy - h * dg / m)),
    ),
    (
        "missing-variance-path",
        "x_hat · dgamma / m is missing from dx: the path through the variance.",
        _with_dx(lambda dy, h, s, g, dg, db, m: g * s * (dy - db / m)),
    ),
    (
        "sums-for-means",
        "In dx stand dbeta / m and dgamma / m: you left the division by m out.",
        _with_dx(lambda dy, h, s, g, dg, db, m: g * s * (dy - db - h * dg)),
    ),
    (
        "gamma-forgotten-in-dx",
        "dx lacks gamma: y depends on x_hat through gamma · x_hat.",
        _with_dx(lambda dy, h, s, g, dg, db, m: s * (dy - db / m - h * dg / m)),
    ),
    (
        "inv-std-forgotten-in-dx",
        "dx lacks the factor 1/√(var + eps).",
        _with_dx(lambda dy, h, s, g, dg, db, m: g * (dy - db / m - h * dg / m)),
    ),
    (
        "wrong-sign-of-variance-term",
        "The term with x_hat has the wrong sign in dx.",
        _with_dx(lambda dy, h, s, g, dg, db, m: g * s * (dy - db / m + h * dg / m)),
    ),
    (
        "centered-x-for-x-hat",
        _CENTERED,
        _with_dgamma(_dy_centered, into_dx=True),
    ),
    (
        "centered-x-for-x-hat",
        _CENTERED,
        _with_dgamma(_dy_centered, into_dx=False),
    ),
    (
        "x-for-x-hat",
        _UNNORMALISED,
        _with_dgamma(_dy_x, into_dx=True),
    ),
    (
        "x-for-x-hat",
        _UNNORMALISED,
        _with_dgamma(_dy_x, into_dx=False),
    ),
    (
        "divides-by-variance",
        "You divided by var + eps. Divide by its square root.",
        _divided_by_variance,
    ),
    (
        "eps-forgotten",
        "eps is missing: 1/√(var + eps).",
        _eps_forgotten,
    ),
    (
        "parameter-gradients-averaged",
        "You stored means for dgamma and dbeta. All m values of a channel share one gamma, so "
        "their parts add up.",
        _averaged,
    ),
    (
        "dgamma-and-dbeta-swapped",
        "dgamma and dbeta are in each other's place.",
        _swapped,
    ),
    (
        "first-image-only",
        "dgamma and dbeta are those of the first image. Sum over the whole batch.",
        _first_image,
    ),
)


def misconceptions(made: Callable[[Backward], Any]) -> tuple[Misconception, ...]:
    """Return the ideas as kernels or launchers."""
    return tuple(Misconception(name, text, made(backward)) for name, text, backward in _IDEAS)

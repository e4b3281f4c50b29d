"""Wrong backward passes of batch norm, each a mistake people make.

All have the signature `(dy, x, gamma, beta) → (dx, dgamma, dbeta)` and are right but for one thing.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

EPS = 1e-5
Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]
Backward = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], Gradients]


class Nodes(NamedTuple):
    """The forward pass, for the formulas below."""

    dy: np.ndarray
    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    n: int
    centered: np.ndarray
    var: np.ndarray
    inv_std: np.ndarray
    x_hat: np.ndarray


def nodes(dy: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> Nodes:
    """Compute the nodes of the forward pass."""
    centered = x - x.mean(axis=0)
    var = (centered**2).mean(axis=0)
    inv_std = 1 / np.sqrt(var + EPS)
    return Nodes(dy, x, gamma, beta, len(x), centered, var, inv_std, centered * inv_std)


def dx_of(
    k: Nodes, gamma: object = None, inv_std: object = None, x_hat: object = None
) -> np.ndarray:
    """Return the right dx, or that with one of its parts replaced."""
    gamma = k.gamma if gamma is None else gamma
    inv_std = k.inv_std if inv_std is None else inv_std
    x_hat = k.x_hat if x_hat is None else x_hat
    return gamma * inv_std * (k.dy - k.dy.mean(0) - x_hat * (k.dy * x_hat).mean(0))


def through_var(k: Nodes, factor: np.ndarray) -> np.ndarray:
    """Return dx by the graph, with `factor` in place of inv_std³."""
    dvar = -0.5 * factor * (k.dy * k.gamma * k.centered).sum(0)
    dcentered = k.dy * k.gamma * k.inv_std + dvar * 2 * k.centered / k.n
    return dcentered - dcentered.mean(0)


def with_inv_std(k: Nodes, inv_std: np.ndarray) -> Gradients:
    """Return all gradients of a forward pass with another inv_std."""
    x_hat = k.centered * inv_std
    return dx_of(k, inv_std=inv_std, x_hat=x_hat), (k.dy * x_hat).sum(0), k.dy.sum(0)


WRONG_DX: dict[str, Callable[[Nodes], np.ndarray]] = {
    "statistics held constant": lambda k: k.gamma * k.inv_std * k.dy,
    "no path through the variance": lambda k: k.gamma * k.inv_std * (k.dy - k.dy.mean(0)),
    "no path through the mean": lambda k: (
        k.gamma * k.inv_std * (k.dy - k.x_hat * (k.dy * k.x_hat).mean(0))
    ),
    "the sign of the variance's path": lambda k: (
        k.gamma * k.inv_std * (k.dy - k.dy.mean(0) + k.x_hat * (k.dy * k.x_hat).mean(0))
    ),
    "a factor of 2 lost": lambda k: (
        k.gamma * k.inv_std * (k.dy - k.dy.mean(0) - 0.5 * k.x_hat * (k.dy * k.x_hat).mean(0))
    ),
    "N − 1 in the variance's path": lambda k: (
        k.gamma * k.inv_std * (k.dy - k.dy.mean(0) - k.x_hat * (k.dy * k.x_hat).sum(0) / (k.n - 1))
    ),
    "C for N": lambda k: (
        k.gamma
        * k.inv_std
        * (k.dy - (k.dy.sum(0) + k.x_hat * (k.dy * k.x_hat).sum(0)) / k.dy.shape[1])
    ),
    "the other axis": lambda k: (
        k.gamma
        * k.inv_std
        * (k.dy - k.dy.mean(1, keepdims=True) - k.x_hat * (k.dy * k.x_hat).mean(1, keepdims=True))
    ),
    "the Jacobian's diagonal only": lambda k: (
        k.gamma * k.inv_std * k.dy * (1 - 1 / k.n - k.x_hat**2 / k.n)
    ),
    "gamma left out": lambda k: dx_of(k, gamma=1.0),
    "gamma squared": lambda k: dx_of(k, gamma=k.gamma**2),
    "gamma's sign lost": lambda k: dx_of(k, gamma=np.abs(k.gamma)),
    "one gamma for all": lambda k: dx_of(k, gamma=k.gamma.mean()),
    "y for x_hat": lambda k: dx_of(k, x_hat=k.gamma * k.x_hat + k.beta),
    "eps forgotten in inv_std": lambda k: dx_of(k, inv_std=1 / np.sqrt(k.var)),
    "eps forgotten in dvar": lambda k: through_var(k, k.var**-1.5),
    "inv_std² for inv_std³": lambda k: through_var(k, k.inv_std**2),
    "x for centered in dvar's path": lambda k: (
        k.gamma * k.inv_std * (k.dy - k.dy.mean(0))
        - k.inv_std**3 * (k.dy * k.gamma * k.centered).sum(0) * k.x / k.n
    ),
}

WRONG_DGAMMA: dict[str, Callable[[Nodes], np.ndarray]] = {
    "x for x_hat": lambda k: (k.dy * k.x).sum(0),
    "centered for x_hat": lambda k: (k.dy * k.centered).sum(0),
    "y for x_hat in dgamma": lambda k: (k.dy * (k.gamma * k.x_hat + k.beta)).sum(0),
    "a mean for a sum in dgamma": lambda k: (k.dy * k.x_hat).mean(0),
    "eps forgotten in x_hat": lambda k: (k.dy * k.centered / np.sqrt(k.var)).sum(0),
    "dbeta for dgamma": lambda k: k.dy.sum(0),
}

WRONG_DBETA: dict[str, Callable[[Nodes], np.ndarray]] = {
    "a mean for a sum in dbeta": lambda k: k.dy.mean(0),
    "gamma in dbeta": lambda k: (k.dy * k.gamma).sum(0),
    "all features in dbeta": lambda k: np.full(k.beta.shape, k.dy.sum()),
    "dbeta over the other axis": lambda k: k.dy.sum(1),
}

WRONG_INV_STD: dict[str, Callable[[Nodes], np.ndarray]] = {
    "unbiased variance": lambda k: 1 / np.sqrt(k.var * k.n / (k.n - 1) + EPS),
    "eps outside the root": lambda k: 1 / (np.sqrt(k.var) + EPS),
    "no eps at all": lambda k: 1 / np.sqrt(k.var),
    "Keras' eps": lambda k: 1 / np.sqrt(k.var + 1e-3),
    "one variance for all features": lambda k: np.full(
        k.var.shape, 1 / np.sqrt(k.centered.var() + EPS)
    ),
}


def _wrong() -> dict[str, Backward]:
    """Collect them under one signature."""
    right_dgamma = lambda k: (k.dy * k.x_hat).sum(0)  # noqa: E731
    right_dbeta = lambda k: k.dy.sum(0)  # noqa: E731
    collected: dict[str, Callable[[Nodes], Gradients]] = {}
    for name, dx in WRONG_DX.items():
        collected[name] = lambda k, f=dx: (f(k), right_dgamma(k), right_dbeta(k))
    for name, dgamma in WRONG_DGAMMA.items():
        collected[name] = lambda k, f=dgamma: (dx_of(k), f(k), right_dbeta(k))
    for name, dbeta in WRONG_DBETA.items():
        collected[name] = lambda k, f=dbeta: (dx_of(k), right_dgamma(k), f(k))
    for name, inv_std in WRONG_INV_STD.items():
        collected[name] = lambda k, f=inv_std: with_inv_std(k, f(k))
    return {
        name: lambda dy, x, gamma, beta, f=f: f(nodes(dy, x, gamma, beta))
        for name, f in collected.items()
    }


WRONG: dict[str, Backward] = _wrong()

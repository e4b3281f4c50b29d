"""The forward pass of a launcher, and wrong ideas about launchers of both passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.exercises.u12_kernel.wrong_gradients import as_launcher, gradients
from autograder.worker.givens.kernels import on_arrays


def _normalised(x: Any, gamma: Any, beta: Any, eps: float, axes: tuple[int, ...]) -> Any:
    wide = np.asarray(x, np.float64)
    mean, var = wide.mean(axis=axes), wide.var(axis=axes)

    def spread(values: Any) -> np.ndarray:
        return np.asarray(values, np.float64).reshape(-1, *(1,) * (x.ndim - 2))

    y = spread(gamma) * (wide - spread(mean)) / np.sqrt(spread(var) + eps) + spread(beta)
    return y, mean, var


@on_arrays
def triton_bn_forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Normalise."""
    return _normalised(x, gamma, beta, eps, (0, *range(2, x.ndim)))


def _order(a: Any) -> np.ndarray:
    return np.argsort([-stride for stride in a.strides], kind="stable")


def _lying(a: Any) -> np.ndarray:
    """Return the entries of a in the order in which they lie in memory, in the shape of a."""
    return np.asarray(a).transpose(_order(a)).reshape(a.shape)


def _laid_like(result: np.ndarray, a: Any) -> np.ndarray:
    """Return a tensor with the strides of a, into whose memory the result is written in order."""
    order = _order(a)
    memory = np.ascontiguousarray(result).reshape([a.shape[axis] for axis in order])
    return memory.transpose(np.argsort(order))


@on_arrays
def memory_order(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Read a tensor in the order in which it lies in memory, and call that (N, C, ...)."""
    y, mean, var = triton_bn_forward(_lying(x), gamma, beta, eps)
    return np.ascontiguousarray(y), mean, var


@on_arrays
def memory_order_throughout(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Read x in the order of its memory, and write y so, too: `torch.empty_like(x)`."""
    y, mean, var = triton_bn_forward(_lying(x), gamma, beta, eps)
    return _laid_like(y, x), mean, var


@on_arrays
def strided_y(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Read x as it should be, and write into a y with its strides."""
    y, mean, var = triton_bn_forward(x, gamma, beta, eps)
    return _laid_like(y, x), mean, var


@on_arrays
def moments_swapped(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Return the variance before the mean."""
    y, mean, var = triton_bn_forward(x, gamma, beta, eps)
    return y, var, mean


@on_arrays
def eps_fixed(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Leave the argument eps unused."""
    return triton_bn_forward(x, gamma, beta, 1e-5)


@on_arrays
def only_y(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Return y alone."""
    return triton_bn_forward(x, gamma, beta, eps)[0]


@on_arrays
def inverse_std(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Return 1/√(var + eps) in the place of the variance."""
    y, mean, var = triton_bn_forward(x, gamma, beta, eps)
    return y, mean, 1 / np.sqrt(var + eps)


def _backward(dy: Any, x: Any, mean: Any, var: Any, gamma: Any, eps: float) -> Any:
    return as_launcher(gradients)(dy, x, mean, var, gamma, eps)


@on_arrays
def backward_in_memory_order(
    dy: Any, x: Any, mean: Any, var: Any, gamma: Any, eps: float = 1e-5
) -> Any:
    """Read both in the order in which they lie in memory."""
    return _backward(_lying(dy), _lying(x), mean, var, gamma, eps)


@on_arrays
def dy_in_memory_order(dy: Any, x: Any, mean: Any, var: Any, gamma: Any, eps: float = 1e-5) -> Any:
    """Read dy in the order in which it lies in memory, and x as it should be."""
    return _backward(_lying(dy), x, mean, var, gamma, eps)


@on_arrays
def x_in_memory_order(dy: Any, x: Any, mean: Any, var: Any, gamma: Any, eps: float = 1e-5) -> Any:
    """Read x in the order of its memory, and write dx so, too: `torch.empty_like(x)`."""
    dx, dgamma, dbeta = _backward(dy, _lying(x), mean, var, gamma, eps)
    return _laid_like(dx, x), dgamma, dbeta


@on_arrays
def strided_dx(dy: Any, x: Any, mean: Any, var: Any, gamma: Any, eps: float = 1e-5) -> Any:
    """Read both as they should be, and write into a dx with the strides of x."""
    dx, dgamma, dbeta = _backward(dy, x, mean, var, gamma, eps)
    return _laid_like(dx, x), dgamma, dbeta


@on_arrays
def arguments_swapped(dy: Any, x: Any, mean: Any, var: Any, gamma: Any, eps: float = 1e-5) -> Any:
    """Take x for dy, and dy for x."""
    return _backward(x, dy, mean, var, gamma, eps)


@on_arrays
def backward_eps_fixed(dy: Any, x: Any, mean: Any, var: Any, gamma: Any, eps: float = 1e-5) -> Any:
    """Leave the argument eps unused."""
    return _backward(dy, x, mean, var, gamma, 1e-5)

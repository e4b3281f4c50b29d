"""Hard inputs for every formula, and torch's answers to them in double precision."""

from itertools import product
from typing import NamedTuple

import numpy as np
import torch

SIZES = (2, 3, 64)
CHANNELS = (1, 4)
SPATIAL = ((), (3,), (2, 3))
SHAPES = [(n, c, *spatial) for n, c, spatial in product(SIZES, CHANNELS, SPATIAL)]
SMALL_SHAPES = [shape for shape in SHAPES if np.prod(shape) <= 100] + [(64, 4)]
KINDS = ("plain", "constant feature", "mean 1e4", "variance 1e-10")
LAYOUTS = ("C", "Fortran", "every second", "reversed", "channels last")
DTYPES = (np.float16, np.float32, np.float64)

RTOL_TORCH = 1e-10
"""Double precision leaves 1e-12 at mean 1e4, whose last place is 2e-12; a factor of 100 is room."""


def rounding(dtype: type) -> float:
    """Return what two roundings to a dtype may differ by, relatively."""
    return 2 * float(np.finfo(dtype).eps)


def draw(shape: tuple[int, ...], kind: str, rng: np.random.Generator) -> np.ndarray:
    """Draw a float64 batch with a hard property."""
    x = rng.normal(0.5, 2.0, shape)
    if kind == "constant feature":
        x[:, 0] = 3.7
    elif kind == "mean 1e4":
        axes = tuple(axis for axis in range(len(shape)) if axis != 1)
        z = x - x.mean(axis=axes, keepdims=True)
        # a spread of 1 by force: two values may fall close together, and then the last place of
        # 1e4, which torch's mean is good to, is no longer small beside what is left of them
        x = 1e4 + z / z.std(axis=axes, keepdims=True)
    elif kind == "variance 1e-10":
        x = rng.normal(0.0, 1e-5, shape)
    return x


def lay_out(x: np.ndarray, layout: str) -> np.ndarray:
    """Return the same values with another memory layout."""
    if layout == "C":
        return np.ascontiguousarray(x)
    if layout == "Fortran":
        return np.asfortranarray(x)
    if layout == "every second":
        wide = np.full((2 * x.shape[0], *x.shape[1:]), np.nan, x.dtype)
        wide[::2] = x
        return wide[::2]
    if layout == "reversed":
        return np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


class Answer(NamedTuple):
    """torch's forward and backward pass."""

    y: np.ndarray
    dx: np.ndarray
    dgamma: np.ndarray
    dbeta: np.ndarray


def torch_batchnorm(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    dy: np.ndarray,
    eps: float = 1e-5,
    running: tuple[np.ndarray, np.ndarray] | None = None,
) -> Answer:
    """Run torch's batch norm in double precision, in evaluation mode if `running` is given."""
    leaves = [torch.tensor(np.array(v, np.float64), requires_grad=True) for v in (x, gamma, beta)]
    buffers = [None, None] if running is None else [torch.tensor(v) for v in running]
    y = torch.nn.functional.batch_norm(
        leaves[0], *buffers, leaves[1], leaves[2], training=running is None, eps=eps
    )
    y.backward(torch.tensor(np.array(dy, np.float64)))
    return Answer(y.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves))


def assert_close(actual: np.ndarray, expected: np.ndarray, scale: float | None = None) -> None:
    """Assert equality up to 1e-10 of the largest expected entry (or of `scale`)."""
    assert actual.shape == expected.shape
    largest = float(np.abs(expected).max()) if scale is None else scale
    np.testing.assert_allclose(actual, expected, rtol=0, atol=RTOL_TORCH * largest)


class Problem(NamedTuple):
    """Everything a forward and a backward pass take."""

    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    dy: np.ndarray

    def scale(self, gradient: np.ndarray) -> float:
        """Return what an error of a gradient is measured by: its largest entry, or the upstream's.

        The upstream's where the gradient is all cancellation: dx of two values per channel, whose
        x_hat is ±1 whatever x was, and dgamma of constant features, whose x_hat is 0.
        """
        own = float(np.abs(gradient).max())
        two = gradient.shape == self.x.shape and self.x.size == 2 * self.x.shape[1]
        zero = gradient.shape == self.gamma.shape
        return max(own, float(np.abs(self.dy).max())) if two or zero else own


def problem(shape: tuple[int, ...], kind: str, rng: np.random.Generator) -> Problem:
    """Draw a batch of a kind, with random gamma, beta and upstream gradient."""
    channels = shape[1]
    return Problem(
        draw(shape, kind, rng),
        rng.normal(size=channels),
        rng.normal(size=channels),
        rng.normal(size=shape),
    )

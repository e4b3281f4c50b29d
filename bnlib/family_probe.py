"""Which norm is in the box? Found out by nudging one value and looking who feels it."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from bnlib.errors import ParameterError, ShapeError

NormName = Literal["batch", "layer", "instance", "group", "none"]
"""What `which_norm` answers."""

NUDGE = 3.0
"""How far one value is moved: as far as the values differ, so that float32 sees it anywhere."""


def influence(
    f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, entry: tuple[int, ...], nudge: float
) -> np.ndarray:
    """Return how far each output moves when one input value is nudged: `|f(x + nudge·e) − f(x)|`.

    Parameters
    ----------
    f : callable, array → array of the same shape
        It is called twice, each time with an array of its own.
    x : ndarray
        Where, float32 or float64, any shape.
    entry : tuple of int
        Which value is moved.
    nudge : float
        How far.

    Returns
    -------
    ndarray
        In the shape of `x`. Exactly 0 where an output does not depend on the value.

    Examples
    --------
    >>> influence(lambda x: x - x.mean(axis=1, keepdims=True), np.zeros((2, 2)), (0, 0), 1.0)
    array([[0.5, 0.5],
           [0. , 0. ]])
    """
    moved = x.copy()
    moved[entry] += nudge
    return np.asarray(np.abs(f(moved) - f(x.copy())))


def which_norm(
    f: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...], rng: np.random.Generator
) -> NormName:
    """Name the norm in a black box by what a nudge of one value moves.

    What shares a mean and a variance with the value moves, and nothing else does: other samples in
    batch norm; other channels of its sample in layer norm (all) and group norm (some); other
    positions of its channel in instance norm; nothing but itself if there is no norm.

    Parameters
    ----------
    f : callable, array → array
        Takes floating arrays of a shape (N, C, *spatial), returns one of the same shape. Always
        the same answer to the same array; with or without a scale and a shift.
    shape : tuple of int
        What `f` takes: two samples or more, two channels or more, three positions or more.
    rng : numpy.random.Generator
        Draws the values.

    Returns
    -------
    "batch", "layer", "instance", "group" or "none"
        "none" is the identity, or batch norm in evaluation mode: each value by itself.

    Raises
    ------
    ShapeError
        If the shape leaves two norms indistinguishable, or the box answers in another shape. Two
        positions are too few: instance norm makes ±1 of any two values.

    Notes
    -----
    Group norm of one group counts as layer norm, of C groups as instance norm: they are.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> which_norm(lambda x: x - x.mean(axis=(2, 3), keepdims=True), (2, 4, 3, 3), rng)
    'instance'
    >>> which_norm(np.copy, (2, 4, 3, 3), rng)
    'none'
    """
    if len(shape) < 3 or shape[0] < 2 or shape[1] < 2 or np.prod(shape[2:]) < 3:
        raise ShapeError(
            "shape must be (N, C, *spatial) with at least two samples, two channels and three "
            f"positions, or two norms look alike; got {shape}."
        )
    x = rng.normal(size=shape)
    origin = (0,) * len(shape)
    if np.shape(f(x.copy())) != tuple(shape):
        raise ShapeError(f"f must answer in the shape {tuple(shape)}; got {np.shape(f(x))}.")
    felt = influence(f, x, origin, NUDGE) > 0
    return name_of(felt)


def name_of(felt: np.ndarray) -> NormName:
    """Name a norm from which outputs felt a nudge of the first value.

    Parameters
    ----------
    felt : ndarray of bool, shape (N, C, *spatial)
        Where `influence` is not 0.

    Raises
    ------
    ParameterError
        If the nudged value's own output did not move: then the box is none of these.

    Examples
    --------
    >>> felt = np.zeros((2, 4, 3), bool)
    >>> felt[0, :2] = True
    >>> name_of(felt)
    'group'
    """
    if not felt.any():
        raise ParameterError("no output moved: a box that ignores its input is no norm.")
    if felt[1:].any():
        return "batch"
    channels = felt[0].reshape(felt.shape[1], -1).any(axis=1)
    if channels.all():
        return "layer"
    if channels[1:].any():
        return "group"
    return "instance" if felt[0, 0].sum() > 1 else "none"

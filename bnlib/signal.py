"""What a deep network does to its signal before any training: collapse, saturation, explosion.

A layer is `h = activation(h @ w)` without bias; the weights stand in the order of the layers, the
one next to the input first. Forward and backward are measured by one number a layer.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from bnlib.arrays import AnyShape, LinearInput, Wide, narrow, widen, widen_like
from bnlib.errors import ParameterError, ShapeError

Weight = Float[np.ndarray, "_ _"]
"""Weight of one of several layers, `(D, C)`; each layer has sizes of its own."""

LastOutput = Float[np.ndarray, "n last"]
"""Something of the shape of the last layer's output, `(N, C)`."""

LayerMoments = Float[np.ndarray, "layers 2"]
"""Mean and standard deviation of each layer's output, `(L, 2)`."""

PerLayer = Float[np.ndarray, "layers"]
"""One number a layer, `(L,)`."""

Activation = Callable[[np.ndarray], np.ndarray]
"""What stands between two linear layers: `(N, C)` to `(N, C)`."""


def layer_statistics(
    weights: Sequence[Weight], x: LinearInput, activation: Activation
) -> LayerMoments:
    """Return mean and standard deviation of every layer's output, over all its entries.

    `h_0 = x`, `h_l = activation(h_{l−1} @ w_l)`; the standard deviation is the biased one.

    Parameters
    ----------
    weights : sequence of ndarray
        Weight of each layer, of shape (D_{l−1}, D_l). Computed in float64.
    x : ndarray of shape (N, D_0)
        A batch of inputs.
    activation : callable
        Called once a layer, with `h @ w` in float64.

    Returns
    -------
    ndarray of shape (L, 2)
        Row l holds mean and standard deviation of the l-th layer's output, in the dtype of `x`.

    Raises
    ------
    ShapeError, DtypeError
        If there is no layer, a weight does not fit the layer before it or is not floating.

    Notes
    -----
    For weights drawn with variance s² and inputs of mean square q, each entry of `h @ w` has mean
    0 and variance D s² q: the signal keeps its size if D s² times what the activation leaves of a
    mean square is 1 (Glorot & Bengio 2010; He et al. 2015).

    Examples
    --------
    >>> layer_statistics([2 * np.eye(2), 2 * np.eye(2)], np.array([[1.0, -1.0]]), lambda h: h)
    array([[0., 2.],
           [0., 4.]])
    """
    wide = _chain(weights, x)
    h = widen(x, "x")
    moments = np.empty((len(wide), 2))
    for layer, w in enumerate(wide):
        h = np.asarray(activation(h @ w))
        moments[layer] = h.mean(), h.std()
    return narrow(moments, x)


def saturated_fraction(h: AnyShape, threshold: float = 0.97) -> float:
    """Return the fraction of entries that lie beyond the threshold, on either side.

    Parameters
    ----------
    h : ndarray
        Outputs of a saturating activation, of any shape.
    threshold : float, default 0.97
        An entry is saturated if `|h| > threshold`. Of a tanh unit beyond 0.97 less than
        1 − 0.97² = 6 % of the gradient passes.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ShapeError, DtypeError
        If `h` is empty or not floating.

    Examples
    --------
    >>> saturated_fraction(np.array([[-0.99, 0.2], [0.98, -0.5]]))
    0.5
    """
    wide = widen(h, "h")
    if wide.size == 0:
        raise ShapeError(f"h must hold at least one entry; got shape {wide.shape}.")
    return float((np.abs(wide) > threshold).mean())


def gradient_norms(weights: Sequence[Weight], x: LinearInput, dy: LastOutput) -> PerLayer:
    """Return the length of the loss's gradient by the weights of each layer of a tanh network.

    `h_l = tanh(h_{l−1} @ w_l)` for every layer, the last one included. Backwards, with `dh_L = dy`:
    `dz_l = dh_l · (1 − h_l²)`, `dw_l = h_{l−1}ᵀ dz_l`, `dh_{l−1} = dz_l w_lᵀ`.

    Parameters
    ----------
    weights : sequence of ndarray
        Weight of each layer, of shape (D_{l−1}, D_l). Computed in float64.
    x : ndarray of shape (N, D_0)
        A batch of inputs.
    dy : ndarray of shape (N, D_L)
        Gradient of the loss by the last layer's output `h_L`.

    Returns
    -------
    ndarray of shape (L,)
        `‖dw_l‖`, root of the sum of all squared entries, in the order of the weights and the dtype
        of `x`.

    Raises
    ------
    ShapeError, DtypeError
        If there is no layer, a shape does not fit or an array is not floating.

    Notes
    -----
    Every step back multiplies by a weight and by a slope of tanh, which is at most 1; forty steps
    multiply forty such factors (Glorot & Bengio 2010, §4.2).

    Examples
    --------
    >>> gradient_norms([np.eye(1), np.eye(1)], np.array([[0.0]]), np.array([[1.0]]))
    array([0., 0.])
    >>> gradient_norms([np.eye(1)], np.array([[1.0]]), np.array([[1.0]])).round(4)
    array([0.42])
    """
    wide = _chain(weights, x)
    outputs = [widen(x, "x")]
    for w in wide:
        outputs.append(np.tanh(outputs[-1] @ w))
    dh = widen_like(dy, "dy", outputs[-1].shape, "the last layer's output")
    norms = np.empty(len(wide))
    for layer in reversed(range(len(wide))):
        # h = tanh(z): ∂h/∂z = 1 − h²
        dz = dh * (1.0 - outputs[layer + 1] ** 2)
        # z_nc = Σ_d h_nd w_dc: ∂z_nc/∂w_dc = h_nd in every row n
        norms[layer] = np.linalg.norm(outputs[layer].T @ dz)
        # and ∂z_nc/∂h_nd = w_dc for every output c
        dh = dz @ wide[layer].T
    return narrow(norms, x)


def critical_scale(width: int) -> float:
    """Return the standard deviation of weights that keeps a linear layer's variance.

    `z_c = Σ_d h_d w_dc` with independent weights of mean 0 and variance s² has variance
    `width · s² · mean(h²)`: it is that of h for `s = 1/√width`.

    Parameters
    ----------
    width : int
        Number of the layer's inputs, at least 1.

    Raises
    ------
    ParameterError
        If `width` is less than 1.

    Notes
    -----
    ReLU keeps half of a mean square, so there it takes `√2` of it (He et al. 2015, §2.2).

    Examples
    --------
    >>> critical_scale(100)
    0.1
    """
    if width < 1:
        raise ParameterError(f"width must be the number of a layer's inputs, >= 1; got {width!r}.")
    return 1.0 / math.sqrt(width)


def explosion_rate(norms: PerLayer) -> float:
    """Return the factor per layer of the least squares line through the logarithms.

    `exp(slope)` of the line that fits `log(norms[l])` against l best; above 1 the norms grow in the
    order in which they stand.

    Parameters
    ----------
    norms : ndarray of shape (L,)
        One positive number a layer, L at least 2. Computed in float64.

    Returns
    -------
    float
        1 if the norms neither grow nor shrink.

    Raises
    ------
    ShapeError
        If there are fewer than two norms.
    ParameterError
        If one of them is not positive or not finite: it has no logarithm.

    Notes
    -----
    A line through all of them is steadier than `(norms[-1]/norms[0]) ** (1/(L−1))`, which rests on
    two layers. The slope of Σ (l − l̄) log n_l / Σ (l − l̄)² does not change if all norms are
    multiplied by one number.

    Examples
    --------
    >>> round(explosion_rate(np.array([3.0, 6.0, 12.0, 24.0])), 6)
    2.0
    """
    wide = widen(norms, "norms")
    if wide.ndim != 1 or wide.size < 2:
        raise ShapeError(
            f"norms must have shape (L,) with L >= 2, a number a layer; got {wide.shape}. "
            "A rate needs two layers."
        )
    if not (np.isfinite(wide).all() and (wide > 0).all()):
        raise ParameterError(
            "norms must be positive and finite, to have logarithms; the smallest is "
            f"{wide.min()}, the largest {wide.max()}."
        )
    steps = np.arange(wide.size) - (wide.size - 1) / 2
    return float(np.exp(steps @ np.log(wide) / (steps @ steps)))


def _chain(weights: Sequence[np.ndarray], x: np.ndarray) -> list[Wide]:
    """Widen the weights and check that each fits what comes before it."""
    if len(weights) == 0:
        raise ShapeError("weights must hold the weight of at least one layer; got an empty list.")
    shape = np.shape(x)
    if len(shape) != 2:
        raise ShapeError(f"x must be a batch of shape (N, D); got {shape}.")
    wide = [widen(w, f"weights[{layer}]") for layer, w in enumerate(weights)]
    inputs = shape[1]
    for layer, w in enumerate(wide):
        if w.ndim != 2 or w.shape[0] != inputs:
            raise ShapeError(
                f"weights[{layer}] must have shape ({inputs}, …), a row for each of the "
                f"{inputs} inputs of its layer; got {w.shape}."
            )
        inputs = w.shape[1]
    return wide

"""A deep network at initialisation, with and without batch norm: its signal and its gradient.

Behind unit 1's figures and experiments: nothing is trained here. One pass forward, one pass back,
in float64, and one number a layer of each.
"""

from dataclasses import dataclass

import numpy as np

from bnlib.errors import ParameterError

RELU_RATE = np.pi / (np.pi - 1)
"""What batch norm multiplies the squared gradient norm by, for each ReLU layer it is carried back:
about 1.467, for a large batch in a wide network at initialisation (Yang et al. 2019)."""

_TINY = 1e-30  # under the root, so that a feature that has died in 64 bits divides by no 0
_SECOND_MOMENT = {"linear": 1.0, "tanh": 1.0, "relu": 0.5}  # what is kept of a small mean square


@dataclass(frozen=True)
class Layers:
    """What a network at initialisation is made of."""

    depth: int
    """Number of layers, at least 1."""
    width: int
    """Features of every layer."""
    activation: str = "relu"
    """`linear`, `tanh` or `relu`."""
    gain: float = 1.0
    """Weights have this many times the standard deviation that keeps the signal's mean square:
    `√(1/width)`, and `√(2/width)` for ReLU."""
    norm: bool = False
    """Whether batch norm (no affine part) stands between a linear layer and its activation."""
    skip: bool = False
    """Whether each layer is added to its input: `h + activation(norm(h)) @ w`."""

    def __post_init__(self) -> None:
        if self.activation not in _SECOND_MOMENT:
            raise ParameterError(
                f"activation must be one of {', '.join(_SECOND_MOMENT)}; got {self.activation!r}."
            )
        if self.depth < 1 or self.width < 1 or not self.gain > 0:
            raise ParameterError(
                "depth and width must be at least 1 and gain positive; got "
                f"depth={self.depth}, width={self.width}, gain={self.gain}."
            )

    @property
    def scale(self) -> float:
        """Standard deviation of a weight."""
        return float(self.gain / np.sqrt(_SECOND_MOMENT[self.activation] * self.width))


@dataclass(frozen=True)
class Signal:
    """One pass forward and one back through a network, layer by layer from the input on."""

    outputs: tuple[np.ndarray, ...]
    """ndarray of shape (N, width) for each layer: what it hands on."""
    gradients: np.ndarray
    """ndarray of shape (L,): ‖dw_l‖, the length of the gradient by the layer's weights."""
    arriving: np.ndarray
    """ndarray of shape (L,): ‖dh_l‖, the length of the gradient by the layer's output."""

    @property
    def stds(self) -> np.ndarray:
        """Standard deviation of each layer's output over all its entries, of shape (L,)."""
        return np.array([h.std() for h in self.outputs])


def send(layers: Layers, x: np.ndarray, dy: np.ndarray, rng: np.random.Generator) -> Signal:
    """Send a batch forward and a gradient back through a freshly drawn network.

    Parameters
    ----------
    layers : Layers
        The network.
    x, dy : ndarray of shape (N, width)
        The batch, and the gradient of the loss by the last layer's output.
    rng : numpy.random.Generator
        Draws the weights, normal with standard deviation `layers.scale`.

    Returns
    -------
    Signal
        In float64.

    Raises
    ------
    ParameterError
        If x or dy are not of shape (N, width).

    Examples
    --------
    >>> x, dy = np.random.default_rng(0).normal(size=(2, 128, 64))
    >>> normed = send(Layers(30, 64, norm=True), x, dy, np.random.default_rng(1))
    >>> plain = send(Layers(30, 64), x, dy, np.random.default_rng(1))
    >>> bool(normed.gradients[0] > 50 * plain.gradients[0])
    True
    """
    if x.shape != dy.shape or x.ndim != 2 or x.shape[1] != layers.width:
        raise ParameterError(
            f"x and dy must have shape (N, width) = (N, {layers.width}); "
            f"got {x.shape} and {dy.shape}."
        )
    outputs, steps, h = [], [], x
    for _ in range(layers.depth):
        w = layers.scale * rng.standard_normal((layers.width, layers.width))
        step = (_Residual if layers.skip else _Plain)(layers, w, h)
        h = step.output
        outputs.append(h)
        steps.append(step)
    gradients, arriving, dh = np.empty(layers.depth), np.empty(layers.depth), dy
    for layer in reversed(range(layers.depth)):
        arriving[layer] = np.linalg.norm(dh)
        dw, dh = steps[layer].back(dh)
        gradients[layer] = np.linalg.norm(dw)
    return Signal(tuple(outputs), gradients, arriving)


class _Plain:
    """`h → activation(norm(h @ w))`, and back."""

    def __init__(self, layers: Layers, w: np.ndarray, h: np.ndarray) -> None:
        self.w, self.h = w, h
        self.middle = _NormThenActivation(layers, h @ w)
        self.output = self.middle.output

    def back(self, dout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients by w and by h."""
        dz = self.middle.back(dout)
        return self.h.T @ dz, dz @ self.w.T


class _Residual:
    """`h → h + activation(norm(h)) @ w`, and back: in the order of He et al. 2016b, §4."""

    def __init__(self, layers: Layers, w: np.ndarray, h: np.ndarray) -> None:
        self.w = w
        self.middle = _NormThenActivation(layers, h)
        self.output = h + self.middle.output @ w

    def back(self, dout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients by w and by h."""
        return self.middle.output.T @ dout, dout + self.middle.back(dout @ self.w.T)


class _NormThenActivation:
    """`z → activation(norm(z))`, and back; without norm, `z → activation(z)`."""

    def __init__(self, layers: Layers, z: np.ndarray) -> None:
        self.inv_std: np.ndarray | None = None
        if layers.norm:
            centered = z - z.mean(axis=0)
            self.inv_std = 1.0 / np.sqrt(np.square(centered).mean(axis=0) + _TINY)
            z = centered * self.inv_std
        self.z = z
        if layers.activation == "relu":
            self.output, self.slope = np.maximum(z, 0.0), (z > 0).astype(np.float64)
        elif layers.activation == "tanh":
            self.output = np.tanh(z)
            self.slope = 1.0 - self.output**2
        else:
            self.output, self.slope = z, np.ones_like(z)

    def back(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient by z: unit 5's closed form, where there is batch norm."""
        dz = dout * self.slope
        if self.inv_std is None:
            return dz
        along = self.z * (dz * self.z).mean(axis=0)
        return np.asarray(self.inv_std * (dz - dz.mean(axis=0) - along))

"""The network at initialisation: torch's gradients, and the rates that theory gives."""

import numpy as np
import pytest
import torch

from bnlib import explosion_rate, gradient_norms, layer_statistics
from bnlib.errors import ParameterError
from bnlib.signal_network import RELU_RATE, Layers, send

ACTIVATIONS = {"linear": lambda z: z, "tanh": torch.tanh, "relu": torch.relu}
DEPTH, WIDTH, ROWS = 3, 6, 9


def passes(rng, **options):
    """Send a batch through a small network; return the signal, the batch, dy and the weights."""
    layers = Layers(DEPTH, WIDTH, **options)
    x, dy = rng.normal(size=(2, ROWS, WIDTH))
    draws = np.random.default_rng(5)
    weights = [layers.scale * draws.standard_normal((WIDTH, WIDTH)) for _ in range(DEPTH)]
    return send(layers, x, dy, np.random.default_rng(5)), x, dy, weights


def normed(z, on):
    """Normalise with torch, if asked to."""
    return torch.nn.functional.batch_norm(z, None, None, training=True, eps=1e-30) if on else z


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_signal_is_torchs(activation, norm, skip, rng):
    """Outputs and the gradients by weights and outputs, of every kind of layer."""
    signal, x, dy, weights = passes(rng, activation=activation, norm=norm, skip=skip, gain=1.3)
    act, h = ACTIVATIONS[activation], torch.tensor(x)
    leaves = [torch.tensor(w, requires_grad=True) for w in weights]
    outputs = []
    for w in leaves:
        h = h + act(normed(h, norm)) @ w if skip else act(normed(h @ w, norm))
        outputs.append(h)
        h.retain_grad()
    h.backward(torch.tensor(dy))
    for mine, theirs in zip(signal.outputs, outputs, strict=True):
        np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(signal.gradients, [w.grad.norm() for w in leaves], rtol=1e-9)
    np.testing.assert_allclose(signal.arriving, [o.grad.norm() for o in outputs], rtol=1e-9)


def test_a_tanh_network_is_that_of_the_exercises(rng):
    """`layer_statistics` and `gradient_norms` say the same of it."""
    signal, x, dy, weights = passes(rng, activation="tanh")
    np.testing.assert_allclose(signal.stds, layer_statistics(weights, x, np.tanh)[:, 1])
    np.testing.assert_allclose(signal.gradients, gradient_norms(weights, x, dy))


def squared_rate(**options):
    """Return the factor a layer, towards the input, of the squared gradient norm."""
    rng = np.random.default_rng(2)
    x, dy = rng.normal(size=(2, 192, 256))
    arriving = send(Layers(30, 256, **options), x, dy, rng).arriving[5:]
    return explosion_rate(arriving[::-1] ** 2)


def test_batch_norm_multiplies_by_pi_over_pi_minus_1():
    """Within 4 % for 256 units and 192 rows; without it, He's weights keep the gradient."""
    assert squared_rate(norm=True) == pytest.approx(RELU_RATE, rel=0.04)
    assert squared_rate(norm=False) == pytest.approx(1.0, abs=0.06)


def test_the_rate_with_batch_norm_does_not_listen_to_the_gain():
    """Weights ten times larger: the layer divides them out again."""
    assert squared_rate(norm=True, gain=10.0) == pytest.approx(squared_rate(norm=True), rel=1e-9)
    assert squared_rate(gain=2.0) == pytest.approx(4.0 * squared_rate(), rel=1e-9)


def test_a_skip_connection_tames_the_growth():
    """Thirty layers multiply by less than a hundred, not by a hundred thousand."""
    rng = np.random.default_rng(2)
    x, dy = rng.normal(size=(2, 192, 128))
    growth = {}
    for skip in (False, True):
        arriving = send(Layers(30, 128, norm=True, skip=skip), x, dy, rng).arriving
        growth[skip] = (arriving[0] / arriving[-1]) ** 2
    assert growth[True] < 100 < 1e4 < growth[False]


def test_what_cannot_be_built_is_refused():
    """By name."""
    with pytest.raises(ParameterError, match="activation"):
        Layers(3, 4, activation="gelu")
    with pytest.raises(ParameterError, match="gain positive"):
        Layers(3, 4, gain=0.0)
    with pytest.raises(ParameterError, match=r"\(N, width\)"):
        send(Layers(3, 4), np.ones((5, 4)), np.ones((5, 3)), np.random.default_rng(0))

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnlib import (
    BatchNorm1d,
    BatchNorm2d,
    bessel,
    eval_as_affine,
    momentum_from_keras,
    recalibrate,
    update_running,
)
from bnlib.errors import BatchSizeError, DtypeError, ShapeError
from tests.bnlib.grid import DTYPES, KINDS, assert_close, draw, rounding

GIVEN = [3.0, 3, np.float32(3.0), np.float64(3.0), np.array(3.0), np.array([3.0, 4.0], np.float16)]


@pytest.mark.parametrize("value", GIVEN, ids=lambda v: f"{type(v).__name__}-{np.shape(v)}")
def test_a_value_comes_back_as_the_kind_it_was_given(value):
    """Floats, NumPy scalars and arrays alike; an int becomes a float, or it would be cut off."""
    for result in (
        update_running(value, value, 0.5),
        bessel(value, 4),
        momentum_from_keras(value),
    ):
        assert type(result) is (float if isinstance(value, int) else type(value))
        assert np.shape(result) == np.shape(value)
        if not isinstance(value, int):
            assert np.asarray(result).dtype == np.asarray(value).dtype


def test_integers_in_an_array_become_float64():
    """The result of an average of integers is not an integer."""
    result = update_running(np.array([0, 1]), np.array([1, 2]), 0.5)
    np.testing.assert_array_equal(result, [0.5, 1.5], strict=True)


@pytest.mark.parametrize(("momentum", "expected"), [(0.0, 1.0), (0.1, 1.2), (1.0, 3.0)])
def test_momentum_is_the_weight_of_the_new_value(momentum, expected):
    """0 keeps the old value, 1 takes the new one."""
    running, batch = np.array([1.0]), np.array([3.0])
    np.testing.assert_allclose(update_running(running, batch, momentum), [expected], rtol=1e-15)
    np.testing.assert_array_equal(running, [1.0])


def test_an_update_is_a_new_array_even_for_momentum_zero():
    """A snapshot of the old one stays what it was."""
    running = np.array([1.0])
    update_running(running, np.array([2.0]), 0.0)[0] = 9.0
    assert running[0] == 1.0


@given(st.floats(0, 1), st.floats(-1e6, 1e6), st.integers(1, 30))
def test_a_constant_batch_is_approached_geometrically(momentum, target, steps):
    """After k steps from 0 the distance is (1 − momentum)^k of what it was."""
    value = 0.0
    for _ in range(steps):
        value = update_running(value, target, momentum)
    expected = target * (1 - (1 - momentum) ** steps)
    assert value == pytest.approx(expected, rel=1e-12, abs=1e-9)


def test_shapes_that_would_broadcast_are_refused():
    """The running mean of four channels is not updated by one number."""
    with pytest.raises(ShapeError, match=r"same shape; got \(4,\) and \(1,\)"):
        update_running(np.zeros(4), np.zeros(1), 0.1)


@pytest.mark.parametrize("m", [2, 3, 64])
def test_bessel_turns_the_biased_variance_into_the_unbiased_one(m, rng):
    """As torch.var with correction 1."""
    x = rng.normal(size=(m, 3))
    expected = torch.tensor(x).var(dim=0, correction=1).numpy()
    assert_close(bessel(x.var(axis=0), m), expected)


@pytest.mark.parametrize("m", [0, 1])
def test_one_value_has_no_unbiased_variance(m):
    """The correction would divide by zero."""
    with pytest.raises(BatchSizeError, match="m must be at least 2"):
        bessel(np.ones(2), m)


def test_a_translated_keras_momentum_gives_the_same_sequence(rng):
    """Keras' rule, moving = moving · momentum + batch · (1 − momentum), step by step."""
    keras = np.array([0.99, 0.9, 0.0, 1.0])
    moving = running = np.ones(4)
    for batch in rng.normal(size=(20, 4)):
        moving = moving * keras + batch * (1 - keras)
        running = np.stack(
            [
                update_running(running[i], batch[i], float(momentum_from_keras(keras)[i]))
                for i in range(4)
            ]
        )
    np.testing.assert_allclose(running, moving, rtol=1e-12)


def batches(kind, rng):
    """Draw unequal batches whose means lie apart."""
    return [draw((n, 3), kind, rng)[:rows] + n for n, rows in ((2, 1), (3, 2), (7, 7), (30, 30))]


@pytest.mark.parametrize("kind", KINDS)
def test_recalibration_pools_all_rows(kind, rng):
    """Mean and unbiased variance of the concatenation, from a generator read once."""
    layer = BatchNorm1d(3)
    data = batches(kind, rng)
    recalibrate(layer, (batch for batch in data))
    rows = torch.tensor(np.concatenate(data))
    assert_close(layer.running_mean, rows.mean(dim=0).numpy())
    assert_close(layer.running_var, rows.var(dim=0, correction=1).numpy())


def test_recalibration_is_not_the_average_of_the_batches_variances(rng):
    """Batches whose means differ: the cumulative average (momentum None) misses the spread."""
    data = [rng.normal(mean, 1.0, (16, 1)) for mean in (-5.0, 5.0)]
    layer, averaged = BatchNorm1d(1), BatchNorm1d(1, momentum=None)
    recalibrate(layer, data)
    for batch in data:
        averaged(batch)
    np.testing.assert_allclose(layer.running_mean, averaged.running_mean)
    assert layer.running_var > 20 * averaged.running_var


def test_recalibrating_on_one_batch_is_one_step_with_momentum_one(rng):
    """Also with spatial axes."""
    x = rng.normal(size=(4, 2, 3, 5))
    layer, stepped = BatchNorm2d(2), BatchNorm2d(2, momentum=1.0)
    recalibrate(layer, [x])
    stepped(x)
    assert_close(layer.running_mean, stepped.running_mean)
    assert_close(layer.running_var, stepped.running_var)


def test_recalibration_leaves_everything_else(rng):
    """Mode, parameters and num_batches_tracked, in both modes."""
    for mode in (True, False):
        layer = BatchNorm1d(3).train(mode)
        layer.weight = rng.normal(size=3)
        layer.num_batches_tracked = 7
        before = layer.state_dict()
        recalibrate(layer, batches("plain", rng))
        assert layer.training is mode
        after = layer.state_dict()
        for key in ("weight", "bias", "num_batches_tracked"):
            np.testing.assert_array_equal(after[key], before[key])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ([], BatchSizeError),
        ([np.ones((1, 3))], BatchSizeError),
        ([np.ones((4, 2))], ShapeError),
        ([np.ones((4, 3)), np.ones((4, 2))], ShapeError),
        ([np.ones((4, 3), int)], DtypeError),
    ],
)
def test_a_failed_recalibration_leaves_the_layer_unchanged(data, error):
    """Too few rows, other channels, integers."""
    layer = BatchNorm1d(3)
    with pytest.raises(error):
        recalibrate(layer, data)
    np.testing.assert_array_equal(layer.running_mean, np.zeros(3))
    np.testing.assert_array_equal(layer.running_var, np.ones(3))


@pytest.mark.parametrize("dtype", DTYPES)
def test_evaluation_is_one_scale_and_one_shift(dtype, rng):
    """`scale · x + shift` is the layer in evaluation mode, and torch's too."""
    layer = BatchNorm1d(4, eps=0.01)
    layer.weight, layer.bias = rng.normal(size=4), rng.normal(size=4)
    layer.running_mean, layer.running_var = rng.normal(size=4), rng.uniform(0.1, 3.0, 4)
    before = layer.state_dict()
    scale, shift = eval_as_affine(layer)
    assert scale.dtype == shift.dtype == np.float64
    x = rng.normal(size=(6, 4)).astype(dtype)
    expected = layer.eval()(x)
    tolerance = rounding(dtype) * 8
    np.testing.assert_allclose(scale * x + shift, expected, rtol=tolerance, atol=tolerance)
    theirs = torch.nn.BatchNorm1d(4, eps=0.01).double().eval()
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in layer.state_dict().items()})
    wide = x.astype(np.float64)
    assert_close(scale * wide + shift, theirs(torch.tensor(wide)).detach().numpy())
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[key])

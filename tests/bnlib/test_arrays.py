import numpy as np
import pytest

from bnlib.arrays import check_eps, reduced_axes, spread, values_per_channel, widen, widen_batch
from bnlib.errors import DtypeError, ParameterError, ShapeError
from tests.bnlib.grid import DTYPES, SHAPES


@pytest.mark.parametrize("dtype", DTYPES)
def test_widening_loses_nothing(dtype):
    """Every number of a narrower dtype is a float64."""
    x = np.array([1.1, -3e4, 6e-5], dtype)
    wide = widen(x, "x")
    assert wide.dtype == np.float64
    np.testing.assert_array_equal(wide.astype(dtype), x)


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.complex128, object])
def test_a_dtype_that_is_not_floating_is_refused_by_name(dtype):
    """The message names the argument and the dtype that came."""
    with pytest.raises(DtypeError, match=rf"gamma must be .* got dtype {np.dtype(dtype)}"):
        widen(np.ones(3, dtype), "gamma")


@pytest.mark.parametrize("shape", [(), (3,)])
def test_a_batch_needs_a_channel_axis(shape):
    """One axis cannot say which values belong to which channel."""
    with pytest.raises(ShapeError, match=r"x must have shape \(N, C\)"):
        widen_batch(np.ones(shape))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_channel_axis_and_the_reduced_axes_make_up_the_shape(shape):
    """With m values each, C channels make up the batch; a spread vector follows the channels."""
    assert sorted((*reduced_axes(len(shape)), 1)) == list(range(len(shape)))
    assert values_per_channel(shape) * shape[1] == np.prod(shape)
    v = np.arange(shape[1], dtype=float)
    grid = np.broadcast_to(spread(v, len(shape)), shape)
    for c in range(shape[1]):
        assert np.all(grid[:, c] == c)


@pytest.mark.parametrize("eps", [-1e-9, np.nan, np.inf])
def test_an_eps_that_cannot_stand_under_the_root_is_refused(eps):
    """Negative, infinite and nan."""
    with pytest.raises(ParameterError, match="eps must be"):
        check_eps(eps)

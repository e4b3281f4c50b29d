from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bnlib import batch_mean, batch_var, merge_stats, pooled_moments, streaming_mean_var
from bnlib.errors import BatchSizeError, DtypeError, ParameterError, ShapeError
from tests.bnlib.grid import (
    DTYPES,
    KINDS,
    LAYOUTS,
    SHAPES,
    assert_close,
    draw,
    lay_out,
    rounding,
)

ROWS = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.just(2)),
    elements=st.floats(-1e4, 1e4, width=32),
)


def exact_moments(column: np.ndarray) -> tuple[float, float]:
    """Mean and biased variance in rational arithmetic, rounded once at the end."""
    values = [Fraction(float(v)) for v in column]
    mean = sum(values, Fraction(0)) / len(values)
    var = sum(((v - mean) ** 2 for v in values), Fraction(0)) / len(values)
    return float(mean), float(var)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_mean_and_variance_are_torchs(shape, kind, rng):
    """Over the batch and all spatial axes, the variance with correction 0."""
    x = draw(shape, kind, rng)
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    var, mean = torch.var_mean(torch.tensor(x), dim=axes, correction=0)
    assert_close(batch_mean(x), mean.numpy())
    assert_close(batch_var(x, batch_mean(x)), var.numpy())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_the_moments_are_right_to_the_last_place(dtype, offset, rng):
    """Against rational arithmetic, at mean 1e4, where E[x²] − E[x]² gives 16 or −8 in float32."""
    x = (rng.normal(size=(64, 2)) * 8 + offset).astype(dtype)
    mean = batch_mean(x)
    var = batch_var(x, mean)
    assert mean.dtype == var.dtype == dtype
    for c in range(2):
        exact_mean, exact_var = exact_moments(x[:, c])
        np.testing.assert_allclose(float(mean[c]), exact_mean, rtol=rounding(dtype), atol=0)
        np.testing.assert_allclose(float(var[c]), exact_var, rtol=rounding(dtype), atol=1e-13)


def test_the_variance_of_a_constant_feature_is_zero():
    """Not merely small."""
    x = np.full((64, 1), 1e4 + 0.1)
    assert batch_var(x, batch_mean(x)) == 0.0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_does_not_matter(layout, rng):
    """Strides are an implementation detail of the caller."""
    x = draw((6, 4, 2, 3), "plain", rng)
    laid = lay_out(x, layout)
    assert_close(batch_mean(laid), batch_mean(x))
    assert_close(batch_var(laid, batch_mean(laid)), batch_var(x, batch_mean(x)))


@pytest.mark.parametrize("shape", [(0, 3), (4, 3, 0)])
def test_nothing_has_no_mean(shape):
    """An empty batch raises; nan would travel on."""
    with pytest.raises(BatchSizeError, match="at least one value per channel"):
        batch_mean(np.ones(shape))
    with pytest.raises(BatchSizeError, match="at least one value per channel"):
        batch_var(np.ones(shape), np.ones(3))


def test_a_mean_of_another_length_is_refused(rng):
    """A mean of shape (1,) would broadcast silently."""
    with pytest.raises(ShapeError, match=r"mean must have shape \(C,\) = \(3,\)"):
        batch_var(rng.normal(size=(4, 3)), np.zeros(1))


@given(ROWS, ROWS)
def test_merging_two_batches_is_pooling_their_rows(a, b):
    """Chan's formula gives what one pass over all rows gives."""
    merged = merge_stats(*((batch_mean(x), batch_var(x, batch_mean(x)), len(x)) for x in (a, b)))
    pooled = np.concatenate([a, b])
    np.testing.assert_allclose(merged[0], pooled.mean(axis=0), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(merged[1], pooled.var(axis=0), rtol=1e-10, atol=1e-9)
    assert merged[2] == len(pooled)


@given(ROWS, ROWS)
def test_merging_is_symmetric(a, b):
    """The order of the two does not matter."""
    one, two = ((batch_mean(x), batch_var(x, batch_mean(x)), len(x)) for x in (a, b))
    for left, right in zip(merge_stats(one, two), merge_stats(two, one), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("side", [0, 1])
def test_a_count_of_zero_contributes_nothing(side):
    """Even if its mean and variance are nan."""
    something = (np.array([1.0, 2.0]), np.array([3.0, 4.0]), 5)
    nothing = (np.full(2, np.nan), np.full(2, np.nan), 0)
    pair = (something, nothing) if side else (nothing, something)
    for merged, expected in zip(merge_stats(*pair), something, strict=True):
        np.testing.assert_array_equal(merged, expected)
        assert merged is not expected or isinstance(merged, int)


def test_merge_stats_refuses_what_does_not_fit():
    """Different channels, a variance of another shape, a negative count, integers."""
    one = (np.zeros(2), np.ones(2), 3)
    with pytest.raises(ShapeError, match="same channels"):
        merge_stats(one, (np.zeros(3), np.ones(3), 3))
    with pytest.raises(ShapeError, match="the var of b must have the shape of its mean"):
        merge_stats(one, (np.zeros(2), np.ones(1), 3))
    with pytest.raises(ParameterError, match="count of b must be at least 0"):
        merge_stats(one, (np.zeros(2), np.ones(2), -1))
    with pytest.raises(DtypeError, match="the mean of b"):
        merge_stats(one, (np.zeros(2, int), np.ones(2), 1))


def test_streaming_equals_one_exact_pass_at_mean_1e4(rng):
    """Unequal float32 chunks around 1e4, an empty one among them, against rational arithmetic."""
    x = rng.normal(1e4, 1.0, (117, 2)).astype(np.float32)
    chunks = np.split(x, [1, 1, 8, 100])
    mean, var, count = streaming_mean_var(chunk for chunk in chunks)
    assert (mean.dtype, var.dtype, count) == (np.float32, np.float32, 117)
    for c in range(2):
        exact_mean, exact_var = exact_moments(x[:, c])
        np.testing.assert_allclose(float(mean[c]), exact_mean, rtol=rounding(np.float32))
        np.testing.assert_allclose(float(var[c]), exact_var, rtol=rounding(np.float32))


@given(st.lists(st.integers(0, 20), max_size=5))
def test_the_cuts_of_a_stream_do_not_matter(cuts):
    """Any partition of the same rows gives the same statistics."""
    x = np.random.default_rng(5).normal(100.0, 3.0, (20, 3))
    mean, var, count = streaming_mean_var(np.split(x, sorted(cuts)))
    assert count == 20
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(var, x.var(axis=0), rtol=1e-11)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_stream_answers_in_the_dtype_of_its_chunks(dtype, rng):
    """A single chunk gives exactly the batch's own statistics."""
    x = rng.normal(size=(9, 3)).astype(dtype)
    mean, var, count = streaming_mean_var([x])
    assert count == 9
    np.testing.assert_array_equal(mean, batch_mean(x), strict=True)
    np.testing.assert_array_equal(var, batch_var(x, batch_mean(x)), strict=True)


@pytest.mark.parametrize("chunks", [[], [np.ones((0, 3))]])
def test_a_stream_without_rows_is_refused(chunks):
    """There is nothing to average."""
    with pytest.raises(BatchSizeError, match="at least one row"):
        streaming_mean_var(chunks)


def test_a_stream_with_changing_channels_is_refused():
    """The message says both numbers of channels."""
    with pytest.raises(ShapeError, match="got 3 and then 2"):
        streaming_mean_var([np.ones((2, 3)), np.ones((2, 2))])


def test_pooled_moments_take_spatial_axes_and_stay_in_float64(rng):
    """Unlike `streaming_mean_var`, which rounds to the dtype of its chunks."""
    x = rng.normal(1e4, 1.0, (6, 2, 5)).astype(np.float32)
    mean, var, count = pooled_moments([x[:1], x[1:]])
    assert (mean.dtype, count) == (np.float64, 30)
    assert_close(mean, x.astype(np.float64).mean(axis=(0, 2)))
    assert_close(var, x.astype(np.float64).var(axis=(0, 2)))

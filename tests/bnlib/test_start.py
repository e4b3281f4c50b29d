import numpy as np
import pytest
import torch

from bnlib import center, column_scale
from bnlib.errors import BatchSizeError
from tests.bnlib.grid import DTYPES, KINDS, LAYOUTS, assert_close, draw, lay_out, rounding


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 1), (3, 4), (64, 4), (4, 4)])
def test_center_and_scale_are_torchs(shape, kind, rng):
    """Over axis 0, with correction 0; (4, 4) is where the wrong axis has the right shape."""
    x = draw(shape, kind, rng)
    t = torch.tensor(x)
    expected = t - t.mean(dim=0)
    scale = max(1.0, float(np.abs(x).max()))
    assert_close(center(x), expected.numpy(), scale=scale)
    assert_close(column_scale(x), t.std(dim=0, correction=0).numpy())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "channels last"])
def test_dtype_and_layout(dtype, layout, rng):
    """The dtype is kept, the layout does not matter."""
    x = lay_out(draw((64, 4), "mean 1e4", rng).astype(dtype), layout)
    wide = x.astype(np.float64)
    assert center(x).dtype == column_scale(x).dtype == dtype
    np.testing.assert_allclose(
        center(x), wide - wide.mean(axis=0), rtol=rounding(dtype), atol=1e-11
    )
    np.testing.assert_allclose(column_scale(x), wide.std(axis=0), rtol=rounding(dtype))


def test_centering_twice_is_centering_once(rng):
    """And the columns sum to 0."""
    x = rng.normal(3.0, 2.0, (9, 3))
    once = center(x)
    np.testing.assert_allclose(once.sum(axis=0), 0.0, atol=1e-13)
    np.testing.assert_allclose(center(once), once, rtol=0, atol=1e-14)


def test_no_rows_no_mean():
    """An empty batch raises."""
    for function in (center, column_scale):
        with pytest.raises(BatchSizeError):
            function(np.ones((0, 3)))

"""The figures of the forward lecture show what batch norm does to rows, columns and activations."""

import numpy as np
import pytest

import bnlib
from bnlib.plots import to_png
from bnlib.plots.normalization import (
    activation_report,
    batch_with_outlier,
    draw_circle,
    draw_company,
    draw_scale_shift,
    random_columns,
    standardise,
)


def texts(fig: object) -> str:
    """Return everything that is written in a figure."""
    found = []
    for ax in fig.axes:  # type: ignore[attr-defined]
        legend = ax.get_legend()
        found += [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()]
        found += [t.get_text() for t in legend.get_texts()] if legend else []
    return " | ".join(found)


def test_standardise_agrees_with_the_reference() -> None:
    """The figures' own formula is the one of bnlib, column by column."""
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(8, 4))

    y, _ = bnlib.batchnorm_forward(x, np.ones(4), np.zeros(4))

    np.testing.assert_allclose(standardise(x.T).T, y, rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 10, 32])
def test_no_row_passes_the_bound(n: int) -> None:
    """However far one row is pulled away, |x̂| stays below √(N−1), and comes close to it."""
    x_hat = standardise(batch_with_outlier(n, 1e6))

    assert np.abs(x_hat).max() <= np.sqrt(n - 1)
    assert x_hat[0] == pytest.approx(np.sqrt(n - 1), rel=1e-6)


def test_a_batch_of_one_has_no_company() -> None:
    """One row alone is refused with a reason."""
    with pytest.raises(ValueError, match="at least 2"):
        batch_with_outlier(1, 4.0)


def test_features_of_three_rows_lie_on_the_circle_unless_they_are_narrow() -> None:
    """The radius is √3 for wide features, and clearly less where the variance is near eps."""
    wide = np.linalg.norm(standardise(random_columns(1.0)), axis=1)
    narrow = np.linalg.norm(standardise(random_columns(0.001)), axis=1)

    np.testing.assert_allclose(wide, np.sqrt(3), rtol=1e-2)
    assert narrow.max() < 1.0


def test_relu_report_counts_zeros() -> None:
    """A large negative shift switches a ReLU off; a large positive one leaves it open."""
    x_hat = standardise(np.random.default_rng(0).normal(size=4000))

    assert activation_report(x_hat - 10.0, "relu") == "100 % of the outputs are exactly 0"
    assert activation_report(x_hat + 10.0, "relu") == "0 % of the outputs are exactly 0"


def test_tanh_report_counts_saturated_values() -> None:
    """A large scale saturates a tanh, a small one does not."""
    x_hat = standardise(np.random.default_rng(0).normal(size=4000))

    assert activation_report(0.1 * x_hat, "tanh").startswith("0 % saturate")
    assert int(activation_report(50.0 * x_hat, "tanh").split()[0]) > 90


def test_unknown_activation_is_refused() -> None:
    """An activation the figure cannot draw is named in the error."""
    with pytest.raises(ValueError, match="'gelu'"):
        activation_report(np.zeros(3), "gelu")


def test_company_figure_names_the_bound() -> None:
    """The legend gives √(N−1) for the N that is shown."""
    assert "±3.000" in texts(draw_company(n=10, pull=4))
    assert "±1.000" in texts(draw_company(n=2, pull=4))


def test_scale_shift_figure_changes_with_gamma_and_beta() -> None:
    """Every control changes the picture."""
    pictures = {
        to_png(draw_scale_shift(*state), dpi=40)
        for state in [
            (1.0, 0.0, "relu"),
            (2.0, 0.0, "relu"),
            (1.0, 1.0, "relu"),
            (1.0, 0.0, "tanh"),
        ]
    }
    assert len(pictures) == 4


@pytest.mark.parametrize("draw", [draw_company, draw_circle, draw_scale_shift])
def test_axes_are_labelled_and_drawing_is_repeatable(draw: object) -> None:
    """All axes carry labels, and the same state gives the same picture."""
    fig = draw()  # type: ignore[operator]

    assert all(ax.get_xlabel() and ax.get_ylabel() for ax in fig.axes)
    assert to_png(fig, dpi=40) == to_png(draw(), dpi=40)  # type: ignore[operator]

"""Controls: what they offer, what they refuse."""

import pytest

from bnlib.widgets import Choice, Slider, Toggle


def test_a_linear_slider_has_evenly_spaced_positions():
    """Whole numbers stay whole; decimals carry no float noise."""
    assert Slider("n", 1, 5, 2, 3).values() == [1, 3, 5]
    assert Slider("lr", 0.1, 0.7, 0.2, 0.3).values() == [0.1, 0.3, 0.5, 0.7]
    assert all(isinstance(v, int) for v in Slider("n", 1, 5, 2, 3).values())


def test_a_log_slider_has_a_constant_ratio():
    """A step is a factor, and the upper bound is always reachable."""
    assert Slider("m", 1, 256, 2, 8, log=True).values() == [2**k for k in range(9)]
    assert Slider("eps", 1e-5, 1e-1, 10.0, 1e-3, log=True).values() == [1e-5, 1e-4, 1e-3, 0.01, 0.1]
    assert Slider("m", 2, 100, 2, 8, log=True).values()[-2:] == [64, 100]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 8, 1, 9), "min <= value <= max"),
        ((3, 3, 1, 3), "min < max"),
        ((0, 8, 0, 4), "step > 0"),
        ((0, 1e9, 1, 4), "at most 1000 positions"),
        ((0, 8, 3, 4), "one of the slider's positions 0, 3, 6, …, 8; got 4"),
        ((0, 8, 2, 4, True), "min > 0 and step > 1"),
        ((1, 8, 1, 4, True), "min > 0 and step > 1"),
    ],
)
def test_a_slider_that_cannot_work_is_refused(arguments, message):
    """The author learns it when the cell runs, not when a reader moves the slider."""
    with pytest.raises(ValueError, match=message):
        Slider("m", *arguments)


@pytest.mark.parametrize("value", [3, 1.5, "8", None, True])
def test_a_slider_takes_its_positions_only(value):
    """Nothing is rounded behind the reader's back; True is no 1."""
    with pytest.raises(ValueError, match="'m' must be one of the slider's positions"):
        Slider("m", 1, 256, 2, 8, log=True).check(value)


def test_a_typed_value_snaps_to_the_nearest_position():
    """The number beside a linear slider can be typed over."""
    slider = Slider("lr", 0.1, 0.7, 0.2, 0.3)
    assert slider.snap(0.1 + 0.2 + 0.2) == 0.5
    assert slider.snap(0.45) == 0.5


def test_decimals_are_shown_as_fine_as_the_step():
    """Neither 0.30000000000000004 nor 0.3 for 0.25."""
    assert Slider("rate", 0.0, 1.0, 0.05, 0.5).widget().readout_format == ".2f"
    assert Slider("eps", 0.0, 1e-4, 1e-5, 1e-5).widget().readout_format == ".5f"


def test_a_choice_names_its_options_when_it_refuses():
    """An unknown option, at the start or later."""
    with pytest.raises(ValueError, match=r"must be one of 'relu', 'tanh'; got 'gelu'"):
        Choice("activation", ("relu", "tanh"), "gelu")


def test_options_must_be_hashable():
    """Pictures are remembered by state."""
    with pytest.raises(TypeError, match="unhashable"):
        Choice("data", ([1], [2]), [1])


def test_a_toggle_is_true_or_false():
    """Truthy is not True."""
    with pytest.raises(ValueError, match="must be True or False; got 1"):
        Toggle("eval mode", 1)


@pytest.mark.parametrize(
    "control",
    [
        Slider("batch size", 1, 256, 2, 8, log=True, unit="rows"),
        Slider("layers", 1, 9, 1, 3),
        Slider("rate", 0.1, 0.7, 0.2, 0.3),
        Choice("activation", ("relu", "tanh"), "tanh"),
        Toggle("eval mode", True),
    ],
)
def test_widgets_are_labelled_and_start_where_told(control):
    """Every control shows its label (and unit) and the start value."""
    widget = control.widget()
    assert widget.description.startswith(control.label)
    assert widget.value == control.value
    assert getattr(widget, "continuous_update", True)


def test_the_unit_is_in_the_label():
    """A number without a unit means nothing."""
    slider = Slider("learning rate", 0.1, 1.0, 0.1, 0.1, unit="1/step")
    assert slider.widget().description == "learning rate (1/step)"

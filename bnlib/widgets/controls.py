"""Controls as plain data: what a reader may change, between which bounds, from where."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ipywidgets as widgets

_WIDE = {"description_width": "initial"}
_MAX_STEPS = 1000  # more positions than pixels: surely a wrong step


@dataclass(frozen=True)
class Slider:
    """A number between two bounds; a whole number if all four numbers are whole.

    Raises
    ------
    ValueError
        If the bounds, the step or the start value do not fit together.
    """

    #: What the reader sees beside it.
    label: str
    #: Smallest value.
    min: float
    #: Largest value.
    max: float
    #: Distance of neighbouring values; with ``log`` their ratio.
    step: float
    #: Start value.
    value: float
    #: Whether values are spaced by ratio: ``Slider("m", 1, 256, 2, 8, log=True)`` has 1, 2, 4, …
    log: bool = False
    #: Unit, shown in brackets after the label.
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.min <= self.value <= self.max or self.min == self.max:
            raise ValueError(
                f"slider {self.label!r} must have min <= value <= max and min < max; "
                f"got min={self.min}, value={self.value}, max={self.max}."
            )
        if self.log and not (self.min > 0 and self.step > 1):
            raise ValueError(
                f"slider {self.label!r} with log=True must have min > 0 and step > 1, the ratio "
                f"of neighbouring values; got min={self.min}, step={self.step}."
            )
        if self.step <= 0 or self._positions() > _MAX_STEPS:
            raise ValueError(
                f"slider {self.label!r} must have a step > 0 that gives at most {_MAX_STEPS} "
                f"positions; got step={self.step} from {self.min} to {self.max}."
            )
        self.check(self.value)

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""
        return all(isinstance(v, int) for v in (self.min, self.max, self.step, self.value))

    def values(self) -> list[float]:
        """Return every position of the slider; ``max`` is always the last."""
        found = [self._at(k) for k in range(self._positions())]
        return sorted({v for v in found if v < self.max} | {self.max})

    def snap(self, value: float) -> float:
        """Return the position nearest to ``value``."""
        return min(self.values(), key=lambda position: abs(position - value))

    def check(self, value: Any) -> Any:
        """Return the slider's position that equals ``value``, or raise `ValueError`."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            nearest = self.snap(value)
            if math.isclose(nearest, value, rel_tol=1e-9, abs_tol=1e-12):
                return nearest
        values = self.values()
        some = ", ".join(_number(v) for v in values[:3])
        raise ValueError(
            f"{self.label!r} must be one of the slider's positions {some}, …, "
            f"{_number(values[-1])}; got {value!r}."
        )

    def widget(self) -> widgets.Widget:
        """Return the slider as a widget, to be moved by mouse or arrow keys."""
        look = {
            "description": f"{self.label} ({self.unit})" if self.unit else self.label,
            "value": self.check(self.value),
            "continuous_update": True,
            "style": _WIDE,
            "layout": {"width": "min(100%, 36em)"},
        }
        if self.log:
            return widgets.SelectionSlider(options=[(_number(v), v) for v in self.values()], **look)
        kind = widgets.IntSlider if self.whole else widgets.FloatSlider
        if not self.whole:
            look["readout_format"] = f".{max(_decimals(self.min), _decimals(self.step))}f"
        return kind(min=self.min, max=self.max, step=self.step, **look)

    def _positions(self) -> int:
        """Count the steps from ``min`` that stay at or below ``max``."""
        if self.log:
            steps = math.log(self.max / self.min) / math.log(self.step)
        else:
            steps = (self.max - self.min) / self.step
        return int(steps + 1e-9) + 1

    def _at(self, k: int) -> float:
        """Return position ``k``, free of the noise of repeated addition."""
        value = self.min * self.step**k if self.log else self.min + self.step * k
        return value if self.whole else float(f"{value:.12g}")


@dataclass(frozen=True)
class Choice:
    """One of a few named options.

    Raises
    ------
    ValueError
        If ``value`` is not one of ``options``.
    TypeError
        If an option cannot be hashed: offer names, and look the arrays up in ``draw``.
    """

    #: What the reader sees beside it.
    label: str
    #: The options, in order; each is shown as its text.
    options: Sequence[Any]
    #: Start value.
    value: Any

    def __post_init__(self) -> None:
        hash(tuple(self.options))
        self.check(self.value)

    def snap(self, value: Any) -> Any:
        """Return ``value``: the widget can hold nothing but options."""
        return value

    def check(self, value: Any) -> Any:
        """Return ``value`` if it is an option, or raise `ValueError`."""
        if value not in self.options:
            known = ", ".join(repr(option) for option in self.options)
            raise ValueError(f"{self.label!r} must be one of {known}; got {value!r}.")
        return value

    def widget(self) -> widgets.Widget:
        """Return the choice as a drop-down list."""
        return widgets.Dropdown(
            options=[(str(option), option) for option in self.options],
            value=self.value,
            description=self.label,
            style=_WIDE,
            layout={"width": "max-content"},
        )


@dataclass(frozen=True)
class Toggle:
    """A yes or no.

    Raises
    ------
    ValueError
        If ``value`` is no bool.
    """

    #: What the reader sees beside it.
    label: str
    #: Start value.
    value: bool

    def __post_init__(self) -> None:
        self.check(self.value)

    def snap(self, value: bool) -> bool:
        """Return ``value``: the widget can hold nothing else."""
        return value

    def check(self, value: Any) -> bool:
        """Return ``value`` if it is a bool, or raise `ValueError`."""
        if not isinstance(value, bool):
            raise ValueError(f"{self.label!r} must be True or False; got {value!r}.")
        return value

    def widget(self) -> widgets.Widget:
        """Return the toggle as a check box."""
        return widgets.Checkbox(value=self.value, description=self.label, indent=False, style=_WIDE)


Control = Slider | Choice | Toggle


def _decimals(value: float) -> int:
    """Count the digits after the point that it takes to write ``value``."""
    return max(0, -int(Decimal(str(value)).as_tuple().exponent))


def _number(value: float) -> str:
    """Write a slider's position as a reader would: no trailing zeros, no float noise."""
    return str(value) if isinstance(value, int) else f"{value:.6g}"

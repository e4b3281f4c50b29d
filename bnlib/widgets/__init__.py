"""Interactive views: the one slider panel that every lecture uses."""

from bnlib.widgets.controls import Choice, Control, Slider, Toggle
from bnlib.widgets.explore import Explorer, explore

__all__ = ["Choice", "Control", "Explorer", "Slider", "Toggle", "explore"]

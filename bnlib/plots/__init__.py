"""Figures of the course: one house style, and one module of pure drawing functions per subject."""

import bnlib.plots._fontcache  # noqa: F401  # first, before anything imports matplotlib
from bnlib.plots.style import COLORS, CYCLE, SEQUENTIAL, Picture, figure, to_png, to_svg

__all__ = ["COLORS", "CYCLE", "SEQUENTIAL", "Picture", "figure", "to_png", "to_svg"]

"""Which norm goes between the layers of a network, and where."""

from collections.abc import Callable
from typing import Literal

from torch import nn

from bnlib.errors import ParameterError

Norm = Literal["batch", "layer", "group"] | None | Callable[[int], nn.Module]
"""A norm by name, or a function from a width (features or channels) to a module."""

Placement = Literal["before", "after"]
"""Where a norm stands: before the activation or after it."""

GROUPS = 8  # of group norm, or fewer: the most that divide the channels


def norm_module(norm: Norm, width: int, *, spatial: bool) -> nn.Module | None:
    """Return a norm for a width, or None if there is to be none."""
    if norm is None:
        return None
    if callable(norm):
        return norm(width)
    if norm == "batch":
        return nn.BatchNorm2d(width) if spatial else nn.BatchNorm1d(width)
    if norm == "layer":
        # over channels and space together: for images, a group norm of one group
        return nn.GroupNorm(1, width) if spatial else nn.LayerNorm(width)
    if norm == "group":
        return nn.GroupNorm(max(g for g in range(1, GROUPS + 1) if width % g == 0), width)
    raise ParameterError(
        f'norm must be "batch", "layer", "group", None or a function width -> module; got {norm!r}.'
    )


def arranged(norm: nn.Module | None, activation: nn.Module, placement: str) -> list[nn.Module]:
    """Return norm and activation in the order asked for."""
    if placement not in ("before", "after"):
        raise ParameterError(
            f'placement must be "before" (norm, then activation) or "after"; got {placement!r}.'
        )
    both = [norm, activation] if placement == "before" else [activation, norm]
    return [module for module in both if module is not None]

"""Names of the given helpers, and how one is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Builder = TypeVar("Builder", bound=Callable[..., Any])

_BUILDERS: dict[str, Callable[..., Any]] = {}


def given(name: str) -> Callable[[Builder], Builder]:
    """Register a function that builds the helper called `name` from plain parameters."""

    def register(builder: Builder) -> Builder:
        _BUILDERS[name] = builder
        return builder

    return register


def build_given(name: str, parameters: Mapping[str, Any]) -> Any:
    """Build the helper called `name` from its parameters."""
    return _BUILDERS[name](**parameters)

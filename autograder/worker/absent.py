"""Import without a module that is there: what only asks for it goes without."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(module: str) -> Iterator[None]:
    """Have imports of a module fail in this block, as if it was not installed.

    One that is loaded already stays.
    """
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment] # Python's own way to say so
    try:
        yield
    finally:
        del sys.modules[module]

"""Kernels in plain Python: programs that load and store blocks, with every access counted.

The words are those of `triton.language`, so that a program written here becomes a Triton kernel by
writing ``tl`` for ``bl``. What a GPU hides is visible: how often memory is read and written, and
which programs race for one entry.

>>> import numpy as np
>>> from bnlib import blocks as bl
>>> def double(x, y, n, BLOCK):
...     at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
...     bl.store(y + at, 2 * bl.load(x + at, mask=at < n, other=0.0), mask=at < n)
>>> x, y = np.arange(6.0), np.zeros(6)
>>> report = bl.launch(double, (2,), x, y, 6, BLOCK=4)
>>> y
array([ 0.,  2.,  4.,  6.,  8., 10.])
>>> report["x"].loads, report["y"].stores, report.races
(6, 6, ())
"""

from bnlib.blocks.errors import BlockError, OutOfBoundsError
from bnlib.blocks.language import (
    arange,
    atomic_add,
    cdiv,
    load,
    num_programs,
    program_id,
    sqrt,
    store,
    sum,
    where,
    zeros,
)
from bnlib.blocks.launching import launch
from bnlib.blocks.memory import Pointer
from bnlib.blocks.report import Race, Report, Traffic

__all__ = [
    "BlockError",
    "OutOfBoundsError",
    "Pointer",
    "Race",
    "Report",
    "Traffic",
    "arange",
    "atomic_add",
    "cdiv",
    "launch",
    "load",
    "num_programs",
    "program_id",
    "sqrt",
    "store",
    "sum",
    "where",
    "zeros",
]

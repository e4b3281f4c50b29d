"""The IDX format of MNIST and its relatives: two zero bytes, a type, the axes, then the bytes."""

import gzip
import math
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from bnlib.errors import DataError

UNSIGNED_BYTE = 0x08


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """Return the array in a gzipped IDX file of unsigned bytes.

    The header is `00 00 08 d`, with d the number of axes, then each axis' length as a big-endian
    32-bit integer.

    Raises
    ------
    DataError
        If the file is not gzipped, not IDX, of another type, or longer or shorter than it says.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, OSError) as error:
        raise DataError(
            f"{path} must be a gzipped IDX file; it cannot be unpacked: {error}."
        ) from error
    if len(content) < 4 or content[:3] != bytes([0, 0, UNSIGNED_BYTE]):
        raise DataError(
            f"{path} must start with the bytes 00 00 08 (IDX, unsigned bytes); it starts with "
            f"{content[:3].hex(' ')}."
        )
    start = 4 + 4 * content[3]
    shape = tuple(int(n) for n in np.frombuffer(content[4:start], ">u4"))
    if len(shape) != content[3] or math.prod(shape) != len(content) - start:
        raise DataError(
            f"{path} says that it holds an array of shape {shape}, and has "
            f"{max(len(content) - start, 0)} bytes of data."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)

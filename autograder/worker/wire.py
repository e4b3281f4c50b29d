"""The wire between judge and worker: length-prefixed frames of plain data, never pickled.

A frame is ``magic, header length, body length`` (12 bytes, big-endian), a JSON header and a body of
raw bytes. In the header a JSON list is always a tagged node, everything else stands for itself:

=================================  =====================================================
``["l", ...]``, ``["t", ...]``     list, tuple
``["a", dtype, shape, at]``        C-contiguous array, its bytes at offset ``at`` of the body
``["s", dtype, shape, strides,``   array in a layout of its own: ``first`` is the offset of its
``first, size, at]``               first entry in a buffer of ``size`` bytes
``["n", dtype, at]``               NumPy scalar
``["T", dtype, grad, array]``      torch tensor: type, whether it requires gradients, values
``["b", size, at]``                bytes
``["g", name, parameters]``        a `Given` helper, by name
``["f", name]``                    a `Foreign` value: only its type's name passes
=================================  =====================================================

Reading trusts nothing: sizes are checked before memory is taken, every node against this table. A
`Wire` made with ``inbound=True`` (the judge's) takes neither helpers nor layouts nor bytes.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from autograder.worker.script import Given
from autograder.worker.values import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_ITEMS,
    TENSOR_DTYPES,
    Foreign,
    Tensor,
)

PREFIX = struct.Struct(">4sII")
MAGIC = b"BNW1"
HEADER_LIMIT = 8 * 2**20  # bytes; a cell's outputs are at most 1 MiB of text, six times as escapes
BODY_LIMIT = MAX_BYTES + 2**20  # bytes; one answer at its largest
DEPTH_LIMIT = MAX_DEPTH + 8  # of values, and the message around them
ITEM_LIMIT = 4 * MAX_ITEMS
DTYPE = re.compile(r"\|b1|\|[iu]1|[<>][iu][248]|[<>]f(2|4|8|16)")
DIMENSIONS = 32
ITSELF = frozenset((type(None), bool, int, float, str))  # types that stand for themselves
NODES = frozenset((dict, list))  # types of what does not, in JSON
TEXT_LIMIT = 200  # characters of a type's name


class WireError(Exception):
    """What came over the wire is not a message."""


class Connection(Protocol):
    """The part of a socket that the wire needs."""

    def recv_into(self, buffer: memoryview, nbytes: int = 0) -> int:
        """Read at most `nbytes` bytes; 0 if the other side is gone."""


def encode(message: Mapping[str, Any], *, layouts: bool = False) -> bytes:
    """Return a message as one frame; with `layouts` arrays keep the layout of their memory.

    Raises
    ------
    WireError
        If it holds a value that may not pass, or is too large.
    """
    body: list[bytes] = []
    header = json.dumps(_Packer(body, layouts).pack(dict(message)), separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    content = b"".join(body)
    _require_sizes(len(header), len(content))
    return PREFIX.pack(MAGIC, len(header), len(content)) + header + content


def decode(frame: bytes, *, inbound: bool) -> dict[str, Any]:
    """Read one whole frame; `inbound` is the judge's side, which takes data only.

    Raises
    ------
    WireError
        If it is not exactly one well-formed frame.
    """
    if len(frame) < PREFIX.size:
        raise WireError("a frame starts with 12 bytes")
    header_size, body_size = _read_prefix(frame[: PREFIX.size])
    if len(frame) != PREFIX.size + header_size + body_size:
        raise WireError("the frame's length is not what it says")
    split = PREFIX.size + header_size
    return _parse(frame[PREFIX.size : split], frame[split:], inbound)


def receive(connection: Connection, *, inbound: bool) -> dict[str, Any]:
    """Read the next message.

    Raises
    ------
    WireError
        If what comes is no message.
    EOFError
        If the other side is gone.
    """
    header_size, body_size = _read_prefix(_read(connection, PREFIX.size))
    header = _read(connection, header_size)
    return _parse(header, _read(connection, body_size), inbound)


def _read(connection: Connection, size: int) -> bytes:
    buffer = bytearray(size)
    view, done = memoryview(buffer), 0
    while done < size:
        count = connection.recv_into(view[done:], size - done)
        if count == 0:
            raise EOFError("the other side is gone")
        done += count
    return bytes(buffer)


def _read_prefix(prefix: bytes) -> tuple[int, int]:
    magic, header_size, body_size = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise WireError("this is not a frame")
    _require_sizes(header_size, body_size)
    return header_size, body_size


def _require_sizes(header_size: int, body_size: int) -> None:
    if header_size > HEADER_LIMIT or body_size > BODY_LIMIT:
        raise WireError(f"a frame of {header_size} + {body_size} bytes is too large")


def _parse(header: bytes, body: bytes, inbound: bool) -> dict[str, Any]:
    try:
        tree = json.loads(header.decode("utf-8", "surrogatepass"))
        message = _Unpacker(body, inbound).unpack(tree)
    except WireError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise WireError(f"the message cannot be read: {type(error).__name__}") from error
    if type(message) is not dict:
        raise WireError("a message is a mapping")
    return message


class _Packer:
    """Turns values into header nodes, and collects the body."""

    def __init__(self, body: list[bytes], layouts: bool) -> None:
        self.body, self.layouts, self.size = body, layouts, 0

    def pack(self, value: Any) -> Any:
        kind = type(value)
        if kind is np.ndarray:
            return self._array(value)
        if kind is dict:
            if not all(type(key) is str for key in value):
                raise WireError("keys are strings")
            return {
                key: item if type(item) in ITSELF else self.pack(item)
                for key, item in value.items()
            }
        if kind in (list, tuple):
            items = [item if type(item) in ITSELF else self.pack(item) for item in value]
            return ["l" if kind is list else "t", *items]
        if kind in ITSELF:
            return value
        if kind is bytes:
            return ["b", len(value), self._put(value)]
        if isinstance(value, np.generic):
            return ["n", _dtype_name(value.dtype), self._put(value.tobytes())]
        if kind is Given:
            return ["g", value.name, self.pack(dict(value.parameters))]
        if kind is Foreign:
            return ["f", value.type_name]
        if kind is Tensor:
            array = np.array(value.array, order="C")  # a tensor has no layout to keep
            return ["T", value.dtype, value.requires_grad, self._array(array)]
        raise WireError(f"a `{kind.__name__}` may not pass")

    def _array(self, array: np.ndarray) -> list[Any]:
        dtype, shape = _dtype_name(array.dtype), list(array.shape)
        base = array.base
        if not self.layouts or (array.flags.c_contiguous and base is None):
            return ["a", dtype, shape, self._put(array.tobytes())]
        if not isinstance(base, np.ndarray) or base.dtype != array.dtype or not base.flags.forc:
            base = array = array.copy(order="K")
        first = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        memory = base.tobytes(order="A")
        at = self._put(memory)
        return ["s", dtype, shape, list(array.strides), first, len(memory), at]

    def _put(self, data: bytes) -> int:
        at = self.size
        self.body.append(data)
        self.size += len(data)
        return at


def _dtype_name(dtype: np.dtype) -> str:
    if not DTYPE.fullmatch(dtype.str):
        raise WireError(f"arrays of {dtype} may not pass")
    return dtype.str


class _Unpacker:
    """Turns header nodes into values, each checked."""

    def __init__(self, body: bytes, inbound: bool) -> None:
        self.body, self.inbound, self.items, self.taken = body, inbound, 0, 0

    def unpack(self, node: Any, depth: int = 0) -> Any:
        if type(node) not in NODES:
            return node
        self.items += len(node) + 1
        if depth > DEPTH_LIMIT or self.items > ITEM_LIMIT:
            raise WireError("the message is nested too deeply or has too many entries")
        # what stands for itself is taken here: a call for each would be most of the time
        if type(node) is dict:
            return {
                key: self.unpack(item, depth + 1) if type(item) in NODES else item
                for key, item in node.items()
            }
        if not node or type(node[0]) is not str:
            raise WireError("a node starts with its tag")
        tag, rest = node[0], node[1:]
        if tag in ("l", "t"):
            items = [self.unpack(item, depth + 1) if type(item) in NODES else item for item in rest]
            return items if tag == "l" else tuple(items)
        return self._leaf(tag, rest, depth)

    def _leaf(self, tag: str, rest: list[Any], depth: int) -> Any:
        match tag, rest:
            case "a", [str(dtype), list(shape), int(at)]:
                return self._array(_dtype(dtype), _whole(shape), at)
            case "n", [str(dtype), int(at)]:
                return self._array(_dtype(dtype), (), at)[()]
            case "T", [str(dtype), bool(grad), ["a", *_] as node] if dtype in TENSOR_DTYPES:
                return Tensor(dtype, self.unpack(node, depth + 1), grad)
            case "f", [str(name)]:
                return Foreign(name[:TEXT_LIMIT])
            case "g", [str(name), dict(parameters)] if not self.inbound:
                return Given(name, self.unpack(parameters, depth + 1))
            case "b", [int(size), int(at)] if not self.inbound:
                return self._bytes(at, size)
            case "s", [str(dtype), list(shape), list(strides), int(first), int(size), int(at)] if (
                not self.inbound
            ):
                memory = np.frombuffer(bytearray(self._bytes(at, size)), _dtype(dtype))
                return np.ndarray(_whole(shape), memory.dtype, memory, first, tuple(strides))
        raise WireError(f"there is no node {tag!r} of this form")

    def _array(self, dtype: np.dtype, shape: tuple[int, ...], at: int) -> np.ndarray:
        size = math.prod(shape) * dtype.itemsize
        flat = np.frombuffer(bytearray(self._bytes(at, size)), dtype)
        return flat.reshape(shape)

    def _bytes(self, at: int, size: int) -> bytes:
        if at < 0 or size < 0 or at + size > len(self.body):
            raise WireError("a value lies outside of the frame")
        self.taken += size
        if self.taken > len(self.body):  # each value is a copy: few bytes must not become many
            raise WireError("two values lie in one place")
        return self.body[at : at + size]


def _whole(shape: Sequence[Any]) -> tuple[int, ...]:
    if len(shape) > DIMENSIONS or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise WireError("a shape is a list of whole numbers")
    return tuple(shape)


def _dtype(name: str) -> np.dtype:
    if not DTYPE.fullmatch(name):
        raise WireError("no such dtype may pass")
    return np.dtype(name)

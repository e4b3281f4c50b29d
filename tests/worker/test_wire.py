"""The wire carries plain data whole, and takes memory only for what it has checked."""

import json
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograder.worker import wire
from autograder.worker.script import Given
from autograder.worker.values import MAX_BYTES, MAX_DEPTH, Foreign

SMALL = 2**20  # bytes: a refusal takes far less
DTYPES = ["|b1", "|i1", "|u1", "<i2", ">i4", "<i8", "<u2", ">u8", "<f2", "<f4", ">f4", "<f8", ">f8"]

arrays = st.sampled_from(DTYPES).flatmap(
    lambda name: npst.arrays(name, npst.array_shapes(min_dims=0, max_dims=3, min_side=0))
)
scalars = st.sampled_from(DTYPES).flatmap(lambda name: npst.from_dtype(np.dtype(name)))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**1023), 2**1023),
    st.floats(),
    st.text(st.characters(), max_size=20),
    st.builds(Foreign, st.text(max_size=20)),
    arrays,
    scalars,
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=5), inner, max_size=4),
    ),
    max_leaves=12,
)


def same(a, b):
    """Whether two values are the same, types, dtypes and bits included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b or (a != a and b != b)


def back(message, *, inbound=True, layouts=False):
    """Send a message there and read it."""
    return wire.decode(wire.encode(message, layouts=layouts), inbound=inbound)


def frame(header, body=b"", magic=wire.MAGIC):
    """Put a frame together by hand: its header is JSON data, or bytes as they are."""
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return wire.PREFIX.pack(magic, len(header), len(body)) + header + body


class Pipe:
    """A connection with these bytes on it, that hands out a few at a time."""

    def __init__(self, content, at_once=7):
        self.content, self.at_once, self.asked = content, at_once, 0

    def recv_into(self, buffer, nbytes=0):
        """Read a few bytes."""
        piece = self.content[: min(self.at_once, nbytes)]
        self.content = self.content[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


# --- what passes ----------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(values)
def test_every_plain_value_arrives_as_it_was(value):
    """Type, dtype, byte order, shape and every bit, nan and lone surrogates included."""
    assert same(back({"v": value})["v"], value)


def test_arrays_arrive_in_memory_of_their_own_that_may_be_written():
    """The judge and a student's function may both change what they got."""
    value = back({"v": np.arange(3.0)})["v"]
    value += 1
    assert value.tolist() == [1.0, 2.0, 3.0]


def test_pieces_of_a_message_are_put_together():
    """A socket hands out what is there, and not what was asked for."""
    message = {"v": np.arange(50.0), "w": ["a", (None, True)]}
    pipe = Pipe(wire.encode(message) + b"rest")
    assert same(wire.receive(pipe, inbound=True), message)
    assert pipe.content == b"rest"


def test_the_end_of_the_other_side_is_an_eof_error():
    """In the middle of a message, too."""
    with pytest.raises(EOFError):
        wire.receive(Pipe(wire.encode({"v": 1})[:-1]), inbound=True)


LAYOUTS = {
    "fortran": lambda a: np.asfortranarray(a),
    "every other row": lambda a: a[::2],
    "backwards": lambda a: a[::-1, ::-1],
    "transposed": lambda a: a.T,
    "one column": lambda a: a[:, 1],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "plain": lambda a: a.copy(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_worker_gets_an_array_in_the_layout_that_the_case_has(layout):
    """Strides and entries are the judge's: code that trips over them must trip."""
    array = LAYOUTS[layout](np.arange(24.0).reshape(6, 4))
    got = back({"v": array}, inbound=False, layouts=True)["v"]
    assert got.strides == array.strides
    assert np.array_equal(got, array)


def test_helpers_and_files_reach_the_worker():
    """What only the judge may send."""
    message = {"v": Given("model", {"w": np.ones(2), "n": 3}), "b": b"\x00\xff"}
    got = back(message, inbound=False)
    assert got["b"] == b"\x00\xff"
    assert got["v"].name == "model"
    assert same(dict(got["v"].parameters), {"w": np.ones(2), "n": 3})


# --- what does not --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "layouts"),
    [
        (Given("model", {}), False),
        (b"bytes", False),
        (np.arange(6.0)[::2], True),
    ],
    ids=["helper", "bytes", "layout"],
)
def test_the_judge_takes_only_data(value, layouts):
    """The same frame that a worker reads is refused on the judge's side."""
    sent = wire.encode({"v": value}, layouts=layouts)
    wire.decode(sent, inbound=False)
    with pytest.raises(wire.WireError, match="no node"):
        wire.decode(sent, inbound=True)


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, 1j, {1: 2}, np.array([object()]), np.array(["a"]), np.zeros(1, complex)],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_plain_value_is_not_sent(value):
    """The sender says so, instead of the reader."""
    with pytest.raises(wire.WireError):
        wire.encode({"v": value})


NO_FRAMES = {
    "nothing": b"",
    "half a prefix": b"BNW1\0\0",
    "another magic": frame({}, magic=b"BNW2"),
    "too short": frame({"v": 1})[:-1],
    "too long": frame({"v": 1}) + b"x",
    "no json": frame(b"{"),
    "no utf-8": frame(b'"\xff"'),
    "no mapping": frame(["l", 1]),
    "a number": frame(3),
    "a pickle": frame(b"\x80\x04K\x01."),
    "a nest": frame(b'{"v":' + b'["l",' * 900 + b"1" + b"]" * 900 + b"}"),
    "a nest that ends Python's own reader": frame(b"[" * 200_000 + b"]" * 200_000),
    "a nest of mappings": frame(b'{"v":' * 900 + b"1" + b"}" * 900),
    "a long number": frame(b'{"v":' + b"9" * 5000 + b"}"),
}
NO_NODES = {
    "no tag": [],
    "a tag that is no text": [1, 2],
    "an unknown tag": ["x", 1],
    "objects": ["a", "|O", [1], 0],
    "text": ["a", "<U8", [1], 0],
    "complex": ["a", "<c16", [1], 0],
    "times": ["a", "<M8[s]", [1], 0],
    "records": ["a", "f8,f8", [1], 0],
    "outside": ["a", "<f8", [3], 0],
    "before the start": ["a", "<f8", [1], -8],
    "behind the end": ["a", "<f8", [1], 10],
    "a negative side": ["a", "<f8", [-1], 0],
    "a broken side": ["a", "<f8", [1.0], 0],
    "a true side": ["a", "<f8", [True], 0],
    "a huge side": ["a", "|u1", [2**45], 0],
    "a huge product": ["a", "|u1", [2**39] * 30, 0],
    "nothing of a huge product": ["a", "|u1", [0, *[2**39] * 30], 0],
    "too many sides": ["a", "<f8", [1] * 33, 0],
    "a place that is no number": ["a", "<f8", [1], "0"],
    "a place too large for Python": ["n", "<f8", 10**30],
    "a node too short": ["a", "<f8", [1]],
    "a node too long": ["n", "<f8", 0, 0],
    "a name that is no text": ["f", 3],
}


@pytest.mark.parametrize("name", NO_FRAMES)
def test_what_is_no_frame_is_a_wire_error(name):
    """And no other error, whatever the bytes are."""
    with pytest.raises(wire.WireError):
        wire.decode(NO_FRAMES[name], inbound=True)


@pytest.mark.parametrize("name", NO_NODES)
def test_a_node_of_no_known_form_is_a_wire_error(name):
    """Over a body of sixteen bytes."""
    with pytest.raises(wire.WireError):
        wire.decode(frame({"v": NO_NODES[name]}, bytes(16)), inbound=True)


def test_a_type_name_is_cut():
    """It goes into messages that people read."""
    got = wire.decode(frame({"v": ["f", "x" * 10_000]}), inbound=True)["v"]
    assert got == Foreign("x" * wire.TEXT_LIMIT)


# --- limits ---------------------------------------------------------------------------------------


def peak_of(act):
    """Return the memory that a refused reading took at its highest, in bytes."""
    tracemalloc.start()
    try:
        with pytest.raises(wire.WireError):
            act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "sizes",
    [(2**32 - 1, 0), (0, 2**32 - 1), (wire.HEADER_LIMIT + 1, 0), (0, wire.BODY_LIMIT + 1)],
)
def test_sizes_are_refused_before_memory_is_taken(sizes):
    """A prefix of twelve bytes must not cost the judge gigabytes."""
    prefix = struct.pack(">4sII", wire.MAGIC, *sizes)
    assert peak_of(lambda: wire.receive(Pipe(prefix), inbound=True)) < SMALL


@pytest.mark.parametrize(
    "node",
    [["a", "<f8", [2**30], 0], ["a", "<f8", [0, 2**39], 0], ["n", "<f16", 2**60]],
    ids=["larger than the frame", "nothing in large", "far outside"],
)
def test_an_array_is_measured_before_memory_is_taken(node):
    """The shape is the other side's word; what arrived is what there is."""
    sent = frame({"v": node, "w": ["x"]}, bytes(8))
    assert peak_of(lambda: wire.decode(sent, inbound=True)) < SMALL


def test_one_piece_of_the_body_cannot_be_counted_many_times():
    """Each array is a copy, so many nodes over the same bytes would fill the memory."""
    body = bytes(2**20)
    sent = frame({"v": ["l", *[["a", "|u1", [2**20], 0]] * 200]}, body)
    assert peak_of(lambda: wire.decode(sent, inbound=True)) < 2 * wire.BODY_LIMIT


def test_the_largest_answer_passes():
    """What the worker may report, the judge can read."""
    value = np.zeros(MAX_BYTES, np.uint8)
    assert back({"v": value})["v"].nbytes == MAX_BYTES


def test_the_deepest_answer_passes():
    """In the message that carries it."""
    value = 1.0
    for _ in range(MAX_DEPTH):
        value = [value]
    assert same(back({"values": {"v": value}})["values"]["v"], value)


def test_too_many_entries_are_refused():
    """Small values are the most expensive ones."""
    sent = frame({"v": ["l", *[0] * (wire.ITEM_LIMIT + 1)]})
    with pytest.raises(wire.WireError, match="too many"):
        wire.decode(sent, inbound=True)


def test_too_large_a_message_is_not_sent():
    """The worker then sends the names of the types alone."""
    with pytest.raises(wire.WireError, match="too large"):
        wire.encode({"v": np.zeros(wire.BODY_LIMIT + 1, np.uint8)})

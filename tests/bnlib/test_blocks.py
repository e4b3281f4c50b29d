import numpy as np
import pytest

from bnlib import blocks as bl


def copy(x, y, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.store(y + at, bl.load(x + at, mask=at < n, other=0.0), mask=at < n)


def read_modify_write(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    part = bl.sum(bl.load(x + at, mask=at < n, other=0.0))
    bl.store(total, bl.load(total) + part)


def atomic(x, total, n, BLOCK):
    at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)
    bl.atomic_add(total, bl.sum(bl.load(x + at, mask=at < n, other=0.0)))


def run(program, schedule="in order"):
    total = np.zeros(1)
    return total, bl.launch(program, (3,), np.arange(10.0), total, 10, BLOCK=4, schedule=schedule)


@pytest.mark.parametrize("schedule", ["in order", "backwards", "together"])
@pytest.mark.parametrize("n", [1, 4, 11, 12])
def test_masked_lanes_touch_no_memory(n, schedule):
    """Each entry is loaded and stored once, whatever the block's size."""
    x, y = np.arange(float(n)), np.full(n, np.nan)
    report = bl.launch(copy, (bl.cdiv(n, 4),), x, y, n, BLOCK=4, schedule=schedule)
    np.testing.assert_array_equal(y, x)
    assert (report["x"].loads, report["x"].stores) == (n, 0)
    assert (report["y"].loads, report["y"].stores) == (0, n)
    assert report.bytes == 16 * n
    assert report.races == ()
    assert report.programs == bl.cdiv(n, 4)


@pytest.mark.parametrize(("schedule", "result"), [("in order", 45), ("together", 17)])
def test_a_lost_update_is_a_race_that_some_schedules_hide(schedule, result):
    """In order the sum looks right; all at once only the last program's part is left."""
    total, report = run(read_modify_write, schedule)
    assert total[0] == result
    (race,) = report.races
    assert (race.array, race.entry, race.programs) == ("total", 0, (0, 2))
    assert race.between == "load and store"
    assert "race at total[0]: load and store, programs 0 and 2" in str(report)


@pytest.mark.parametrize("schedule", ["in order", "backwards", "together"])
def test_atomic_additions_do_not_race(schedule):
    """Each is a load and a store, undivided; the sum is right in every schedule."""
    total, report = run(atomic, schedule)
    assert total[0] == 45
    assert report.races == ()
    assert report["total"].atomics == 3
    assert report["total"].bytes == 3 * 16


def test_two_stores_to_one_entry_race():
    """Even of the same value: who is last is luck."""

    def program(y):
        bl.store(y, 1.0)

    (race,) = bl.launch(program, (2,), np.zeros(1)).races
    assert race.between == "store and store"


def test_loads_alone_do_not_race():
    """All programs may read one entry."""

    def program(x, y):
        bl.store(y + bl.program_id(0), bl.load(x))

    assert bl.launch(program, (4,), np.ones(1), np.zeros(4)).races == ()


def test_a_plain_load_races_with_an_atomic_addition():
    """What it reads depends on who came before."""

    def program(x, y):
        bl.atomic_add(x, 1.0)
        bl.store(y + bl.program_id(0), bl.load(x))

    report = bl.launch(program, (2,), np.zeros(1), np.zeros(2))
    assert [race.array for race in report.races] == ["x"]


def test_a_program_does_not_race_with_itself():
    """It runs its own lines in order."""

    def program(x):
        bl.store(x, bl.load(x) + 1.0)

    assert bl.launch(program, (1,), np.zeros(1)).races == ()


def test_two_lanes_of_one_store_race():
    """Which of them is last is as open as between programs."""

    def program(x):
        bl.store(x + bl.arange(0, 4) // 2, bl.arange(0, 4))

    races = bl.launch(program, (1,), np.zeros(2)).races
    assert {race.between for race in races} == {"lanes of one store"}
    assert [race.entry for race in races] == [0, 1]


@pytest.mark.parametrize(("stride", "sectors"), [(1, 2), (4, 8), (8, 16), (100, 16)])
def test_a_sector_is_shared_by_neighbours_only(stride, sectors):
    """16 numbers of float32 in a row lie in two sectors of 32 bytes; far apart, in 16."""

    def program(x, step):
        bl.load(x + bl.arange(0, 16) * step)

    assert bl.launch(program, (1,), np.zeros(1600, np.float32), stride)["x"].sectors == sectors


def test_outside_of_an_array_is_an_error_that_says_where():
    """A GPU would have read, or overwritten, whatever lies there."""

    def program(x):
        bl.load(x + bl.arange(0, 4))

    with pytest.raises(bl.OutOfBoundsError, match=r"Program 0 wants to load x\[3\].*0 to 2"):
        bl.launch(program, (1,), np.zeros(3))
    with pytest.raises(bl.OutOfBoundsError, match=r"x\[-1\]"):
        bl.launch(lambda x: bl.store(x - 1, 0.0), (1,), np.zeros(3))


def test_masked_lanes_are_undefined_without_other():
    """Undefined is nan here, so that a sum over it is seen to be wrong."""

    def program(x, y):
        lanes = bl.arange(0, 4)
        bl.store(y, bl.sum(bl.load(x + lanes, mask=lanes < 3)))

    y = np.zeros(1)
    bl.launch(program, (1,), np.ones(3), y)
    assert np.isnan(y[0])


def test_stores_are_cast_to_the_array():
    """As a kernel's are."""

    def program(y):
        bl.store(y + bl.arange(0, 2), np.array([1.0, 1 / 3]))

    y = np.zeros(2, np.float16)
    bl.launch(program, (1,), y)
    assert y[1] == np.float16(1 / 3)


def test_a_grid_of_two_axes_has_two_numbers_a_program():
    """Programs are numbered along the last axis first."""

    def program(y):
        row, column = bl.program_id(0), bl.program_id(1)
        bl.store(y + row * bl.num_programs(1) + column, 10.0 * row + column)

    y = np.zeros((2, 3))
    report = bl.launch(program, (2, 3), y)
    np.testing.assert_array_equal(y, [[0, 1, 2], [10, 11, 12]])
    assert report.programs == 6


@pytest.mark.parametrize(
    ("program", "match"),
    [
        (lambda x: bl.arange(0, 3), "power of two|1, 2, 4, 8"),
        (lambda x: bl.load(np.arange(4)), "Expected a pointer"),
        (lambda x: x + 0.5, "whole numbers"),
        (lambda x: x[0], r"read it with load\(x \+ offsets\)"),
        (lambda x: x.__setitem__(0, 1.0), r"store\(x \+ offsets"),
        (lambda x: bl.store(x + bl.arange(0, 4), np.zeros(3)), "do not fit"),
        (lambda x: bl.load(x + bl.arange(0, 4), mask=np.ones(3, bool)), "The mask has shape"),
        (lambda x: bl.program_id(3), "axes 0, 1 and 2"),
    ],
)
def test_misuse_is_named(program, match):
    """The messages say what to write instead."""
    with pytest.raises(bl.BlockError, match=match):
        bl.launch(program, (1,), np.zeros(8))


def test_a_launch_names_a_wrong_grid_and_a_strided_array():
    """Before anything runs."""
    with pytest.raises(bl.BlockError, match="grid must be a tuple"):
        bl.launch(copy, 4, np.zeros(4), np.zeros(4), 4, BLOCK=4)
    with pytest.raises(bl.BlockError, match="x is not contiguous"):
        bl.launch(copy, (1,), np.zeros((4, 2))[:, 0], np.zeros(4), 4, BLOCK=4)


def test_the_words_need_a_launch():
    """Outside of one there is no program to have a number."""
    with pytest.raises(bl.BlockError, match="launch"):
        bl.program_id(0)

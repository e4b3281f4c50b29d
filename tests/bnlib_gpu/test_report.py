"""What a computer has and measures, and what it says of what it could not run."""

import dataclasses

import pytest
import torch
from click.testing import CliRunner

from bnlib.gpu import Background, batchnorm_measurements, copy_bandwidth, report
from bnlib.gpu.__main__ import NO_GPU, main
from bnlib.gpu.bandwidth import Measurement

CPU = torch.device("cpu")


def test_a_computer_without_a_card_says_so(monkeypatch):
    """Neither a number nor an exit code of 0."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = CliRunner().invoke(main, ["--cuda"])
    assert done.exit_code == NO_GPU
    assert done.output.strip().endswith("not run: no GPU")


def test_what_was_measured_comes_back_from_its_file(tmp_path):
    """Row by row; and where there is no file, it says that nothing was run."""
    rows = [Measurement("a pass", 1000, 0.5)]
    taken = report.Report("cuda", "a card", "2.0", "measured", 900.0, rows)
    report.save(taken, tmp_path)
    assert report.load("cuda", tmp_path) == taken
    assert report.load("cpu", tmp_path).status == report.NOT_RUN


def test_the_table_names_each_pass_and_its_share():
    """Of the copy's bandwidth: 2 GB/s of 8."""
    rows = [Measurement("a pass", 1_000_000, 0.5)]
    text = report.table(report.Report("cpu", "x", "2.0", "measured", 8.0, rows))
    assert "a pass" in text
    assert "25% of the copy" in text


def test_measurements_of_this_processor_are_positive_and_named():
    """A small shape, for the machinery only: no speed is asked for."""
    rows = batchnorm_measurements(CPU, shape=(2, 3, 4, 4))
    assert [row.name.partition(",")[0] for row in rows] == ["training", "training", "evaluation"]
    assert all(row.ms > 0 and row.bandwidth > 0 for row in rows)
    assert copy_bandwidth(CPU, n_bytes=4096) > 0


def test_records_do_not_change():
    """A measurement is what it was."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Measurement("a", 1, 1.0).ms = 2.0


def test_a_queue_in_the_background_comes_back_at_once_and_works_in_order():
    """Control returns before the work is done; waiting shows it done."""
    from threading import Event

    go, done = Event(), []
    with Background() as queue:
        queue.launch(lambda: (go.wait(5), done.append(1)))
        queue.launch(lambda: done.append(2))
        assert done == []
        go.set()
        queue.synchronize()
        assert done == [1, 2]


def test_an_error_in_the_background_shows_where_one_waits():
    """As on a GPU."""
    with Background() as queue:
        queue.launch(lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            queue.synchronize()


@pytest.mark.gpu
def test_no_pass_on_a_real_card_is_faster_than_its_memory_allows():
    """Torch's own layer comes near a copy, and no honest timing beats it by much."""
    taken = report.take("cuda")
    assert taken.status == "measured"
    for row in taken.rows:
        assert 0.05 * taken.copy < row.bandwidth < 1.3 * taken.copy, row.name

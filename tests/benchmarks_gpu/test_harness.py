"""The harness of benchmarks.gpu, with a clock of our own: what it times, checks, and writes."""

import json
import os
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from benchmarks.gpu import __main__ as command
from benchmarks.gpu import report
from benchmarks.gpu.contenders import OURS, Contender, contenders
from benchmarks.gpu.measure import PARTS, Row, Timing, bytes_of_plan, geometric_mean, measure
from benchmarks.gpu.shapes import BATCHES, DTYPES, HARD, RESNET50, Setting, settings
from benchmarks.gpu.timing import copy_bandwidth, median_ms
from tests.project.places import ROOT

CPU = torch.device("cpu")
SMALL = Setting("small", (4, 3, 6, 5), False, "float32")
ABOUT = {"device": "made-up", "date": "2000-01-01"}


class FakeClock:
    """Every call takes the next of the given times; a call on a warm cache is an error."""

    def __init__(self, *times):
        self.times, self.calls, self.is_cold = list(times), 0, False

    def cold(self):
        """Empty the cache."""
        self.is_cold = True

    def time(self, fn):
        """Run it, and say the next time."""
        assert self.is_cold
        self.is_cold = False
        fn()
        self.calls += 1
        return self.times[(self.calls - 1) % len(self.times)]


def wrong(weight, bias, mean, var):
    """Make a layer that forgets eps, and is fast."""
    return lambda x: F.batch_norm(x, mean, var, weight, bias, training=True, eps=1.0)


def test_the_median_counts_and_the_warm_up_does_not():
    """One slow call among five changes nothing; each starts with a cold cache."""
    calls = []
    clock = FakeClock(1.0, 1.0, 100.0, 2.0, 3.0)
    assert median_ms(clock, lambda: calls.append(0), warmup=3, repeats=5) == 2.0
    assert (len(calls), clock.calls) == (8, 5)


def test_a_copy_reads_and_writes():
    """Twice the bytes over the time, in 10⁹ bytes a second."""
    assert copy_bandwidth(FakeClock(2.0), CPU, n_bytes=1000) == pytest.approx(2 * 1000 / 2e-3 / 1e9)


def test_every_contender_is_checked_and_timed():
    """Ours by the interpreter, torch's two ways on this processor; forward, backward, both."""
    row = measure(SMALL, contenders(compiled=False), FakeClock(1.0), CPU)
    assert [t.contender for t in row.timings] == [OURS, "torch native", "torch cuDNN"]
    for timing in row.timings:
        assert timing.error < 1e-5
        assert timing.ms == dict.fromkeys(PARTS, 1.0)
    assert row.ratio("both") == 1.0


def test_a_wrong_answer_is_not_timed():
    """However fast: it has no time, no ratio, and is counted."""
    ours, theirs = contenders(compiled=False)[:2]
    row = measure(SMALL, [Contender("fast", wrong), theirs], FakeClock(1.0), CPU)
    assert row.timings[0].error > 0.01
    assert row.timings[0].ms == {}
    assert row.ratio("forward") is None
    assert row.share_of_copy("forward", 1000.0) is None
    assert "wrong" in report.table([row], 1000.0)
    assert report.summary([row], 1000.0)["wrong answers"] == 1
    other = measure(SMALL, [ours, Contender("fast", wrong)], FakeClock(1.0), CPU)
    assert other.ratio("forward") is None  # nobody to compare with


def test_ratio_is_the_best_of_torchs_over_ours():
    """Above 1, ours is faster; the slower of torch's does not count."""
    row = made_row(ours=2.0, others=(3.0, 8.0))
    assert row.ratio("both") == 1.5
    assert row.share_of_copy("both", 100.0) == pytest.approx(row.fewest_bytes["both"] / 2e-3 / 1e11)


def made_row(ours=1.0, others=(1.0,), setting=SMALL):
    """Make a row of given times."""
    times = [Timing(OURS, 0.0, dict.fromkeys(PARTS, ours))]
    times += [Timing(f"torch {at}", 0.0, dict.fromkeys(PARTS, t)) for at, t in enumerate(others)]
    return Row(setting, bytes_of_plan(setting), times)


def test_bytes_are_those_of_the_plan():
    """The small batch stays on the chip: 1 + 1 tensors forward, 2 + 1 back; the large one not."""
    tensor = 4 * 3 * 6 * 5 * 4
    assert bytes_of_plan(SMALL) == {
        "forward": 2 * tensor,
        "backward": 3 * tensor,
        "both": 5 * tensor,
    }
    large = Setting("large", (256, 64, 112, 112), True, "bfloat16")
    assert bytes_of_plan(large)["both"] == 8 * large.tensor_bytes == 8 * 256 * 64 * 112 * 112 * 2


def test_the_summary_is_a_geometric_mean_and_the_worst_share():
    """Twice as fast here and twice as slow there is no gain."""
    large = Setting("large", (256, 64, 112, 112), False, "float32")
    rows = [made_row(1.0, (2.0,)), made_row(2.0, (1.0,), large)]
    found = report.summary(rows, 1000.0)
    assert geometric_mean([4.0, 1.0]) == pytest.approx(2.0)
    assert found["best of torch / ours, both"] == pytest.approx(1.0)
    share = bytes_of_plan(large)["both"] / 2e-3 / 1e12
    assert found["least share of copy bandwidth, large, both"] == pytest.approx(share)


def test_the_written_files_hold_everything(tmp_path):
    """A table to read, JSON for the lecture, a picture."""
    rows = [made_row(1.0, (2.0,)), made_row(2.0, (1.0,))]
    path = report.write(tmp_path / "new", ABOUT, rows, 1000.0)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["machine"] == ABOUT
    assert found["rows"][0]["setting"]["shape"] == [4, 3, 6, 5]
    assert found["rows"][1]["timings"][0]["ms"]["both"] == 2.0
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    text = path.with_suffix(".txt").read_text(encoding="utf-8")
    assert "copy GB/s: 1000.0" in text
    for part in ("(ms, forward)", "(ms, backward)", "(ms, forward + backward)"):
        assert part in text


def test_the_layers_are_resnet_50s():
    """53 of them, in both layouts and three dtypes, at both batch sizes, and the hard ones."""
    assert sum(RESNET50.values()) == 53
    assert len(settings()) == 2 * 3 * (len(BATCHES) * len(RESNET50) + len(HARD))
    assert len(settings(quick=True, dtypes=["float32"])) == 6
    assert {s.dtype for s in settings(dtypes=["bfloat16"])} == {"bfloat16"}
    assert tuple(DTYPES) == command.DTYPES


def test_without_a_gpu_nothing_is_written(tmp_path):
    """It says so, ends with code 3, and leaves the folder as it was."""
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    out = tmp_path / "results"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--out", str(out)],
        **{"cwd": ROOT, "env": env, "capture_output": True, "text": True},
    )
    assert done.returncode == command.NOT_RUN == 3
    assert done.stdout == "not run: no GPU\n"
    assert not out.exists()


def test_a_whole_run_reports_and_ends_with_its_verdict(tmp_path, capsys):
    """With a clock of our own: 0 if all our answers were right, 1 if one was not."""
    field = contenders(compiled=False)
    code = command.run([SMALL, SMALL], field, FakeClock(1.0), CPU, ABOUT, tmp_path / "right")
    said = capsys.readouterr().out
    assert code == 0
    assert "[2/2] small" in said
    assert "best of torch / ours, both: 1.0" in said
    bad = [Contender("fast", wrong), *field[1:]]
    assert command.run([SMALL], bad, FakeClock(1.0), CPU, ABOUT, tmp_path / "wrong") == 1
    assert "wrong answers: 1" in capsys.readouterr().out


@pytest.mark.gpu
def test_on_a_gpu_a_quick_run_measures(tmp_path):
    """The command as it is, on three shapes."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--quick", "--no-compile", "--out", str(tmp_path)],
        **{"cwd": ROOT, "capture_output": True, "text": True},
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("gpu-*.json"))

"""What only a compiler can see: that the kernels are Triton, and how they use the chip."""

import json
import os
import subprocess
import sys

import pytest

from tests.project.places import ROOT

MAX_REGISTERS = 128  # two programs of 256 threads on a processor, at the least: 65536 / 128 / 256


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    """Compile all kernels for an H100, in a process where Triton compiles; no GPU is needed."""
    place = {"TRITON_CACHE_DIR": str(tmp_path_factory.mktemp("triton"))}
    command = [sys.executable, "-m", "benchmarks.gpu.compiled", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **place}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_every_kernel_compiles_for_both_layouts_and_widths(survey):
    """The interpreter takes code that the compiler refuses."""
    names = {row["kernel"] for row in survey}
    assert len(names) == 8
    assert len(survey) == 8 * 4 + 2  # and rows of 49, which no vector divides


def test_nothing_spills_and_two_programs_share_a_processor(survey):
    """A spilled register goes to memory and back, which is all that these kernels must save."""
    assert {row["spilled"] for row in survey} == {0}
    small = [row for row in survey if "resident" not in row["kernel"]]
    assert max(row["registers"] for row in small) <= MAX_REGISTERS


def test_threads_load_and_store_sixteen_bytes_at_a_time(survey):
    """Wherever the length of a row allows it; 196 bfloat16 numbers allow eight."""
    for row in survey:
        if row["kernel"].startswith("merge") or row["case"].endswith("odd"):
            continue
        most = 64 if row["case"].startswith("bf16 NCHW") and "resident" in row["kernel"] else 128
        assert row["load_bits"] == most, row
        if not row["kernel"].startswith("partial"):
            assert row["store_bits"] == most, row


ONES = """
import itertools
from benchmarks.gpu.compiled import compile_kernel
from bnlib.kernels import elementwise, gradient, reduction, resident
flags = dict.fromkeys(("AFFINE", "RELU", "RESIDUAL", "RUNNING", "WIDE"), True)
sizes = {"VECTOR": 1, "ROWS": 4, "COLUMNS": 32, "SPLITS": 4, "BLOCK": 4}
ones = ("outer", "channels", "inner_by_vector", "rows_in_all", "splits", "pivot_stride")
for last, only in itertools.product((False, True), [{"channels"}, {"outer"}, set(ones)]):
    constants = {**flags, **sizes, "LAST": last, **{name: 1 for name in only}}
    for module in (reduction, elementwise, gradient):
        for name in ("partial_moments", "merge_moments", "apply_forward", "apply_backward",
                     "partial_sums", "merge_sums"):
            if vars(module).get(name) is not None:
                compile_kernel(getattr(module, name), "fp32", constants, 4)
    compile_kernel(resident.forward_resident, "fp32", constants, 4)
    compile_kernel(resident.backward_resident, "fp32", constants, 4)
print("all")
"""


@pytest.mark.slow
def test_a_length_of_one_compiles(tmp_path):
    """Triton makes a constant of every argument that is 1; a constant has no `.to`."""
    env = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path), "TRITON_INTERPRET": "0"}
    done = subprocess.run(
        [sys.executable, "-c", ONES], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.stdout.strip() == "all", done.stderr[-2000:]

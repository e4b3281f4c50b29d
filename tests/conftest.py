"""What holds for all tests."""

import os

import pytest

# Two small matrices are multiplied faster by one thread, and much faster where all cores are busy.
# Set before anything loads torch; kernels and workers that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Triton decides when it is first imported whether it compiles kernels, which takes a GPU. As in the
# grader they are interpreted, but for what needs a GPU: `make test-gpu`.
os.environ.setdefault("TRITON_INTERPRET", "1")

NO_GPU = "not run: no GPU"
INTERPRETED = "not run: kernels are interpreted; make test-gpu"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Report what needs a GPU as not run where there is none: it never counts as passed."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip(NO_GPU)
        if os.environ["TRITON_INTERPRET"] != "0":
            pytest.skip(INTERPRETED)

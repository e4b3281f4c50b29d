"""What holds for all tests."""

import os
from pathlib import Path

import pytest

# Two small matrices are multiplied faster by one thread, and much faster where all cores are busy.
# Set before anything loads torch; kernels and workers that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Triton decides when it is first imported: its kernels are compiled on a GPU, else interpreted.
os.environ.setdefault("TRITON_INTERPRET", "0" if Path("/dev/nvidiactl").exists() else "1")

NO_GPU = "not run: no GPU"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Report what needs a GPU as not run where there is none: it never counts as passed."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip(NO_GPU)

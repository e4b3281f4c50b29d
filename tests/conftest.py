"""What holds for all tests."""

import os

# Two small matrices are multiplied faster by one thread, and much faster where all cores are busy.
# Set before anything loads torch; kernels and workers that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

"""Exercises of u12_kernel: batch norm as kernels, on a simulator first, then in Triton."""

from autograder.exercises.u12_kernel.apply import APPLY
from autograder.exercises.u12_kernel.backward import BACKWARD
from autograder.exercises.u12_kernel.launchers import BACKWARD_LAUNCHER, FORWARD
from autograder.exercises.u12_kernel.masks import SHIFT
from autograder.exercises.u12_kernel.races import TOTAL
from autograder.exercises.u12_kernel.stats import STATS
from autograder.exercises.u12_kernel.stats_block import STATS_BLOCK

EXERCISES = (
    *(SHIFT, STATS_BLOCK, TOTAL),
    *(STATS, APPLY, FORWARD, BACKWARD, BACKWARD_LAUNCHER),
)

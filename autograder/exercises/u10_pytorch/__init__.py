"""Exercises of u10_pytorch: batch norm as a citizen of the framework."""

from autograder.exercises.u10_pytorch.decay import DECAY
from autograder.exercises.u10_pytorch.folding import FOLD_CONV, FOLD_LINEAR
from autograder.exercises.u10_pytorch.freezing import FREEZE_BATCHNORM
from autograder.exercises.u10_pytorch.function import FUNCTION
from autograder.exercises.u10_pytorch.module import MODULE

EXERCISES = (FUNCTION, MODULE, FOLD_CONV, FOLD_LINEAR, FREEZE_BATCHNORM, DECAY)

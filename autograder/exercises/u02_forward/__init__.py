"""Exercises of u02_forward: batch normalization from the formulas."""

from autograder.exercises.u02_forward.forward import BATCHNORM_FORWARD
from autograder.exercises.u02_forward.moments import BATCH_MEAN, BATCH_VAR
from autograder.exercises.u02_forward.normalising import NORMALIZE
from autograder.exercises.u02_forward.streaming import STREAMING_MEAN_VAR
from autograder.exercises.u02_forward.undoing import IDENTITY_AFFINE

EXERCISES = (
    BATCH_MEAN,
    BATCH_VAR,
    NORMALIZE,
    BATCHNORM_FORWARD,
    IDENTITY_AFFINE,
    STREAMING_MEAN_VAR,
)

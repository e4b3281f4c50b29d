"""Exercises of u03_modes: two modes, one layer."""

from autograder.exercises.u03_modes.eval_as_affine import EVAL_AS_AFFINE
from autograder.exercises.u03_modes.layer import BATCH_NORM_1D
from autograder.exercises.u03_modes.recalibrate import RECALIBRATE
from autograder.exercises.u03_modes.statistics import (
    BESSEL,
    MOMENTUM_FROM_KERAS,
    UPDATE_RUNNING,
)

EXERCISES = (
    UPDATE_RUNNING,
    BESSEL,
    MOMENTUM_FROM_KERAS,
    BATCH_NORM_1D,
    RECALIBRATE,
    EVAL_AS_AFFINE,
)

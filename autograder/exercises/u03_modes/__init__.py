"""Exercises of u03_modes: two modes, one layer."""

from autograder.exercises.u03_modes.layer import BATCH_NORM_1D
from autograder.exercises.u03_modes.ready_layer import EVAL_AS_AFFINE, RECALIBRATE
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

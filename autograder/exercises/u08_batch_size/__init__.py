"""Exercises of u08_batch_size: noise, and what small batches do."""

from autograder.exercises.u08_batch_size.gap import TRAIN_EVAL_GAP
from autograder.exercises.u08_batch_size.ghosts import GHOST_BATCHNORM
from autograder.exercises.u08_batch_size.output import OUTPUT_NOISE
from autograder.exercises.u08_batch_size.prediction import PREDICTED_MEAN_NOISE
from autograder.exercises.u08_batch_size.renorm import BATCH_RENORM
from autograder.exercises.u08_batch_size.statistic import STATISTIC_NOISE

EXERCISES = (
    STATISTIC_NOISE,
    PREDICTED_MEAN_NOISE,
    OUTPUT_NOISE,
    TRAIN_EVAL_GAP,
    GHOST_BATCHNORM,
    BATCH_RENORM,
)

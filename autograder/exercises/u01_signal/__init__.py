"""Exercises of u01_signal: what a deep network does to its signal before any training."""

from autograder.exercises.u01_signal.gradients import GRADIENTS
from autograder.exercises.u01_signal.moments import MOMENTS
from autograder.exercises.u01_signal.rate import RATE
from autograder.exercises.u01_signal.saturation import SATURATION
from autograder.exercises.u01_signal.scale import SCALE

EXERCISES = (MOMENTS, SATURATION, SCALE, GRADIENTS, RATE)

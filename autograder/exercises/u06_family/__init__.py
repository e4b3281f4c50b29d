"""Exercises of u06_family: axes, and the relatives of batch norm."""

from autograder.exercises.u06_family.axes import REDUCE_AXES
from autograder.exercises.u06_family.batch import BATCHNORM_ND
from autograder.exercises.u06_family.group import GROUP_NORM
from autograder.exercises.u06_family.layer import INSTANCE_NORM, LAYER_NORM
from autograder.exercises.u06_family.probing import WHICH_NORM

EXERCISES = (REDUCE_AXES, BATCHNORM_ND, LAYER_NORM, INSTANCE_NORM, GROUP_NORM, WHICH_NORM)

"""Exercises of u07_shift: does batch norm reduce covariate shift? Measure, then claim."""

from autograder.exercises.u07_shift.claims import CLAIM
from autograder.exercises.u07_shift.distribution import DISTRIBUTION
from autograder.exercises.u07_shift.gradients import GRADIENTS
from autograder.exercises.u07_shift.landscape import LOSS_ALONG, SMOOTH
from autograder.exercises.u07_shift.noise import NOISE
from autograder.exercises.u07_shift.own_claims import MY_CLAIMS
from autograder.exercises.u07_shift.upstream import UPSTREAM

EXERCISES = (DISTRIBUTION, NOISE, GRADIENTS, UPSTREAM, LOSS_ALONG, SMOOTH, CLAIM, MY_CLAIMS)

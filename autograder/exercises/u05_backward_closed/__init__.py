"""Exercises of u05_backward_closed: one line instead of ten, and what it says."""

from autograder.exercises.u05_backward_closed.closed import CLOSED
from autograder.exercises.u05_backward_closed.evaluation import EVALUATION
from autograder.exercises.u05_backward_closed.gap import GAP
from autograder.exercises.u05_backward_closed.jacobian import JACOBIAN
from autograder.exercises.u05_backward_closed.linear import LINEAR

EXERCISES = (CLOSED, JACOBIAN, EVALUATION, GAP, LINEAR)

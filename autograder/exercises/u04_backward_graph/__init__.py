"""Exercises of u04_backward_graph: the backward pass, node by node, and checks that see bugs."""

from autograder.exercises.u04_backward_graph.backward import BATCHNORM_BACKWARD
from autograder.exercises.u04_backward_graph.design import DESIGN_CHECK
from autograder.exercises.u04_backward_graph.differences import NUMERICAL_GRADIENT
from autograder.exercises.u04_backward_graph.row_nodes import D_NORMALIZE, D_SCALE_SHIFT
from autograder.exercises.u04_backward_graph.statistics_nodes import D_CENTER, D_INV_STD, D_VAR

EXERCISES = (
    D_SCALE_SHIFT,
    D_NORMALIZE,
    D_INV_STD,
    D_VAR,
    D_CENTER,
    BATCHNORM_BACKWARD,
    NUMERICAL_GRADIENT,
    DESIGN_CHECK,
)

"""Exercises of u04_backward_graph: the backward pass, node by node, and checks that see bugs."""

from autograder.exercises.u04_backward_graph.backward import BATCHNORM_BACKWARD
from autograder.exercises.u04_backward_graph.design import DESIGN_CHECK
from autograder.exercises.u04_backward_graph.differences import NUMERICAL_GRADIENT
from autograder.exercises.u04_backward_graph.nodes import NODES

EXERCISES = (*NODES, BATCHNORM_BACKWARD, NUMERICAL_GRADIENT, DESIGN_CHECK)

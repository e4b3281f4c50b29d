"""Ordinary helpers that some exercises take as arguments ("given" functions).

Each is built from plain parameters, so that a judge can name it in a script. They are plain
implementations of things the notebook itself hands to the student: nothing here is an answer.
One module per subject; importing this package registers them all.
"""

from autograder.worker.givens import (
    activations,
    backward,
    basic,
    boxes,
    comparing,
    devices,
    kernels,
    layers,
    models,
    modules,
)
from autograder.worker.givens.registry import build_given, given

__all__ = [
    "activations",
    "backward",
    "basic",
    "boxes",
    "build_given",
    "comparing",
    "devices",
    "given",
    "kernels",
    "layers",
    "models",
    "modules",
]

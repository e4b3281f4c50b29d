"""The exercises of all units, found by name.

A unit is a module here that is named like its folder and ends in ``EXERCISES = (...)``, in the
order of the notebook.
"""

from autograder.exercises.catalogue import all_exercises, exercises_of, find, require_unit, units

__all__ = ["all_exercises", "exercises_of", "find", "require_unit", "units"]

"""A made-up class and the marks it must get: the instructor's day, played from end to end.

Every student in ``students/`` is a text file: what they do differently from the handed out
notebook, and why they are in the class. ``expected.json`` holds what each must get.
"""

from autograder.demo.day import play

__all__ = ["play"]

"""What lives beside the student's code: a small interpreter that knows no exercise.

Only the standard library, numpy, IPython and torch may be imported from here. There is no
expected value, no case, no seed and no score in this package, so nothing in it is worth stealing.
"""

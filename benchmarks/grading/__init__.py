"""How fast a class is graded, next to stock nbgrader, Otter, and the bare functions."""

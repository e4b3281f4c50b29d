# %% [markdown]
# # Five minutes: does everything work?
#
# | | |
# |---|---|
# | **You will do** | write one line, and repair another |
# | **You will learn** | what feedback looks like here, and how to use it |
# | **You need** | a little NumPy; the [lecture](../../course/u00_start/lecture.ipynb) if "axis" is a new word |
# | **It takes** | about 5 minutes: 2 exercises, 2 points |
#
# <kbd>Shift</kbd>+<kbd>Enter</kbd> runs a cell and moves on. Run the next one now: if nothing red appears, your
# environment works.

# %% given="imports"
import numpy as np

from autograder import check, hint, progress

# %% [markdown]
# ## How an exercise works
#
# 1. Read the text. Write your code where it says `# YOUR CODE HERE`, and delete the `raise NotImplementedError()`.
# 2. Run your cell, then the test cell below it. The test cell first tries an example you can check by hand, then
#    `check(...)` looks at more: other shapes, other dtypes, awkward memory layouts. It says what is wrong in words.
#    A red traceback from the test cell just means "not yet": its **last line** is the one to read. No traceback, but a
#    panel that is not green? Not yet, either: read the panel.
# 3. Change your code, run both cells again, as often as you like. Nothing is sent anywhere; what counts is the
#    notebook that you hand in at the end.
#
# Do not rename functions. Cells and helper functions of your own are welcome anywhere; test cells cannot be edited.
# A ready-made solution (a function of `bnlib`, a batch norm of PyTorch) earns nothing inside yours; comparing with one in a cell of
# your own is welcome.
#
# In this notebook `x` is always a batch of shape $(N, C)$: $N$ samples in rows, $C$ features in columns, float32 or float64.

# %% [markdown]
# ## Exercise 1 · `center`
#
# *effort ●○○ · about 2 minutes · 1 point · `hint("u00.center")` if you are stuck*
#
# Take each column's mean out of it:
#
# $$ y_{nc} = x_{nc} - \mu_c \qquad \mu_c = \frac1N \sum_{n=1}^{N} x_{nc} $$
#
# `x` has shape $(N, C)$, so has the result. Every column of it averages 0.
#
# What counts:
# - the values, for any $N \ge 2$ and $C \ge 1$, also when $N = C$, a column is constant, or `x` lies far from zero (a mean of
#   10 000 in float32);
# - the result has the dtype of `x`, and `x` itself is not changed;
# - `x` may be a view of a larger array, or stored in Fortran order. (NumPy's own functions do not mind.)
#
# <details><summary>Hint: which axis?</summary>
#
# `x.mean(axis=k)` removes axis `k`. You need one mean per column, an array of shape $(C,)$: which axis has to go?
# </details>


# %% exercise="center"
def center(x):
    """Return x with each column's mean taken out: (N, C) -> (N, C)."""
    ### BEGIN SOLUTION
    return x - x.mean(axis=0)
    ### END SOLUTION


# %% test="center"
example = np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 80.0]])  # column means 3 and 40
result = center(example)
shape = np.shape(result)
assert shape == (3, 2), f"The result must have the shape of x, (3, 2); it has {shape}."
right = np.allclose(result, [[-2, -30], [0, -10], [2, 40]])
assert right, f"Take 3 out of column 0 and 40 out of column 1; got\n{result}"
check("u00.center", center)

# %% [markdown]
# ## Exercise 2 · `column_scale`: repair it
#
# *effort ●○○ · about 2 minutes · 1 point · `hint("u00.column_scale")` if you are stuck*
#
# The standard deviation of each column, the biased one ($1/N$, not $1/(N-1)$):
#
# $$ s_c = \sqrt{\frac1N \sum_{n=1}^{N} (x_{nc} - \mu_c)^2} $$
#
# `x` has shape $(N, C)$; the result has shape $(C,)$, one number per column.
#
# What counts: the same as in exercise 1. A constant column has $s_c = 0$.
#
# Somebody has written it already, and it is wrong. **Change nothing yet**: run the cell, then the `check` below it, and
# read what the panel says.


# %% exercise="column_scale"
def column_scale(x):
    """Return the biased standard deviation of each column: (N, C) -> (C,)."""
    ### BEGIN SOLUTION
    return x.std(axis=0)
    ### HAND OUT
    # return x.std(axis=1)
    ### END SOLUTION


# %%
check("u00.column_scale", column_scale)

# %% [markdown]
# The panel compared the answers with what known mistakes would have answered, and named this one. Look at the two
# square batches: there the wrong answer even has the right shape, so only its numbers give it away.
#
# Now repair the function. Run its cell and the `check` again until everything is green, then run the test cell.

# %% test="column_scale"
square = np.array([[1.0, 30.0], [3.0, 10.0]])  # each value is 1, or 10, away from its column's mean
scale = column_scale(square)
assert np.allclose(scale, [1, 10]), f"The columns scatter by 1 and by 10; got {scale}."
tall = np.array([[9.0], [3.0], [3.0], [1.0]])  # mean 4; squared distances 25, 1, 1, 9; their mean 9
scale = column_scale(tall)
assert np.allclose(scale, [3]), f"There is one column, and it scatters by 3; got {scale}."
check("u00.column_scale", column_scale)

# %% [markdown]
# ## Where you are
#
# `progress()` shows what passes and where to go next. It is kept in a file on this computer, and never sent anywhere.

# %%
progress()

# %% [markdown]
# ## Try next
#
# - `center(x) / column_scale(x)`: that is batch norm, but for a little $\epsilon$ and two learned numbers per column. On what batch does it fail?
# - On to [u02 · From the formulas](../../course/u02_forward/lecture.ipynb), or back to the [map of the course](../../course/home.ipynb).
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
#   Shift*, ICML 2015, Algorithm 1.
# - NumPy reference, `numpy.std`: `ddof=0`, that is $1/N$, is the default.

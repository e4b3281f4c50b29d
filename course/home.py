# %% [markdown]
# # Day or night?
#
# Below is a batch of eight pictures. The framed one is always the same, down to the last bit. So is the unit that
# looks at it and says *day* or *night*: one weight, always the same. Between the two sits batch normalization.
#
# Run the next cell (click it, then <kbd>Shift</kbd>+<kbd>Enter</kbd>) and change the **other seven** pictures with the slider.

# %%
from autograder import progress
from bnlib.plots.company import draw_company
from bnlib.widgets import Choice, Slider, explore

explore(
    draw_company,
    title="The same picture, in other company",
    alt="Eight landscapes before and after batch norm, and the probability of day read from the first.",
    light=Slider("daylight in the other pictures", 0.0, 1.0, 0.05, 0.15),
    seed=Choice("which other pictures", (0, 1, 2), 0),
)

# %% [markdown]
# Nothing here is drawn for effect: the batch goes through `bnlib.BatchNorm2d(3)` in training mode, and you are looking at
# what comes out. Should a layer do this? What does the gradient make of it? Why do networks train *better* with it? And what
# has to change before one can trust a single answer?
#
# That is this course. You build batch normalization from its formulas, forward and backward, hold every line against
# PyTorch, and find out what is known, what is only claimed, and where it breaks.
#
# ## The map
#
# A unit is a **lecture** (read, predict, run, play; never graded) and an **assignment** (you write code; graded). The units
# build on each other, so take them in order.
#
# | unit | the question it starts from | lecture | assignment |
# |---|---|---|---|
# | u00 · Start | Is Mia a heavy cat? | [lecture](u00_start/lecture.ipynb), 5 min | [start](../release/u00_start/start.ipynb), 5 min |
# | u01 · What goes wrong without it | Forty layers: what is left at the other end? | [lecture](u01_signal/lecture.ipynb), 60 min | [signal](../release/u01_signal/signal.ipynb), 40 min |
# | u02 · From the formulas | What does a batch of two look like? | [lecture](u02_forward/lecture.ipynb), 50 min | [forward](../release/u02_forward/forward.ipynb), 45 min |
# | u03 · Two modes, one layer | Same photo, another answer. Who changed it? | [lecture](u03_modes/lecture.ipynb), 60 min | [modes](../release/u03_modes/modes.ipynb), 60 min |
# | u04 · Backward, node by node | A gradient of ones goes in. What comes out? | [lecture](u04_backward_graph/lecture.ipynb), 60 min | [backward_graph](../release/u04_backward_graph/backward_graph.ipynb), 65 min |
# | u05 · Backward in one line | A batch of three: in how many directions can its gradient point? | [lecture](u05_backward_closed/lecture.ipynb), 60 min | [backward_closed](../release/u05_backward_closed/backward_closed.ipynb), 40 min |
# | u06 · The family | Four famous layers: how many lines of code? | [lecture](u06_family/lecture.ipynb), 50 min | [family](../release/u06_family/family.ipynb), 60 min |
# | u07 · Measure, then claim | Make the shift worse: does training suffer? | [lecture](u07_shift/lecture.ipynb), 60 min | [shift](../release/u07_shift/shift.ipynb), 70 min |
# | u08 · Noise and small batches | One image, 2000 batches: how much does its output move? | [lecture](u08_batch_size/lecture.ipynb), 50 min | [batch_size](../release/u08_batch_size/batch_size.ipynb), 45 min |
# | u10 · Into the framework | The same network without batch norm: what does it lose? | [lecture](u10_pytorch/lecture.ipynb), 60 min | [pytorch](../release/u10_pytorch/pytorch.ipynb), 100 min |
# | u11 · On a GPU, and without | Who reports more bandwidth than the card has? | [lecture](u11_gpu/lecture.ipynb), 60 min | [gpu](../release/u11_gpu/gpu.ipynb), 95 min |
# | u12 · Write it: kernels | Three reads or two? | [lecture](u12_kernel/lecture.ipynb), 60 min | [kernel](../release/u12_kernel/kernel.ipynb), 90 min |
#
# **In preparation**, not here yet: u09 (a clinic for bugs),
# u13 (capstone). Nothing in the units above needs them.
#
# You need Python and NumPy; the chain rule in u01 and from u04 on. No GPU, no network.
#
# ## Where you are
#
# Your own map: one dot for each exercise, filled when it passes.

# %%
progress()

# %% [markdown]
# ## How feedback works
#
# | in any cell | |
# |---|---|
# | `check("u02.batch_var", batch_var)` | tries your function on fresh inputs, and says **what** is wrong, in words; as often as you like |
# | `hint("u02.batch_var")` | a nudge; again: an outline; again: nearly the code |
# | `progress()` | the map above |
#
# - **Nothing is ever sent anywhere.** Your map is a file on this computer, and the course works without a network.
#   (Should JupyterLab itself ask whether to fetch news from its makers, that is up to you.)
# - `check` runs here, in your own notebook, to help you. **The marks that count come from your instructor's grader**, which
#   runs the same exercises with numbers of its own. Honest work that passes here passes there.
# - What an exercise looks at is said in its text: values, shapes, dtypes, and that arguments are left as they were.
# - Partial credit is real: right numbers in the wrong dtype are worth more than nothing.
#
# ## Doing an assignment
#
# 1. Open it from the table above, or take the copy your instructor hands out.
# 2. Write where it says `# YOUR CODE HERE`; run your cell, then the test cell below it.
# 3. Before you hand in: **Kernel ▸ Restart Kernel and Run All Cells…**, then save. What works only because of a cell
#    that you have deleted since does not work at your instructor's.
#
# Keep function names and test cells as they are; add cells and helper functions wherever you like.
#
# ## Keys
#
# | key | |
# |---|---|
# | <kbd>Shift</kbd>+<kbd>Enter</kbd> | run the cell, go to the next |
# | <kbd>Ctrl</kbd>+<kbd>Enter</kbd> | run the cell, stay |
# | <kbd>Esc</kbd>, then <kbd>B</kbd> or <kbd>A</kbd> | new cell below, or above |
# | <kbd>Esc</kbd>, then <kbd>D</kbd> <kbd>D</kbd> | delete the cell; <kbd>Z</kbd> brings it back |
# | <kbd>Esc</kbd>, then <kbd>0</kbd> <kbd>0</kbd> | restart the kernel |
# | <kbd>Shift</kbd>+<kbd>Tab</kbd> inside a call | the function's documentation |
# | <kbd>Tab</kbd> to a slider, then <kbd>←</kbd> <kbd>→</kbd> | move it |
#
# On macOS, <kbd>⌃</kbd> or <kbd>⌘</kbd> stands for <kbd>Ctrl</kbd>; all that a student needs works on Linux, Windows and macOS alike.
#
# ## When something does not work
#
# | you see | do this |
# |---|---|
# | `ModuleNotFoundError: No module named 'autograder'` (or `bnlib`) | the notebook runs in another Python: **Kernel ▸ Change Kernel…**, and if that does not help, start Jupyter from the course's folder with `make lab` (Windows: `.venv\Scripts\jupyter lab`) |
# | `NameError: name 'x' is not defined` | a cell above has not been run: **Run ▸ Run All Above Selected Cell** |
# | a slider that does not move anything | run its cell again; a saved picture is only a picture |
# | an old answer after you changed a function | run the function's cell, not only the test |
# | `[*]` that never ends | **Kernel ▸ Interrupt**, then look for a loop without end |
# | everything is odd | **Kernel ▸ Restart Kernel and Run All Cells…** |
# | `NotImplementedError` | the line `raise NotImplementedError()` is still there: replace it by your code |
# | still stuck | run `autograder doctor` in a terminal and show your instructor what it says |
#
# Begin with [u00](u00_start/lecture.ipynb): a few minutes, and you know how everything works.

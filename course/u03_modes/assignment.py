# %% [markdown]
# # Two modes, one layer
#
# You will write the batch norm layer that people really use: it trains, it remembers, it classifies one image at a time, it can be
# saved and loaded. At the end you move a trained layer to new data without a single label.
#
# | | |
# |---|---|
# | **You will do** | three small formulas, one class with two modes, two functions that use a layer |
# | **You will learn** | which numbers belong to the batch, which to the layer, and which of the two variances goes where |
# | **You need** | the lecture of this unit (`lecture.ipynb`); from unit 2 the forward formula. Classes in Python: `__init__`, `__call__`, attributes |
# | **It takes** | about an hour, half of it for the class |
#
# **How it works.** Each exercise has a cell for your code and a test cell below it. The test cell first asserts something you can check by hand, then
# `check(...)` looks closer and tells you what is wrong. Points are given per behaviour, so a class that is half done earns points. You may run every cell as
# often as you like, add cells and write helpers of your own; only the names of the exercises have to stay. Stuck? `hint("u03.update_running")`, again for more.
#
# **True for all exercises:**
#
# - Batches are floating point arrays `x` of shape `(N, C)`: N examples, C features.
# - No argument may be changed, not even in its last bits: no `+=` on an array that came from outside.
# - What comes out has the dtype that came in (`float32` in, `float32` out).
# - Data far from zero (mean 10 000 in `float32`) must come out right: subtract the mean first, then square (unit 2).
# - Ready-made batch norm (`bnlib`, `torch.nn.BatchNorm1d` and the like) earns nothing inside your code; comparing with it in a cell of your own is welcome.

# %% given="imports"
import numpy as np

from autograder import check, hint, progress

# %% [markdown]
# ## Exercise 1 · `update_running`
#
# *effort ●○○ · about 4 minutes · 1 point · `hint("u03.update_running")` if you are stuck*
#
# After each training batch the layer mixes the batch's statistic $b$ into the running one $r$:
#
# $$r_{\text{new}} = (1-a)\,r + a\,b, \qquad a = \text{momentum}.$$
#
# So `momentum` is the weight of the **new** batch. With 0 nothing changes, with 1 only the new batch counts.
#
# - `running`, `batch`: two arrays of shape `(C,)`, or two plain numbers; `momentum`: a number from 0 to 1.
# - Return a **new** array (or number) of the same shape and dtype. Neither argument is changed.


# %% exercise="update_running"
def update_running(running, batch, momentum):
    """Return the running statistic after one more batch."""
    ### BEGIN SOLUTION
    return (1 - momentum) * running + momentum * batch
    ### END SOLUTION


# %% test="update_running"
updated = update_running(np.array([0.0, 1.0]), np.array([10.0, 3.0]), 0.1)
assert np.shape(updated) == (2,), "one number per feature, as in the arguments"
assert np.allclose(updated, [1.0, 1.2]), f"0 and 10 give 1; 1 and 3 give 1.2; not {updated}"
check("u03.update_running", update_running)

# %% [markdown]
# ## Exercise 2 · `bessel`
#
# *effort ●○○ · about 4 minutes · 1 point · `hint("u03.bessel")` if you are stuck*
#
# The variance of a batch with 1/m (the biased one) is too small on average: values lie closer to their own mean than to the true one. For *later*, the layer
# remembers the unbiased variance: the same sum of squares, divided by $m-1$ instead of $m$.
#
# Given the biased variance and $m$, how do you get the unbiased one, without seeing the values again?
#
# - `var`: array of shape `(C,)`, or a plain number, each taken over `m` values with 1/m; `m`: an integer, at least 2.
# - Return a new array (or number) of the same shape and dtype.
# - Mind that `m` has nothing to do with the *length* of `var`: for images, `m` is N · H · W.
#
# <details><summary>Nudge</summary>
#
# Write both variances as (sum of squares) / (something).
# </details>


# %% exercise="bessel"
def bessel(var, m):
    """Return the unbiased variance for a biased one of m values."""
    ### BEGIN SOLUTION
    return var * (m / (m - 1))
    ### END SOLUTION


# %% test="bessel"
unbiased = bessel(np.array([4.0, 9.0]), 3)
assert np.shape(unbiased) == (2,), "one variance per feature, as in the argument"
assert np.allclose(unbiased, [6.0, 13.5]), (
    f"sums of squares 12 and 27, so 6 and 13.5; not {unbiased}"
)
check("u03.bessel", bessel)

# %% [markdown]
# ## Exercise 3 · `momentum_from_keras`
#
# *effort ●○○ · about 3 minutes · 1 point · `hint("u03.momentum_from_keras")` if you are stuck*
#
# A colleague's Keras model says `momentum=0.99`. In Keras the update reads
#
# $$r_{\text{new}} = k\,r + (1-k)\,b, \qquad k = \text{Keras' momentum}.$$
#
# Which `momentum` of *our* update (exercise 1) does exactly the same?
#
# - `keras_momentum`: a number or an array of numbers from 0 to 1. Return a new number or array of the same shape.


# %% exercise="momentum_from_keras"
def momentum_from_keras(keras_momentum):
    """Return our momentum for one of Keras."""
    ### BEGIN SOLUTION
    return 1 - keras_momentum
    ### END SOLUTION


# %% test="momentum_from_keras"
assert np.shape(momentum_from_keras(0.99)) == (), "a number for a number"
assert np.isclose(momentum_from_keras(0.99), 0.01), "the old value weighs 0.99, and the new one?"
check("u03.momentum_from_keras", momentum_from_keras)

# %% [markdown]
# ## Exercise 4 · `BatchNorm1d`
#
# *effort ●●● · about 30 minutes · 12 points, given per behaviour · `hint("u03.BatchNorm1d")`*
#
# Now the layer. It has two modes:
#
# $$y = \mathtt{weight}\cdot\frac{x - \mathtt{mean}}{\sqrt{\mathtt{var} + \mathtt{eps}}} + \mathtt{bias}
#   \qquad\begin{cases}\text{training:} & \mathtt{mean}, \mathtt{var}\text{ of this batch, per feature, var biased}\\
#   \text{evaluation:} & \mathtt{running\_mean},\; \mathtt{running\_var}\end{cases}$$
#
# In training, and **only** there, each call also
#
# 1. adds 1 to `num_batches_tracked`,
# 2. updates `running_mean` with the batch mean and `running_var` with the batch's **unbiased** variance (exercises 1 and 2; you may call your functions,
#    and a mistake in them is then one here, too).
#    The weight of the new batch is `momentum`. If `momentum` is `None`, it is $1/k$, where $k$ is `num_batches_tracked` with this batch counted: the plain average of
#    all batches, and the start values count nothing.
#
# ### What the class has to offer
#
# | | |
# |---|---|
# | `BatchNorm1d(num_features, eps=1e-5, momentum=0.1)` | a new layer, in training mode |
# | `layer(x)` | y of the shape and dtype of `x`; `x` of shape `(N, C)` is not changed |
# | `layer.train(mode=True)`, `layer.eval()` | switch the mode, **and return the layer**, so that `layer.eval()(x)` works; `train(False)` is `eval()` |
# | `layer.state_dict()` | a dict with exactly the keys `weight`, `bias`, `running_mean`, `running_var`, `num_batches_tracked` |
# | `layer.load_state_dict(state)` | takes such a dict and sets all five |
#
# Attributes, with the values of a new layer. They can be read *and set* from outside (the check sets `layer.weight = ...`, for example):
#
# | `weight` | `bias` | `running_mean` | `running_var` | `num_batches_tracked` | `training` | `eps`, `momentum` |
# |---|---|---|---|---|---|---|
# | C ones | C zeros | C zeros | C ones | 0 (an integer) | `True` | as given |
#
# ### What is looked at (each is worth points of its own)
#
# - **training**: y for random batches; `weight`, `bias` and `eps` used; a batch of two; a constant feature; Fortran-ordered and strided arrays; `float32`;
#   `float32` at mean 10 000; `float16` whose squares are too large for `float16` (so: compute in `float32` or `float64`, convert back at the end).
# - A batch of **one** value per feature has no spread to normalise by: in training mode raise a `ValueError`. In evaluation a single row is fine.
# - **buffers**: start values; both running statistics after several batches of different sizes; the count; `momentum=None`; `momentum=0`, which
#   leaves the running statistics alone; evaluation changes *nothing*; two layers share nothing.
# - **evaluation** (weighs most): the running statistics are used, whatever else is in the batch, with `weight`, `bias` and `eps` as in training.
# - **state**: `state_dict()` is a **snapshot** and `load_state_dict` **copies**. Neither a later training step nor somebody who writes into an array of the layer
#   (`layer.weight -= 0.1 * gradient` does) may change a dict that was handed out, or that was loaded. (PyTorch differs here: its
#   `state_dict()` hands out references.)
#
# Parameters and buffers may be `float32` or `float64`, as you like. The first assert below needs only `__init__` and the training half of `__call__`: **start there**, the rest may
# wait. Where it is missing, `check` says "Nothing written yet", and gives points for what is there.
#
# <details><summary>Nudge: how to arrange it</summary>
#
# Both modes share their last two lines (normalise, scale and shift). Let an `if self.training:` decide which mean and variance these lines get. All that updates is
# inside that `if`.
# </details>
# <details><summary>Nudge: <code>momentum</code> can be 0</summary>
#
# `0` and `None` are both "false" in Python: `if momentum:` and `momentum or 0.1` cannot tell them apart. `momentum is None` can.
# </details>
# <details><summary>Outline of the training half</summary>
#
# refuse too small a batch → `float64` copy of `x` → mean and biased variance over the rows → count → weight of the new batch → two updates → normalise, scale, shift →
# back to the dtype of `x`.
# </details>


# %% exercise="BatchNorm1d"
class BatchNorm1d:
    """Batch norm of (N, C) in two modes, with torch's names."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        ### BEGIN SOLUTION
        self.eps, self.momentum, self.training = eps, momentum, True
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.num_batches_tracked = 0
        ### END SOLUTION

    def __call__(self, x):
        """Return y for a batch x of shape (N, C)."""
        ### BEGIN SOLUTION
        wide = np.asarray(x, dtype=np.float64)
        mean, var = self.running_mean, self.running_var
        if self.training:
            if len(wide) < 2:
                raise ValueError("training needs more than one value per feature")
            mean, var = wide.mean(axis=0), wide.var(axis=0)
            self._remember(mean, bessel(var, len(wide)))
        x_hat = (wide - mean) / np.sqrt(var + self.eps)
        return (self.weight * x_hat + self.bias).astype(x.dtype)

    def _remember(self, mean, unbiased):
        """Count the step and update the running statistics."""
        self.num_batches_tracked += 1
        share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean = update_running(self.running_mean, mean, share)
        self.running_var = update_running(self.running_var, unbiased, share)
        ### END SOLUTION

    def train(self, mode=True):
        """Switch to training mode (mode=False: to evaluation) and return the layer."""
        ### BEGIN SOLUTION
        self.training = mode
        return self
        ### END SOLUTION

    def eval(self):
        """Switch to evaluation mode and return the layer."""
        ### BEGIN SOLUTION
        return self.train(False)
        ### END SOLUTION

    def state_dict(self):
        """Return a snapshot of parameters and buffers."""
        ### BEGIN SOLUTION
        names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        return {name: np.array(getattr(self, name)) for name in names}
        ### END SOLUTION

    def load_state_dict(self, state):
        """Copy parameters and buffers from such a snapshot."""
        ### BEGIN SOLUTION
        for name in ("weight", "bias", "running_mean", "running_var"):
            setattr(self, name, np.array(state[name]))
        self.num_batches_tracked = int(state["num_batches_tracked"])
        ### END SOLUTION


# %% test="BatchNorm1d"
layer = BatchNorm1d(2)
y = layer(np.array([[1.0, 10.0], [3.0, 30.0]]))
assert np.shape(y) == (2, 2), "y has the shape of x"
assert np.allclose(y, [[-1.0, -1.0], [1.0, 1.0]], atol=1e-5), f"two rows become −1 and 1; not {y}"
check("u03.BatchNorm1d", BatchNorm1d)

# %% [markdown]
# ### Your layer takes the test of the lecture
#
# Not graded. Classify 100 rows one at a time: is it the same as all at once?

# %%
rng = np.random.default_rng(0)
layer = BatchNorm1d(3)
for _ in range(100):
    layer(rng.normal([5.0, -2.0, 0.0], [2.0, 1.0, 0.5], size=(16, 3)))
x = rng.normal([5.0, -2.0, 0.0], [2.0, 1.0, 0.5], size=(100, 3))
together = layer.eval()(x)
alone = np.concatenate([layer(row[np.newaxis]) for row in x])
print("evaluation, one at a time against all at once:", np.abs(together - alone).max())
print("running_mean:", layer.running_mean.round(2), " (the truth: 5, −2, 0)")
print("running_var: ", layer.running_var.round(2), " (the truth: 4, 1, 0.25)")

# %% [markdown]
# <details><summary>Is 5.19 for a mean of 5 a mistake?</summary>
#
# No, noise: with momentum 0.1 the buffers are worth 19 batches (lecture, section 4). 19 · 16 = 304 values of standard deviation 2 give a mean that is good to
# $2/\sqrt{304} = 0.11$, and 0.19 is less than two of these. The next exercise does better.
# </details>
#
# ## Exercise 5 · `recalibrate`
#
# *effort ●●○ · about 10 minutes · 3 points · `hint("u03.recalibrate")` if you are stuck*
#
# The layer moves to another camera, or its weights have just been averaged: the running statistics describe a world that is gone. Measure them anew, exactly, on
# batches without labels:
#
# - `running_mean` becomes the mean of **all rows of all batches together**, per feature;
# - `running_var` becomes the **unbiased** variance of all these rows together: divided by (number of all rows − 1).
#
# Mind what this is *not*. The average of the batches' variances leaves out how far the batches lie from each other, and it counts a batch of 3 as much as one
# of 300. And what the layer knew before counts nothing.
#
# - `layer`: **a working layer of ours**, not your class: a mistake in exercise 4 costs nothing here. It has the attributes and modes of exercise 4 and can be called.
# - `batches`: an iterable of arrays `(N_i, C)` with different `N_i`, some with a single row. It may be a generator: it can be walked through **once**. All rows fit into
#   memory. At least two rows in all.
# - Set `layer.running_mean` and `layer.running_var`; nothing need be returned. Mode (`training`), `weight`, `bias`, `num_batches_tracked`, `momentum` and `eps` stay as they were, and
#   so do the batches.
# - `float32` batches at mean 10 000 must come out right.
#
# <details><summary>Nudge</summary>
#
# If all rows stood in one array, this would be two lines. How do you get them into one?
# </details>


# %% exercise="recalibrate"
def recalibrate(layer, batches):
    """Set the layer's running statistics to those of all rows pooled."""
    ### BEGIN SOLUTION
    rows = np.concatenate([np.asarray(batch, dtype=np.float64) for batch in batches])
    layer.running_mean = rows.mean(axis=0)
    layer.running_var = rows.var(axis=0, ddof=1)
    ### END SOLUTION


# %% test="recalibrate"
import bnlib

ready = bnlib.BatchNorm1d(1)  # ours, so that exercise 4 costs nothing here
recalibrate(ready, [np.array([[1.0], [2.0]]), np.array([[6.0]])])
assert np.shape(ready.running_mean) == (1,) == np.shape(ready.running_var), "one number per feature"
assert np.allclose(ready.running_mean, 3.0), f"1, 2, 6 have mean 3, not {ready.running_mean}"
assert np.allclose(ready.running_var, 7.0), f"(4 + 1 + 9) / (3 − 1) = 7, not {ready.running_var}"
check("u03.recalibrate", recalibrate)

# %% [markdown]
# ## Exercise 6 · `eval_as_affine`
#
# *effort ●●○ · about 6 minutes · 2 points · `hint("u03.eval_as_affine")` if you are stuck*
#
# In evaluation mode mean and variance are fixed numbers. So for each feature, $y$ as a function of $x$ is a straight line:
#
# $$\mathtt{weight}\cdot\frac{x - \mathtt{running\_mean}}{\sqrt{\mathtt{running\_var} + \mathtt{eps}}} + \mathtt{bias} \;=\; \text{scale}\cdot x + \text{shift}
#   \qquad\text{for all } x.$$
#
# Find scale and shift. (Engineers use this to remove batch norm from a finished network; you will, in unit 10.)
#
# - `layer`: again **a working layer of ours**, in either mode, with an `eps` of its own. It stays as it is.
# - Return the tuple `(scale, shift)`: two floating point arrays of shape `(C,)`.
#
# <details><summary>Nudge</summary>
#
# Two lines are equal if their slopes are equal and their values at one point. $x = 0$ is a comfortable one.
# </details>


# %% exercise="eval_as_affine"
def eval_as_affine(layer):
    """Return (scale, shift) of the layer in evaluation mode."""
    ### BEGIN SOLUTION
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return scale, layer.bias - layer.running_mean * scale
    ### END SOLUTION


# %% test="eval_as_affine"
import bnlib

ready = bnlib.BatchNorm1d(2, eps=1.0)
ready.weight, ready.bias = np.array([3.0, 6.0]), np.array([1.0, 0.0])
ready.running_mean, ready.running_var = np.array([4.0, -2.0]), np.array([3.0, 8.0])
scale, shift = eval_as_affine(ready)
assert np.shape(scale) == (2,) == np.shape(shift), "one scale and one shift per feature"
assert np.allclose(scale, [1.5, 2.0]), f"the roots are 2 and 3, so [1.5, 2], not {scale}"
assert np.allclose(shift, [-5.0, 4.0]), f"at x = 0 the layer gives [−5, 4], not {shift}"
check("u03.eval_as_affine", eval_as_affine)

# %% [markdown]
# ## Where you stand

# %%
progress()

# %% [markdown]
# ## What to try next
#
# - Copy a state dict from `torch.nn.BatchNorm1d` into your layer (`{k: v.numpy() for k, v in torch_layer.state_dict().items()}`) and compare in evaluation mode.
# - Give your layer a training batch of 2 a thousand times, once with your `bessel` and once without. How wide is its output in evaluation mode?
# - Let it take `(N, C, L)` as well: which axes have to disappear, and what is $m$ then?
# - Unit 4 walks this layer backwards.
#
# **Sources.** S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, arXiv:1502.03167, §3.1 and Algorithm 2. PyTorch's documentation of `torch.nn.BatchNorm1d`
# (names, `momentum`, unbiased `running_var`). Keras 3, `keras/src/layers/normalization/batch_normalization.py` (the other momentum).

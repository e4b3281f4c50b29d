# %% [markdown]
# # Batch normalization from the formulas
#
# Which five lines turn any batch into one with mean 0 and variance 1? And what do they have to survive before you would put
# them into a network?
#
# | | |
# |---|---|
# | **You will do** | write the forward pass, part by part; undo it; take statistics of data that come in pieces |
# | **You will learn** | to turn formulas into array code that is right for every batch, not only for friendly ones |
# | **You need** | NumPy: `mean`, `axis`, broadcasting, `astype`. The [lecture](../../course/u02_forward/lecture.ipynb) derives every formula; each is repeated here |
# | **It takes** | about 45 minutes: 6 exercises, 12 points |

# %% given="imports"
import numpy as np

from autograder import check, hint, progress

# %% [markdown]
# ## What holds for every exercise
#
# `x` is a batch of shape $(N, C)$: $N \ge 2$ examples in rows, $C \ge 1$ features in columns. Every feature is treated on its own.
#
# Besides the values, this counts everywhere:
#
# - **dtype in = dtype out.** float32 for float32, float64 for float64, and where the exercise says so float16 for float16.
#   On the way you may compute in a wider type, but not in a narrower one: float64 batches are held to float64's digits.
# - **No argument is changed**, not even for a moment and back again: adding and subtracting leaves rounding errors behind.
# - **Any memory layout**: `x` may be a view of a larger array, or stored in Fortran order. NumPy's own functions do not mind.
# - **Hard batches**: as many rows as columns, a batch of two, a single column, a column that is constant.
# - **Far from zero**: a mean of 10 000 in float32, a mean of 100 000 000 in float64.
# - **From the formula**: ready-made batch norm (`bnlib`, `torch.nn.functional.batch_norm` and the like) earns nothing inside your
#   functions. Comparing with it in a cell of your own is welcome.
#
# One example goes through the whole notebook. Every test cell tries it first; do it in your head or on paper:
#
# | | feature 0 | feature 1 |
# |---|---|---|
# | example 0 | 1 | 4 |
# | example 1 | 3 | 10 |
# | example 2 | 3 | 12 |
# | example 3 | 5 | 14 |
# | **mean** | 3 | 10 |
# | **variance** | 2 | 14 |
#
# With $\varepsilon = 2$ the roots come out whole: $\sqrt{2+2} = 2$ and $\sqrt{14+2} = 4$.

# %% [markdown]
# ## Exercise 1 · `batch_mean`
#
# *effort ●○○ · about 4 minutes · 1 point · `hint("u02.batch_mean")` if you are stuck*
#
# $$\mu_c = \frac1N \sum_{n=1}^{N} x_{nc}$$
#
# `x` of shape $(N, C)$ → an array of shape $(C,)$, one mean per feature.
#
# float16 counts here: its largest number is 65 504, and 64 rows near 1500 *add up* to more than that, though their mean is fine.
# (NumPy's `mean` knows that, and adds float16 up in float32. A `sum` does not, and neither does a loop of yours.)
#
# <details><summary>Nudge</summary>
#
# One index disappears from $x_{nc}$ to $\mu_c$. That is the axis to go. Then ask yourself in which dtype the sum is kept.
# </details>

# %% exercise="batch_mean"
def batch_mean(x):
    """Return the mean of each feature: (N, C) -> (C,)."""
    ### BEGIN SOLUTION
    return x.mean(axis=0, dtype=np.float64).astype(x.dtype)
    ### END SOLUTION

# %% test="batch_mean"
x = np.array([[1.0, 4.0], [3.0, 10.0], [3.0, 12.0], [5.0, 14.0]])
mu = batch_mean(x)
assert mu.shape == (2,), f"two features, so two means: shape (2,); yours has {mu.shape}"
assert np.allclose(mu, [3.0, 10.0]), f"(1+3+3+5)/4 is 3, and (4+10+12+14)/4 is 10; got {mu}"
check("u02.batch_mean", batch_mean)

# %% [markdown]
# ## Exercise 2 · `batch_var`
#
# *effort ●●○ · about 7 minutes · 2 points · `hint("u02.batch_var")` if you are stuck*
#
# $$\sigma_c^2 = \frac1N \sum_{n=1}^{N} (x_{nc} - \mu_c)^2$$
#
# `x` of shape $(N, C)$ and its `mean` of shape $(C,)$ → an array of shape $(C,)$. Biased: $1/N$, because it is *this batch* that
# shall get variance 1. `mean` is the batch's own mean in the dtype of `x`; use it, or take it again, as you like.
#
# Two things can go wrong that have nothing to do with the formula:
#
# - **Cancellation.** $E[x^2] - E[x]^2$ is the same number on paper. Far from zero it is a difference of two huge
#   numbers, of which only rounding errors are left: −8 or 16 instead of 1. It is wrong here, in float32 and in float64.
# - **Overflow.** float16 counts here, too: $300^2 = 90\,000$ is more than 65 504, though the variance itself may fit.
#   `x.var(axis=0)` falls into this hole as well. (You may assume that the *result* fits.)
#
# <details><summary>Nudge</summary>
#
# Subtract first, then square, then average: small numbers are squared. For the overflow: which of these three steps makes numbers large, and
# how do you give it more room?
# </details>
#
# <details><summary>Outline</summary>
#
# Make a wide copy of `x` with `astype`. Centre it; broadcasting lines the $C$ means up with the columns. Square, average over the
# examples. Bring the result back to the dtype of `x`.
# </details>

# %% exercise="batch_var"
def batch_var(x, mean):
    """Return the biased variance of each feature: (N, C), (C,) -> (C,)."""
    ### BEGIN SOLUTION
    centered = x.astype(np.float64) - mean
    return np.square(centered).mean(axis=0).astype(x.dtype)
    ### END SOLUTION

# %% test="batch_var"
x = np.array([[1.0, 4.0], [3.0, 10.0], [3.0, 12.0], [5.0, 14.0]])
var = batch_var(x, np.array([3.0, 10.0]))
assert var.shape == (2,), f"two features, so two variances: shape (2,); yours has {var.shape}"
assert np.allclose(var, [2.0, 14.0]), f"(4+0+0+4)/4 is 2, and (36+0+4+16)/4 is 14; got {var}"
check("u02.batch_var", batch_var)

# %% [markdown]
# ## Exercise 3 · `normalize`
#
# *effort ●○○ · about 5 minutes · 2 points · `hint("u02.normalize")` if you are stuck*
#
# $$\hat x_{nc} = \frac{x_{nc} - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}}$$
#
# `x` of shape $(N, C)$, `mean` and `var` of shape $(C,)$, `eps` a Python number ≥ 0 → an array of shape $(N, C)$.
#
# - `mean` and `var` are **whatever is handed in**: they need not be those of `x`. (In unit 3 they will come from somewhere else.)
# - $\varepsilon$ stands **inside** the root. It may be 0 where no variance is 0, it may be as large as a variance, and a
#   variance may be 0.
# - float16 counts here, with friendly numbers.

# %% exercise="normalize"
def normalize(x, mean, var, eps):
    """Take given statistics out of x: (N, C), (C,), (C,), number -> (N, C)."""
    ### BEGIN SOLUTION
    return (x - mean) / np.sqrt(var + eps)
    ### END SOLUTION

# %% test="normalize"
x = np.array([[1.0, 4.0], [3.0, 10.0], [3.0, 12.0], [5.0, 14.0]])
x_hat = normalize(x, np.array([3.0, 10.0]), np.array([2.0, 14.0]), 2.0)
assert x_hat.shape == (4, 2), f"the shape of x, (4, 2); yours has {x_hat.shape}"
assert np.allclose(x_hat[0], [-1.0, -1.5]), f"row 0 is (1-3)/2 = -1 and (4-10)/4 = -1.5; got {x_hat[0]}"
assert np.allclose(x_hat[3], [1.0, 1.0]), f"row 3 is (5-3)/2 = 1 and (14-10)/4 = 1; got {x_hat[3]}"
check("u02.normalize", normalize)

# %% [markdown]
# ## Exercise 4 · `batchnorm_forward`
#
# *effort ●●○ · about 10 minutes · 3 points · `hint("u02.batchnorm_forward")` if you are stuck*
#
# Now the whole layer, as in Algorithm 1 of Ioffe & Szegedy (2015): statistics of the batch, normalise, then scale and
# shift with the learned $\gamma$ and $\beta$:
#
# $$y_{nc} = \gamma_c\, \hat x_{nc} + \beta_c$$
#
# `x` of shape $(N, C)$, `gamma` and `beta` of shape $(C,)$ in the dtype of `x` → a tuple `(y, cache)`. `y` has the shape and
# dtype of `x`. `cache` is yours: whatever you would want to keep for the backward pass (unit 4), in any form. It is not graded, but
# there must be one: exactly two things come back.
#
# - `eps` is an argument with the default $10^{-5}$; it may be left out, and it may be as large as a variance.
# - float16 counts here, with deviations near 400 (their squares do not fit, the variance does).
# - Use your functions from above, or write it anew.
#
# <details><summary>Nudge</summary>
#
# You have three quarters of it. Which arguments has none of your functions used so far?
# </details>

# %% exercise="batchnorm_forward"
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    """Normalise a batch with its own statistics, scale and shift: return (y, cache)."""
    ### BEGIN SOLUTION
    mean = batch_mean(x)
    var = batch_var(x, mean)
    x_hat = normalize(x, mean, var, eps)
    y = gamma * x_hat + beta
    cache = {"x": x, "mean": mean, "var": var, "x_hat": x_hat, "gamma": gamma, "eps": eps}
    return y, cache
    ### END SOLUTION

# %% test="batchnorm_forward"
x = np.array([[1.0, 4.0], [3.0, 10.0], [3.0, 12.0], [5.0, 14.0]])
returned = batchnorm_forward(x, np.array([10.0, 2.0]), np.array([1.0, -1.0]), eps=2.0)
assert returned is not None, "nothing came back: is the return missing?"
assert isinstance(returned, tuple | list), "one thing came back: return two, y and a cache"
assert len(returned) == 2, f"return two things, y and a cache; yours are {len(returned)}"
y = returned[0]
assert isinstance(y, np.ndarray), f"y comes first, an array; yours is a {type(y).__name__}"
assert y.shape == (4, 2), f"y comes first and has the shape of x, (4, 2); yours has {y.shape}"
assert np.allclose(y[0], [-9.0, -4.0]), f"row 0 is 10(-1)+1 = -9 and 2(-1.5)-1 = -4; got {y[0]}"
assert np.allclose(y[3], [11.0, 1.0]), f"row 3 is 10(1)+1 = 11 and 2(1)-1 = 1; got {y[3]}"
check("u02.batchnorm_forward", batchnorm_forward)

# %% [markdown]
# ### Look at what you built
#
# Not graded, but worth a minute. A batch of two, features of any size: **before you run it**, write down what will come out.

# %%
two = np.array([[273.15, 1_000_000.0, 0.5], [310.0, 120.0, 0.7]])
batchnorm_forward(two, np.ones(3), np.zeros(3))[0]

# %% [markdown]
# ## Exercise 5 · `identity_affine`
#
# *effort ●●○ · about 5 minutes · 1 point · `hint("u02.identity_affine")` if you are stuck*
#
# Does normalising take something away from the network for good? No: there are $\gamma$ and $\beta$ that undo it. Find them, such that
#
# $$\gamma_c\,\frac{x_{nc} - \mu_c}{\sqrt{\sigma_c^2+\varepsilon}} + \beta_c = x_{nc} \qquad\text{for every } x_{nc}.$$
#
# `mean` and `var` of shape $(C,)$, `eps` a number ≥ 0 (large, small, or 0) → a tuple `(gamma, beta)`, each of shape $(C,)$ and of the
# dtype of `var` and `mean`, float32 or float64.
#
# <details><summary>Nudge</summary>
#
# Both sides are straight lines in $x$. When are two straight lines the same?
# </details>

# %% exercise="identity_affine"
def identity_affine(mean, var, eps):
    """Return (gamma, beta) that make batch norm the identity: (C,), (C,), number -> (C,), (C,)."""
    ### BEGIN SOLUTION
    return np.sqrt(var + eps), mean.copy()
    ### END SOLUTION

# %% test="identity_affine"
pair = identity_affine(np.array([3.0, 10.0]), np.array([2.0, 14.0]), 2.0)
assert isinstance(pair, tuple | list), f"return (gamma, beta); yours is a {type(pair).__name__}"
gamma, beta = pair
assert gamma.shape == beta.shape == (2,), f"one of each per feature; got {gamma.shape}, {beta.shape}"
x_hat = np.array([-1.5, 1.0])  # of feature 1, in rows 0 and 3, where x is 4 and 14
again = gamma[1] * x_hat + beta[1]
assert np.allclose(again, [4.0, 14.0]), f"gamma * x_hat + beta shall be x again, 4 and 14; got {again}"
check("u02.identity_affine", identity_affine)

# %% [markdown]
# ## Exercise 6 · `streaming_mean_var`
#
# *effort ●●● · about 12 minutes · 3 points · `hint("u02.streaming_mean_var")` if you are stuck*
#
# Now the data do not fit into memory. They come in chunks, and you may walk through the chunks **once**. Suppose you have seen
# $n_A$ rows with mean $\mu_A$ and sum of squared deviations $S_A = \sum_{i\in A}(x_i - \mu_A)^2$. Along comes a chunk with
# $n_B$, $\mu_B$, $S_B$. With $n = n_A + n_B$ and $\delta = \mu_B - \mu_A$ the two together have (derived in the lecture;
# Chan, Golub & LeVeque 1983)
#
# $$\mu = \mu_A + \delta\,\frac{n_B}{n} \qquad\qquad S = S_A + S_B + \delta^2\,\frac{n_A n_B}{n} \qquad\qquad \sigma^2 = \frac{S}{n}$$
#
# The last term of $S$ is how far the chunks lie apart. Note that no mean is ever squared, only a difference of means.
#
# `chunks` is any iterable of arrays of shape $(n_i, C)$, all float32 or all float64 → a tuple `(mean, var, count)`: two arrays
# of shape $(C,)$ in the dtype of the chunks, and the number of rows as an `int`. `var` is biased.
#
# - The $n_i$ differ. A chunk may be empty, with shape $(0, C)$: it counts nothing. At least one chunk is not.
# - `chunks` may be a **generator**: no length, no indexing, and empty after the first walk.
# - Accumulate in **float64**, chunk statistics included: float32 chunks at mean 10 000 with a spread of 0.01 shall come out right.
# - float64 chunks at mean 100 000 000 shall come out right as well, so Σx and Σx² will not do.
# - The chunks here are small, so nobody notices if you keep them all and join them. With real data that is where memory ends: keep two
#   numbers per feature, and a count.
#
# <details><summary>Nudge</summary>
#
# Three variables live through the loop: a count, a mean, a sum of squared deviations. What are they before the first chunk, if the
# formulas are to give just $\mu_B$ and $S_B$ for it?
# </details>
#
# <details><summary>Outline</summary>
#
# Start with 0, 0.0 and 0.0. For each chunk: note its dtype; skip it if it has no rows; widen it; take its mean and its sum of
# squared deviations over the rows; merge. Update the count last, or keep the old one: both formulas need $n_A$. After the loop divide, and
# return to the dtype you noted.
# </details>

# %% exercise="streaming_mean_var"
def streaming_mean_var(chunks):
    """Return (mean, var, count) of all rows of all chunks, in one walk through them."""
    ### BEGIN SOLUTION
    count, mean, total = 0, 0.0, 0.0
    for chunk in chunks:
        dtype = chunk.dtype
        rows = len(chunk)
        if rows == 0:
            continue
        wide = chunk.astype(np.float64)
        chunk_mean = wide.mean(axis=0)
        delta = chunk_mean - mean
        merged = count + rows
        total = total + np.square(wide - chunk_mean).sum(axis=0)
        total = total + delta**2 * count * rows / merged
        mean = mean + delta * rows / merged
        count = merged
    return mean.astype(dtype), (total / count).astype(dtype), count
    ### END SOLUTION

# %% test="streaming_mean_var"
x = np.array([[1.0, 4.0], [3.0, 10.0], [3.0, 12.0], [5.0, 14.0]])
mean, var, count = streaming_mean_var([x[:1], x[1:]])  # one row, then three: two pieces of x
assert count == 4, f"one row and three rows are 4; got {count}"
assert mean.shape == var.shape == (2,), f"one of each per feature; got {mean.shape}, {var.shape}"
assert np.allclose(mean, [3.0, 10.0]), f"the mean of all rows is 3 and 10; got {mean}"
assert np.allclose(var, [2.0, 14.0]), f"the variance of all rows is 2 and 14; got {var}"
check("u02.streaming_mean_var", streaming_mean_var)

# %%
progress()

# %% [markdown]
# ## What to try next
#
# - Hold your `batchnorm_forward` against `torch.nn.functional.batch_norm(..., training=True)` on batches of your own. Can you find one
#   where they differ by more than rounding?
# - Make `N` and `C` equal and write `axis=1` somewhere. Which of the checks above notice?
# - Give it a batch of *one*. The output does not depend on the input at all: why? What would a layer have to do about that?
# - Next: unit 3, where the layer meets a single example and has to remember what batches looked like.
#
# ## Sources
#
# - S. Ioffe, C. Szegedy: *Batch Normalization*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167), Algorithm 1 (exercises 1 to 4)
#   and §3 (exercise 5).
# - T. F. Chan, G. H. Golub, R. J. LeVeque: *Algorithms for Computing the Sample Variance: Analysis and Recommendations*, The American
#   Statistician 37 (1983), 242–247 (exercises 2 and 6).

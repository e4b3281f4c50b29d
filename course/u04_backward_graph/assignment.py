# %% [markdown]
# # The backward pass, node by node
#
# | | |
# |---|---|
# | **You will do** | write the backward pass of batch norm as five small functions, join them, measure gradients, and design a check that bugs cannot hide from |
# | **You will learn** | to derive and test any backward pass |
# | **You need** | the [lecture](../../course/u04_backward_graph/lecture.ipynb), the chain rule, NumPy |
# | **It takes** | about 65 minutes: 8 exercises, 21 points |
#
# **What holds for all exercises.** Arrays are float64. A batch has shape `(N, C)`: N rows, C features; what belongs to a feature (γ, mean,
# variance and *their gradients*) has shape `(C,)`, not `(1, C)`. No argument may be changed. Arrays may lie in memory
# in any order (Fortran order, every other column of a larger array); ordinary NumPy does not mind. You may use loops.
# Ready-made batch norm (`bnlib`, `torch.nn.functional.batch_norm` and the like) earns nothing inside your functions; comparing with it in a cell of your own is welcome.
#
# Notation: $\mathrm du$ is $\partial L/\partial u$, the gradient of the loss by $u$; in code it is called `du`.

# %% given="imports"
from typing import NamedTuple

import numpy as np

from autograder import check, hint, progress

# %% [markdown]
# ## Given: the forward pass
#
# It keeps every node's value in a cache, a tuple whose entries have names: `cache.x_hat`, `cache.var`, ...

# %% given="forward"
class Cache(NamedTuple):
    x: np.ndarray         # (N, C)  the input
    mean: np.ndarray      # (C,)    mean of each feature over the batch
    centered: np.ndarray  # (N, C)  x - mean
    var: np.ndarray       # (C,)    mean of centered**2
    inv_std: np.ndarray   # (C,)    1 / sqrt(var + eps)
    x_hat: np.ndarray     # (N, C)  centered * inv_std
    gamma: np.ndarray     # (C,)    scale
    eps: float


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=0)
    centered = x - mean
    var = (centered**2).mean(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = centered * inv_std
    y = gamma * x_hat + beta
    return y, Cache(x, mean, centered, var, inv_std, x_hat, gamma, eps)

# %% [markdown]
# The test cells use the lecture's example, one feature of four rows, in which every number is exact:
#
# | | x | centered | x̂ | y | dy |
# |---|---|---|---|---|---|
# | row 0 | 1 | −2 | −1 | −1 | 3 |
# | row 1 | 2 | −1 | −½ | 0 | 1 |
# | row 2 | 4 | 1 | ½ | 2 | −1 |
# | row 3 | 5 | 2 | 1 | 3 | 1 |
#
# with mean 3, var 2.5, ε = 1.5, inv_std ½, γ = 2, β = 1. You can check each of your functions by hand.

# %% [markdown]
# ## Exercise 1 · `d_scale_shift`
#
# *effort ●●○ · about 8 minutes · 2 points · `hint("u04.d_scale_shift")` if you are stuck*
#
# The last node of the forward pass, the first one on the way back:
#
# $$ y_{nc} = \gamma_c\,\hat x_{nc} + \beta_c $$
#
# Upstream comes `dy`, shape `(N, C)`. Return the tuple `(dx_hat, dgamma, dbeta)`, in this order:
#
# $$ \mathrm d\hat x_{nc} = \mathrm dy_{nc}\,\frac{\partial y_{nc}}{\partial \hat x_{nc}}, \qquad
#    \mathrm d\gamma_c = \sum_{n} \mathrm dy_{nc}\,\frac{\partial y_{nc}}{\partial \gamma_c}, \qquad
#    \mathrm d\beta_c = \sum_{n} \mathrm dy_{nc}\,\frac{\partial y_{nc}}{\partial \beta_c}. $$
#
# The three derivatives are yours to find. Shapes: `(N, C)`, `(C,)`, `(C,)`.
#
# <details><summary>A nudge</summary>
#
# Why is there a sum in two of the formulas? All rows of a feature share one γ, and a change of γ reaches the loss
# through each of them. Effects add up.
# </details>

# %% exercise="d_scale_shift"
def d_scale_shift(dy, x_hat, gamma):
    """Gradients by x_hat (N, C), gamma (C,) and beta (C,) of y = gamma * x_hat + beta."""
    ### BEGIN SOLUTION
    dx_hat = gamma * dy
    dgamma = (dy * x_hat).sum(axis=0)
    dbeta = dy.sum(axis=0)
    return dx_hat, dgamma, dbeta
    ### END SOLUTION

# %% test="d_scale_shift"
dx_hat, dgamma, dbeta = d_scale_shift(
    np.array([[3.0], [1.0], [-1.0], [1.0]]), np.array([[-1.0], [-0.5], [0.5], [1.0]]), np.array([2.0])
)
assert np.allclose(dx_hat, [[6], [2], [-2], [2]]), "dx_hat: when x_hat moves by 1, y moves by gamma = 2"
assert np.allclose(dgamma, -3), "dgamma: -3 - 0.5 - 0.5 + 1 = -3, each dy times its x_hat"
assert np.allclose(dbeta, 4), "dbeta: 3 + 1 - 1 + 1 = 4"
check("u04.d_scale_shift", d_scale_shift)

# %% [markdown]
# ## Exercise 2 · `d_normalize`
#
# *effort ●○○ · about 6 minutes · 2 points · `hint("u04.d_normalize")` if you are stuck*
#
# $$ \hat x_{nc} = c_{nc}\, s_c $$
#
# with $c$ = `centered`, shape `(N, C)`, and $s$ = `inv_std`, shape `(C,)`. Return `(dcentered, dinv_std)`, of the same shapes.
#
# Treat the two inputs as independent, although both were computed from x: this node does not know that. So
# `dcentered` is only the *first part* of the gradient by `centered`, the part on the straight path.

# %% exercise="d_normalize"
def d_normalize(dx_hat, centered, inv_std):
    """Gradients by centered (N, C), straight path only, and inv_std (C,) of x_hat = centered * inv_std."""
    ### BEGIN SOLUTION
    dcentered = dx_hat * inv_std
    dinv_std = (dx_hat * centered).sum(axis=0)
    return dcentered, dinv_std
    ### END SOLUTION

# %% test="d_normalize"
dcentered, dinv_std = d_normalize(
    np.array([[6.0], [2.0], [-2.0], [2.0]]), np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0.5])
)
assert np.allclose(dcentered, [[3], [1], [-1], [1]]), "dcentered: x_hat moves half as far as centered does"
assert np.allclose(dinv_std, -12), "dinv_std: all four rows use it: -12 - 2 - 2 + 4 = -12"
check("u04.d_normalize", d_normalize)

# %% [markdown]
# ## Exercise 3 · `d_inv_std`
#
# *effort ●○○ · about 6 minutes · 2 points · `hint("u04.d_inv_std")` if you are stuck*
#
# $$ s_c = (v_c + \varepsilon)^{-1/2} $$
#
# with $v$ = `var`. Here each feature is on its own: shapes `(C,)` in, `(C,)` out. Return `dvar`.
#
# `eps` is the argument, whatever its value; `var` may hold zeros (a constant feature), and then ε > 0.

# %% exercise="d_inv_std"
def d_inv_std(dinv_std, var, eps):
    """Gradient by var (C,) of inv_std = 1 / sqrt(var + eps)."""
    ### BEGIN SOLUTION
    return -0.5 * (var + eps) ** -1.5 * dinv_std
    ### END SOLUTION

# %% test="d_inv_std"
dvar = d_inv_std(np.array([-12.0, 8.0]), np.array([2.5, 14.5]), 1.5)
assert np.shape(dvar) == (2,), "dvar holds one number for each feature"
assert np.allclose(dvar[0], 0.75), "var + eps = 4, and the slope of 1/sqrt(u) at u = 4 is -1/16"
assert np.allclose(dvar[1], -0.0625), "var + eps = 16, and the slope of 1/sqrt(u) at u = 16 is -1/128"
check("u04.d_inv_std", d_inv_std)

# %% [markdown]
# ## Exercise 4 · `d_var`
#
# *effort ●○○ · about 6 minutes · 2 points · `hint("u04.d_var")` if you are stuck*
#
# $$ v_c = \frac1N \sum_n c_{nc}^2 $$
#
# with $c$ = `centered`. Return the gradient by `centered` *on this path*, shape `(N, C)`: the second part.
# (`centered` has mean 0 in every feature, as it does in the graph.)

# %% exercise="d_var"
def d_var(dvar, centered):
    """Gradient by centered (N, C), this path only, of var = mean(centered**2)."""
    ### BEGIN SOLUTION
    return dvar * 2 * centered / centered.shape[0]
    ### END SOLUTION

# %% test="d_var"
second_part = d_var(np.array([0.75]), np.array([[-2.0], [-1.0], [1.0], [2.0]]))
assert np.shape(second_part) == (4, 1), "one entry for each entry of centered"
assert np.allclose(second_part, [[-0.75], [-0.375], [0.375], [0.75]]), (
    "row 3: nudge centered from 2 to 2.01. By how much does the mean of the four squares grow?"
)
check("u04.d_var", d_var)

# %% [markdown]
# ## Exercise 5 · `d_center`
#
# *effort ●●○ · about 6 minutes · 2 points · `hint("u04.d_center")` if you are stuck*
#
# $$ c_{nc} = x_{nc} - \mu_c, \qquad \mu_c = \frac1N\sum_{k} x_{kc} $$
#
# Given is `dcentered`, shape `(N, C)`, both parts already added. Return `dx`, shape `(N, C)`, **all the way**: x
# reaches `centered` straight and through the mean.
#
# <details><summary>A nudge</summary>
#
# Nudge $x_0$ by 1. Then $c_0$ moves by $1 - \frac1N$, and every *other* $c_k$ of that feature moves by $-\frac1N$. Collect what all of
# them report to $x_0$.
# </details>

# %% exercise="d_center"
def d_center(dcentered):
    """Gradient by x (N, C) of centered = x - mean(x), through both paths."""
    ### BEGIN SOLUTION
    return dcentered - dcentered.mean(axis=0)
    ### END SOLUTION

# %% test="d_center"
from_center = d_center(np.array([[2.25], [0.625], [-0.625], [1.75]]))
assert np.shape(from_center) == (4, 1), "dx has the shape of dcentered"
assert np.isclose(np.sum(from_center), 0), "dx sums to 0 over the batch: the layer does not care about shifts"
assert np.allclose(from_center, [[1.25], [-0.375], [-1.625], [0.75]]), "the straight part has lost its own share"
check("u04.d_center", d_center)

# %% [markdown]
# ## Exercise 6 · `batchnorm_backward`
#
# *effort ●●○ · about 10 minutes · 4 points · `hint("u04.batchnorm_backward")` if you are stuck*
#
# Join the nodes: from `dy` and the `cache` of the given forward pass to `(dx, dgamma, dbeta)`, in this order, with shapes
# `(N, C)`, `(C,)`, `(C,)`.
#
# Right for every N ≥ 2, for features far from zero (mean 100 000), for a feature that is constant (variance 0), and for variances
# as small as ε. The cache must come out as it went in: a training loop may need it twice.
#
# <details><summary>A nudge</summary>
#
# Draw the graph. Two arrows leave `centered`. Where do the two parts meet, and which function comes after?
# </details>

# %% exercise="batchnorm_backward"
def batchnorm_backward(dy, cache):
    """Gradients by x (N, C), gamma (C,) and beta (C,) of batchnorm_forward."""
    ### BEGIN SOLUTION
    dx_hat, dgamma, dbeta = d_scale_shift(dy, cache.x_hat, cache.gamma)
    straight, dinv_std = d_normalize(dx_hat, cache.centered, cache.inv_std)
    dvar = d_inv_std(dinv_std, cache.var, cache.eps)
    dx = d_center(straight + d_var(dvar, cache.centered))
    return dx, dgamma, dbeta
    ### END SOLUTION

# %% test="batchnorm_backward"
_, example = batchnorm_forward(
    np.array([[1.0], [2.0], [4.0], [5.0]]), gamma=np.array([2.0]), beta=np.array([1.0]), eps=1.5
)
dx, dgamma, dbeta = batchnorm_backward(np.array([[3.0], [1.0], [-1.0], [1.0]]), example)
assert np.allclose(dx, [[1.25], [-0.375], [-1.625], [0.75]]), (
    "dx: which node is off? Print each one and compare with the figure of the lecture"
)
assert np.allclose(dgamma, -3), "dgamma = -3, as in exercise 1"
assert np.allclose(dbeta, 4), "dbeta = 4, as in exercise 1"
check("u04.batchnorm_backward", batchnorm_backward)

# %% [markdown]
# **Try it.** Give your function an upstream gradient of ones, `batchnorm_backward(np.ones((4, 1)), example)`. What is `dx`, and which of
# your five functions killed it?

# %% [markdown]
# ## Exercise 7 · `numerical_gradient`
#
# *effort ●●○ · about 10 minutes · 3 points · `hint("u04.numerical_gradient")` if you are stuck*
#
# Measure a gradient, without knowing anything about the function. For `f` from `(N, C)` to `(N, C)` and an upstream gradient `dy`,
# the loss is the single number $L(x) = \sum_{nc} \mathrm dy_{nc}\, f(x)_{nc}$. Its gradient, entry by entry, by **central differences**:
#
# $$ \mathrm dx_{nc} \approx \frac{L(x + h\,e_{nc}) - L(x - h\,e_{nc})}{2h} $$
#
# where $e_{nc}$ is 1 in entry $(n, c)$ and 0 elsewhere. Return `dx`, an array of the shape of `x`.
#
# What counts:
# * `f` may mix rows (batch norm does) and columns (a linear map does);
# * the step is the argument `h`;
# * `x` is the same afterwards, **to the last bit**: `x[0, 0] += h` followed by `x[0, 0] -= h` does not always give back what it was;
# * `f` may return **its argument itself, or a view of it** (`lambda x: x`, `lambda x: x[::-1]`). If you then write into the array that
#   you gave to `f`, what `f` returned changes, too.

# %% exercise="numerical_gradient"
def numerical_gradient(f, x, dy, h=1e-5):
    """Gradient by x of sum(dy * f(x)), by central differences with step h."""
    ### BEGIN SOLUTION
    dx = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += h
        below[index] -= h
        dx[index] = (dy * (f(above) - f(below))).sum() / (2 * h)
    return dx
    ### END SOLUTION

# %% test="numerical_gradient"
point, upstream = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [1.0, 10.0]])
slope = numerical_gradient(lambda v: v * v, point, upstream)
assert np.allclose(slope, [[2, 4], [6, 80]], rtol=1e-3, atol=1e-3), "the derivative of x*x is 2x, times the upstream gradient"
slope = numerical_gradient(lambda v: v, point, upstream)
assert np.allclose(slope, upstream, rtol=1e-3, atol=1e-3), "the derivative of x is 1; this f returns its very argument"
check("u04.numerical_gradient", numerical_gradient)

# %% [markdown]
# ## Exercise 8 · `design_check`
#
# *effort ●●● · about 12 minutes · 4 points · `hint("u04.design_check")` if you are stuck*
#
# Now you are the examiner. Other people hand in backward passes of batch norm, and yours is the input at which they are
# compared with central differences. Return `(x, gamma, beta, dy)`, shapes `(N, C)`, `(C,)`, `(C,)`, `(N, C)`. `rng` is a NumPy
# random generator (`rng.normal(size=(5, 3))`, `rng.uniform(0.5, 2, size=3)`); each call must give a good check, whatever its seed.
#
# **The rules.** N ≥ 3, C ≥ 2, N ≠ C, and at most 1000 entries in `x`; numbers finite. The forward pass runs with ε = 1e-5, central differences with
# h = 1e-5, all in float64. A backward pass is *exposed* if in some entry of `dx`, `dgamma` or `dbeta`
#
# $$ |\text{theirs} - \text{numerical}| > 10^{-4}\,|\text{numerical}| + 10^{-6} S , $$
#
# S being the largest entry of that numerical gradient, or of `dy` if that is larger. A right backward pass must pass, or your check counts
# for nothing.
#
# **The points** go by the share of 31 wrong backward passes that are exposed *on every seed*. They come in six kinds:
# 1. a path through the graph is lost;
# 2. a sum for a mean, a wrong factor, N−1, a wrong sign;
# 3. ε left out or in the wrong place;
# 4. γ missing, squared, or without its sign;
# 5. one array or scale in the place of another (x for x̂, for instance, or β forgotten);
# 6. features mixed up with one another.
#
# The check tells you of which kind a bug would still go unseen.
#
# <details><summary>A nudge</summary>
#
# For each kind ask: *at which numbers would this bug make no difference?* (The table in section 7 of the lecture does so.) Whoever
# forgets γ is right where γ = 1; whoever forgets ε is right to four digits where the variance is 1; and a feature far narrower
# than √ε has no variance left to speak of. Then choose other numbers.
# </details>

# %% exercise="design_check"
def design_check(rng):
    """An input (x, gamma, beta, dy) at which wrong backward passes of batch norm show."""
    ### BEGIN SOLUTION
    x = rng.normal(size=(6, 3)) * np.array([0.01, 0.1, 1.0]) + np.array([1.0, -2.0, 3.0])
    gamma = np.array([0.5, -1.5, 2.5]) + rng.uniform(-0.1, 0.1, size=3)
    beta = rng.uniform(0.5, 2.0, size=3)
    dy = rng.normal(size=(6, 3)) + np.array([1.0, -1.0, 0.5])
    return x, gamma, beta, dy
    ### END SOLUTION

# %% test="design_check"
x, gamma, beta, dy = design_check(np.random.default_rng(0))
rows, columns = x.shape
assert rows >= 3, "with two rows x_hat is always -1 and 1, and every gradient is nearly 0"
assert columns >= 2, "with a single feature, nobody can mix features up"
assert rows != columns, "with N = C, a sum over the wrong axis has the right shape"
assert gamma.shape == beta.shape == (columns,), "gamma and beta have shape (C,)"
assert dy.shape == x.shape, "dy has the shape of x"
check("u04.design_check", design_check)

# %% [markdown]
# **Try it.** Point your own check at your own backward pass. Then break one of the functions above on purpose (forget the `eps`, say),
# run its cell again, and watch the two columns part. (And repair it before you hand in.)

# %%
x, gamma, beta, dy = design_check(np.random.default_rng(1))
mine, _, _ = batchnorm_backward(dy, batchnorm_forward(x, gamma, beta)[1])
measured = numerical_gradient(lambda v: batchnorm_forward(v, gamma, beta)[0], x, dy)
print(np.stack([mine.ravel(), measured.ravel()], axis=1))

# %% [markdown]
# ## Done?

# %%
progress()

# %% [markdown]
# ## What to try next
#
# * Expose your own `batchnorm_backward` to the three blind checks of the lecture. Would they have told you of the mistakes you really made on the way?
# * Write the backward pass for evaluation mode, with the running statistics as constants. Which nodes remain?
# * Unit 5 turns your five functions into one line, and shows why it has to be a projection.
#
# ## Sources
#
# * S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167), §3: the six gradients after Algorithm 1.
# * W. H. Press et al., *Numerical Recipes*, 3rd ed. 2007, §5.7: numerical derivatives and their two errors.
# * A. G. Baydin et al., *Automatic Differentiation in Machine Learning: a Survey*, JMLR 18 (2018), [arXiv:1502.05767](https://arxiv.org/abs/1502.05767), §3.2.

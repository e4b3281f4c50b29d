# %% [markdown]
# # One line instead of ten
#
# | | |
# |---|---|
# | **You'll do** | write the closed form of the backward pass, its matrix, the gradient of evaluation mode, a measure for a famous bug, and the gradient of weights before batch norm |
# | **You'll learn** | what of an upstream gradient reaches the input, and what it means for the weights |
# | **You need** | the [lecture](../../course/u05_backward_closed/lecture.ipynb), NumPy, the chain rule; formulas are repeated here or, in two places, yours to find |
# | **Time** | about 40 minutes, 5 exercises, 15 points |
#
# Run the cells from top to bottom. Write your code where it says `# YOUR CODE HERE`, and delete `raise NotImplementedError()`.

# %% given="imports"
import numpy as np

from autograder import check, hint, progress

# %% [markdown]
# ## What holds in all exercises
#
# - A batch has shape $(N, C)$: $N$ rows (examples), $C$ features (columns). All means and sums run over the batch, **axis 0**, one for each feature.
# - All arrays are float64, and so are the results. They may be views or Fortran-ordered, $N = C$ occurs, and a feature may be constant.
# - **No argument may be changed**, not even for a moment: work on new arrays (`a = a - b`, not `a -= b`).
# - A vector with one number per feature has shape `(C,)`, never `(1, C)`.
# - The batch is normalised with the biased variance ($1/N$), and ε stands under the root.
# - Ready-made batch norm (`bnlib`, `torch.nn.functional.batch_norm` and the like) earns nothing inside your functions; comparing with it in a cell of your own is welcome.
#
# The forward pass, given, so that you can try things out. With $v$ for the variance of a feature:
#
# $$ s = \frac{1}{\sqrt{v + \varepsilon}}, \qquad \hat x_i = (x_i - \mu)\,s, \qquad y_i = \gamma\,\hat x_i + \beta . $$

# %% given="forward"
def forward(x, gamma, beta, eps=1e-5):
    """Batch norm in training mode: return y, x_hat and inv_std."""
    mean, var = x.mean(axis=0), x.var(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    return gamma * x_hat + beta, x_hat, inv_std

# %% [markdown]
# ## Exercise 1 · `batchnorm_backward_closed`
#
# *effort ●●○ · about 10 minutes · 4 points · `hint("u05.batchnorm_backward_closed")` if you are stuck*
#
# All nodes of unit 4 melt into one line. For each feature, with upstream gradient $\mathrm dy$:
#
# $$ \mathrm dx_i = \gamma\, s\,\Big(\mathrm dy_i - \operatorname{mean}(\mathrm dy) - \hat x_i\,\operatorname{mean}(\mathrm dy\cdot\hat x)\Big),
#    \qquad \mathrm d\gamma = \sum_i \mathrm dy_i\,\hat x_i, \qquad \mathrm d\beta = \sum_i \mathrm dy_i . $$
#
# | argument | shape | |
# |---|---|---|
# | `dy` | (N, C) | upstream gradient, any numbers |
# | `x_hat` | (N, C) | from the forward pass; its columns sum to 0 |
# | `inv_std` | (C,) | $s$, from the forward pass |
# | `gamma` | (C,) | may be negative or 0 |
#
# Return the tuple `(dx, dgamma, dbeta)` with shapes (N, C), (C,), (C,).
#
# The formula is exact for every ε, large ones too. Do not assume that $\operatorname{mean}(\hat x^2)$ is 1: it is $v/(v+\varepsilon)$. ($N \ge 2$ here.)
#
# <details><summary>Nudge</summary>
#
# Two means per feature occur in the bracket. Compute them first and look at their shapes.
# </details>
# <details><summary>Outline</summary>
#
# 1. the mean of `dy`, and the mean of `dy` times `x_hat`, each of shape (C,);
# 2. the bracket, of shape (N, C): broadcasting spreads the means over the rows;
# 3. dx is the bracket times two factors per feature; dγ and dβ are sums.
# </details>

# %% exercise="batchnorm_backward_closed"
def batchnorm_backward_closed(dy, x_hat, inv_std, gamma):
    """Go back through training mode in one formula: return (dx, dgamma, dbeta)."""
    ### BEGIN SOLUTION
    level, slope = dy.mean(axis=0), (dy * x_hat).mean(axis=0)
    dx = gamma * inv_std * (dy - level - x_hat * slope)
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
    ### END SOLUTION

# %% [markdown]
# The example of the test can be done in your head. Feature 0 has $\hat x = (-1, -1, 1, 1)$ and $\mathrm dy = (4, 0, 0, 0)$, so the two means are
# $1$ and $-1$, and the bracket is $(4, 0, 0, 0) - 1 + (-1, -1, 1, 1) = (2, -2, 0, 0)$.

# %% test="batchnorm_backward_closed"
dy = np.array([[4.0, 0.0], [0.0, 2.0], [0.0, 2.0], [0.0, 0.0]])
x_hat = np.array([[-1.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [1.0, -1.0]])
dx, dgamma, dbeta = batchnorm_backward_closed(dy, x_hat, np.array([0.5, 2.0]), np.array([3.0, 0.5]))
assert np.allclose(dx, [[3, -1], [-3, 1], [0, 1], [0, -1]]), (
    f"dx is γ·s times the bracket: 3·0.5·(2, −2, 0, 0) in column 0; got\n{dx}"
)
assert np.allclose(dgamma, [-4, 0]), f"dgamma is the sum of dy·x_hat, -4 and 0; got {dgamma}"
assert np.allclose(dbeta, [4, 4]), f"dbeta is the sum of dy, 4 and 4; got {dbeta}"
check("u05.batchnorm_backward_closed", batchnorm_backward_closed)

# %% [markdown]
# ## Exercise 2 · `normalize_jacobian`
#
# *effort ●●○ · about 9 minutes · 3 points · `hint("u05.normalize_jacobian")` if you are stuck*
#
# The same derivative as a matrix. For **one** feature, `x` of shape (N,), return $J$ of shape (N, N) with
#
# $$ J_{ij} = \frac{\partial \hat x_i}{\partial x_j} = s\,\Big(\delta_{ij} - \frac1N - \frac{\hat x_i\,\hat x_j}{N}\Big),
#    \qquad \delta_{ij} = \begin{cases} 1 & i = j \\ 0 & i \ne j\end{cases} $$
#
# You get $x$, not $\hat x$: the statistics are yours to compute, with `eps` (default `1e-5`; any value $\ge 0$ may be passed).
#
# What counts: nine digits, so finite differences will not do · a feature of any scale, also with a variance near ε, constant,
# or with mean $10^8$ (the shortcut $E[x^2]-E[x]^2$ fails there) · `x` may be a column of a batch, that is, a view.
#
# <details><summary>Nudge</summary>
#
# The bracket has three terms, and each is an (N, N) matrix. What does each look like?
# </details>
# <details><summary>Outline</summary>
#
# The first term is the identity (`np.eye`). The second is the same number everywhere. The third is the outer product of $\hat x$ with itself,
# divided by N.
# </details>

# %% exercise="normalize_jacobian"
def normalize_jacobian(x, eps=1e-5):
    """Return J with J[i, j] = d x_hat_i / d x_j, for one feature x of shape (N,)."""
    ### BEGIN SOLUTION
    rows, width = len(x), np.sqrt(x.var() + eps)
    unit = (x - x.mean()) / width
    return (np.eye(rows) - 1 / rows - np.outer(unit, unit) / rows) / width
    ### END SOLUTION

# %% test="normalize_jacobian"
J = normalize_jacobian(np.array([0.0, 0.0, 4.0, 4.0]), eps=0.0)  # x_hat = (−1, −1, 1, 1), s = 1/2
quarter = np.array([[0.25, -0.25], [-0.25, 0.25]])
zeros = np.zeros((2, 2))
assert np.allclose(J, np.block([[quarter, zeros], [zeros, quarter]])), (
    f"Row 0 moves with x_0 and against x_1, by 1/4; got\n{J}"
)
J = normalize_jacobian(np.array([-1.0, 1.0]), eps=3.0)  # v + ε = 4: s = 1/2, x_hat = ±1/2
assert np.allclose(J, 0.75 * quarter), f"J[0, 0] = ½(1 − ½ − ⅛) = 3/16, and J[0, 1] = −3/16; got\n{J}"
check("u05.normalize_jacobian", normalize_jacobian)

# %% [markdown]
# ### Do your two answers agree?
#
# They should: $\mathrm dx = J\,\mathrm dy$ for γ = 1 (J is symmetric). And which directions die? This cell only looks; nothing is graded.

# %%
x = np.array([18.0, 21.0, 30.0, 24.0, 25.0])
_, x_hat, inv_std = forward(x[:, None], np.ones(1), np.zeros(1))
J = normalize_jacobian(x)
for name, dy in [("random", np.random.default_rng(0).normal(size=5)), ("ones", np.ones(5)), ("x_hat", x_hat[:, 0])]:
    dx, _, _ = batchnorm_backward_closed(dy[:, None], x_hat, inv_std, np.ones(1))
    difference = np.abs(dx[:, 0] - J @ dy).max()
    print(f"dy = {name:6}  length of dx {np.linalg.norm(dx):.1e}   largest |dx − J dy| {difference:.1e}")

# %% [markdown]
# ## Exercise 3 · `batchnorm_backward_eval`
#
# *effort ●○○ · about 7 minutes · 3 points · `hint("u05.batchnorm_backward_eval")` if you are stuck*
#
# In evaluation mode the statistics are stored numbers:
#
# $$ \hat x_i = \frac{x_i - \mu_r}{\sqrt{v_r + \varepsilon}}, \qquad y_i = \gamma\,\hat x_i + \beta , $$
#
# with $\mu_r$ = `running_mean` and $v_r$ = `running_var` (used as it is stored). Given `dy` of shape (N, C), return `(dx, dgamma, dbeta)` with
# shapes (N, C), (C,), (C,): the gradients of $\sum \mathrm dy\cdot y$ by x, γ and β.
#
# `dy` and `x` have shape (N, C); `gamma`, `running_mean`, `running_var` have shape (C,). A batch of one ($N = 1$) is fine here, and `eps` (default `1e-5`) may be
# any positive number. The running statistics may even happen to equal the batch's: that changes nothing in the formula.
#
# No formula for dx this time. Before you write: **which of these quantities does $x_i$ move?**
#
# <details><summary>Outline</summary>
#
# $y_i$ is a straight line in $x_i$, and does not contain the other rows. What is its slope? For γ and β nothing is new, once you
# have the $\hat x$ that was used.
# </details>

# %% exercise="batchnorm_backward_eval"
def batchnorm_backward_eval(dy, x, gamma, running_mean, running_var, eps=1e-5):
    """Go back through evaluation mode: return (dx, dgamma, dbeta)."""
    ### BEGIN SOLUTION
    inv_width = 1 / np.sqrt(running_var + eps)
    x_seen = (x - running_mean) * inv_width
    return gamma * inv_width * dy, (dy * x_seen).sum(axis=0), dy.sum(axis=0)
    ### END SOLUTION

# %% test="batchnorm_backward_eval"
dy = np.array([[1.0, 4.0], [3.0, -8.0], [0.0, 4.0]])
x = np.array([[4.0, 5.0], [6.0, 1.0], [8.0, 9.0]])
stored = {"running_mean": np.array([4.0, 1.0]), "running_var": np.array([3.0, 15.0])}  # √(v + 1) = 2 and 4
dx, dgamma, dbeta = batchnorm_backward_eval(dy, x, np.array([2.0, 3.0]), **stored, eps=1.0)
assert np.allclose(dx, [[1, 3], [3, -6], [0, 3]]), (
    f"y is a straight line in x with slope γ/√(v + ε): 1 and 3/4; got\n{dx}"
)
assert np.allclose(dgamma, [3, 12]), (
    f"x_hat is (0, 1, 2) in column 0 and (1, 0, 2) in column 1, so dgamma is 3 and 12; got {dgamma}"
)
assert np.allclose(dbeta, [4, 0]), f"dbeta is the sum of dy, 4 and 0; got {dbeta}"
check("u05.batchnorm_backward_eval", batchnorm_backward_eval)

# %% [markdown]
# ## Exercise 4 · `detached_gap`
#
# *effort ●○○ · about 5 minutes · 2 points · `hint("u05.detached_gap")` if you are stuck*
#
# Somebody computes mean and variance under `no_grad`: the forward pass is right, and the backward pass treats the statistics as constants.
# Measure how wrong the gradient becomes:
#
# $$ \text{gap} = \frac{\big\|\mathrm dx_{\text{detached}} - \mathrm dx\big\|}{\big\|\mathrm dx\big\|},
#    \qquad \|A\| = \sqrt{\textstyle\sum_{n,c} A_{nc}^2} \quad\text{over all entries at once.} $$
#
# $\mathrm dx$ is the true gradient of exercise 1; $\mathrm dx_{\text{detached}}$ is what remains of it if no x moves the statistics.
# The arguments are those of exercise 1; the result is one number. You may call your function of exercise 1: it returns three things, dx is the first.
# ($\mathrm dx$ is never 0 in what is graded.)
#
# Beware: `np.linalg.norm(A, 2)` of a matrix is something else. Call it without a second argument.

# %% exercise="detached_gap"
def detached_gap(dy, x_hat, inv_std, gamma):
    """Return ‖dx_detached − dx‖ / ‖dx‖, both norms over all entries."""
    ### BEGIN SOLUTION
    true, _, _ = batchnorm_backward_closed(dy, x_hat, inv_std, gamma)
    return np.linalg.norm(gamma * inv_std * dy - true) / np.linalg.norm(true)
    ### END SOLUTION

# %% [markdown]
# In the first example dy is taken apart by hand: $(0, -2, 8, 6) = 3\cdot\mathbf 1 + 4\cdot(-1, -1, 1, 1) + 1\cdot(1, -1, 1, -1)$. The three parts are orthogonal and all of length 2
# times their factor. Only the last one passes, and $\sqrt{3^2 + 4^2} = 5$.

# %% test="detached_gap"
x_hat, inv_std, gamma = np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([0.5]), np.array([3.0])
gap = detached_gap(np.array([[0.0], [-2.0], [8.0], [6.0]]), x_hat, inv_std, gamma)
assert np.allclose(gap, 5.0), f"What is lost is 5 times as long as what passes; got {gap}"
gap = detached_gap(np.array([[1.0], [-1.0], [1.0], [-1.0]]), x_hat, inv_std, gamma)
assert np.allclose(gap, 0.0), (
    f"This dy is orthogonal to ones and to x_hat: nothing is lost, the gap is 0; got {gap}"
)
check("u05.detached_gap", detached_gap)

# %% [markdown]
# How large is it in practice? Random dy, one line per batch size; the last column is $\sqrt{2/(N-2)}$. Nothing is graded here.

# %%
rng = np.random.default_rng(0)
for rows in (3, 8, 32, 128, 512):
    _, x_hat, inv_std = forward(rng.normal(size=(rows, 200)), np.ones(200), np.zeros(200))
    gap = detached_gap(rng.normal(size=(rows, 200)), x_hat, np.ones(200), np.ones(200))
    print(f"N = {rows:3d}: {gap:.3f}   {np.sqrt(2 / (rows - 2)):.3f}")

# %% [markdown]
# ## Exercise 5 · `linear_bn_weight_grad`
#
# *effort ●●○ · about 8 minutes · 3 points · `hint("u05.linear_bn_weight_grad")` if you are stuck*
#
# A linear layer, then batch norm without γ and β:
#
# $$ z = x\,W \qquad\longrightarrow\qquad \hat z = \frac{z - \mu_z}{\sqrt{v_z + \varepsilon}} \quad\text{(training mode)} $$
#
# `x` has shape (N, D), `w` has shape (D, C). Given `dy` of shape (N, C), the gradient that arrives at $\hat z$, return $\mathrm dW$, of shape (D, C): the gradient of
# $\sum \mathrm dy\cdot\hat z$ by the weights. `eps` is `1e-5` by default and may be any number $\ge 0$.
#
# Two steps back. Through batch norm: you have that already. Through $z_{nc} = \sum_d x_{nd}\,W_{dc}$: the weight $W_{dc}$ is used in every row $n$, so its gradient is a sum over the rows,
#
# $$ \mathrm dW_{dc} = \sum_n x_{nd}\,\mathrm dz_{nc} . $$
#
# What counts, beside the values: the shape of `w` · large and tiny weights, and a column of zeros · $z$ may have a mean of $10^8$ (no $E[z^2]-E[z]^2$).
# You may call `forward` and your function of exercise 1.
#
# <details><summary>Nudge</summary>
#
# The sum over n is a matrix product. Which of the two factors has to be transposed, so that (D, C) comes out?
# </details>

# %% exercise="linear_bn_weight_grad"
def linear_bn_weight_grad(x, w, dy, eps=1e-5):
    """Return dW of normalize(x @ w), in the shape of w."""
    ### BEGIN SOLUTION
    ones = np.ones(w.shape[1])
    _, z_hat, inv_width = forward(x @ w, ones, 0 * ones, eps)
    dz, _, _ = batchnorm_backward_closed(dy, z_hat, inv_width, ones)
    return x.T @ dz
    ### END SOLUTION

# %% test="linear_bn_weight_grad"
x = np.array([[0.0, 1.0], [0.0, -1.0], [1.0, 1.0], [1.0, -1.0]])
dy = np.array([[0.0], [0.0], [4.0], [0.0]])
dw = linear_bn_weight_grad(x, np.array([[4.0], [0.0]]), dy, eps=0.0)  # z = (0, 0, 4, 4), dz = (0, 0, 1, −1)
assert np.shape(dw) == (2, 1), f"dW must have the shape of w, (2, 1); it has {np.shape(dw)}."
assert np.allclose(dw, [[0], [2]]), f"dW = xᵀ·dz = (0, 2), at right angles to W = (4, 0); got\n{dw}"
dw = linear_bn_weight_grad(x, np.array([[8.0], [0.0]]), dy, eps=0.0)
assert np.allclose(dw, [[0], [1]]), f"Twice the weights, half the gradient: (0, 1); got\n{dw}"
check("u05.linear_bn_weight_grad", linear_bn_weight_grad)

# %% [markdown]
# ### Length and direction
#
# Predict the three columns before you run: what happens to $\|\mathrm dW\|$, to $\|W\|\cdot\|\mathrm dW\|$ and to the angle, when W gets ten times longer?

# %%
rng = np.random.default_rng(0)
x, w, dy = rng.normal(size=(32, 5)), rng.normal(size=(5, 1)), rng.normal(size=(32, 1))
for k in (0.01, 0.1, 1.0, 10.0):
    dw = linear_bn_weight_grad(x, k * w, dy)
    lengths = np.linalg.norm(k * w), np.linalg.norm(dw)
    angle = np.degrees(np.arccos(np.sum(k * w * dw) / (lengths[0] * lengths[1])))
    print(f"W × {k:<5g} ‖dW‖ = {lengths[1]:9.4f}   ‖W‖·‖dW‖ = {lengths[0] * lengths[1]:.4f}   angle {angle:.4f}°")

# %% [markdown]
# ## Where you are

# %%
progress()

# %% [markdown]
# ## Try next
#
# - Why is the angle at k = 0.01 not quite 90°? The lecture has the exact formula, with ε/(v+ε) in it.
# - Train `w` by plain gradient descent, once from `w` with learning rate 0.1, once from `10 * w` with learning rate 10. Compare the *directions*.
# - Set `dy` to any straight line in x_hat, `dy = a + b * x_hat`. What arrives at x? Where did `a` and `b` go?
# - On to unit 6: the same formula over other axes.
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, ICML 2015,
#   [arXiv:1502.03167](https://arxiv.org/abs/1502.03167): §2 (why the statistics must be differentiated), §3 (the gradients), §3.3 (weights and gradients).
# - J. Kohler et al., *Exponential convergence rates for Batch Normalization: The power of length-direction decoupling in non-convex optimization*,
#   AISTATS 2019, [arXiv:1805.10694](https://arxiv.org/abs/1805.10694).

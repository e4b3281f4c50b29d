# %% [markdown]
# # A batch of three. In how many directions can its gradient point?
#
# Three rows of one feature go into batch norm. From above, the rest of the network may send down *any* upstream
# gradient: three numbers, whatever they are. Batch norm turns them into three numbers for its input. In how many
# directions of three-dimensional space can these point?
#
# | | |
# |---|---|
# | **You will do** | guess, run, derive one formula twice, look at its matrix, play with three sliders, train a bias that runs away |
# | **You will learn** | the backward pass in one line; what it lets through and where the rest goes; why evaluation mode and `no_grad` have *another* gradient; why the length of the weights sets the learning rate |
# | **You need** | the graph of unit 4, matrices times vectors, orthogonal vectors |
# | **It takes** | about 60 minutes with the questions; running all cells takes a few seconds |
#
# Nothing here is graded. The assignment `backward_closed.ipynb` follows the same order.

# %%
import numpy as np
import torch

from bnlib import batchnorm_backward, batchnorm_forward, detached_gap, linear_bn_weight_grad
from bnlib.plots.projector import PUSHES, draw_projector
from bnlib.plots.weight_length import draw_descent, draw_weight_length
from bnlib.widgets import Choice, Slider, explore

np.set_printoptions(precision=4, suppress=True, linewidth=110)

# %% [markdown]
# ## 1. Three rows, five gradients
#
# Three temperatures. Five upstream gradients, drawn at random.
#
# **Predict.** Five random arrows go in. How many different directions come out: five? Then run.

# %%
torch.manual_seed(0)
x = torch.tensor([[18.0], [21.0], [30.0]], dtype=torch.float64, requires_grad=True)
for _ in range(5):
    y = torch.nn.functional.batch_norm(x, None, None, training=True)
    dy = torch.randn_like(y)
    (dx,) = torch.autograd.grad(y, x, dy)
    print("dy =", dy.flatten().numpy(), "  direction of dx =", (dx / dx.norm()).flatten().numpy())

# %% [markdown]
# <details><summary>How many?</summary>
#
# One. Always the same arrow, forwards or backwards. Whatever the network above has to say to these three rows, all
# that gets through is **one number**: how far along that one line.
# </details>
#
# Unit 4 found two directions to which the layer is deaf: the same push for all rows, and a push along the output
# itself. Three minus two is one. So with a batch of two, nothing is left; and with 64 rows, 62 directions are.
#
# Two questions stay open. Are these *all* the deaf directions? And where does the part go that does not
# arrive? One line of algebra answers both, and it is short enough to remember.

# %% [markdown]
# ## 2. First derivation: melt the graph
#
# One feature, N rows. With $c_i = x_i - \mu$, $s = 1/\sqrt{v+\varepsilon}$, $\hat x_i = c_i\,s$ and $\mathrm d\hat x_i = \gamma\,\mathrm dy_i$,
# unit 4 walked back in these steps:
#
# $$ \mathrm ds = \sum_j \mathrm d\hat x_j\, c_j, \qquad
#    \mathrm dv = -\tfrac12\, s^3\,\mathrm ds, \qquad
#    \mathrm dc_i = \mathrm d\hat x_i\, s + \mathrm dv\,\tfrac{2 c_i}{N}, \qquad
#    \mathrm dx_i = \mathrm dc_i - \tfrac1N\sum_j \mathrm dc_j . $$
#
# **Put ds into dv, and both into the second half of dc:**
#
# $$ \mathrm dv\,\frac{2c_i}{N} = -\frac12\,s^3\Big(\sum_j \mathrm d\hat x_j\, c_j\Big)\frac{2c_i}{N}
#    = -\,s^3\, c_i\;\frac1N\sum_j \mathrm d\hat x_j\, c_j . $$
#
# **Get rid of c.** Since $c = \hat x/s$, two of the three $s$ cancel:
#
# $$ = -\,s^3\,\frac{\hat x_i}{s}\;\frac1N\sum_j \mathrm d\hat x_j\,\frac{\hat x_j}{s}
#    = -\,s\,\hat x_i\;\underbrace{\frac1N\sum_j \mathrm d\hat x_j\,\hat x_j}_{\operatorname{mean}(\mathrm d\hat x\cdot\hat x)} . $$
#
# **Add the straight half:** $\;\mathrm dc_i = s\,\big(\mathrm d\hat x_i - \hat x_i\operatorname{mean}(\mathrm d\hat x\cdot\hat x)\big)$.
#
# **Subtract the mean of dc.** The mean of $\hat x$ is 0, so the second term has none:
# $\;\frac1N\sum_j \mathrm dc_j = s\operatorname{mean}(\mathrm d\hat x)$. Together, with $\mathrm d\hat x = \gamma\,\mathrm dy$:
#
# $$ \boxed{\;\mathrm dx_i = \gamma\, s\,\Big(\mathrm dy_i - \operatorname{mean}(\mathrm dy)
#    - \hat x_i\,\operatorname{mean}(\mathrm dy\cdot\hat x)\Big)\;} $$
#
# Nothing was neglected: this holds for every ε. (Where is it? Inside $s$ and $\hat x$.)

# %% [markdown]
# ### The same line as code
#
# Look at what the function *asks for*: dy, x̂, s, γ. Not x, not the mean, not the variance. That is all a framework
# has to keep from the forward pass. (dγ and dβ are those of unit 4.)

# %%
def closed(dy, x_hat, inv_std, gamma):
    mean_dy = dy.mean(axis=0)  # (C,)
    mean_dy_x_hat = (dy * x_hat).mean(axis=0)  # (C,)
    dx = gamma * inv_std * (dy - mean_dy - x_hat * mean_dy_x_hat)  # (N, C)
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)

# %% [markdown]
# ### Hold it against PyTorch, and against the graph
#
# Hard values included: batches of two and three, features far from zero, a constant feature, a large ε.

# %%
rng = np.random.default_rng(0)
for n, c, eps in [(2, 3, 1e-5), (3, 4, 1e-5), (64, 4, 1e-5), (64, 4, 0.5)]:
    x, dy = rng.normal(1e4, 3.0, size=(n, c)), rng.normal(size=(n, c))
    x[:, 0] = 7.0  # a constant feature
    gamma, beta = rng.normal(size=c), rng.normal(size=c)
    _, cache = batchnorm_forward(x, gamma, beta, eps)
    dx, _, _ = closed(dy, cache.x_hat, cache.inv_std, gamma)
    leaf = torch.tensor(x, requires_grad=True)
    weight, bias = torch.tensor(gamma), torch.tensor(beta)
    y = torch.nn.functional.batch_norm(leaf, None, None, weight, bias, training=True, eps=eps)
    (theirs,) = torch.autograd.grad(y, leaf, torch.tensor(dy))
    graph, _, _ = batchnorm_backward(dy, cache)
    gaps = np.abs(dx - theirs.numpy()).max(), np.abs(dx - graph).max()
    print(f"N = {n:2d}, ε = {eps:g}: to PyTorch {gaps[0]:.0e}, to the graph {gaps[1]:.0e}")

# %% [markdown]
# ## 3. Second derivation: one entry of the matrix
#
# A derivation is worth a second one that shares no step with it. Forget the graph. The map $x \mapsto \hat x$ takes
# N numbers to N numbers, so its derivative is an N × N matrix, the **Jacobian** $J_{ij} = \partial\hat x_i/\partial x_j$. Nudge
# $x_j$: what does $\hat x_i$ do?
#
# Write $\delta_{ij}$ for 1 if $i = j$ and 0 otherwise. Each line uses the one above:
#
# $$ \frac{\partial \mu}{\partial x_j} = \frac1N, \qquad
#    \frac{\partial c_i}{\partial x_j} = \delta_{ij} - \frac1N, $$
#
# $$ \frac{\partial v}{\partial x_j} = \frac1N\sum_k 2c_k\Big(\delta_{kj} - \frac1N\Big)
#    = \frac{2c_j}{N} - \frac{2}{N^2}\underbrace{\sum_k c_k}_{=\,0} = \frac{2 c_j}{N}, $$
#
# $$ \frac{\partial s}{\partial x_j} = -\frac12\,(v+\varepsilon)^{-3/2}\cdot\frac{2c_j}{N} = -\frac{s^3 c_j}{N} = -\frac{s^2\,\hat x_j}{N} . $$
#
# Now the product rule on $\hat x_i = c_i\,s$, and once more $c_i\,s = \hat x_i$:
#
# $$ J_{ij} = s\,\Big(\delta_{ij} - \frac1N\Big) + c_i\cdot\Big(-\frac{s^2\,\hat x_j}{N}\Big)
#    \quad\Longrightarrow\quad
#    \boxed{\;J_{ij} = s\,\Big(\delta_{ij} - \frac1N - \frac{\hat x_i\,\hat x_j}{N}\Big)\;} $$
#
# Three terms: my own value, the mean I moved, the variance I moved. The last two are there for $i \ne j$, too: the rows of
# a batch are *connected*.
#
# The chain rule sums over the outputs that $x_j$ reaches: $\mathrm dx_j = \sum_i \mathrm d\hat x_i\,J_{ij}$, which is $J^{\mathsf T}\mathrm d\hat x$.
# But $J$ is symmetric, so it is $J\,\mathrm d\hat x$. Multiply out, and there is the box of section 2.

# %% [markdown]
# **Do all the roads lead to the same place?** The graph, the closed form, the matrix times the vector, and a measurement
# by someone who knows no calculus: nudge each row by ±h and look.

# %%
x, dy = np.array([18.0, 21.0, 30.0, 24.0, 25.0]), rng.normal(size=5)
_, cache = batchnorm_forward(x[:, None], np.ones(1), np.zeros(1))
x_hat, s, N = cache.x_hat[:, 0], cache.inv_std[0], 5

J = s * (np.eye(N) - 1 / N - np.outer(x_hat, x_hat) / N)

def normalised(x):
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5)

nudged = np.stack([(normalised(x + e) - normalised(x - e)) / 2e-5 for e in 1e-5 * np.eye(N)], axis=1)
print("graph      ", batchnorm_backward(dy[:, None], cache)[0][:, 0])
print("closed form", closed(dy[:, None], x_hat[:, None], s, np.ones(1))[0][:, 0])
print("J · dy     ", J @ dy)
print("largest difference between J and the nudges:", np.abs(J - nudged).max())

# %% [markdown]
# Nobody builds that matrix in a network: for 256 rows it has 65 536 entries *per feature*, and the closed form
# does the work of multiplying by it with two means. We build it because one can *look* at it.

# %% [markdown]
# ## 4. What kind of matrix is it?
#
# Call the bracket $P$, so that $J = s\,P$ with $P = I - \frac1N\mathbf 1\mathbf 1^{\mathsf T} - \frac1N\hat x\hat x^{\mathsf T}$. Multiply three kinds of
# vectors by it. Two facts about $\hat x$ are enough: $\sum_i\hat x_i = 0$, and $\frac1N\sum_i\hat x_i^2 = \frac{v}{v+\varepsilon}$ (unit 2).
#
# $$ P\,\mathbf 1 = \mathbf 1 - \mathbf 1\cdot\frac{N}{N} - \hat x\cdot\frac{0}{N} = 0, \qquad
#    P\,\hat x = \hat x - 0 - \hat x\cdot\frac{v}{v+\varepsilon} = \frac{\varepsilon}{v+\varepsilon}\;\hat x, $$
#
# $$ P\,u = u \qquad\text{for every } u \text{ orthogonal to both } \mathbf 1 \text{ and } \hat x . $$
#
# **Predict.** The eigenvalues of $P$ for our five temperatures, with ε = 0, ε = 10⁻⁵ and ε = 16.24, which is their variance. (The last
# column of the output is the largest entry of $P^2 - P$: is it the same to multiply once or twice?)

# %%
v = x.var()
for eps in (0.0, 1e-5, v):
    x_hat = (x - x.mean()) / np.sqrt(v + eps)
    P = np.eye(N) - 1 / N - np.outer(x_hat, x_hat) / N
    eigenvalues = np.linalg.eigvalsh(P)
    print(f"ε = {eps:<6.4g} eigenvalues {np.abs(eigenvalues)}", end="")
    print(f"   second: {eigenvalues[1]:.1e}   ε/(v+ε): {eps / (v + eps):.1e}", end="")
    print(f"   P² − P: {np.abs(P @ P - P).max():.0e}")

# %% [markdown]
# A matrix with $P^2 = P$ and $P = P^{\mathsf T}$ is an **orthogonal projector**: it keeps some directions as they are and
# erases all orthogonal ones; doing it twice changes nothing more. Let us be exact about what is true:
#
# | direction of the upstream gradient | what arrives, in units of $\gamma s$ | holds |
# |---|---|---|
# | $\mathbf 1$: the same for all rows | nothing | exactly, for every ε |
# | $\hat x$ itself | the fraction $\frac{\varepsilon}{v+\varepsilon}$ of it | exactly, for every ε; it is 0 only for ε = 0 |
# | orthogonal to both (N − 2 directions) | all of it | exactly, for every ε |
# | $P$ is a projector | | exactly for ε = 0; otherwise up to $O(\varepsilon/v)$ |
#
# So yes: these two are *all* the deaf directions. And for a feature whose variance is not much larger than ε, the second one is
# not deaf at all (last line of the output: one half).
#
# **Why it had to be so.** In unit 2, normalising put every feature on a sphere: first drop the arrow onto the plane Σ = 0, then
# pull it to length √N. An upstream gradient says where the output should go; but whoever lives on a sphere can only move *along*
# it. No x makes the output leave the plane ($\mathbf 1$) or go straight outwards ($\hat x$), so a wish for that reaches no x. With
# ε > 0 the length is only *nearly* fixed, hence the crumb.

# %% [markdown]
# ### You know this picture
#
# Subtract the mean, then the part along $\hat x$: that is how one fits a **straight line**, and $\mathrm dx$ is what is left
# over. Plot dy against x̂, one dot a row, and lay the least squares line through the dots. Batch norm takes the line out
# and passes on the sticks between line and dots (for ε = 0; otherwise a crumb of the slope stays).
#
# **Play.** Predict before each move:
#
# 1. N = 3, then N = 2. How long are the sticks when a line goes through two dots?
# 2. N = 64. Which share of a *random* dy arrives, on average over many draws? (Of N directions, N − 2 survive.)
# 3. `along x̂`, and then make the feature's standard deviation as small as √ε ≈ 0.003 and smaller.

# %%
explore(
    draw_projector,
    title="What arrives of an upstream gradient?",
    alt="Left: upstream gradient against x hat, a fitted line, and sticks from the line to the dots. Right: bars for "
    "the part along ones, the part along x hat and the rest, sent and arrived; only the rest arrives whole",
    n=Slider("batch size N", 2, 64, 1, 8),
    push=Choice("upstream gradient", PUSHES, "random"),
    spread=Slider("standard deviation of the feature", 0.001, 10.0, 10**0.5, 1.0, log=True),
    seed=Choice("random seed", (0, 1, 2), 0),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# 1. N = 3: three sticks, but always in the same pattern, the one arrow of section 1. N = 2: no sticks at all.
# 2. 62/64, about 97 %. One draw lies a little above or below.
# 3. All of dy lies along x̂, and nothing arrives as long as the feature is wide. At a standard deviation of √ε one half of it
#    arrives (a quarter of the square), at 0.001 already ten elevenths.
# </details>
#
# ### Where the rest goes
#
# The two numbers of the line, its level and its slope, do not arrive at x. **Predict** who has them.

# %%
x, dy = np.random.default_rng(1).normal(size=(2, 8, 1))
ones = np.ones(1)
_, cache = batchnorm_forward(x, ones, np.zeros(1))
_, dgamma, dbeta = closed(dy, cache.x_hat, cache.inv_std, ones)
print("least squares line through (x_hat, dy): slope, level =", np.polyfit(cache.x_hat[:, 0], dy[:, 0], 1))
print("dgamma / N, dbeta / N                                =", np.concatenate([dgamma, dbeta]) / 8)

# %% [markdown]
# <details><summary>γ and β have them</summary>
#
# $\mathrm d\beta = \sum \mathrm dy = N\operatorname{mean}(\mathrm dy)$ and $\mathrm d\gamma = \sum \mathrm dy\cdot\hat x = N\operatorname{mean}(\mathrm dy\cdot\hat x)$:
# they are the very two means of the closed form. (The slope of the least squares line is larger by $\frac{v+\varepsilon}{v}$, because $\frac1N\sum\hat x^2$ is not quite 1.)
# </details>
#
# $$ \mathrm dx = \frac{\gamma s}{N}\,\big(N\,\mathrm dy - \mathrm d\beta - \hat x\,\mathrm d\gamma\big) $$
#
# Nothing is lost; it is *delivered elsewhere*. What the network above wants changed about a feature's **level** is β's business, about its
# **spread**, γ's. The layers below get neither: they only hear about the *shape*. It is also a good way to compute it: dγ and dβ
# first, in one pass over the data, then dx, in one more.
#
# **Pythagoras** for ε = 0: the three parts are orthogonal, so
# $\;\|\mathrm dx\|^2 = \gamma^2 s^2\,\big(\|\mathrm dy\|^2 - \frac1N \mathrm d\beta^2 - \frac1N \mathrm d\gamma^2\big)$. The gradient below is shorter by what went to γ and β.
# This identity is where Santurkar et al. (2018, Theorem 4.1) begin their argument that batch norm smooths the loss; unit 7 looks at the evidence.

# %%
dx, _, _ = closed(dy, cache.x_hat, cache.inv_std, ones)
below = cache.inv_std[0] ** 2 * (np.sum(dy**2) - dbeta[0] ** 2 / 8 - dgamma[0] ** 2 / 8)
print(f"‖dx‖² = {np.sum(dx**2):.5f}, by Pythagoras {below:.5f}")

# %% [markdown]
# ## 5. Evaluation mode: the same function, another gradient?
#
# In evaluation mode the statistics are two stored numbers per feature, which no x can move (unit 3). With
# $s_r = 1/\sqrt{v_r+\varepsilon}$ from the running variance:
#
# $$ \hat x_i = (x_i - \mu_r)\,s_r \;\Longrightarrow\; \frac{\partial\hat x_i}{\partial x_j} = s_r\,\delta_{ij}
#    \;\Longrightarrow\; \boxed{\;\mathrm dx_i = \gamma\, s_r\,\mathrm dy_i\;} \qquad
#    \mathrm d\gamma = \sum_i\mathrm dy_i\,\hat x_i, \quad \mathrm d\beta = \sum_i\mathrm dy_i . $$
#
# Mind that this $\hat x$ is made with the *running* statistics: its mean is not 0.
#
# **Predict.** We set the running statistics to *exactly* those of the batch. Then both modes give the same
# output, to the last digits. Do they give the same gradient?

# %%
x = torch.tensor(rng.normal(20, 5, size=(8, 3)), requires_grad=True)
dy = torch.tensor(rng.normal(size=(8, 3)))
mean, var = x.detach().mean(0), x.detach().var(0, correction=0)
y_train = torch.nn.functional.batch_norm(x, mean.clone(), var.clone(), training=True)
y_eval = torch.nn.functional.batch_norm(x, mean, var, training=False)
dx_train, dx_eval = (torch.autograd.grad(y, x, dy)[0] for y in (y_train, y_eval))
print("outputs differ by  ", (y_train - y_eval).abs().max().item())
print("gradients differ by", ((dx_eval - dx_train).norm() / dx_train.norm()).item(), "of the gradient's length")

# %% [markdown]
# <details><summary>Same value, other slope</summary>
#
# A gradient says what *would* happen if you moved x. In training mode the mean and the variance would move along; in evaluation mode they
# would stay. Two functions can meet at a point and go different ways from there.
# </details>
#
# You meet the evaluation-mode gradient whenever you differentiate through a layer in `eval()`: fine-tuning with frozen batch
# norm, saliency maps, adversarial examples. There, rows are independent again, and nothing is projected out.

# %% [markdown]
# ## 6. Cutting the statistics off
#
# The same wrong gradient *in training mode* is a classic. In PyTorch it takes one line,
# `with torch.no_grad(): mean, var = ...`, found in course notebooks (one is listed under Sources) and copied from there. The forward
# pass is perfect. Training runs, the loss falls, no error. How wrong is it?
#
# $$ \text{gap} = \frac{\|\mathrm dx_{\text{detached}} - \mathrm dx\|}{\|\mathrm dx\|}, \qquad \mathrm dx_{\text{detached}} = \gamma\,s\,\mathrm dy . $$
#
# In the numerator are the two lost directions, in the denominator the N − 2 others. For a random dy, each direction carries the same
# share of $\|\mathrm dy\|^2$ on average, so the gap should be about $\sqrt{2/(N-2)}$. **Predict:** at which batch size would you no longer notice?

# %%
ones = np.ones(2000)  # 2000 features, so that chance averages out
for n in (3, 4, 8, 16, 64, 256, 1024):
    x, dy = rng.normal(size=(2, n, 2000))
    x_hat = (x - x.mean(axis=0)) / x.std(axis=0)
    gap = detached_gap(dy, x_hat, ones, ones)
    print(f"N = {n:4d}: gap {gap:.3f}   √(2/(N−2)) = {np.sqrt(2 / (n - 2)):.3f}")

# %% [markdown]
# At N = 1024 it is a few per cent, for a *random* dy. That is the trap: it looks like noise. But the error is not random: it lies
# in exactly the two directions that the layer is deaf to. The paper describes what happens then, as the reason why
# the statistics must be differentiated (Ioffe & Szegedy 2015, §2): take a bias $b$ in front of the normalisation,
# $z = x + b$. Batch norm subtracts $b$ again, so it can do nothing. But the cut-off gradient does not know that.
#
# **Predict.** Gradient descent on $b$ alone: what do $b$ and the loss do, with the cut gradient and with the true one?

# %%
x, target = rng.normal(size=(16, 1)), rng.normal(2.0, 1.0, size=(16, 1))
for name in ("cut", "true"):
    b = 0.0
    for step in range(1001):
        _, cache = batchnorm_forward(x + b, np.ones(1), np.zeros(1))
        error = cache.x_hat - target
        if step % 500 == 0:
            print(f"{name:4} gradient, step {step:4d}: loss {np.mean(error**2):.6f}, b = {b:.2f}")
        dy = 2 * error / 16
        dx = cache.inv_std * dy if name == "cut" else closed(dy, cache.x_hat, cache.inv_std, np.ones(1))[0]
        b -= 0.1 * dx.sum()

# %% [markdown]
# <details><summary>What you see</summary>
#
# The cut gradient keeps saying "raise the level", step after step, $b$ obeys, and the loss does not move in any digit.
# It never stops. The true gradient is 0 from the start: level is β's business.
#
# In a real network other parameters learn beside it, and the loss can fall all the same. That is how such a line survives.
# </details>

# %% [markdown]
# ## 7. Length and direction
#
# Now put a linear layer in front, as in every network: $Z = XW$, then batch norm. Unit 2 saw that the output does not change
# if $W$ is multiplied by 10.
#
# **Predict.** And its gradient? Ten times larger, the same, ten times smaller? And what is the angle between $W$ and dW?

# %%
X, W, dY = rng.normal(size=(32, 5)), rng.normal(size=(5, 1)), rng.normal(size=(32, 1))
for k in (0.1, 1.0, 10.0, 100.0):
    dW = linear_bn_weight_grad(X, k * W, dY)
    product = np.linalg.norm(k * W) * np.linalg.norm(dW)
    cosine = np.sum(k * W * dW) / product
    print(f"W × {k:<5g} ‖dW‖ = {np.linalg.norm(dW):9.4f}   ‖W‖·‖dW‖ = {product:.5f}   cos(W, dW) = {cosine:+.0e}")

# %% [markdown]
# Ten times *smaller*, and the angle is 90°, up to a trace of ε. Weights ten times larger get ten times less gradient.
#
# **Why, from the outside** (ε = 0). Let $L(w)$ be the loss as a function of one column $w$ of $W$. The output does not see its length:
# $L(kw) = L(w)$ for every $k > 0$. Differentiate this equation in its two variables:
#
# $$ \text{by } w:\quad k\,\nabla L(kw) = \nabla L(w) \;\Longrightarrow\; \nabla L(kw) = \tfrac1k\,\nabla L(w),
#    \qquad\qquad
#    \text{by } k \text{ at } k = 1:\quad \langle w, \nabla L(w)\rangle = 0 . $$
#
# **Why, from the inside** (every ε). $\mathrm dw = X^{\mathsf T}\mathrm dz$, so $\langle w,\mathrm dw\rangle = \langle Xw,\mathrm dz\rangle = \langle z,\mathrm dz\rangle$. Since $\sum\mathrm dz = 0$
# we may subtract the mean from $z$, and $z-\mu = \hat z/s$. Now $\mathrm dz = s\,P\,\mathrm d\hat z$, $P$ is symmetric, and $P\hat z$ is the crumb of section 4
# ($\mathrm d\hat z$ is what arrives from above, `dY` in the code):
#
# $$ \langle w,\mathrm dw\rangle = \tfrac1s\langle\hat z,\,s\,P\,\mathrm d\hat z\rangle = \langle P\hat z,\,\mathrm d\hat z\rangle
#    = \frac{\varepsilon}{v+\varepsilon}\,\langle\hat z,\mathrm d\hat z\rangle . $$
#
# And multiplying $w$ by $k$ is the same as keeping $w$ and dividing ε by $k^2$: $\;\mathrm dw(kw;\varepsilon) = \frac1k\,\mathrm dw(w;\varepsilon/k^2)$. Both
# lines are exact. The dead direction $\hat x$ of the Jacobian *is* the length of the weights.

# %%
_, cache = batchnorm_forward(X @ W, np.ones(1), np.zeros(1))
crumb = 1e-5 / (cache.var + 1e-5) * np.sum(cache.x_hat * dY)
print("⟨W, dW⟩, measured and by the formula:", np.sum(W * linear_bn_weight_grad(X, W, dY)), crumb[0])
small, rescaled = linear_bn_weight_grad(X, 0.01 * W, dY), linear_bn_weight_grad(X, W, dY, eps=1e-5 / 0.01**2)
print("dW(kW; ε) − dW(W; ε/k²)/k for k = 0.01:", np.abs(small - rescaled / 0.01).max())

# %% [markdown]
# **Play.** Two weights, so that one can draw them. The vermillion line is where descent wants to go. Turn W, shrink it, stretch it. Where on the
# right does the line leave 1/‖W‖, and what has ε to do with it?

# %%
explore(
    draw_weight_length,
    title="The gradient is tangent to the circle",
    alt="Left: a weight vector W, the circle of its length, and minus dW as a tangent at its tip. Right: the length of dW "
    "against the length of W falls as 1 over W, and levels off below about 0.003 because of eps",
    length=Slider("‖W‖", 0.25, 4.0, 2, 1.0, log=True),
    angle=Slider("angle of W", 0, 345, 15, 0, unit="degrees"),
)

# %% [markdown]
# <details><summary>Where the line leaves</summary>
#
# Where the variance of $XW$ comes down to ε: at lengths around √ε ≈ 0.003, a little more or less as the angle goes. Below that, ε is all
# that stands under the root, s no longer follows the weights, and neither does dW.
# </details>
#
# ### What it does to training
#
# A step at right angles makes the hypotenuse: $\;\|w - \mathrm{lr}\cdot\mathrm dw\|^2 = \|w\|^2 + \mathrm{lr}^2\,\|\mathrm dw\|^2$. Under plain gradient descent the weights
# **can only get longer**, and longer weights turn more slowly. The angle of one step is about $\mathrm{lr}\,\|\mathrm dw\|/\|w\|$,
# and $\|\mathrm dw\| \propto 1/\|w\|$: what counts for the direction is $\;\mathrm{lr}/\|w\|^2$.
#
# **Play.** The dashed run has start length 1 and lr 0.1. Predict each before you move:
#
# 1. start 10, lr 0.1: how fast does it learn now?
# 2. start 10: which lr gives back *exactly* the dashed curve of directions?
# 3. start 1, lr 10, a hundred times too large. Does it blow up?

# %%
explore(
    draw_descent,
    title="Gradient descent before batch norm",
    alt="Left: length of the weights over 100 steps, which only grows. Right: angle between the weights and the target; "
    "it depends on the learning rate divided by the squared length",
    start=Slider("length of W at the start", 0.1, 10.0, 10, 1.0, log=True),
    lr=Slider("learning rate", 0.001, 10.0, 10, 0.1, log=True),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# 1. Hardly at all: lr/‖W‖² is a hundred times smaller. *Larger initial weights, smaller effective learning rate.*
# 2. lr = 10, that is $0.1\cdot10^2$. Same directions at every step.
# 3. No: the first step is huge and sideways, so it makes W long, and the long W makes all later steps small. The layer sets its own step size. Ioffe & Szegedy
#    (2015, §3.3: "larger weights lead to smaller gradients") offer this as one reason why batch norm puts up with larger learning rates.
# </details>
#
# It also means that weight decay does not keep such weights "simple": their length does not change the output. It keeps
# them *short*, and so the effective learning rate up (van Laarhoven 2017; Hoffer et al. 2018). Weight normalization (Salimans & Kingma 2016) makes the
# split explicit, with the length as a parameter of its own; Kohler et al. (2019) analyse it for batch norm as
# "length-direction decoupling". Unit 10 comes back to it when we decide which parameters get weight decay.

# %% [markdown]
# ## 8. Where it breaks
#
# **A batch of two.** Both directions are deaf, and only the crumb is left. **Predict** how large a part of a random dy arrives for a feature with variance 1. Would
# a gradient check with an error of 1e-4 allowed notice a backward pass that returns zeros?
#
# **A dead feature.** If a feature is the same in all rows, $v = 0$, $\hat x = 0$, $s = 1/\sqrt\varepsilon$. **Predict:** does its gradient die, too?

# %%
dy = rng.normal(size=(2, 1))
_, cache = batchnorm_forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1))
dx, _, _ = closed(dy, cache.x_hat, cache.inv_std, np.ones(1))
print("N = 2:        ‖dx‖ / ‖dy‖ =", np.linalg.norm(dx) / np.linalg.norm(dy))

dy = rng.normal(size=(8, 1))
_, cache = batchnorm_forward(np.full((8, 1), 3.0), np.ones(1), np.zeros(1))
dx, _, _ = closed(dy, cache.x_hat, cache.inv_std, np.ones(1))
print("dead feature: ‖dx‖ / ‖dy‖ =", np.linalg.norm(dx) / np.linalg.norm(dy))

# %% [markdown]
# <details><summary>Nearly nothing, and the opposite of dead</summary>
#
# The batch of two passes on a few millionths of what was sent: the crumb. A backward pass that returns zeros would sail through that gradient check, and so
# would most wrong ones. Never test batch norm with two rows alone.
#
# The dead feature is wide awake.
# With $\hat x = 0$ the second direction is alive, too: $J = \frac{1}{\sqrt\varepsilon}(I - \frac1N\mathbf 1\mathbf 1^{\mathsf T})$, and $1/\sqrt{10^{-5}} = 316$. A feature that says nothing
# receives its gradient *amplified 300 times*. If a network with batch norm explodes now and then, look for features of nearly no variance.
# </details>
#
# **In float32** the formula subtracts a mean. If dy has a large common part, most of its digits go with it:

# %%
x, noise = rng.normal(size=(64, 1)), rng.normal(size=(64, 1))
_, cache = batchnorm_forward(x, np.ones(1), np.zeros(1))
for common in (0.0, 100.0, 10_000.0):
    dy = noise + common
    arrays = (dy, cache.x_hat, cache.inv_std, np.ones(1))
    exact, _, _ = closed(*arrays)
    rounded, _, _ = closed(*(a.astype(np.float32) for a in arrays))
    error = np.linalg.norm(rounded - exact) / np.linalg.norm(exact)
    print(f"common part {common:7g}: relative error in float32 {error:.0e}")

# %% [markdown]
# ## 9. What people get wrong
#
# * **Only one of the two means.** Without $\operatorname{mean}(\mathrm dy)$, Σ dx is not 0; without the x̂ term, the weights' length gets a gradient. Each missing term is one of the
#   three terms of $J$.
# * **dγ for mean(dy·x̂).** The formula has *means*, dγ and dβ are *sums*. Between them lies a factor N, and a term 1 000 times too large ends a training run.
# * **Projecting "properly".** Knowing about projectors, one divides by $\sum\hat x^2$ in place of N. That erases the crumb, and the crumb belongs there: with ε the Jacobian is not a projector.
# * **γ on one term only.** It multiplies the whole bracket.
# * **The training formula in evaluation mode**, or the other way round. Ask: can x move the statistics?
# * **dγ in evaluation mode with the batch's x̂.** It is the x̂ that was *used*: with running statistics.
# * **"dW is small, so the layer has converged."** Perhaps its weights are just long. Look at $\|W\|\cdot\|\mathrm dW\|$.

# %% [markdown]
# ## 10. Summary card
#
# One feature, N rows, $s = 1/\sqrt{v+\varepsilon}$; means and sums over the batch.
#
# | | training mode | evaluation mode, or statistics cut off |
# |---|---|---|
# | $\partial\hat x_i/\partial x_j$ | $s\,(\delta_{ij} - \frac1N - \frac1N\hat x_i\hat x_j)$ | $s\,\delta_{ij}$ |
# | $\mathrm dx$ | $\gamma s\,\big(\mathrm dy - \operatorname{mean}(\mathrm dy) - \hat x\operatorname{mean}(\mathrm dy\cdot\hat x)\big)$ | $\gamma s\,\mathrm dy$ |
# | $\mathrm d\gamma,\ \mathrm d\beta$ | $\sum\mathrm dy\cdot\hat x,\ \ \sum\mathrm dy$ | the same, with the $\hat x$ that was used |
# | dy = the same for all rows | 0, exactly | passes |
# | dy along $\hat x$ | $\frac{\varepsilon}{v+\varepsilon}$ of it | passes |
# | dy orthogonal to both | passes | passes |
#
# * What does not arrive at x is what β and γ get: $\mathrm dx = \frac{\gamma s}{N}(N\,\mathrm dy - \mathrm d\beta - \hat x\,\mathrm d\gamma)$.
# * Weights before batch norm: $\langle w,\mathrm dw\rangle = \frac{\varepsilon}{v+\varepsilon}\langle\hat z,\mathrm d\hat z\rangle \approx 0$, and $\|\mathrm dw\| \propto 1/\|w\|$ while $v \gg \varepsilon$.
# * The direction of the weights learns with $\mathrm{lr}/\|w\|^2$.

# %% [markdown]
# ## What to try next
#
# * The assignment `backward_closed.ipynb`: the closed form, the Jacobian, the gradient of evaluation mode, the gap, and dW through a linear layer.
# * Layer norm normalises each *row*. Which two directions is it deaf to? (Derive nothing: change the axis.)
# * Write $P$ as $P_{\hat x}P_{\mathbf 1}$, one projector after the other, and show that for ε = 0 the order does not matter.
# * Unit 6: the same line of code, and a set of axes.
#
# ## Sources
#
# * S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, ICML 2015,
#   [arXiv:1502.03167](https://arxiv.org/abs/1502.03167): §2, the bias that grows; §3, the gradients; §3.3, weights and gradients. The title is the authors' claim; unit 7 measures it.
# * S. Santurkar, D. Tsipras, A. Ilyas, A. Mądry, *How Does Batch Normalization Help Optimization?*, NeurIPS 2018,
#   [arXiv:1805.11604](https://arxiv.org/abs/1805.11604): Theorem 4.1 and its proof.
# * T. Salimans, D. P. Kingma, *Weight Normalization*, NeurIPS 2016, [arXiv:1602.07868](https://arxiv.org/abs/1602.07868).
# * T. van Laarhoven, *L2 Regularization versus Batch and Weight Normalization*, 2017, [arXiv:1706.05350](https://arxiv.org/abs/1706.05350).
# * E. Hoffer, R. Banner, I. Golan, D. Soudry, *Norm matters: efficient and accurate normalization schemes in deep networks*, NeurIPS 2018, [arXiv:1803.01814](https://arxiv.org/abs/1803.01814).
# * J. Kohler et al., *Exponential convergence rates for Batch Normalization: The power of length-direction decoupling in non-convex optimization*,
#   AISTATS 2019, [arXiv:1805.10694](https://arxiv.org/abs/1805.10694).
# * For the cut in section 6, as a teaching example: fast.ai, *From Deep Learning Foundations to Stable Diffusion*, notebook 11 (2022), class `BatchNorm`.

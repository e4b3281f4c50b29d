# %% [markdown]
# # A gradient of ones goes in. What comes out?
#
# Put batch norm at the end of a network and let the loss be the **sum of everything it puts out**. Then every
# output pulls on the loss with the same strength: the upstream gradient is an array of ones. Which gradient does
# the layer hand back to its input?
#
# | | |
# |---|---|
# | **You will do** | guess, run, walk a graph of nine nodes forward and back, check every node against PyTorch, fool three gradient checks that look reasonable |
# | **You will learn** | how to derive any backward pass node by node; what happens where two paths meet; how to choose the numbers of a check so that a bug cannot hide |
# | **You need** | the forward pass (unit 2), the chain rule for functions of one variable, NumPy |
# | **It takes** | about 60 minutes with the questions; running all cells takes a few seconds |
#
# Nothing here is graded. The assignment `backward_graph.ipynb` follows the same order.

# %%
import numpy as np
import torch

from bnlib import batchnorm_forward, d_center, d_inv_std, d_normalize, d_scale_shift, d_var
from bnlib.plots.blind_checks import draw_blind_checks
from bnlib.plots.graph import CUTS, LAST_STEP, UPSTREAM, draw_graph
from bnlib.plots.step_size import draw_step_size
from bnlib.widgets import Choice, Slider, explore

np.set_printoptions(precision=4, suppress=True)

# %% [markdown]
# ## 1. Ones in
#
# **Predict.** Eight rows, three features, $L = \sum_{n,c} y_{nc}$. Is $\partial L/\partial x$ all ones? All equal?
# Larger where the variance is small? Write down a guess, then run.

# %%
torch.manual_seed(0)
x = torch.randn(8, 3, dtype=torch.float64, requires_grad=True)
y = torch.nn.functional.batch_norm(x, None, None, training=True)
y.backward(torch.ones_like(y))
print("largest entry of the gradient:", x.grad.abs().max().item())

# %% [markdown]
# <details><summary>Why?</summary>
#
# Zero, up to the last bits of float64. It had to be: each feature of `y` has mean β *whatever x is*, so its N
# outputs sum to N·β, a constant. Nothing you do to `x` changes it, and the gradient of a constant is 0.
#
# Seen from the input: add the same number to a whole feature, and the mean goes with it; the layer does not
# care about shifts.
# </details>
#
# So the layers before a batch norm hear nothing of a pull that is the same for the whole batch. That is
# a fact about the layer, and it will fall out of the graph as one line of algebra.
#
# It is also a trap. Suppose you wrote the backward pass yourself and want to test it. "Sum the outputs, call
# `backward`, compare with numbers": the true answer is 0, and so is the answer of a great many *wrong* backward passes.
# In section 7, one with the **wrong sign**, with which a network would climb its loss instead of going down, passes
# three checks that look perfectly reasonable. First we need one that is right.

# %% [markdown]
# ## 2. A map, and one rule
#
# Take one feature, N values $x_1 \dots x_N$. The forward pass is six small steps. Give each result a name:
#
# | node | formula | kind |
# |---|---|---|
# | `mean` | $\mu = \frac1N\sum_i x_i$ | one number |
# | `centered` | $c_i = x_i - \mu$ | N numbers |
# | `var` | $v = \frac1N\sum_i c_i^2$ | one number |
# | `inv_std` | $s = (v + \varepsilon)^{-1/2}$ | one number |
# | `x_hat` | $\hat x_i = c_i\, s$ | N numbers |
# | `y` | $y_i = \gamma\,\hat x_i + \beta$ | N numbers |
#
# Drawn, with x = (1, 2, 4, 5), γ = 2, β = 1, and ε = 1.5 (absurdly large, so that every number is exact and you can
# check it in your head). Move the slider from 0 to 6: the forward pass. Stop there for now.

# %%
explore(
    draw_graph,
    title="Batch norm as a graph: the forward pass",
    alt="Nodes x, mean, centered, var, inv_std, x_hat, y, gamma and beta with arrows between them; "
    "each step fills in one node's value",
    step=Slider("step", 0, 6, 1, 6),
)

# %% [markdown]
# **The rule.** Somewhere to the right stands a loss $L$. Write $\mathrm d u$ for $\partial L/\partial u$ (in code: `du`).
# If a node computes $z = f(u)$ and we already know $\mathrm dz$, the chain rule gives what $u$ gets through this node:
#
# $$ \mathrm du \mathrel{+}= \mathrm dz \cdot \frac{\partial z}{\partial u}. $$
#
# **Why "+="?** Look at `centered`: *two* arrows leave it. A small change $\delta$ of $c_1$ reaches the loss along
# both, through $\hat x_1$ directly and through $v$. To first order the two effects are independent, and they add:
#
# $$ \mathrm dc_1 = \underbrace{\mathrm d\hat x_1\,\frac{\partial \hat x_1}{\partial c_1}}_{\text{straight}}
#    + \underbrace{\mathrm dv\,\frac{\partial v}{\partial c_1}}_{\text{through var}} . $$
#
# That is all. Several arrows *out* of a node: add what comes back. One number used by all N rows (`mean`, `inv_std`,
# γ, β) has N arrows out, drawn as one: a **sum over the batch**. Whoever forgets one of these plus signs has lost a path.

# %% [markdown]
# ## 3. Node by node, from right to left
#
# We go back through the six steps in reverse. Each one gets its line of mathematics and the same line in code,
# on the four numbers of the picture. Upstream, the rest of the network sends dy = (3, 1, −1, 1).

# %%
x = np.array([1.0, 2.0, 4.0, 5.0])
gamma, beta, eps, N = 2.0, 1.0, 1.5, 4

mean = x.mean()
centered = x - mean
var = (centered**2).mean()
inv_std = (var + eps) ** -0.5
x_hat = centered * inv_std
y = gamma * x_hat + beta

dy = np.array([3.0, 1.0, -1.0, 1.0])
print("x_hat =", x_hat, "  y =", y)

# %% [markdown]
# **3.1 Through** $y_i = \gamma\,\hat x_i + \beta$. Three inputs, three derivatives: $\partial y_i/\partial\hat x_i = \gamma$,
# $\ \partial y_i/\partial\gamma = \hat x_i$, $\ \partial y_i/\partial\beta = 1$. The first belongs to one row; γ and β are
# shared by all rows, so their parts add up:
#
# $$ \mathrm d\hat x_i = \gamma\,\mathrm dy_i, \qquad
#    \mathrm d\gamma = \sum_i \mathrm dy_i\,\hat x_i, \qquad
#    \mathrm d\beta = \sum_i \mathrm dy_i . $$

# %%
dx_hat = gamma * dy
dgamma = (dy * x_hat).sum()
dbeta = dy.sum()
print("dx_hat =", dx_hat, "  dgamma =", dgamma, "  dbeta =", dbeta)

# %% [markdown]
# **3.2 Through** $\hat x_i = c_i\, s$. A product of two things that *both* depend on x. Hold one still at a time:
#
# $$ \mathrm dc_i \mathrel{+}= \mathrm d\hat x_i\; s \qquad\text{(first part)}, \qquad
#    \mathrm ds = \sum_i \mathrm d\hat x_i\; c_i . $$
#
# Holding $s$ still is no approximation: what happens through $s$ gets its own arrow, right now.

# %%
dcentered = dx_hat * inv_std  # the first of two parts
dinv_std = (dx_hat * centered).sum()
print("dcentered, first part =", dcentered, "  dinv_std =", dinv_std)

# %% [markdown]
# **3.3 Through** $s = (v+\varepsilon)^{-1/2}$. A function of one variable:
#
# $$ \frac{\mathrm d s}{\mathrm d v} = -\tfrac12 (v+\varepsilon)^{-3/2}
#    \qquad\Longrightarrow\qquad \mathrm dv = -\tfrac12\,(v+\varepsilon)^{-3/2}\;\mathrm ds . $$
#
# The same ε as in the forward pass, under the same root. (And $(v+\varepsilon)^{-3/2} = s^3$: already computed.)
#
# **3.4 Through** $v = \frac1N \sum_i c_i^2$. Each $c_i$ occurs once, $\partial v/\partial c_i = \frac{2 c_i}{N}$:
#
# $$ \mathrm dc_i \mathrel{+}= \mathrm dv\;\frac{2 c_i}{N} \qquad\text{(second part)}. $$
#
# Now `centered` has heard from both its arrows. **This plus sign is the easiest one to lose:** write `=` in its place, and the
# first part is gone.

# %%
dvar = -0.5 * inv_std**3 * dinv_std
second = dvar * 2 * centered / N
print("dvar =", dvar, "  second part =", second)
dcentered = dcentered + second  # where two paths meet, gradients add
print("dcentered =", dcentered)

# %% [markdown]
# **3.5 Through** $c_i = x_i - \mu$, with $\mu = \frac1N\sum_j x_j$. Each $c_i$ contains $-\mu$, so `mean` collects from all rows;
# then `mean` hands an equal share to every $x_j$, and $x_j$ *also* has its own straight arrow to $c_j$. Two paths meet again:
#
# $$ \mathrm d\mu = -\sum_i \mathrm dc_i, \qquad
#    \mathrm dx_j = \underbrace{\mathrm dc_j}_{\text{straight}} + \underbrace{\tfrac1N\,\mathrm d\mu}_{\text{through mean}}
#    = \mathrm dc_j - \frac1N\sum_i \mathrm dc_i . $$
#
# Read it aloud: **to go back through "subtract the mean", subtract the mean.**

# %%
dmean = -dcentered.sum()
dx = dcentered + dmean / N
print("dmean =", dmean, "  dx =", dx, "  sum of dx =", dx.sum())

# %% [markdown]
# Four numbers that sum to zero. Are they right? Ask someone who knows nothing of graphs: nudge each $x_j$ up and down
# by $h$ and see how $\sum_i \mathrm dy_i\, y_i$ moves. (That sum has exactly the upstream gradient dy.)
#
# $$ \mathrm dx_j \approx \frac{\sum_i \mathrm dy_i\,\big(y_i(x + h e_j) - y_i(x - h e_j)\big)}{2h} $$

# %%
def forward(x):
    c = x - x.mean()
    return gamma * c * ((c**2).mean() + eps) ** -0.5 + beta

h = 1e-5
for j, e in enumerate(np.eye(N)):
    rise = forward(x + h * e) - forward(x - h * e)
    print(f"row {j}: nudged {(dy * rise).sum() / (2 * h):+.6f}   derived {dx[j]:+.6f}")

# %% [markdown]
# ## 4. Play: walk back, then cut a path
#
# The whole journey. Blue numbers are values and go right, vermillion ones are gradients and come back left.
#
# 1. Step through 7 to 13 and find each number of section 3. At step 9 `centered` has only half of its gradient.
# 2. Choose `all ones` as dy. **Predict** at which node the gradient dies. (At which step is the last number
#    that is not 0?)
# 3. Go to step 13 and **cut** an arrow. What does Σ dx do when you cut `mean → centered`? And `centered → var`?
# 4. Cut `centered → var` with dy = `all ones`. What do central differences say now? Remember this one.

# %%
explore(
    draw_graph,
    title="Batch norm as a graph: there and back",
    alt="Nodes x, mean, centered, var, inv_std, x_hat, y, gamma and beta with arrows between them; values in "
    "blue go right, gradients in vermillion come back left, one node a step",
    step=Slider("step", 0, LAST_STEP, 1, LAST_STEP),
    upstream=Choice("dy", tuple(UPSTREAM), "(3, 1, −1, 1)"),
    cut=Choice("cut the gradient's path", CUTS, "nothing"),
)

# %% [markdown]
# <details><summary>Answers</summary>
#
# 2. `all ones` gives dx_hat = (2, 2, 2, 2). Since Σ centered = 0, `dinv_std` is 0: nothing comes through the variance. The
#    straight part, (1, 1, 1, 1), lives until the very last step, where its mean is subtracted.
# 3. Without the path through `mean`, Σ dx is no longer 0: such a layer would care about shifts. Without the path
#    through `var`, Σ dx stays 0; the sum alone cannot see that bug.
# 4. They agree, everything is 0. A missing path, and with ones as upstream no check can notice.
# </details>

# %% [markdown]
# ## 5. Hold it against PyTorch, node by node
#
# Comparing only the final `dx` tells you *that* something is wrong. Comparing every named intermediate tells you
# *where* (the idea is from Karpathy's "Becoming a Backprop Ninja"). PyTorch keeps the gradient of an
# intermediate result if you ask for it with `retain_grad()`.
#
# Now with a real batch, (N, C) = (6, 4), and one more rule for arrays: everything per feature has shape (C,), so
# each $\sum_i$ above is a sum over **axis 0**.

# %%
rng = np.random.default_rng(1)
x, dy = rng.normal(size=(6, 4)), rng.normal(size=(6, 4))
gamma, beta, eps = rng.normal(size=4), rng.normal(size=4), 1e-5

t = {name: torch.tensor(v, requires_grad=True) for name, v in [("x", x), ("gamma", gamma), ("beta", beta)]}
t["mean"] = t["x"].mean(0)
t["centered"] = t["x"] - t["mean"]
t["var"] = (t["centered"] ** 2).mean(0)
t["inv_std"] = (t["var"] + eps) ** -0.5
t["x_hat"] = t["centered"] * t["inv_std"]
t["y"] = t["gamma"] * t["x_hat"] + t["beta"]
for node in t.values():
    node.retain_grad()
t["y"].backward(torch.tensor(dy))

# %% [markdown]
# Ours: one function for each node, the ones you will write in the assignment. Then compare.

# %%
_, cache = batchnorm_forward(x, gamma, beta, eps)
d = {"y": dy}
d["x_hat"], d["gamma"], d["beta"] = d_scale_shift(dy, cache.x_hat, gamma)
straight, d["inv_std"] = d_normalize(d["x_hat"], cache.centered, cache.inv_std)
d["var"] = d_inv_std(d["inv_std"], cache.var, eps)
d["centered"] = straight + d_var(d["var"], cache.centered)
d["mean"] = -d["centered"].sum(axis=0)
d["x"] = d_center(d["centered"])

print(f"{'node':10} {'shape':8} {'size of its gradient':>21} {'largest difference':>20}")
for name, ours in d.items():
    theirs = t[name].grad.numpy()
    print(f"{name:10} {ours.shape!s:8} {np.abs(ours).max():21.3f} {np.abs(ours - theirs).max():20.1e}")

# %% [markdown]
# Agreement to the last few bits of float64 ($2\cdot10^{-16}$ of the size), at every node. And PyTorch's own fused layer?

# %%
leaf = torch.tensor(x, requires_grad=True)
fused = torch.nn.functional.batch_norm(
    leaf, None, None, torch.tensor(gamma), torch.tensor(beta), training=True, eps=eps
)
fused.backward(torch.tensor(dy))
print("largest difference to F.batch_norm:", np.abs(d["x"] - leaf.grad.numpy()).max())

# %% [markdown]
# ## 6. What the layer cannot hear
#
# **Shifts.** Let dy be the same for all rows, $\mathrm dy_i = a$. Then $\mathrm ds = \gamma a \sum_i c_i = 0$, the
# variance hears nothing, $\mathrm dc_i = \gamma a s$ is the same in all rows, and the last node subtracts its mean:
# $\mathrm dx = 0$. Exactly, for every ε.
#
# **Stretches.** Let dy point along the normalised output, $\mathrm dy_i = a\,\hat x_i$. Follow it, with
# $\sum_i c_i^2 = N v$:
#
# $$ \mathrm ds = \gamma a\sum_i \hat x_i c_i = \gamma a\, N s v, \qquad
#    \mathrm dv = -\tfrac12 s^3\,\mathrm ds = -\tfrac12\,\gamma a N s^4 v, $$
#
# $$ \mathrm dc_i = \underbrace{\gamma a s\,\hat x_i}_{\text{straight}} \;-\; \underbrace{\gamma a s^4 v\, c_i}_{\text{through var}}
#    = \gamma a s\,\hat x_i\,(1 - s^2 v) = \gamma a s\,\hat x_i\cdot\frac{\varepsilon}{v+\varepsilon} . $$
#
# (Used: $c_i = \hat x_i/s$ and $s^2 = 1/(v+\varepsilon)$.) With $v = 1$ and $\varepsilon = 10^{-5}$ that is a hundred-thousandth of what was
# sent. Stretch a feature, and batch norm divides the stretch out again; only ε still notices.
#
# **Predict.** Which upstream gradient belongs to the loss $L = \sum y^2$ of a new layer (γ = 1, β = 0)? And in a batch of **two**, is
# there a dy that is not made of a shift and a stretch?

# %%
def largest_dx(x, dy, eps=1e-5):
    leaf = torch.tensor(x, requires_grad=True)
    y = torch.nn.functional.batch_norm(leaf, None, None, training=True, eps=eps)
    y.backward(2 * y.detach() if dy is None else torch.tensor(dy))
    return leaf.grad.abs().max().item()

batch, pair = rng.normal(size=(8, 3)), rng.normal(size=(2, 3))
any_dy, any_pair = rng.normal(size=(8, 3)), rng.normal(size=(2, 3))
for eps in (1e-5, 1e-10):
    print(f"eps = {eps:g}:   random dy {largest_dx(batch, any_dy, eps):.2g},"
          f"   ones {largest_dx(batch, np.ones((8, 3)), eps):.1g},"
          f"   loss Σy² {largest_dx(batch, None, eps):.1g},"
          f"   N = 2, random dy {largest_dx(pair, any_pair, eps):.1g}")

# %% [markdown]
# <details><summary>What you see</summary>
#
# The gradient of Σy² by y is 2y = 2x̂: exactly the direction of a stretch. And a batch of two has, per feature, two directions:
# the shift (1, 1), and the stretch (1, −1). Every dy is made of these two, and the layer is deaf
# to both. In all three cases the true gradient is zero, but for a crumb that ε leaves; make ε smaller and the crumb goes, too.
# </details>

# %% [markdown]
# ## 7. Three reasonable checks, all of them blind
#
# Here is a backward pass with a minus sign too many. Everything else is right.

# %%
def wrong_backward(dy, cache):
    dx_hat, dgamma, dbeta = d_scale_shift(dy, cache.x_hat, cache.gamma)
    straight, dinv_std = d_normalize(dx_hat, cache.centered, cache.inv_std)
    dvar = d_inv_std(dinv_std, cache.var, cache.eps)
    dx = d_center(straight + d_var(dvar, cache.centered))
    return -dx, dgamma, dbeta  # up the hill

def numeric_dx(x, dy, h=1e-5):
    dx, one, zero = np.empty_like(x), np.ones(x.shape[1]), np.zeros(x.shape[1])
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += h
        below[index] -= h
        rise = batchnorm_forward(above, one, zero)[0] - batchnorm_forward(below, one, zero)[0]
        dx[index] = (dy * rise).sum() / (2 * h)
    return dx

# %% [markdown]
# **Predict** which of the four lines below catches it, if an error of $10^{-3}$ is allowed (generous, as one has to
# be when numbers come from float32).

# %%
one, zero = np.ones(3), np.zeros(3)
y, _ = batchnorm_forward(batch, one, zero)
points = {
    "upstream of ones": (batch, np.ones((8, 3))),
    "loss = Σ y²": (batch, 2 * y),
    "a batch of two": (pair, rng.normal(size=(2, 3))),
    "random upstream, N = 8": (batch, rng.normal(size=(8, 3))),
}
for name, (x, dy) in points.items():
    wrong_dx, _, _ = wrong_backward(dy, batchnorm_forward(x, one, zero)[1])
    caught = not np.allclose(wrong_dx, numeric_dx(x, dy), rtol=0, atol=1e-3)
    print(f"{name:24} {'caught' if caught else 'passes'}")

# %% [markdown]
# Gradient ascent, and three green lights. Not because the checks are sloppy: they compare with central differences,
# as one should. They look where there is nothing to see.
#
# Now seven wrong backward passes against four checks. The fourth column is a check that somebody *thought* about; designing one is
# the last exercise of the assignment. In brackets stands by how much the
# wrong dx misses the measured one. Slide the tolerance: does a stricter one save the other checks?

# %%
explore(
    draw_blind_checks,
    title="Which check sees which bug?",
    alt="Table of seven wrong backward passes by four gradient checks; dy = ones, N = 2 and the loss Σ y² leave several "
    "bugs unseen, design_check sees all",
    tolerance=Slider("allowed error of dx", 1e-9, 1.0, 10, 1e-3, log=True),
)

# %% [markdown]
# <details><summary>What to notice</summary>
#
# * At 10⁻³ the first four bugs are invisible to the first three checks: one returns nothing but zeros!
# * A stricter tolerance rescues a few fields of `N = 2` and `Σ y²`, and what it sees there is only the crumb that ε leaves.
#   `dy = ones` sees none of the first five however strict it is: the true gradient is exactly 0, and so is the wrong one.
# * "leaves gamma out" is invisible to all three, however strict they are: with γ = 1 nothing is left out.
# * Each check has something it sees. Blindness has a pattern: **a bug hides where the thing it gets wrong is 0 or 1.**
# </details>

# %% [markdown]
# So turn the pattern round. For every bug that you can imagine, ask: *at which numbers would it make no difference?* Then
# stay away from these numbers.
#
# | bug | makes no difference where … |
# |---|---|
# | path through `var` lost | dy has no part along x̂ |
# | path through `mean` lost | dy has mean 0 |
# | γ left out, or squared | γ = 1 |
# | the sign of γ lost | all γ > 0 |
# | `x` in place of x̂ | x already has mean 0 and variance 1 |
# | ε left out or outside the root | the variance is large against ε |
# | statistics over the wrong axis, or over all entries | all features look alike; N = C hides a wrong shape |

# %% [markdown]
# ## 8. Where it breaks: the step h
#
# Central differences are a measurement, and a measurement has an error. Two of them, in fact. *Truncation:* Taylor's
# formula, once with $+h$ and once with $-h$, leaves after subtracting
#
# $$ \frac{L(x+h) - L(x-h)}{2h} = L'(x) + \frac{h^2}{6}\,L^{(3)}(x) + \dots $$
#
# (the terms with even powers cancel: that is what the second side is for). *Rounding:* both values of L are off by about $u\,|L|$, with
# $u \approx 10^{-16}$ in float64 and $6\cdot10^{-8}$ in float32, and that is divided by $h$. With $L$, $L'$ and $L^{(3)}$ of order 1, the sum
# $u/h + h^2/6$ is smallest at $h = (3u)^{1/3}$: about $7\cdot10^{-6}$ in float64.
#
# **Predict.** In float64, h = 1e-5 works. What happens if you compute the same in float32, as a network does? And which h would be best there?

# %%
explore(
    draw_step_size,
    title="How far can central differences be trusted?",
    alt="Error of central differences against the step h in a double logarithmic plot: a V for float64 with its bottom near "
    "h = 1e-5, and a V for float32 that lies far higher",
    sigma=Slider("σ of the feature", 0.001, 10.0, 10, 1.0, log=True),
)

# %% [markdown]
# <details><summary>What you see</summary>
#
# In float32 at h = 1e-5 the error is a percent, so a tolerance that lets a right backward pass through also lets small bugs
# through (N−1 for N in a batch of 128, say). The best h, $(3\cdot 6\cdot10^{-8})^{1/3} \approx 0.006$, still leaves a few parts in $10^5$. Left
# of $10^{-8}$ the error is 100 %: x + h rounds back to x, and nothing moves. **Check gradients in float64**, even if you train in float32.
#
# Slide σ down: the V moves left, because what counts is h compared with the width of the feature, $(h/\sqrt{\sigma^2+\varepsilon})^2$. The
# ε keeps it from going on for ever. In float64 h = 1e-5 does well for every σ on the slider.
# </details>

# %% [markdown]
# ## 9. What people get wrong
#
# * **A sum where a mean belongs, or the other way round.** dγ and dβ are *sums* over the batch, because γ is used N
#   times. $2c_i/N$ and the last $\frac1N$ come from the forward pass, where `mean` and `var` are means.
# * **N−1.** The variance that normalises divides by N, so its derivative does. N−1 belongs to the running variance, which
#   gets no gradient.
# * **Treating mean and variance as constants.** dx = γ·s·dy looks plausible, and is what one has in *evaluation mode*, where they are constants (unit 5).
# * **Shape (1, C).** `keepdims=True` is handy inside, but γ has shape (C,), and so has its gradient.
# * **ε in one pass and not in the other.** For σ² = 1 nobody sees it; for σ² = 10⁻⁵ half of σ² + ε is ε.
#
# And one "bug" that is none. **Predict:** somebody subtracts the mean only from the straight part and adds the
# part through `var` afterwards. Wrong?

# %%
x, dy = rng.normal(size=(6, 4)), rng.normal(size=(6, 4))
_, cache = batchnorm_forward(x, gamma, beta)
dx_hat, _, _ = d_scale_shift(dy, cache.x_hat, gamma)
straight, dinv_std = d_normalize(dx_hat, cache.centered, cache.inv_std)
through_var = d_var(d_inv_std(dinv_std, cache.var, cache.eps), cache.centered)
print(np.abs(d_center(straight + through_var) - (d_center(straight) + through_var)).max())

# %% [markdown]
# <details><summary>Why there is no difference</summary>
#
# What comes through `var` is a multiple of `centered`, and `centered` has mean 0. There is nothing to subtract. The
# numbers are the same, so no gradient check should complain. Unit 5 builds on it: all the nodes melt into one line.
# </details>

# %% [markdown]
# ## 10. Summary card
#
# One feature, N rows; upstream $\mathrm dy$. Per feature means: each $\sum$ and mean runs over axis 0.
#
# | node | forward | backward |
# |---|---|---|
# | scale, shift | $y = \gamma\hat x + \beta$ | $\mathrm d\hat x = \gamma\,\mathrm dy$, $\ \mathrm d\gamma = \sum \mathrm dy\,\hat x$, $\ \mathrm d\beta = \sum \mathrm dy$ |
# | normalise | $\hat x = c\,s$ | $\mathrm dc \mathrel{+}= \mathrm d\hat x\, s$, $\ \mathrm ds = \sum \mathrm d\hat x\, c$ |
# | inverse root | $s = (v+\varepsilon)^{-1/2}$ | $\mathrm dv = -\frac12 (v+\varepsilon)^{-3/2}\,\mathrm ds$ |
# | variance | $v = \frac1N\sum c^2$ | $\mathrm dc \mathrel{+}= \mathrm dv\cdot 2c/N$ |
# | centre | $c = x - \frac1N\sum x$ | $\mathrm dx = \mathrm dc - \frac1N\sum\mathrm dc$ |
#
# * Several arrows out of a node: **add** what comes back.
# * $\sum \mathrm dx = 0$ always; dy constant over the batch gives dx = 0.
# * Check with a **random dy, N ≥ 3, γ ≠ 1, features that differ, in float64**.

# %% [markdown]
# ## What to try next
#
# * The assignment `backward_graph.ipynb`: the five nodes, the whole backward pass, central differences, and a check of your own
#   that is graded by the bugs it exposes.
# * Derive the backward pass of `y = x / ‖x‖` in the same way, node by node. Which direction is it deaf to?
# * Unit 5: the ten lines become one, and the two deaf directions become a projection.
#
# ## Sources
#
# * S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, ICML 2015,
#   [arXiv:1502.03167](https://arxiv.org/abs/1502.03167): Algorithm 1 (forward), and in §3, after it, the six gradients. What the title says the layer does is the
#   authors' claim; unit 7 measures it.
# * A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind, *Automatic Differentiation in Machine Learning: a Survey*, JMLR 18 (2018),
#   [arXiv:1502.05767](https://arxiv.org/abs/1502.05767): §3.2, reverse mode, the rule of section 2.
# * W. H. Press et al., *Numerical Recipes*, 3rd ed. 2007, §5.7: rounding against truncation, the best step.
# * A. Karpathy, *Neural Networks: Zero to Hero*, "Building makemore Part 4: Becoming a Backprop Ninja" (2022): the comparison of named intermediates.
# * [Stanford CS231n notes, "Gradient checks"](https://cs231n.github.io/neural-networks-3/#gradcheck): centred differences, double precision.

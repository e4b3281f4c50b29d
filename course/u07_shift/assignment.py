# %% [markdown]
# # Measure, then claim
#
# | | |
# |---|---|
# | **You'll do** | write two measures of "internal covariate shift", the noise that tests an explanation, two measures of smoothness, and the rule by which samples become a verdict; then log evidence and claim |
# | **You'll learn** | that one phrase has two meanings, how to measure a network without leaving a trace in it, and what five runs allow you to say |
# | **You need** | the [lecture](../../course/u07_shift/lecture.ipynb), PyTorch: modules, autograd |
# | **Time** | about 75 minutes, 8 exercises, 24 points |
#
# Run the cells from top to bottom. Write your code where it says `# YOUR CODE HERE`, and delete `raise NotImplementedError()`.

# %% given="imports"
import copy

import numpy as np
import torch
from torch import nn

from autograder import check, hint, progress

# %% [markdown]
# ## What holds in all exercises
#
# - No result depends on luck: your measuring code is tried on planted data, where the right answer is known.
# - **No argument may be changed.** A model that you measure is the same afterwards to the last bit: its parameters, its running statistics, the
#   `.grad` of its parameters, its mode. Measure it in the mode it is in.
# - A *number* may be a Python float, a NumPy number or a tensor of shape `()`.
# - Models are plain PyTorch, in float64 or float32, on the CPU. All of their parameters learn, and none is used twice.
# - Inputs of a layer have shape $(N, C)$: N rows, C features.
# - `bnlib` earns nothing inside your functions; comparing with it in a cell of your own is welcome.

# %% [markdown]
# ## Exercise 1 · `distribution_shift`
#
# *effort ●○○ · about 7 minutes · 3 points · `hint("u07.distribution_shift")` if you are stuck*
#
# Ioffe & Szegedy (2015) call *internal covariate shift* "the change in the distribution of network activations due to the change in network
# parameters during training". They give no formula. Ours looks at the means only. With $\mu_c$ and $\sigma_c$ for mean and **biased** standard deviation (1/N)
# of feature c over the rows:
#
# $$ \text{shift} = \frac1C\sum_c \frac{\big|\,\mu_c^{\text{after}} - \mu_c^{\text{before}}\,\big|}{\sigma_c^{\text{before}}} $$
#
# `before` has shape (N, C) and `after` (M, C), N and M may differ. Both are tensors, or both are NumPy arrays; a tensor may be one that gradients flow to. Return one number.
# (No feature of `before` is constant in what is graded. float32 data with mean 10 000 is.)
#
# <details><summary>Nudge</summary>
#
# `torch.as_tensor` takes arrays and tensors. And look up what `torch.std` divides by.
# </details>

# %% exercise="distribution_shift"
def distribution_shift(before, after):
    """Return how far the features' means moved, in standard deviations of before."""
    ### BEGIN SOLUTION
    before, after = torch.as_tensor(before), torch.as_tensor(after)
    distance = (after.mean(dim=0) - before.mean(dim=0)).abs()
    return (distance / before.std(dim=0, correction=0)).mean().item()
    ### END SOLUTION

# %% test="distribution_shift"
before = torch.tensor([[0.0, 10.0], [2.0, 30.0]], dtype=torch.float64)  # standard deviations 1 and 10
after = before + torch.tensor([1.0, -5.0])
shift = distribution_shift(before, after)
assert abs(shift - 0.75) < 1e-9, f"The means moved by 1/1 and 5/10, so the shift is 0.75; got {shift}"
check("u07.distribution_shift", distribution_shift)

# %% [markdown]
# ## Exercise 2 · `noisy`
#
# *effort ●●○ · about 10 minutes · 3 points · `hint("u07.noisy")` if you are stuck*
#
# If a steady distribution is what makes batch norm work, then spoiling the distribution should spoil the training. Santurkar et al. (2018) spoil it: noise after
# batch norm, drawn anew at every step. For an input of shape (N, C):
#
# $$ y_{nc} = s_c\,x_{nc} + m_c, \qquad m_c \sim U(-\texttt{mean\_scale},\ \texttt{mean\_scale}), \qquad s_c \sim U(1,\ \texttt{std\_scale}) $$
#
# One pair $(m_c, s_c)$ for each feature, shared by all rows; a normalised feature gets mean $m_c$ and standard deviation $s_c$. (In the paper both vary
# from sample to sample, too, around such values.)
#
# **How it is graded.** By what the noise does to x, not by which numbers you drew: each feature is a straight line in x; shifts and factors
# lie in their ranges, fill them evenly and are independent · all randomness comes from `generator` (a `torch.Generator`): two of one seed give the same result, the
# global generator is not touched · the *next* call with the same generator draws other numbers · shape and dtype are those of x, gradients flow to x, x itself is not changed.
#
# <details><summary>Nudge</summary>
#
# `torch.rand(C, generator=generator, dtype=x.dtype)` gives C numbers from U(0, 1). How do you stretch U(0, 1) to U(a, b)?
# </details>

# %% exercise="noisy"
def noisy(x, generator, mean_scale, std_scale):
    """Rescale and shift every feature by random numbers, drawn anew at each call."""
    ### BEGIN SOLUTION
    columns = x.shape[1]
    shift = torch.rand(columns, generator=generator, dtype=x.dtype)
    factor = torch.rand(columns, generator=generator, dtype=x.dtype)
    return (1 + (std_scale - 1) * factor) * x + mean_scale * (2 * shift - 1)
    ### END SOLUTION

# %% test="noisy"
x = torch.tensor([[-1.0, 2.0, 1.0], [1.0, -2.0, 1.0], [-1.0, -2.0, 3.0], [1.0, 2.0, 3.0]], dtype=torch.float64)
y = noisy(x, torch.Generator().manual_seed(0), 0.5, 1.25)
assert y.shape == (4, 3), f"The result has the shape of x, (4, 3); it has {tuple(y.shape)}"
slope = (y[3] - y[0])[0] / 2  # feature 0: from x = −1 to x = 1
assert 1 <= slope <= 1.25, f"Feature 0 is multiplied by a number between 1 and 1.25; got {slope:.3f}"
assert torch.allclose(y[2, 0], y[0, 0]), "Rows 0 and 2 agree in feature 0: noise is shared by all rows"
again = noisy(x, torch.Generator().manual_seed(0), 0.5, 1.25)
assert torch.equal(y, again), "Two generators of one seed give the same noise (x must stay as it is)"
check("u07.noisy", noisy)

# %% [markdown]
# ## Exercise 3 · `shift_of_gradient`
#
# *effort ●○○ · about 5 minutes · 2 points · `hint("u07.shift_of_gradient")` if you are stuck*
#
# The same phrase in a second meaning. A layer does not see distributions; it sees a *gradient*. How much does that change because other layers moved?
# For two gradients of one shape, any shape (a weight's is a matrix), taken as one long vector each:
#
# $$ \ell_2 = \big\|\,g^{\text{after}} - g^{\text{before}}\,\big\|_2, \qquad
#    \text{cosine} = \frac{\langle g^{\text{before}},\ g^{\text{after}}\rangle}{\|g^{\text{before}}\|_2\,\|g^{\text{after}}\|_2} $$
#
# Return the tuple `(l2, cosine)` of two numbers. (Neither gradient is 0.)

# %% exercise="shift_of_gradient"
def shift_of_gradient(g_before, g_after):
    """Return the distance of two gradients, and the cosine of the angle between them."""
    ### BEGIN SOLUTION
    a, b = g_before.flatten(), g_after.flatten()
    return (b - a).norm().item(), (a @ b / (a.norm() * b.norm())).item()
    ### END SOLUTION

# %% test="shift_of_gradient"
l2, cosine = shift_of_gradient(torch.tensor([3.0, 0.0]).double(), torch.tensor([0.0, 4.0]).double())
assert abs(l2 - 5) < 1e-9, f"From (3, 0) to (0, 4) it is 5; got {l2}"
assert abs(cosine) < 1e-9, f"They stand at right angles: cosine 0; got {cosine}"
check("u07.shift_of_gradient", shift_of_gradient)

# %% [markdown]
# ## Exercise 4 · `upstream_update_gradients`
#
# *effort ●●● · about 15 minutes · 4 points · `hint("u07.upstream_update_gradients")` if you are stuck*
#
# Now the two gradients. Number the modules that **own parameters themselves**, in the order of `model.modules()`, from 0: a linear layer counts, a batch norm with weight and
# bias counts, a `Sequential` and an activation do not. For layer $i$ = `index` and one batch (x, y):
#
# $$ g^{\text{before}} = \nabla_{W_i} L(W_0, \dots, W_k), \qquad
#    g^{\text{after}} = \nabla_{W_i} L(W_0 - \mathrm{lr}\,\nabla_{W_0} L,\ \dots,\ W_{i-1} - \mathrm{lr}\,\nabla_{W_{i-1}} L,\ W_i, \dots, W_k) $$
#
# In words: the layers *before* layer i take one step of SGD, all at once, with the gradients of the starting point; layer i and those after it stay. Then the gradient of
# layer i is taken again, on the same batch (Santurkar et al. 2018, Definition 2.1).
#
# - The loss is `loss_fn(model(x), y)`, a scalar.
# - Return `(g_before, g_after)`, each **flattened to one axis**: all of the layer's parameters in the order of `layer.parameters()`, weight first, then bias.
# - `index` is a valid number from 0; for 0 nothing moves and both are equal.
# - The model is left unchanged, in every part that was named at the top. `copy.deepcopy(model)` is your friend: it copies parameters, running statistics and modes, and starts without `.grad`.
#
# <details><summary>Nudge</summary>
#
# `[m for m in work.modules() if list(m.parameters(recurse=False))]` are the layers of a copy called `work`. `torch.autograd.grad(loss, parameters)` returns gradients and leaves `.grad` alone.
# </details>
# <details><summary>Outline</summary>
#
# 1. deep copy; list of layers; parameters of layer `index`, and those of the layers before it;
# 2. gradients of both groups at the start (an empty group needs none);
# 3. under `torch.no_grad()`, `p -= lr * g` for the group before;
# 4. the gradient of layer `index` again; `torch.cat` of the flattened parts, twice.
# </details>

# %% exercise="upstream_update_gradients"
def upstream_update_gradients(model, index, loss_fn, x, y, lr):
    """Return a layer's gradient before and after an SGD step of the layers before it only."""
    ### BEGIN SOLUTION
    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    own = list(layers[index].parameters(recurse=False))
    before = [p for layer in layers[:index] for p in layer.parameters(recurse=False)]

    grads = torch.autograd.grad(loss_fn(work(x), y), own + before)
    with torch.no_grad():
        for p, g in zip(before, grads[len(own) :], strict=True):
            p -= lr * g
    after = torch.autograd.grad(loss_fn(work(x), y), own)
    return tuple(torch.cat([g.flatten() for g in part]) for part in (grads[: len(own)], after))
    ### END SOLUTION

# %% [markdown]
# The example of the test: two weights, $h = w_0 x$ and output $w_1 h$, the loss $\frac12(w_1 h - y)^2$ with $x = 1$, $y = 5$, $w_0 = 2$, $w_1 = 3$. The output is 6, one too much. So
# $\nabla_{w_1} L = 1\cdot h = 2$ and $\nabla_{w_0} L = 1\cdot w_1 x = 3$. A step with lr 0.5 takes $w_0$ to 0.5; the output is then 1.5, the error −3.5, $h = 0.5$, and
# $\nabla_{w_1} L = -3.5\cdot 0.5 = -1.75$. The gradient has changed its sign.

# %% test="upstream_update_gradients"
model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)).double()
for layer, weight in zip(model, (2.0, 3.0), strict=True):
    nn.init.constant_(layer.weight, weight)
x, y = torch.ones(1, 1).double(), torch.tensor([[5.0]]).double()
g_before, g_after = upstream_update_gradients(model, 1, lambda p, y: ((p - y) ** 2).sum() / 2, x, y, 0.5)
assert g_before.shape == (1,), f"The layer has one parameter: shape (1,); got {tuple(g_before.shape)}"
assert abs(g_before[0] - 2) < 1e-9, f"Before the step the gradient is error · h = 1 · 2; got {g_before[0]}"
assert abs(g_after[0] + 1.75) < 1e-9, f"After it the gradient is −3.5 · 0.5 = −1.75; got {g_after[0]}"
check("u07.upstream_update_gradients", upstream_update_gradients)

# %% [markdown]
# ## Exercise 5 · `loss_along_gradient`
#
# *effort ●●○ · about 10 minutes · 3 points · `hint("u07.loss_along_gradient")` if you are stuck*
#
# The explanation that Santurkar et al. offer instead: batch norm makes the loss *smoother*, so that a gradient can be trusted further away. With $w$ for all parameters together, and
# $g = \nabla L(w)$ on one batch, walk along a straight line and look:
#
# $$ \text{losses}_k = L(w - t_k\, g), \qquad t_k \text{ from } \texttt{steps} $$
#
# One $w$, one $g$, several $t$. `steps` is a list or an array of numbers in any order; 0 and negative ones occur. Return `len(steps)` losses, in that order: a list of numbers, an array
# or a tensor of shape (len(steps),). The model is left unchanged.

# %% exercise="loss_along_gradient"
def loss_along_gradient(model, loss_fn, x, y, steps):
    """Return the loss at w − t·g for each step t, on one batch."""
    ### BEGIN SOLUTION
    work = copy.deepcopy(model)
    params = list(work.parameters())
    start = [p.detach().clone() for p in params]
    grads = torch.autograd.grad(loss_fn(work(x), y), params)
    losses = []
    with torch.no_grad():
        for t in steps:
            for p, w, g in zip(params, start, grads, strict=True):
                p.copy_(w - t * g)
            losses.append(loss_fn(work(x), y).item())
    return np.array(losses)
    ### END SOLUTION

# %% [markdown]
# The example of this test and the next is a parabola, $\frac12(w - 1)^2$ at $w = 3$: the gradient is 2, and $t = 1$ lands in the minimum.

# %% given="parabola"
def parabola():
    """Return a model with one weight, 3, a loss, x and y: the loss is ½(w − 1)²."""
    model, one = nn.Linear(1, 1, bias=False).double(), torch.ones(1, 1).double()
    nn.init.constant_(model.weight, 3.0)
    return model, lambda p, y: ((p - y) ** 2).sum() / 2, one, one

# %% test="loss_along_gradient"
losses = loss_along_gradient(*parabola(), [0.0, 1.0, 2.0, 3.0])
losses = [loss.item() if hasattr(loss, "item") else loss for loss in losses]
assert np.allclose(losses, [2, 0, 2, 8]), f"w is 3, 1, −1, −3, so the losses are 2, 0, 2, 8; got {losses}"
check("u07.loss_along_gradient", loss_along_gradient)

# %% [markdown]
# ## Exercise 6 · `effective_smoothness`
#
# *effort ●●○ · about 8 minutes · 3 points · `hint("u07.effective_smoothness")` if you are stuck*
#
# The same walk, but look at the gradient: how much does it change, for each unit of way?
#
# $$ \beta = \max_{t\,\in\,\texttt{steps}} \frac{\big\|\,g(w) - g(w - t\,g(w))\,\big\|}{\big\|\,t\,g(w)\,\big\|} $$
#
# All norms are over all parameters together. The smaller β, the smoother. No step is 0; a negative one may occur. Return one number; the model is left unchanged.

# %% exercise="effective_smoothness"
def effective_smoothness(model, loss_fn, x, y, steps):
    """Return the largest change of the gradient along itself, for each unit of way."""
    ### BEGIN SOLUTION
    work = copy.deepcopy(model)
    params = list(work.parameters())
    start = [p.detach().clone() for p in params]

    def gradient():
        return torch.autograd.grad(loss_fn(work(x), y), params)

    def flat(grads):
        return torch.cat([g.flatten() for g in grads])

    grads, ratios = gradient(), []
    for t in steps:
        with torch.no_grad():
            for p, w, g in zip(params, start, grads, strict=True):
                p.copy_(w - t * g)
        ratios.append((flat(grads) - flat(gradient())).norm() / (t * flat(grads)).norm())
    return float(max(ratios))
    ### END SOLUTION

# %% test="effective_smoothness"
beta = effective_smoothness(*parabola(), [0.5, 2.0])
assert abs(beta - 1) < 1e-9, f"A parabola ½(w − 1)² bends by 1 everywhere: β = 1; got {beta}"
check("u07.effective_smoothness", effective_smoothness)

# %% [markdown]
# ## Exercise 7 · `claim`
#
# *effort ●●○ · about 12 minutes · 4 points · `hint("u07.claim")` if you are stuck*
#
# You have a number for each of a few runs with batch norm, and for each of a few without. The claim: **batch norm makes this number smaller.** What do the runs allow you to say? Exactly
# one of three words. The rule, in this order:
#
# 1. Fewer than two values on a side: `"undecided"`. One run says nothing about the next.
# 2. A value that is not finite (`inf`, `nan`) is a run that diverged: the worst there is. If there is one on any side, replace *all* values by their `ranks` (given below) and go on with those.
# 3. No spread at all (all values of one sample equal, and all of the other, too): `"undecided"`. Spread on one side is enough to go on.
# 4. Otherwise take the 95 % interval of mean(with) − mean(without) (Welch 1947). With $u = s^2/n$ for each sample, $s^2$ its **unbiased** variance:
#
# $$ \text{half} = t_{0.975}(\nu)\,\sqrt{u_a + u_b}, \qquad \nu = \frac{(u_a + u_b)^2}{\dfrac{u_a^2}{n_a - 1} + \dfrac{u_b^2}{n_b - 1}} $$
#
# 5. Interval below 0: `"supported"`. Above 0: `"refuted"`. Around 0: `"undecided"`.
#
# Both samples are lists or arrays of numbers. What is graded lies clearly on one side of each border, so the three digits of the table are enough.

# %% given="statistics"
FREEDOM = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 120, np.inf]
QUANTILE = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.306, 2.228, 2.131, 2.086, 2.042, 2.0, 1.98, 1.96]

def t_quantile(freedom):
    """Return the 0.975 quantile of Student's t, from a table."""
    return np.interp(1 / freedom, 1 / np.array(FREEDOM[::-1]), QUANTILE[::-1])

def ranks(values):
    """Return ranks from 1; equal values share their mean rank; inf and nan are equal and last."""
    values = np.where(np.isfinite(values), values, np.inf)
    return np.array([np.sum(values < v) + (np.sum(values == v) + 1) / 2 for v in values])

# %% exercise="claim"
def claim(with_bn, without_bn):
    """Return "supported", "refuted" or "undecided" for: batch norm makes this smaller."""
    ### BEGIN SOLUTION
    a, b = np.array(with_bn, float), np.array(without_bn, float)
    if min(len(a), len(b)) < 2:
        return "undecided"
    both = np.concatenate([a, b])
    if not np.isfinite(both).all():
        a, b = np.split(ranks(both), [len(a)])
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if u + v == 0:
        return "undecided"
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    half, difference = t_quantile(freedom) * np.sqrt(u + v), a.mean() - b.mean()
    if difference + half < 0:
        return "supported"
    return "refuted" if difference - half > 0 else "undecided"
    ### END SOLUTION

# %% test="claim"
verdict = claim([1.0, 2.0, 3.0], [11.0, 12.0, 13.0])
assert verdict == "supported", f"−10 ± 2.3 lies below 0: supported; got {verdict!r}"
verdict = claim([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
assert verdict == "undecided", f"−1 ± 2.3 lies around 0: undecided; got {verdict!r}"
check("u07.claim", claim)

# %% [markdown]
# ## Exercise 8 · `my_claims`
#
# *effort ●○○ · about 6 minutes · 2 points · `hint("u07.my_claims")` if you are stuck*
#
# Now use what you wrote. Five seeds, a small network on handwritten digits, with batch norm and without: one line of the log for each run.
#
# **Predict first**, in writing: which of the four verdicts will be *supported*, which *refuted*?

# %%
from bnlib.data import digits
from bnlib.nets import mlp
from bnlib.training import train

data, loss = digits(), nn.functional.cross_entropy
x, y = torch.from_numpy(data.train_x[:256]), torch.from_numpy(data.train_y[:256])
kinds = {"batch norm": "batch", "none": None}

def evidence(norm, seed, lr=0.1):
    """Train 30 steps; measure the network, then one more step."""
    model = mlp([64, 50, 50, 50, 10], norm=norm, seed=seed)
    train(model, data, steps=30, batch_size=64, lr=lr, seed=seed)
    layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
    last = len(layers) - 1
    l2, cosine = shift_of_gradient(*upstream_update_gradients(model, last, loss, x, y, lr))
    along = lr * np.array([0.5, 1.0, 2.0, 4.0])
    losses = loss_along_gradient(model, loss, x, y, along)
    return {"gradient shift, l2": l2, "gradient shift, 1 − cosine": 1 - cosine,
            "range of the loss": float(max(losses) - min(losses)),
            "effective smoothness": float(effective_smoothness(model, loss, x, y, along))}

# %%
log = {kind: [evidence(norm, seed) for seed in range(5)] for kind, norm in kinds.items()}
for measured in log["none"][0]:
    means = [np.mean([float(run[measured]) for run in log[kind]]) for kind in kinds]
    print(f"{measured:28} batch norm {means[0]:8.3f}   none {means[1]:8.3f}")

# %% [markdown]
# Return what you claim, with the evidence beside it: for each of the four measurements a dict with the keys `"with_bn"` and `"without_bn"`, the two samples out of `log` as lists of numbers, and
# `"verdict"`, what your `claim` says of them. The names of the measurements are the keys of the whole.
#
# What is graded is whether each verdict follows from the numbers that stand beside it. Which way your runs fell does not matter; a verdict that is truer than its evidence earns nothing.

# %% exercise="my_claims"
def my_claims():
    """Return {measurement: {"with_bn": [...], "without_bn": [...], "verdict": "..."}} of the log."""
    ### BEGIN SOLUTION
    def samples(name):
        return [[float(run[name]) for run in log[kind]] for kind in ("batch norm", "none")]

    found = {}
    for name in log["none"][0]:
        a, b = samples(name)
        found[name] = {"with_bn": a, "without_bn": b, "verdict": claim(a, b)}
    return found
    ### END SOLUTION

# %% test="my_claims"
claims = my_claims()
assert len(claims) >= 4, f"the log has four measurements; got {len(claims)}"
for name, entry in claims.items():
    assert set(entry) == {"with_bn", "without_bn", "verdict"}, f"{name}: got the keys {sorted(entry)}"
    print(f"{name:28} {entry['verdict']}")
check("u07.my_claims", my_claims)

# %% [markdown]
# Before you write "batch norm reduces covariate shift" below these lines, look at what they do *not* say: one small network, one learning rate, 30 steps in. Try `lr=0.01`, and 0 steps. The
# [lecture](../../course/u07_shift/lecture.ipynb) does it with five seeds and intervals, and says what other people found on larger networks.

# %% [markdown]
# ## Where you are

# %%
progress()

# %% [markdown]
# ## Try next
#
# - Put `noisy` after the batch norm of a network and train it: `nn.BatchNorm1d`, subclassed, with your function in `forward`. Does it still train?
# - Measure `distribution_shift` *before* the batch norm layers, at the outputs of the linear ones. Is the verdict the same?
# - Change the network's depth to ten layers. Which of your four verdicts changes?
# - On to unit 8: what the size of a batch does.
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, ICML 2015,
#   [arXiv:1502.03167](https://arxiv.org/abs/1502.03167): §2, the word and the claim.
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Mądry, *How Does Batch Normalization Help Optimization?*, NeurIPS 2018,
#   [arXiv:1805.11604](https://arxiv.org/abs/1805.11604): §2.1 (noise), §2.2 and Definition 2.1 (gradients), §3 (smoothness).
# - B. L. Welch, *The generalization of "Student's" problem when several different population variances are involved*, Biometrika 34, 1947.
